"""Timeline of a plan: a row per action, with a bar over the periods in which it runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from criteria.models import Criterion
from plan.as_of import AsOf
from plan.models import ActionItem, Due, Period, Status
from plan.models.looks import Look


@dataclass(frozen=True)
class Bar:
    """Row of an action: period cells before its bar, the periods it spans, and the cells after it."""

    action: ActionItem
    before: range
    span: int
    after: range

    @property
    def look(self) -> Look:
        """Icon and colours of the status on the day."""
        return Status(self.action.status_on).look

    @property
    def is_late(self) -> bool:
        """Whether the action is overdue on the day."""
        return self.action.due == Due.OVERDUE


@dataclass(frozen=True)
class Timeline:
    """Periods by fiscal year, bars by criterion, and the position of the day.

    Attributes:
        years: (fiscal year in พ.ศ., its periods), in order.
        groups: (criterion, its bars), in the order of the plan.
        day_at: position of the day in % of the width of all periods, which are equally wide.
    """

    years: list[tuple[int, list[Period]]]
    groups: list[tuple[Criterion, list[Bar]]]
    day_at: float

    @property
    def columns(self) -> int:
        """Number of columns: the action and each period."""
        return 1 + sum(len(periods) for _year, periods in self.years)


def build_timeline(actions: Iterable[ActionItem], as_of: AsOf) -> Timeline:
    """Place actions, in order and as of the day, over the periods of their plan."""
    count = len(as_of.periods)
    index = {period.pk: number for number, period in enumerate(as_of.periods)}
    groups = []
    for criterion, group in groupby(actions, key=lambda action: action.criterion):
        groups.append((criterion, [_bar(action, index, count) for action in group]))
    years = [(year, list(periods)) for year, periods in groupby(as_of.periods, key=lambda each: each.fiscal_year)]
    return Timeline(years=years, groups=groups, day_at=day_position(as_of))


def _bar(action: ActionItem, index: dict[int, int], count: int) -> Bar:
    if action.first_period_id not in index or action.last_period_id not in index:
        return Bar(action, range(count), 0, range(0))
    first, last = index[action.first_period_id], index[action.last_period_id]
    return Bar(action, range(first), last - first + 1, range(count - last - 1))


def day_position(as_of: AsOf) -> float:
    """Return the position of the end of the day in % of all periods; between periods, the start of the later one."""
    count = len(as_of.periods)
    for number, period in enumerate(as_of.periods):
        if as_of.day < period.starts_on:
            return 100 * number / count
        if as_of.day <= period.ends_on:
            passed = ((as_of.day - period.starts_on).days + 1) / ((period.ends_on - period.starts_on).days + 1)
            return 100 * (number + passed) / count
    return 100.0
