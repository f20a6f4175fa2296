"""How each action of a plan stands on a day: what every figure is counted from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any, NamedTuple

from assignments.models import Assignment, Role, Unit
from plan.as_of import AsOf
from plan.models import AT_WORK, ActionItem, Age, Change, Due, Plan, ProgressUpdate, Status
from plan.models.action import ActionItemQuerySet


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one action stands on the day.

    Attributes:
        first, last: numbers of the periods it runs in; None where it has no schedule.
        expected: % expected by the day; None without a schedule.
        is_silent: should be moving, and nothing was told of it in the period that runs.
        age: how long it is overdue; None where it is not.
        lead, support: pks of the units, members of collectives included.
        own: pks of the units that lead it themselves, not through a collective.
        changes: what became of it since the earlier day, where one was asked for.
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
    changes: frozenset[Change] = frozenset()

    @property
    def is_counted(self) -> bool:
        """Whether the means are over it: all but the cancelled ones."""
        return self.status != Status.CANCELLED

    @property
    def is_at_work(self) -> bool:
        """Whether it should be moving."""
        return self.due in AT_WORK


class Told(NamedTuple):
    """What an update made of an action, when, and the pk of the unit its author spoke for (None: for none)."""

    at: datetime
    status: str
    progress: int
    unit: int | None


OWN = "OWN"
Units = dict[tuple[int, str], set[int]]
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


def read_units(plan: Plan) -> Units:
    """(action pk, role) → the units whose work it is, through a collective too; in two queries.

    (action pk, `OWN`) → the units that lead it themselves.
    """
    carriers: dict[int, set[int]] = defaultdict(set)
    for unit, member in Unit.members.through.objects.values_list("from_unit_id", "to_unit_id"):
        carriers[unit].add(member)
    units: Units = defaultdict(set)
    links = Assignment.objects.filter(action__plan=plan).values_list("action_id", "role", "unit_id")
    for action, role, unit in links:
        units[action, role] |= {unit} | carriers[unit]
        if role == Role.LEAD:
            units[action, OWN].add(unit)
    return units


def read_standings(
    actions: ActionItemQuerySet, as_of: AsOf, units: Units, *, since: AsOf | None = None
) -> list[Standing]:
    """How each of `actions`, which stand as of the day, stands; in one query.

    Args:
        actions: with `as_of(as_of)` before.
        as_of: the day.
        units: from `read_units`.
        since: the earlier day to say what changed since.
    """
    fields = FIELDS
    if since is not None:
        actions = actions.since(since)
        fields += tuple(change.field for change in Change)
    return [_standing(row, as_of, units) for row in actions.values_list(*fields)]


def standings_of(actions: Iterable[ActionItem], as_of: AsOf, units: Units) -> list[Standing]:
    """The same of actions that were read already, with `as_of()`, `since()` and `with_details()`."""
    fields = FIELDS + tuple(change.field for change in Change)
    return [_standing(tuple(_follow(action, field) for field in fields), as_of, units) for action in actions]


def _follow(action: ActionItem, field: str) -> Any:
    """A field as `values_list` reads it, over relations; None where one leads nowhere."""
    value: Any = action
    for name in field.split("__"):
        value = None if value is None else getattr(value, name)
    return value


def _standing(row: tuple, as_of: AsOf, units: Units) -> Standing:
    pk, category, status, progress, expected, due, health, updated_at, first, last, ends_on, *changed = row
    is_told = updated_at is not None and updated_at >= as_of.period_starts_at
    return Standing(
        pk=pk,
        category=category,
        status=status,
        progress=progress,
        expected=expected,
        due=due,
        health=health,
        is_silent=due in AT_WORK and not is_told,
        age=Age.of((as_of.day - ends_on).days) if due == Due.OVERDUE else None,
        first=first,
        last=last,
        lead=frozenset(units.get((pk, Role.LEAD), ())),
        support=frozenset(units.get((pk, Role.SUPPORT), ())),
        own=frozenset(units.get((pk, OWN), ())),
        changes=frozenset(change for change, is_so in zip(Change, changed, strict=False) if is_so),
    )


def read_told(plan: Plan, until: AsOf) -> Mapping[int, list[Told]]:
    """Action pk → what was told of it by the day, oldest first; in one query."""
    told: dict[int, list[Told]] = defaultdict(list)
    updates = ProgressUpdate.objects.without_undone().filter(action__plan=plan, at__lt=until.ends_at)
    steps = updates.order_by("version").values_list("action_id", "at", "status_to", "progress_to", "unit_id")
    for action, *step in steps:
        told[action].append(Told(*step))
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
