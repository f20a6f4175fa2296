"""How each action of a plan stands on a day: what every figure is counted from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any, NamedTuple

from django.db.models import Value

from assignments.models import Assignment, Role, Unit
from plan.as_of import AsOf
from plan.models import AT_WORK, ActionItem, Age, Change, Due, Plan, ProgressUpdate, Status
from plan.models.action import ActionItemQuerySet
from plan.models.duties import duties


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one action stands on the day.

    Attributes:
        first, last: numbers of the periods it runs in; None where it has no schedule.
        expected: % expected by the day; None without a schedule.
        is_silent: it should be moving, and somebody owes an update in the period that runs (`plan.models.duties`).
        age: how long it is overdue; None where it is not.
        lead, support: pks of the units, members of collectives included.
        own: pks of the units that lead it themselves, not through a collective.
        owing: pks of the units whose update is missing, with the collectives they owe it through.
        reporters: pks of the units that must report on it and have, in the period that runs.
        changes: what became of it since the earlier day, where one was asked for.
        owing_since: as `owing`, of updates since the earlier day.
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
        """Whether the means are over it: all but the cancelled ones."""
        return self.status != Status.CANCELLED

    @property
    def is_at_work(self) -> bool:
        """Whether it should be moving."""
        return self.due in AT_WORK

    def is_silent_for(self, unit: Unit | None) -> bool:
        """Whether this unit owes an update; without a unit, whether anybody does."""
        return self.is_silent if unit is None else unit.pk in self.owing

    def has_changed(self, change: Change, unit: Unit | None) -> bool:
        """Whether this became of it since the earlier day; of silence, whether this unit's is meant."""
        return unit.pk in self.owing_since if unit and change == Change.SILENT else change in self.changes


class PastUpdate(NamedTuple):
    """What an update made of an action, when, and the pk of the unit its author spoke for (None: for none)."""

    at: datetime
    status: str
    progress: int
    unit: int | None


OWN = "OWN"
UnitsByRole = dict[tuple[int, str], set[int]]
FIELDS = (
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
    """(action pk, role) → the units whose work it is, through a collective too; in one query.

    (action pk, `OWN`) → the units that lead it themselves.
    """
    units: UnitsByRole = defaultdict(set)
    links = Assignment.objects.filter(action__plan=plan)
    for action, role, unit, member in links.values_list("action_id", "role", "unit_id", "unit__members"):
        units[action, role] |= {unit, member} - {None}
        if role == Role.LEAD:
            units[action, OWN].add(unit)
    return units


@dataclass(frozen=True, kw_only=True)
class Reporters:
    """Who has made an update between two moments, and whose is missing, by the pk of the action.

    Attributes:
        owing: the units whose update is missing, with the collectives they owe it through.
        made: the units that made one, of those that must report on the action.
    """

    owing: Mapping[int, set[int]]
    made: Mapping[int, set[int]]


def read_reporters(plan_pk: int, *windows: tuple[datetime, datetime]) -> list[Reporters]:
    """The reporters of each window of time, in one query; see `plan.models.duties`."""
    found = [Reporters(owing=defaultdict(set), made=defaultdict(set)) for _window in windows]
    rows = [
        duties(since, until)
        .filter(action__plan=plan_pk)
        .values_list(Value(place), "action_id", "unit_id", "holder", "report_pk")
        for place, (since, until) in enumerate(windows)
    ]
    for place, action, unit, holder, report in rows[0].union(*rows[1:], all=True):
        if report is None:
            found[place].owing[action].update((unit, holder))
        else:
            found[place].made[action].add(holder)
    return found


def read_standings(
    actions: ActionItemQuerySet,
    as_of: AsOf,
    units: UnitsByRole,
    reporters: Reporters,
    *,
    since: AsOf | None = None,
    since_reporters: Reporters | None = None,
) -> list[Standing]:
    """How each of `actions`, which stand as of the day, stands; in one query.

    Args:
        actions: with `as_of(as_of)` before.
        as_of: the day.
        units: from `read_units_by_role`.
        reporters: from `read_reporters`, in the period that runs.
        since, since_reporters: the earlier day to say what changed since, and the reporters since its end.
    """
    fields = FIELDS
    if since is not None:
        actions = actions.since(since, as_of)
        fields += tuple(change.field for change in Change)
    return [_standing(row, as_of, units, reporters, since_reporters) for row in actions.values_list(*fields)]


def read_now(plan: Plan, as_of: AsOf) -> list[Standing]:
    """How each action of a plan stands on a day, in three queries."""
    (reporters,) = read_reporters(plan.pk, (as_of.period_starts_at, as_of.ends_at))
    return read_standings(plan.actions.as_of(as_of), as_of, read_units_by_role(plan), reporters)


def standings_of(
    actions: Iterable[ActionItem], as_of: AsOf, units: UnitsByRole, reporters: Reporters, since_reporters: Reporters
) -> list[Standing]:
    """The same of actions that were read already, with `as_of()`, `since()` and `with_details()`."""
    fields = FIELDS + tuple(change.field for change in Change)
    rows = (tuple(_follow(action, field) for field in fields) for action in actions)
    return [_standing(row, as_of, units, reporters, since_reporters) for row in rows]


def _follow(action: ActionItem, field: str) -> Any:
    """A field as `values_list` reads it, over relations; None where one leads nowhere."""
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
    else:  # nobody must report on it: silent while nobody at all has
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


def read_past_updates(plan: Plan, until: AsOf) -> Mapping[int, list[PastUpdate]]:
    """Action pk → what was told of it by the day, oldest first; in one query."""
    told: dict[int, list[PastUpdate]] = defaultdict(list)
    updates = ProgressUpdate.objects.without_undone().filter(action__plan=plan, at__lt=until.ends_at)
    steps = updates.order_by("version").values_list("action_id", "at", "status_to", "progress_to", "unit_id")
    for action, *step in steps:
        told[action].append(PastUpdate(*step))
    return told


def mean(values: Iterable[float]) -> float | None:
    """The mean; None without values."""
    values = list(values)
    return fmean(values) if values else None


def mean_progress(standings: Iterable[Standing]) -> float | None:
    """Mean progress (%) of the actions not cancelled; None without any."""
    return mean(each.progress for each in standings if each.is_counted)


def mean_expected(standings: Iterable[Standing]) -> float | None:
    """Mean of what is expected (%) of the scheduled actions not cancelled; None without any."""
    return mean(each.expected for each in standings if each.is_counted and each.expected is not None)
