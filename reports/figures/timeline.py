"""The document's own picture: rows by criterion, a bar over the periods an action runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from criteria.models import Criterion
from plan.as_of import AsOf
from plan.models import ActionItem, Due, Period, Status
from plan.models.looks import Look


@dataclass(frozen=True)
class Bar:
    """An action's row: how many period cells stand before its bar, under it, and after it."""

    action: ActionItem
    before: range
    span: int
    after: range

    @property
    def look(self) -> Look:
        """Icon and colours of its status on the day."""
        return Status(self.action.status_on).look

    @property
    def is_late(self) -> bool:
        """Whether it is overdue on the day."""
        return self.action.due == Due.OVERDUE


@dataclass(frozen=True)
class Timeline:
    """The periods grouped by fiscal year, the rows by criterion, and where the day stands.

    Attributes:
        years: (fiscal year in พ.ศ., its periods), in order.
        groups: (criterion, its bars), in the plan's order.
        day_at: share (0-100) of the periods' width at which the day lies; every period is as wide as another.
    """

    years: list[tuple[int, list[Period]]]
    groups: list[tuple[Criterion, list[Bar]]]
    day_at: float

    @property
    def columns(self) -> int:
        """How many columns the table has: the action and the periods."""
        return 1 + sum(len(periods) for _year, periods in self.years)


def build_timeline(actions: Iterable[ActionItem], as_of: AsOf) -> Timeline:
    """Lay `actions`, which stand `as_of` a day and are in order, over the periods of their plan."""
    count = len(as_of.periods)
    index = {period.pk: place for place, period in enumerate(as_of.periods)}
    groups = []
    for criterion, group in groupby(actions, key=lambda action: action.criterion):
        groups.append((criterion, [_bar(action, index, count) for action in group]))
    years = [(year, list(periods)) for year, periods in groupby(as_of.periods, key=lambda each: each.fiscal_year)]
    return Timeline(years=years, groups=groups, day_at=day_share(as_of))


def _bar(action: ActionItem, index: dict[int, int], count: int) -> Bar:
    if action.first_period_id not in index or action.last_period_id not in index:
        return Bar(action, range(count), 0, range(0))
    first, last = index[action.first_period_id], index[action.last_period_id]
    return Bar(action, range(first), last - first + 1, range(count - last - 1))


def day_share(as_of: AsOf) -> float:
    """Where the end of the day lies across equally wide periods, 0-100; between periods, at the later one's start."""
    count = len(as_of.periods)
    for place, period in enumerate(as_of.periods):
        if as_of.day < period.starts_on:
            return 100 * place / count
        if as_of.day <= period.ends_on:
            passed = ((as_of.day - period.starts_on).days + 1) / ((period.ends_on - period.starts_on).days + 1)
            return 100 * (place + passed) / count
    return 100.0
