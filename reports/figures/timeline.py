"""Timeline of a plan: a bar per criterion, and a bar per action of the criteria that are open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Any

from criteria.models import Criterion
from plan.as_of import AsOf
from plan.models import ActionItem, Due, Period, Status
from plan.models.looks import Look
from reports.figures.groups import Figure


@dataclass(frozen=True)
class Span:
    """Place of a bar: number of periods before it, in it, and after it. Without a schedule, `periods` is 0."""

    before: int
    periods: int
    after: int

    @property
    def last(self) -> int:
        """Number of periods before the end of the bar."""
        return self.before + self.periods


@dataclass(frozen=True)
class Bar:
    """Row of an action."""

    action: ActionItem
    span: Span

    @property
    def look(self) -> Look:
        """Icon and colours of the status on the day."""
        return Status(self.action.status_on).look

    @property
    def is_late(self) -> bool:
        """Whether the action is overdue on the day."""
        return self.action.due == Due.OVERDUE


@dataclass(frozen=True, kw_only=True)
class CriterionBars:
    """Row of a criterion, from the first to the last period of its actions.

    Attributes:
        bars: one per action, in the order of the plan.
        progress: mean progress (%) of the actions not cancelled; None if all are.
        total, overdue: its actions, and the overdue ones.
        open_value: value of `?open=` that opens this criterion, or closes it if it is open.
    """

    criterion: Criterion
    bars: list[Bar]
    span: Span
    progress: float | None
    total: Figure
    overdue: Figure
    is_open: bool
    open_value: str


@dataclass(frozen=True)
class Timeline:
    """Periods by fiscal year, bars by criterion, and the position of the day.

    Attributes:
        years: (fiscal year in พ.ศ., its periods), in order.
        groups: one per criterion, in the order of the plan.
        day_at: position of the day in % of the width of all periods, which are equally wide.
    """

    years: list[tuple[int, list[Period]]]
    groups: list[CriterionBars]
    day_at: float

    @property
    def are_all_open(self) -> bool:
        """Whether each criterion shows its actions."""
        return all(group.is_open for group in self.groups)


@dataclass(frozen=True)
class Opened:
    """The criteria that show their actions, as `?open=` names them.

    The value is a list of codes with commas between them. “all” opens every criterion, and a code after “-” closes one.
    """

    names: frozenset[str]
    ALL = "all"

    @classmethod
    def parse(cls, value: str) -> "Opened":
        """Return the criteria that a value of `?open=` names."""
        return cls(frozenset(name for name in value.split(",") if name))

    def holds(self, code: str) -> bool:
        """Return whether a criterion is open."""
        return code in self.names or (self.ALL in self.names and f"-{code}" not in self.names)

    def toggle(self, code: str) -> str:
        """Return the value in which this criterion is opened or closed."""
        rest = self.names - {code, f"-{code}"}
        if self.holds(code):
            rest |= {f"-{code}"} if self.ALL in rest else set()
        elif self.ALL not in rest:
            rest |= {code}
        return ",".join(sorted(rest, key=lambda name: (name != self.ALL, name)))

    def unknown(self, codes: Iterable[str]) -> list[str]:
        """Return the names that are neither “all” nor one of these codes."""
        known = set(codes) | {self.ALL}
        return sorted(name for name in self.names if name.removeprefix("-") not in known)


def build_timeline(actions: Iterable[ActionItem], as_of: AsOf, *, opened: Opened, query: Mapping[str, Any]) -> Timeline:
    """Place actions, in order and as of the day, over the periods of their plan.

    Args:
        actions: the actions, with their details.
        as_of: the day.
        opened: the criteria that show their actions.
        query: the filters of the action list that show all of these actions.
    """
    index = {period.pk: number for number, period in enumerate(as_of.periods)}
    groups = []
    for criterion, group in groupby(actions, key=lambda action: action.criterion):
        bars = [Bar(action, _span(action, index)) for action in group]
        groups.append(_criterion_bars(criterion, bars, len(index), opened, {**query, "criterion": criterion.code}))
    years = [(year, list(periods)) for year, periods in groupby(as_of.periods, key=lambda each: each.fiscal_year)]
    return Timeline(years=years, groups=groups, day_at=day_position(as_of))


def _criterion_bars(
    criterion: Criterion, bars: Sequence[Bar], count: int, opened: Opened, query: Mapping[str, Any]
) -> CriterionBars:
    spans = [bar.span for bar in bars if bar.span.periods]
    first, last = min((span.before for span in spans), default=0), max((span.last for span in spans), default=0)
    counted = [bar.action.progress_on for bar in bars if bar.action.status_on != Status.CANCELLED]
    return CriterionBars(
        criterion=criterion,
        bars=list(bars),
        span=Span(first, last - first, count - last),
        progress=fmean(counted) if counted else None,
        total=Figure(len(bars), query),
        overdue=Figure(sum(bar.is_late for bar in bars), {**query, "due": Due.OVERDUE.value}),
        is_open=opened.holds(criterion.code),
        open_value=opened.toggle(criterion.code),
    )


def _span(action: ActionItem, index: Mapping[int, int]) -> Span:
    if action.first_period_id not in index or action.last_period_id not in index:
        return Span(0, 0, len(index))
    first, last = index[action.first_period_id], index[action.last_period_id]
    return Span(first, last - first + 1, len(index) - last - 1)


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
