"""The day a page shows a plan as of: its current period, and the progress expected by then."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from pmqa_tracker import thai

if TYPE_CHECKING:
    from plan.models import Period, Plan


@dataclass(frozen=True, kw_only=True)
class AsOf:
    """The day of a page, with the periods and thresholds that status and health depend on.

    Its moments are those of the time zone that is active when they are first read: the plan's.

    Attributes:
        day: the page shows the end of this day.
        periods: the plan's periods in order.
        cutoff: updates until the end of its day count, if that is later than `day`; pages with an update form also show
            updates made after the plan's last day.
        on_track, slipping: the lowest share (0-1) of the expected progress that counts as such (design §4).
    """

    day: date
    periods: tuple["Period", ...]
    on_track: float
    slipping: float
    cutoff: datetime | None = None

    @cached_property
    def period(self) -> "Period | None":
        """The period that contains the day, or None."""
        return next(
            (period for period in self.periods if period.starts_on <= self.day <= period.ends_on),
            None,
        )

    @cached_property
    def period_starts_at(self) -> datetime:
        """The start of the current period; between periods, the start of the day."""
        return thai.start_of(self.period.starts_on if self.period else self.day)

    @cached_property
    def ends_at(self) -> datetime:
        """The moment before which updates count."""
        # The end of a day, so that it is the same all day long for prepared queries.
        last = timezone.localdate(self.cutoff - timedelta.resolution) if self.cutoff else self.day
        return thai.end_of(max(self.day, last))

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """All that a query `as_of` this day depends on, besides the plan."""
        periods = tuple((each.pk, each.number, each.starts_on, each.ends_on) for each in self.periods)
        return self.day, self.ends_at, self.period_starts_at, self.on_track, self.slipping, periods

    def expected(self, first: "Period", last: "Period") -> float:
        """Return the progress (%) expected by the day for an action scheduled from `first` to `last`.

        0 before the first day of `first`, then linear to 100 at the end of the last day of `last` (design §4).
        """
        whole = (last.ends_on - first.starts_on).days + 1
        passed = (self.day - first.starts_on).days + 1
        return 100 * min(max(passed / whole, 0), 1)


def clamp_to_plan(day: date, plan: "Plan") -> date:
    """Return the day of the plan nearest to `day`; a plan that has ended shows its last day (design §6)."""
    return min(max(day, plan.starts_on), plan.last_day)


def on_day(plan: "Plan", day: date, periods: Iterable["Period"], *, cutoff: datetime | None = None) -> AsOf:
    """Return the AsOf for the day of `plan` nearest to `day`, with the thresholds of the settings."""
    return AsOf(
        day=clamp_to_plan(day, plan),
        periods=tuple(sorted(periods, key=lambda period: period.number)),
        cutoff=cutoff,
        on_track=settings.PMQA_ON_TRACK,
        slipping=settings.PMQA_SLIPPING,
    )
