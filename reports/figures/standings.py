"""State of each action of a plan on a day, from which every figure is counted."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import fsum
from typing import Any, NamedTuple

from django.db.models import BigAutoField, DateTimeField, QuerySet, Value

from assignments.models import Assignment, Role, Unit
from plan.as_of import AsOf
from plan.models import AT_WORK, ActionItem, Age, Change, Due, Plan, ProgressUpdate, Status
from plan.models.action import ActionItemQuerySet
from plan.models.duties import duties
from pmqa_tracker.prepared import Given, read_prepared


@dataclass(frozen=True, kw_only=True)
class Standing:
    """State of one action on the day.

    Attributes:
        category: number of its category.
        first, last: numbers of its first and last period; None without a schedule.
        expected: expected progress (%) on the day; None without a schedule.
        is_silent: it is in progress, and an update is missing in the current period (`plan.models.duties`).
        age: how long it is overdue; None if it is not.
        lead, support: pks of the units, including members of collectives.
        own: pks of the units that lead it themselves, not through a collective.
        owing: pks of the units whose update is missing, and of the collectives they lead it through.
        reporters: pks of the units that must make an update in the current period and have made it.
        changes: kinds of change since the earlier day, if there is one.
        owing_since: as `owing`, for updates since the earlier day.
    """

    pk: int
    category: int
    status: str
    progress: int
    expected: float | None
    due: str
    health: str
    is_silent: bool
    age: Age | None
    first: int | None
    last: int | None
    lead: frozenset[int] = frozenset()
    support: frozenset[int] = frozenset()
    own: frozenset[int] = frozenset()
    owing: frozenset[int] = frozenset()
    reporters: frozenset[int] = frozenset()
    changes: frozenset[Change] = frozenset()
    owing_since: frozenset[int] = frozenset()

    @property
    def is_counted(self) -> bool:
        """Whether it counts in means: every action that is not cancelled."""
        return self.status != Status.CANCELLED

    @property
    def is_at_work(self) -> bool:
        """Whether work on it is due: it is overdue or its period has come."""
        return self.due in AT_WORK

    def is_silent_for(self, unit: Unit | None) -> bool:
        """Whether the update of this unit is missing; without a unit, whether any is."""
        return self.is_silent if unit is None else unit.pk in self.owing

    def has_changed(self, change: Change, unit: Unit | None) -> bool:
        """Whether it changed like this since the earlier day; SILENT refers to the unit, if one is given."""
        return unit.pk in self.owing_since if unit and change == Change.SILENT else change in self.changes


class PastUpdate(NamedTuple):
    """State of an action (its pk) after an update, and its moment."""

    action: int
    at: datetime
    status: str
    progress: int


OWN = "OWN"
UnitsByRole = dict[tuple[int, str], set[int]]
STANDING_FIELDS = (
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
    "last_period__ends_on",
)


def read_units_by_role(plan: Plan) -> UnitsByRole:
    """Return (action pk, role) → pks of the units, also through a collective; in one query.

    (action pk, `OWN`) → pks of the units that lead it themselves.
    """

    def build() -> QuerySet[Any]:
        links = Assignment.objects.filter(action__plan=Given("plan", BigAutoField()))
        return links.values_list("action_id", "role", "unit_id", "unit__members")

    units: UnitsByRole = defaultdict(set)
    for action, role, unit, member in read_prepared("units by role", build, plan=plan.pk):
        found = units[action, role]
        found.add(unit)
        if member is not None:
            found.add(member)
        if role == Role.LEAD.value:
            units[action, OWN].add(unit)
    return units


@dataclass(frozen=True, kw_only=True)
class Reporters:
    """Units with and without an update between two moments, by pk of the action.

    Attributes:
        owing: pks of the units whose update is missing, and of the collectives they lead the action through.
        made: pks of the units that must make an update and have made it.
    """

    owing: Mapping[int, set[int]]
    made: Mapping[int, set[int]]


def read_reporters(plan_pk: int, *windows: tuple[datetime, datetime]) -> list[Reporters]:
    """Read the reporters of each window of time, in one query; see `plan.models.duties`."""
    of_plan = [([plan_pk], since, until) for since, until in windows]
    return _reporters(len(windows), read_prepared(("reporters", plan_pk, windows), lambda: _reporter_rows(of_plan)))


def _reporters(number: int, rows: Iterable[tuple[Any, ...]]) -> list[Reporters]:
    """Return the reporters of so many windows of time, from the rows of `_reporter_rows`."""
    found = [Reporters(owing=defaultdict(set), made=defaultdict(set)) for _window in range(number)]
    for index, action, unit, owing_unit, report in rows:
        if report is None:
            found[index].owing[action].update((unit, owing_unit))
        else:
            found[index].made[action].add(owing_unit)
    return found


def _reporter_rows(windows: Sequence[tuple[Collection[int], datetime, datetime]]) -> QuerySet[Any]:
    """Return the duties of each window: (pks of plans, its first moment, the moment after it); in one query."""
    rows = [
        duties(since, until)
        .filter(action__plan__in=plans)
        .values_list(Value(index), "action_id", "unit_id", "owing_unit", "update_pk")
        for index, (plans, since, until) in enumerate(windows)
    ]
    return rows[0].union(*rows[1:], all=True)


def read_standings(
    actions: Callable[[], ActionItemQuerySet],
    as_of: AsOf,
    units: UnitsByRole,
    reporters: Reporters,
    *,
    key: Hashable = None,
    since: AsOf | None = None,
    since_reporters: Reporters | None = None,
) -> list[Standing]:
    """Read the standing of each action, in one query.

    Args:
        actions: returns the actions, with `as_of(as_of)` applied.
        as_of: the day.
        units: from `read_units_by_role`.
        reporters: from `read_reporters`, for the current period.
        key: all that `actions` depends on besides the day, for `read_prepared`; None to compile the query.
        since: the earlier day for `changes`.
        since_reporters: from `read_reporters`, since the end of the earlier day.
    """

    def build() -> QuerySet[Any]:
        if since is None:
            return actions().values_list(*STANDING_FIELDS)
        changes = (change.field for change in Change)
        return actions().since(since, as_of).values_list(*STANDING_FIELDS, *changes)

    rows = build() if key is None else read_prepared(("standings", key, as_of.key, since and since.key), build)
    return [_standing(row, as_of, units, reporters, since_reporters) for row in rows]


def read_plan_standings(plan: Plan, as_of: AsOf) -> list[Standing]:
    """Read the standing of each action of a plan on a day, in three queries."""
    (reporters,) = read_reporters(plan.pk, (as_of.period_starts_at, as_of.ends_at))
    units = read_units_by_role(plan)
    return read_standings(lambda: plan.actions.as_of(as_of), as_of, units, reporters, key=plan.pk)


def read_standings_of_plans(days: Mapping[Plan, AsOf]) -> Mapping[int, list[Standing]]:
    """Return plan pk → the standing of each of its actions on the plan's own day, without units; in two queries.

    Plans with the same day and the same periods are read together, and all of these parts in one statement.
    """
    by_calendar: dict[tuple[Any, ...], list[Plan]] = defaultdict(list)
    for plan, as_of in days.items():
        by_calendar[as_of.day, *((each.number, each.starts_on, each.ends_on) for each in as_of.periods)].append(plan)
    parts = [([plan.pk for plan in plans], days[plans[0]]) for plans in by_calendar.values()]
    if not parts:
        return {}
    spans = [(plans, as_of.period_starts_at, as_of.ends_at) for plans, as_of in parts]
    windows = _reporters(len(spans), _reporter_rows(spans))
    rows = [
        ActionItem.objects.filter(plan__in=plans).as_of(as_of).values_list(Value(index), "plan_id", *STANDING_FIELDS)
        for index, (plans, as_of) in enumerate(parts)
    ]
    found: dict[int, list[Standing]] = defaultdict(list)
    for index, plan, *row in rows[0].union(*rows[1:], all=True):
        found[plan].append(_standing(tuple(row), parts[index][1], {}, windows[index], None))
    return found


def build_standings(
    actions: Iterable[ActionItem], as_of: AsOf, units: UnitsByRole, reporters: Reporters, since_reporters: Reporters
) -> list[Standing]:
    """Build standings of actions already read with `as_of()`, `since()` and `with_details()`."""
    fields = STANDING_FIELDS + tuple(change.field for change in Change)
    rows = (tuple(_follow(action, field) for field in fields) for action in actions)
    return [_standing(row, as_of, units, reporters, since_reporters) for row in rows]


def _follow(action: ActionItem, field: str) -> Any:
    """Read a field across relations, as `values_list` does; None if a relation is empty."""
    value: Any = action
    for name in field.split("__"):
        value = None if value is None else getattr(value, name)
    return value


def _standing(
    row: tuple[Any, ...], as_of: AsOf, units: UnitsByRole, reporters: Reporters, since: Reporters | None
) -> Standing:
    pk, category, status, progress, expected, due, health, updated_at, first, last, ends_on, *changed = row
    is_at_work = due in AT_WORK
    if pk in reporters.owing or pk in reporters.made:
        is_missing = pk in reporters.owing
    else:  # no unit must make an update: any update counts
        is_missing = updated_at is None or updated_at < as_of.period_starts_at
    return Standing(
        pk=pk,
        category=category,
        status=status,
        progress=progress,
        expected=expected,
        due=due,
        health=health,
        is_silent=is_at_work and is_missing,
        age=Age.of((as_of.day - ends_on).days) if due == Due.OVERDUE else None,
        first=first,
        last=last,
        lead=frozenset(units.get((pk, Role.LEAD), ())),
        support=frozenset(units.get((pk, Role.SUPPORT), ())),
        own=frozenset(units.get((pk, OWN), ())),
        owing=frozenset(reporters.owing.get(pk, ()) if is_at_work else ()),
        reporters=frozenset(reporters.made.get(pk, ())),
        changes=frozenset(change for change, is_so in zip(Change, changed, strict=False) if is_so),
        owing_since=frozenset(since.owing.get(pk, ()) if since and is_at_work else ()),
    )


def read_past_updates(plan: Plan, until: AsOf) -> list[PastUpdate]:
    """Return the updates of a plan until the day, those of each action in their order; in one query."""

    def build() -> QuerySet[Any]:
        updates = ProgressUpdate.objects.without_undone().filter(
            action__plan=Given("plan", BigAutoField()), at__lt=Given("until", DateTimeField())
        )
        return updates.order_by("version").values_list("action_id", "at", "status_to", "progress_to")

    rows = read_prepared("past updates", build, plan=plan.pk, until=until.ends_at)
    return [PastUpdate(*row) for row in rows]


def mean(values: Iterable[float]) -> float | None:
    """Return the mean; None without values."""
    values = list(values)
    return fsum(values) / len(values) if values else None
