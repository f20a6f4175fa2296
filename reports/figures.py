"""Each figure of the dashboards, computed once, as of a day, from the append-only updates.

Every figure carries the filters of the action list that show exactly the rows it counts. A unit's work is what is
assigned to it or to a collective it belongs to (design §3). Means are over the actions not cancelled; what is expected
is the mean over those of them that have a schedule.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from statistics import fmean
from typing import Any

from assignments.models import Assignment, Role, Unit
from criteria.models import Category
from plan.as_of import AsOf
from plan.models import Due, Health, Period, Plan, ProgressUpdate, Status

BAR_ORDER = (Status.DONE, Status.IN_PROGRESS, Status.BLOCKED, Status.NOT_STARTED, Status.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one action stands on the day; units are pks, members of collectives included."""

    category: int
    status: str
    progress: int
    expected: float | None
    due: str
    health: str
    updated_at: datetime | None
    first: int | None
    last: int | None
    lead: frozenset[int] = frozenset()
    support: frozenset[int] = frozenset()


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
    by_status: dict[str, Figure]
    by_health: dict[str, Figure]
    overdue: Figure
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
    def statuses(self) -> list[tuple[str, Figure, str]]:
        """(kind, figure, label) of each status, most finished first."""
        return [(status.lower(), self.by_status[status], status.label) for status in BAR_ORDER]

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


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The figures of the dashboard."""

    whole: Group
    categories: list[Group]
    units: list[tuple[Group, Group]] = field(default_factory=list)
    periods: list[PeriodLoad] = field(default_factory=list)


def read_standings(plan: Plan, as_of: AsOf) -> list[Standing]:
    """How every action of a plan stands on a day, in three queries."""
    carriers: dict[int, set[int]] = defaultdict(set)
    for unit, member in Unit.members.through.objects.values_list("from_unit_id", "to_unit_id"):
        carriers[unit].add(member)
    units: dict[tuple[int, str], set[int]] = defaultdict(set)
    links = Assignment.objects.filter(action__plan=plan).values_list("action_id", "role", "unit_id")
    for action, role, unit in links:
        units[action, role] |= {unit} | carriers[unit]
    rows = plan.actions.as_of(as_of).values_list(
        "pk",
        "criterion__category__number",
        "status_on",
        "progress_on",
        "expected_on",
        "due",
        "health",
        "updated_at",
        "first_period__number",
        "last_period__number",
    )
    return [
        Standing(
            category=category,
            status=status,
            progress=progress,
            expected=expected,
            due=due,
            health=health,
            updated_at=updated_at,
            first=first,
            last=last,
            lead=frozenset(units[pk, Role.LEAD]),
            support=frozenset(units[pk, Role.SUPPORT]),
        )
        for pk, category, status, progress, expected, due, health, updated_at, first, last in rows
    ]


def group(subject: Any, standings: Sequence[Standing], as_of: AsOf, query: Mapping[str, Any]) -> Group:
    """The figures of `standings`, which are the rows that the filters in `query` show."""

    def figure(name: str, value: str, holds: Callable[[Standing], bool]) -> Figure:
        return Figure(sum(1 for each in standings if holds(each)), {**query, name: value})

    return Group(
        subject=subject,
        total=Figure(len(standings), query),
        by_status={
            status: figure("status", status, lambda each, status=status: each.status == status) for status in Status
        },
        by_health={
            health: figure("health", health, lambda each, health=health: each.health == health) for health in Health
        },
        overdue=figure("due", Due.OVERDUE, lambda each: each.due == Due.OVERDUE),
        silent=figure("updated", "no", lambda each: _is_silent(each, as_of)),
        progress=mean_progress(standings),
        expected=mean_expected(standings),
    )


def overview(plan: Plan, as_of: AsOf, query: Mapping[str, Any]) -> Overview:
    """Every figure of the dashboard; `query` is what each link keeps, such as the day."""
    standings = read_standings(plan, as_of)
    categories = Category.objects.filter(criteria__actions__plan=plan).distinct().in_order()
    return Overview(
        whole=group(plan, standings, as_of, query),
        categories=[
            group(
                category,
                [each for each in standings if each.category == category.number],
                as_of,
                {**query, "category": category.number},
            )
            for category in categories
        ],
        units=by_unit(standings, as_of, query),
        periods=by_period(standings, as_of, query),
    )


def by_unit(standings: Sequence[Standing], as_of: AsOf, query: Mapping[str, Any]) -> list[tuple[Group, Group]]:
    """Each division's (lead, support) figures, the most overdue and furthest behind as lead first."""
    pairs = [unit_groups(unit, standings, as_of, query) for unit in Unit.objects.divisions().active().in_order()]
    return sorted(pairs, key=lambda pair: (-pair[0].overdue.count, -pair[0].lag))


def unit_groups(
    unit: Unit, standings: Sequence[Standing], as_of: AsOf, query: Mapping[str, Any]
) -> tuple[Group, Group]:
    """The figures of what a unit leads, and of what it supports."""
    kept = {**query, "unit": unit.abbreviation}
    lead = [each for each in standings if unit.pk in each.lead]
    support = [each for each in standings if unit.pk in each.support]
    return (
        group(unit, lead, as_of, {**kept, "role": Role.LEAD.value}),
        group(unit, support, as_of, {**kept, "role": Role.SUPPORT.value}),
    )


def by_period(standings: Sequence[Standing], as_of: AsOf, query: Mapping[str, Any]) -> list[PeriodLoad]:
    """The load of each period of the plan."""
    loads = []
    for period in as_of.periods:
        runs = [each for each in standings if each.first and each.first <= period.number <= each.last]
        ends = [each for each in runs if each.last == period.number]
        done = [each for each in ends if each.status == Status.DONE]
        at_end = {**query, "ends": period.number}
        loads.append(
            PeriodLoad(
                period=period,
                begins=Figure(
                    sum(1 for each in runs if each.first == period.number), {**query, "begins": period.number}
                ),
                runs=Figure(len(runs), {**query, "period": period.number}),
                ends=Figure(len(ends), at_end),
                done=Figure(len(done), {**at_end, "status": Status.DONE.value}),
            )
        )
    return loads


def mean_progress(standings: Iterable[Standing]) -> float | None:
    """Mean progress (%) of the actions not cancelled; None without any."""
    told = [each.progress for each in standings if each.status != Status.CANCELLED]
    return fmean(told) if told else None


def mean_expected(standings: Iterable[Standing]) -> float | None:
    """Mean of what is expected (%) of the scheduled actions not cancelled; None without any."""
    expected = [each.expected for each in standings if each.status != Status.CANCELLED and each.expected is not None]
    return fmean(expected) if expected else None


def curve(plan: Plan, as_of: AsOf) -> list[tuple[date, float | None, float | None]]:
    """(day, expected, actual) in % at the end of each month of the plan and on the day; no actual after the day."""
    actions = list(plan.actions.values_list("pk", "first_period__number", "last_period__number"))
    periods = {period.number: period for period in as_of.periods}
    told: dict[int, list[tuple[datetime, str, int]]] = defaultdict(list)
    updates = ProgressUpdate.objects.filter(action__plan=plan).order_by("version")
    for action, at, status, progress in updates.values_list("action_id", "at", "status_to", "progress_to"):
        told[action].append((at, status, progress))
    points = []
    for day in sorted({*month_ends(plan.starts_on, plan.ends_on), as_of.day}):
        then = replace(as_of, day=day, told_until=None)
        standings = []
        for pk, first, last in actions:
            until = [(status, progress) for at, status, progress in told[pk] if at < then.ends_at]
            status, progress = until[-1] if until else (Status.NOT_STARTED.value, 0)
            expected = then.expected(periods[first], periods[last]) if first else None
            standings.append(_bare_standing(status, progress, expected))
        actual = mean_progress(standings) if day <= as_of.day else None
        points.append((day, mean_expected(standings), actual))
    return points


def month_ends(first: date, last: date) -> list[date]:
    """The last day of each month from one day to another, the last day itself included."""
    ends, day = [], first.replace(day=1)
    while day <= last:
        following = (day + timedelta(days=32)).replace(day=1)
        ends.append(min(following - timedelta(days=1), last))
        day = following
    return ends


def _bare_standing(status: str, progress: int, expected: float | None) -> Standing:
    return Standing(
        category=0,
        status=status,
        progress=progress,
        expected=expected,
        due="",
        health="",
        updated_at=None,
        first=None,
        last=None,
    )


def _is_silent(standing: Standing, as_of: AsOf) -> bool:
    """Should be moving, and nothing was told of it in the period that runs."""
    is_at_work = standing.due in (Due.OVERDUE, Due.NOW)
    return is_at_work and (standing.updated_at is None or standing.updated_at < as_of.period_starts_at)
