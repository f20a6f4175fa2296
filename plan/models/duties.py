"""Who must report on which action in a period, and whether they have: the one rule behind every "not updated".

A duty is an action and a unit: a unit that leads the action by name, or a division that reaches it as a member of a
collective that leads it ("ทุกหน่วยงาน"). Units that support an action owe nothing.

A duty is fulfilled by the unit's own update in the period: by an update whose `unit` is that unit, written by a member
or by a coordinator on its behalf. An update for a collective as a whole counts for each of its members, and one that
names no unit for every lead unit (`Access.default_unit`): a coordinator writes those, and a user who is a member of the
collective itself the first.

A unit owes an update while the action is at work (`Due.OVERDUE`, `Due.NOW`) and its duty is not fulfilled. A period's
report holds the duties of actions that were at work in the period, and those the unit reported on in it.
"""

from collections.abc import Collection, Sequence
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

if TYPE_CHECKING:
    from plan.models.action import ActionItem
    from plan.models.plan import Period


@dataclass(frozen=True, kw_only=True)
class Duty:
    """A unit must report on an action in the period that runs.

    Attributes:
        unit: who.
        collective: the collective it leads the action by; None where it leads it by name.
        update: the unit's last update in the period; None while the duty is not fulfilled.
    """

    unit: Unit
    collective: Unit | None
    update: Any

    def __str__(self) -> str:
        return f"{self.unit} · {self.collective}" if self.collective else str(self.unit)


def _updates() -> QuerySet[Any]:
    """The updates that count."""
    return ProgressUpdate.objects.without_undone()


def counts_for(unit: Any) -> Q:
    """Whether an update is a unit's own, as a filter of updates; `unit` is a pk or an expression of one."""
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
    """The duties of these units, as a filter of `duties`; those of a collective are its members'."""
    return Q(owing_unit__in=units) | Q(unit__in=units)


def is_silent(since: datetime, as_of: AsOf, units: Collection[int] | None = None) -> Q:
    """Actions at work on which somebody owes an update made since a moment, as a filter of `ActionItem`s `as_of` a day.

    That is any unit with a duty or, with `units`, one of those. An action that nobody has to report on is silent while
    nobody at all has.
    """
    rows = duties(since, as_of.ends_at).filter(action=OuterRef("pk"))
    unfulfilled = rows.filter(update_pk=None)
    if units is not None:
        return Q(Exists(unfulfilled.filter(duties_of(units))), due__in=AT_WORK)
    is_old = Q(updated_at__isnull=True) | Q(updated_at__lt=since)
    return Q(Exists(unfulfilled) | (~Exists(rows) & is_old), due__in=AT_WORK)


def is_updated(since: datetime, as_of: AsOf, units: Collection[int] | None = None) -> Q:
    """The others of which there is an update: one of `units`, or any where no units are asked for."""
    not_silent = ~is_silent(since, as_of, units)
    if units is None:
        return not_silent & Q(updated_at__gte=since)
    fulfilled = duties(since, as_of.ends_at).filter(duties_of(units), action=OuterRef("pk"), update_pk__isnull=False)
    return not_silent & Q(Exists(fulfilled))


def submission_duties(period: "Period", as_of: AsOf) -> QuerySet[Assignment]:
    """The duties that the units' reports of a period hold, as of a day.

    Those on actions that were at work in the period (begun by it, and open when it began or again in it, so what is
    overdue too), and those on which the unit reported in it.
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
    """Action pk → the duties of `units` on it in the period that runs, each unit once; in two queries.

    Args:
        actions: with their details.
        units: a unit that leads an action by name has that duty alone.
        as_of: the day.
    """
    rows = duties(as_of.period_starts_at, as_of.ends_at).filter(
        duties_of([unit.pk for unit in units]), action__in=[action.pk for action in actions]
    )
    found = list(rows.values_list("action_id", "owing_unit", "unit_id", "update_pk"))
    updates = _updates().select_related("author", "unit").in_bulk({row[3] for row in found} - {None})
    own = {unit.pk: unit for unit in units}
    names = own | {part.unit_id: part.unit for action in actions for part in action.assignments.all()}
    held: dict[int, dict[Unit, Duty]] = {}
    for action, owing_unit, unit, update in sorted(found, key=lambda row: row[1] != row[2]):
        # A user who is a member of a collective itself owes what any of its members does.
        who = own.get(owing_unit) or own[unit]
        duty = Duty(unit=who, collective=names[unit] if unit != who.pk else None, update=updates.get(update))
        by_unit = held.setdefault(action, {})
        known = by_unit.setdefault(who, duty)
        if known.update and not duty.update and who.pk != owing_unit:
            by_unit[who] = duty
    return {action: [by_unit[unit] for unit in units if unit in by_unit] for action, by_unit in held.items()}
