"""Update history of an action, with its evidence, optionally for one unit."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import BigAutoField, QuerySet

from assignments.access import Access
from assignments.models import Unit
from plan.models import ActionItem, ProgressUpdate
from pmqa_tracker import thai
from pmqa_tracker.prepared import Given, read_prepared


@dataclass(frozen=True, kw_only=True)
class UpdateHistory:
    """The updates of an action.

    Attributes:
        updates: newest first, annotated with `is_undone`; only those of `unit` if one is chosen.
        withdrawable: pks of the evidence that the user may withdraw.
        units: the units that reported on the action.
        unit: abbreviation of the chosen unit, or "".
        count: number of all updates.
    """

    updates: Sequence[ProgressUpdate]
    withdrawable: frozenset[int]
    units: Sequence[Unit]
    unit: str
    count: int


def read_update_history(action: ActionItem, access: Access, *, unit: str = "") -> UpdateHistory:
    """Read the history of an action for one user, filtered by `unit` (an abbreviation) unless it is unknown."""

    def build() -> QuerySet[ProgressUpdate]:
        rows = ProgressUpdate.objects.with_undone().filter(action=Given("action", BigAutoField()))
        rows = rows.newest_first().select_related("author", "unit")
        return rows.prefetch_related("evidence__withdrawal__by")

    updates = read_prepared("history", build, action=action.pk)
    units = {update.unit_id: update.unit for update in updates if update.unit}
    named = {each.abbreviation: each for each in units.values()}
    chosen = named.get(thai.match_spelling(unit, named))
    evidence = [item for update in updates for item in update.evidence.all()]
    can_withdraw = action.plan.takes_reports
    return UpdateHistory(
        updates=[update for update in updates if chosen is None or update.unit_id == chosen.pk],
        withdrawable=frozenset(item.pk for item in evidence if can_withdraw and access.may_withdraw(item)),
        units=sorted(units.values(), key=lambda each: (each.position, thai.sort_key(each.abbreviation))),
        unit=chosen.abbreviation if chosen else "",
        count=len(updates),
    )
