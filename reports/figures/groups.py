"""Each figure of the dashboards, computed once, as of a day, from the append-only updates.

Every figure carries the filters of the action list that show exactly the rows it counts. A unit's work is what is
assigned to it or to a collective it belongs to (design §3). Means are over the actions not cancelled; what is expected
is the mean over those of them that have a schedule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assignments.models import Role, Unit
from criteria.models import Category
from plan.as_of import AsOf
from plan.models import STATUSES, Age, Change, Due, Health, Period, Plan, Status
from reports.figures.standings import Standing, mean_expected, mean_progress

BAR_ORDER = tuple(STATUSES)


@dataclass(frozen=True)
class Figure:
    """A count, and the filters of the action list that show its rows."""

    count: int
    query: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The figures of a part of the plan: all of it, a category, a unit's part."""

    subject: Any
    total: Figure
    counted: Figure
    by_status: dict[str, Figure]
    by_health: dict[str, Figure]
    overdue: Figure
    at_work: Figure
    silent: Figure
    progress: float | None
    expected: float | None

    @property
    def lag(self) -> float:
        """Percentage points below what is expected; 0 where nothing is."""
        if self.expected is None or self.progress is None:
            return 0.0
        return max(self.expected - self.progress, 0.0)

    @property
    def gap(self) -> float | None:
        """Percentage points above (below: negative) what is expected."""
        return None if self.expected is None or self.progress is None else self.progress - self.expected

    @property
    def statuses(self) -> list[tuple[str, Figure, str]]:
        """(kind, figure, label) of each status, most finished first."""
        return [(status.look.icon, self.by_status[status], status.label) for status in BAR_ORDER]

    @property
    def bar(self) -> list[tuple[str, str, int]]:
        """(kind, label, count) for a stacked bar, most finished first."""
        return [(kind, label, figure.count) for kind, figure, label in self.statuses]


@dataclass(frozen=True, kw_only=True)
class PeriodLoad:
    """What a period holds: actions that begin in it, run in it, end in it, and of the last those done."""

    period: Period
    begins: Figure
    runs: Figure
    ends: Figure
    done: Figure


@dataclass(frozen=True)
class Compared:
    """A figure on two days."""

    label: str
    kind: str
    then: Figure
    now: Figure

    @property
    def difference(self) -> int:
        """How many more there are now."""
        return self.now.count - self.then.count


def count(
    standings: Sequence[Standing], query: Mapping[str, Any], holds: Callable[[Standing], bool], **filters: Any
) -> Figure:
    """How many of `standings` it holds for, with the `filters` that show them on top of `query`."""
    return Figure(sum(1 for each in standings if holds(each)), {**query, **filters})


def group(
    subject: Any, standings: Sequence[Standing], query: Mapping[str, Any], *, reporter: Unit | None = None
) -> Group:
    """The figures of `standings`, which are the rows that the filters in `query` show.

    `reporter` is the unit whose missing updates are counted (`ActionFilter.reporters`); without it, anybody's are.
    """
    return Group(
        subject=subject,
        total=Figure(len(standings), query),
        counted=count(standings, query, lambda each: each.is_counted, scope="counted"),
        by_status={
            status: count(standings, query, lambda each, status=status: each.status == status, status=status.value)
            for status in Status
        },
        by_health={
            health: count(standings, query, lambda each, health=health: each.health == health, health=health.value)
            for health in Health
        },
        overdue=count(standings, query, lambda each: each.due == Due.OVERDUE, due=Due.OVERDUE.value),
        at_work=count(standings, query, lambda each: each.is_at_work, scope="at_work"),
        silent=count(standings, query, lambda each: each.is_silent_for(reporter), updated="no"),
        progress=mean_progress(standings),
        expected=mean_expected(standings),
    )


def by_category(
    categories: Sequence[Category],
    standings: Sequence[Standing],
    query: Mapping[str, Any],
    *,
    reporter: Unit | None = None,
) -> list[Group]:
    """The figures of each category that has any row."""
    found = {each.category for each in standings}
    return [
        group(
            category,
            [each for each in standings if each.category == category.number],
            {**query, "category": category.number},
            reporter=reporter,
        )
        for category in categories
        if category.number in found
    ]


def by_unit(
    units: Sequence[Unit], standings: Sequence[Standing], query: Mapping[str, Any]
) -> list[tuple[Group, Group]]:
    """Each unit's (lead, support) figures, the most overdue and furthest behind as lead first."""
    pairs = [unit_groups(unit, standings, query) for unit in units]
    return sorted(pairs, key=lambda pair: _worst_first(pair[0]))


def unit_groups(unit: Unit, standings: Sequence[Standing], query: Mapping[str, Any]) -> tuple[Group, Group]:
    """The figures of what a unit leads, and of what it supports."""
    kept = {**query, "unit": unit.abbreviation}
    lead = [each for each in standings if unit.pk in each.lead]
    support = [each for each in standings if unit.pk in each.support]
    return (
        group(unit, lead, {**kept, "role": Role.LEAD.value}, reporter=unit),
        group(unit, support, {**kept, "role": Role.SUPPORT.value}),
    )


def _worst_first(part: Group) -> tuple[int, float]:
    return -part.overdue.count, -part.lag


def silent_units(groups: Sequence[Group], standings: Sequence[Standing]) -> list[Group]:
    """The units that themselves lead what should be moving, and have reported on nothing in the period that runs.

    What is led through a collective does not make a unit owe here, and what others report does not free it.

    Args:
        groups: of the units, as lead.
        standings: the actions.

    Returns:
        Most rows first.
    """
    owing = {unit for each in standings if each.is_at_work for unit in each.own}
    reporters = {unit for each in standings for unit in each.reporters}
    silent = [part for part in groups if part.subject.pk in owing - reporters]
    return sorted(silent, key=lambda part: -part.at_work.count)


def by_period(standings: Sequence[Standing], as_of: AsOf, query: Mapping[str, Any]) -> list[PeriodLoad]:
    """The load of each period of the plan."""
    loads = []
    for period in as_of.periods:
        number = period.number
        runs = [each for each in standings if each.first and each.first <= number <= each.last]
        ends = [each for each in runs if each.last == number]
        loads.append(
            PeriodLoad(
                period=period,
                begins=count(runs, query, lambda each, number=number: each.first == number, begins=number),
                runs=Figure(len(runs), {**query, "period": number}),
                ends=Figure(len(ends), {**query, "ends": number}),
                done=count(ends, query, lambda each: each.status == Status.DONE, ends=number, status=Status.DONE.value),
            )
        )
    return loads


def by_age(standings: Sequence[Standing], query: Mapping[str, Any]) -> list[tuple[Age, Figure]]:
    """How many are overdue for how long."""
    return [(age, count(standings, query, lambda each, age=age: each.age == age, age=age.value)) for age in Age]


def by_change(
    standings: Sequence[Standing], since: AsOf, query: Mapping[str, Any], *, reporter: Unit | None = None
) -> list[tuple[Change, Figure]]:
    """What became of the actions since an earlier day; one may count in several kinds."""
    kept = {**query, "since": since.day.isoformat()}
    return [
        (
            change,
            count(standings, kept, lambda each, change=change: each.has_changed(change, reporter), change=change.value),
        )
        for change in Change
    ]


def compare(then: Group, now: Group) -> list[Compared]:
    """The figures of the same part of the plan on two days."""
    rows = [Compared(label, kind, then.by_status[kind.upper()], figure) for kind, figure, label in now.statuses]
    return [
        *rows,
        Compared(str(Due.OVERDUE.label), "overdue", then.overdue, now.overdue),
    ]


def offered_categories(plan: Plan) -> list[Category]:
    """The categories the plan has actions in."""
    return list(Category.objects.filter(criteria__actions__plan=plan).distinct().in_order())
