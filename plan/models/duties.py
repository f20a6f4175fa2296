"""Duties: which unit must report on which action in a period, and whether it has. All "not updated" counts use these.

A duty belongs to an action and a unit: a unit that leads the action by name, or a member of a collective that leads it
("ทุกหน่วยงาน"). Units that support an action have no duty.

A duty is fulfilled by an update in the period whose `unit` is that unit; a member or a coordinator writes it. An update
for a collective counts for each of its members; a coordinator writes it, or a user who is a member of the collective
itself. An update without a unit counts for all lead units (`Access.default_unit`); only a coordinator writes it.

A unit owes an update while the action is at work (`Due.OVERDUE`, `Due.NOW`) and its duty is not fulfilled. A submission
contains the duties on actions that were at work in its period, and those that the unit reported on in it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import BigIntegerField, BooleanField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from assignments.models import Assignment, Role, Unit
from plan.as_of import AsOf
from plan.models.status import AT_WORK, CLOSED, Status
from plan.models.update import ProgressUpdate
from pmqa_tracker import thai
from pmqa_tracker.prepared import read_prepared

if TYPE_CHECKING:
    from plan.models.action import ActionItem
    from plan.models.plan import Period


@dataclass(frozen=True, kw_only=True)
class Duty:
    """A unit must report on an action in the current period.

    Attributes:
        unit: the unit.
        collective: the collective through which it leads the action; None if it leads it by name.
        update: the unit's last update in the period; None while the duty is not fulfilled.
    """

    unit: Unit
    collective: Unit | None
    update: Any

    def __str__(self) -> str:
        return f"{self.unit} · {self.collective}" if self.collective else str(self.unit)


def _updates() -> QuerySet[Any]:
    """Return the updates that count."""
    return ProgressUpdate.objects.without_undone()


def counts_for(unit: Any) -> Q:
    """Return a filter of the updates that count for a unit; `unit` is a pk or an expression for one."""
    return Q(unit=unit) | Q(unit__members=unit) | Q(unit__isnull=True)


def duties(since: datetime, until: datetime) -> QuerySet[Assignment]:
    """Return the duties of all lead assignments; a collective has one row for each of its active members.

    Adds `owing_unit` (pk of the unit that must report) and `update_pk` (pk of its last update from `since` until before
    `until`, or None). A unit that leads an action both by name and through a collective has two rows.
    """
    own = _updates().filter(counts_for(OuterRef("owing_unit")), action=OuterRef("action"), at__gte=since, at__lt=until)
    return (
        Assignment.objects.filter(role=Role.LEAD)
        .annotate(
            owing_unit=Coalesce("unit__members", "unit", output_field=BigIntegerField()),
            is_held=Coalesce("unit__members__is_active", Value(value=True), output_field=BooleanField()),
        )
        .filter(is_held=True)
        .annotate(update_pk=Subquery(own.order_by("-version").values("pk")[:1]))
    )


def duties_of(units: Collection[int]) -> Q:
    """Return a filter of `duties` for these units; a collective has the duties of its members."""
    return Q(owing_unit__in=units) | Q(unit__in=units)


def is_silent(since: datetime, as_of: AsOf, units: Collection[int] | None = None) -> Q:
    """Return a filter of actions `as_of` a day: at work, with no update since a moment from a unit that owes one.

    With `units`, only these units count. An action without duties is silent if it has no update since then.
    """
    rows = duties(since, as_of.ends_at).filter(action=OuterRef("pk"))
    unfulfilled = rows.filter(update_pk=None)
    if units is not None:
        return Q(Exists(unfulfilled.filter(duties_of(units))), due__in=AT_WORK)
    is_old = Q(updated_at__isnull=True) | Q(updated_at__lt=since)
    return Q(Exists(unfulfilled) | (~Exists(rows) & is_old), due__in=AT_WORK)


def is_updated(since: datetime, as_of: AsOf, units: Collection[int] | None = None) -> Q:
    """Return a filter of actions that are not silent and have an update, with `units` one of theirs."""
    not_silent = ~is_silent(since, as_of, units)
    if units is None:
        return not_silent & Q(updated_at__gte=since)
    fulfilled = duties(since, as_of.ends_at).filter(duties_of(units), action=OuterRef("pk"), update_pk__isnull=False)
    return not_silent & Q(Exists(fulfilled))


def read_updated(
    updated: Mapping[int, datetime | None], as_of: AsOf, units: Collection[int] | None = None
) -> dict[int, datetime]:
    """Return action pk → moment of the last update, of the actions that `is_updated` holds for; one small query.

    Args:
        updated: action pk → `updated_at`, of a few actions at work: for these it costs less than the annotation.
        as_of: the day.
        units: pks; only the updates that these units owe.
    """
    since = as_of.period_starts_at
    asked = {pk: at for pk, at in updated.items() if at is not None and (units is not None or at >= since)}

    def build() -> QuerySet[Any]:
        rows = duties(since, as_of.ends_at).filter(action__in=asked)
        return (rows if units is None else rows.filter(duties_of(units))).values_list("action", "update_pk")

    key = ("updated", since, as_of.ends_at, tuple(asked), None if units is None else tuple(units))
    found = read_prepared(key, build) if asked else []
    owed, fulfilled = ({action for action, update in found if (update is None) is is_owed} for is_owed in (True, False))
    return {pk: at for pk, at in asked.items() if pk not in owed and (units is None or pk in fulfilled)}


def read_silent(plan: Any, since: datetime, as_of: AsOf) -> dict[int, set[int]]:
    """Return unit pk → pks of the actions of a plan on which the unit owes an update since a moment; one query.

    The same as `is_silent` for each unit alone.
    """
    at_work = plan.actions.as_of(as_of).filter(due__in=AT_WORK).values("pk")
    rows = duties(since, as_of.ends_at).filter(update_pk=None, action__in=at_work)
    found: dict[int, set[int]] = {}
    for unit, action in rows.values_list("owing_unit", "action"):
        found.setdefault(unit, set()).add(action)
    return found


def submission_duties(period: "Period", as_of: AsOf) -> QuerySet[Assignment]:
    """Return the duties in the submissions of a period, as of a day.

    These are duties on actions that were at work in the period (scheduled to start by then, and open at its start or
    reopened in it; overdue actions too), and on actions that the unit reported on in it.
    """
    begins_at, ends_at = thai.start_of(period.starts_on), min(thai.end_of(period.ends_on), as_of.ends_at)
    moves = _updates().filter(action=OuterRef("action"), at__lt=ends_at)
    before = moves.filter(at__lt=begins_at).order_by("-version").values("status_to")[:1]
    was_open = ~Q(status_before__in=CLOSED) | Exists(moves.filter(at__gte=begins_at).exclude(status_to__in=CLOSED))
    return (
        duties(begins_at, ends_at)
        .alias(status_before=Coalesce(Subquery(before), Value(str(Status.NOT_STARTED))))
        .filter(
            Q(was_open, action__first_period__number__lte=period.number) | Q(update_pk__isnull=False),
            action__plan=period.plan_id,
        )
    )


def read_duties(actions: Sequence["ActionItem"], units: Sequence[Unit], as_of: AsOf) -> dict[int, list[Duty]]:
    """Return action pk → the duties of `units` in the current period, each unit once; two queries.

    Args:
        actions: read `with_units()`.
        units: a unit that leads an action by name gets only that duty, and none through a collective.
        as_of: the day.
    """
    return read_duties_and_updates(actions, units, as_of, ())[0]


def read_duties_and_updates(
    actions: Sequence["ActionItem"], units: Sequence[Unit], as_of: AsOf, pks: Collection[int | None]
) -> tuple[dict[int, list[Duty]], dict[int, Any]]:
    """Return what `read_duties` returns, and pk → update with its author and unit, also of the updates named by `pks`.

    Two queries too.
    """
    unit_pks, action_pks = tuple(unit.pk for unit in units), tuple(action.pk for action in actions)

    def build() -> QuerySet[Any]:
        rows = duties(as_of.period_starts_at, as_of.ends_at).filter(duties_of(unit_pks), action__in=action_pks)
        return rows.values_list("action_id", "owing_unit", "unit_id", "update_pk")

    found = read_prepared(("duties", as_of.period_starts_at, as_of.ends_at, unit_pks, action_pks), build)
    updates = _updates().select_related("author", "unit").in_bulk({*pks, *(row[3] for row in found)} - {None})
    own = {unit.pk: unit for unit in units}
    names = own | {part.unit_id: part.unit for action in actions for part in action.assignments.all()}
    by_action: dict[int, dict[Unit, Duty]] = {}
    for action, owing_unit, unit, update in sorted(found, key=lambda row: row[1] != row[2]):
        # A collective among `units` (a user can be its member) has the duties of its members.
        who = own.get(owing_unit) or own[unit]
        duty = Duty(unit=who, collective=names[unit] if unit != who.pk else None, update=updates.get(update))
        by_unit = by_action.setdefault(action, {})
        known = by_unit.setdefault(who, duty)
        if known.update and not duty.update and who.pk != owing_unit:
            by_unit[who] = duty
    held = {action: [by_unit[unit] for unit in units if unit in by_unit] for action, by_unit in by_action.items()}
    return held, updates
