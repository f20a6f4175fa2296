"""Figures of the dashboards as of a day: by category, unit, period, age and change.

Every figure carries the filters of the action list that show exactly the rows it counts. The work of a unit is assigned
to it or to a collective it belongs to (design §3). Means leave out cancelled actions; the expected progress is the mean
of the remaining actions that have a schedule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assignments.models import Role, Unit
from criteria.models import Category
from plan.as_of import AsOf
from plan.models import STATUSES, Age, Change, Due, Health, Period, Plan, Status
from reports.figures.standings import Standing, mean

BAR_ORDER = tuple(STATUSES)
# Filters of the action list that show the rows of figures.
COUNTED, SILENT = {"scope": "counted"}, {"updated": "no"}
OVERDUE = {"due": Due.OVERDUE.value}
STATUS_VALUES, HEALTH_VALUES = (tuple((each, each.value) for each in choices) for choices in (Status, Health))


@dataclass(frozen=True)
class Figure:
    """A count, and the filters of the action list that show its rows."""

    count: int
    query: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Figures of a part of the plan: the whole plan, a category, or the actions of a unit."""

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
        """Percentage points below the expected progress; 0 if nothing is expected."""
        if self.expected is None or self.progress is None:
            return 0.0
        return max(self.expected - self.progress, 0.0)

    @property
    def gap(self) -> float | None:
        """Percentage points above the expected progress; negative if below."""
        return None if self.expected is None or self.progress is None else self.progress - self.expected

    @property
    def statuses(self) -> list[tuple[str, Figure, str]]:
        """(icon, figure, label) of each status, most finished first."""
        return [(status.look.icon, self.by_status[status], status.label) for status in BAR_ORDER]

    @property
    def bar(self) -> list[tuple[str, str, int]]:
        """(icon, label, count) for a stacked bar, most finished first."""
        return [(kind, label, figure.count) for kind, figure, label in self.statuses]


@dataclass(frozen=True, kw_only=True)
class PeriodLoad:
    """Actions that begin, run and end in a period; `done` counts those that end in it and are done."""

    period: Period
    begins: Figure
    runs: Figure
    ends: Figure
    done: Figure


@dataclass(frozen=True)
class ComparedFigure:
    """The same figure on two days."""

    label: str
    kind: str
    then: Figure
    now: Figure

    @property
    def difference(self) -> int:
        """Change from the earlier day to now."""
        return self.now.count - self.then.count


def count(
    standings: Sequence[Standing], query: Mapping[str, Any], holds: Callable[[Standing], bool], **filters: Any
) -> Figure:
    """Count the `standings` that a condition `holds` for; `filters` on top of `query` show them."""
    return Figure(sum(1 for each in standings if holds(each)), {**query, **filters})


def group(
    subject: Any, standings: Sequence[Standing], query: Mapping[str, Any], *, reporter: Unit | None = None
) -> Group:
    """Compute the figures of `standings`, the rows that the filters in `query` show.

    Only missing updates of `reporter` count (`ActionFilter.reporters`); without it, those of every unit.
    """
    statuses, healths = ({value: 0 for _each, value in values} for values in (STATUS_VALUES, HEALTH_VALUES))
    overdue = at_work = silent = 0
    progress, expected = [], []
    for each in standings:  # all in one pass: an overview has a group for each unit and role
        statuses[each.status] += 1
        healths[each.health] += 1
        overdue += each.due == OVERDUE["due"]
        at_work += each.is_at_work
        silent += each.is_silent_for(reporter)
        if each.is_counted:
            progress.append(each.progress)
            if each.expected is not None:
                expected.append(each.expected)
    return Group(
        subject=subject,
        total=Figure(len(standings), query),
        counted=Figure(len(standings) - statuses[Status.CANCELLED.value], {**query, **COUNTED}),
        by_status={status: Figure(statuses[value], {**query, "status": value}) for status, value in STATUS_VALUES},
        by_health={health: Figure(healths[value], {**query, "health": value}) for health, value in HEALTH_VALUES},
        overdue=Figure(overdue, {**query, **OVERDUE}),
        at_work=Figure(at_work, {**query, "scope": "at_work"}),
        silent=Figure(silent, {**query, **SILENT}),
        progress=mean(progress),
        expected=mean(expected),
    )


def by_category(
    categories: Sequence[Category],
    standings: Sequence[Standing],
    query: Mapping[str, Any],
    *,
    reporter: Unit | None = None,
) -> list[Group]:
    """Compute the figures of each category that has actions."""
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
    """Compute (lead, support) figures per unit; most overdue as lead first, then furthest behind."""
    pairs = [unit_groups(unit, standings, query) for unit in units]
    return sorted(pairs, key=lambda pair: _worst_first(pair[0]))


def unit_groups(unit: Unit, standings: Sequence[Standing], query: Mapping[str, Any]) -> tuple[Group, Group]:
    """Compute the figures of the actions a unit leads, and of those it supports."""
    base_query = {**query, "unit": unit.abbreviation}
    lead = [each for each in standings if unit.pk in each.lead]
    support = [each for each in standings if unit.pk in each.support]
    return (
        group(unit, lead, {**base_query, "role": Role.LEAD.value}, reporter=unit),
        group(unit, support, {**base_query, "role": Role.SUPPORT.value}),
    )


def _worst_first(part: Group) -> tuple[int, float]:
    return -part.overdue.count, -part.lag


def silent_units(groups: Sequence[Group], standings: Sequence[Standing]) -> list[Group]:
    """Return the units that lead actions in progress and have made no update in the current period.

    Actions led through a collective do not count here, and neither do updates of other units.

    Args:
        groups: figures of the units as lead.
        standings: the actions.

    Returns:
        Groups of the silent units, most actions first.
    """
    owing = {unit for each in standings if each.is_at_work for unit in each.own}
    reporters = {unit for each in standings for unit in each.reporters}
    silent = [part for part in groups if part.subject.pk in owing - reporters]
    return sorted(silent, key=lambda part: -part.at_work.count)


def by_period(standings: Sequence[Standing], as_of: AsOf, query: Mapping[str, Any]) -> list[PeriodLoad]:
    """Compute the load of each period of the plan."""
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
    """Count the overdue actions per age band."""
    return [(age, count(standings, query, lambda each, age=age: each.age == age, age=age.value)) for age in Age]


def by_change(
    standings: Sequence[Standing], since: AsOf, query: Mapping[str, Any], *, reporter: Unit | None = None
) -> list[tuple[Change, Figure]]:
    """Count the actions per kind of change since an earlier day; an action can count in several kinds."""
    base_query = {**query, "since": since.day.isoformat()}
    return [
        (
            change,
            count(
                standings,
                base_query,
                lambda each, change=change: each.has_changed(change, reporter),
                change=change.value,
            ),
        )
        for change in Change
    ]


def compare(then: Group, now: Group) -> list[ComparedFigure]:
    """Compare the statuses and overdue actions of the same part of the plan on two days."""
    rows = [ComparedFigure(label, kind, then.by_status[kind.upper()], figure) for kind, figure, label in now.statuses]
    return [
        *rows,
        ComparedFigure(str(Due.OVERDUE.label), "overdue", then.overdue, now.overdue),
    ]


def offered_categories(plan: Plan) -> list[Category]:
    """Return the categories in which the plan has actions."""
    return list(Category.objects.filter(criteria__actions__plan=plan).distinct().in_order())
