"""A plan as it stands on a day: which period runs, and how far an action is expected to have come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.conf import settings

from pmqa_tracker import thai

if TYPE_CHECKING:
    from plan.models import Period, Plan


@dataclass(frozen=True, kw_only=True)
class AsOf:
    """The day a page speaks of, with what of the plan it needs to judge it.

    Attributes:
        day: the day, at its end.
        periods: the plan's periods in order.
        cutoff: count what was told before this moment, where it is not the end of the day: pages on which people
            write show what was written after a plan's last day too.
        on_track, slipping: the lowest share (0-1) of the expected progress that still is so (design §4).
    """

    day: date
    periods: tuple["Period", ...]
    on_track: float
    slipping: float
    cutoff: datetime | None = None

    @property
    def period(self) -> "Period | None":
        """The period that runs on the day."""
        return next(
            (period for period in self.periods if period.starts_on <= self.day <= period.ends_on),
            None,
        )

    @property
    def period_starts_at(self) -> datetime:
        """The moment the running period began; between periods, the day itself."""
        return thai.start_of(self.period.starts_on if self.period else self.day)

    @property
    def ends_at(self) -> datetime:
        """The first moment that is not counted any more."""
        end = thai.end_of(self.day)
        return max(end, self.cutoff) if self.cutoff else end

    def expected(self, first: "Period", last: "Period") -> float:
        """Progress (%) expected by the day of work that runs from one period to another.

        0 before the first day of `first`, then linear to 100 at the end of the last day of `last` (design §4).
        """
        whole = (last.ends_on - first.starts_on).days + 1
        passed = (self.day - first.starts_on).days + 1
        return 100 * min(max(passed / whole, 0), 1)


def clamp_to_plan(day: date, plan: "Plan") -> date:
    """The day of the plan nearest to `day`: a plan that has ended is shown on its last day (design §6)."""
    return min(max(day, plan.starts_on), plan.ends_on)


def on_day(plan: "Plan", day: date, periods: Iterable["Period"], *, cutoff: datetime | None = None) -> AsOf:
    """`plan` on the day of it nearest to `day`, with the thresholds of the settings; see `AsOf.cutoff`."""
    return AsOf(
        day=clamp_to_plan(day, plan),
        periods=tuple(sorted(periods, key=lambda period: period.number)),
        cutoff=cutoff,
        on_track=settings.PMQA_ON_TRACK,
        slipping=settings.PMQA_SLIPPING,
    )
