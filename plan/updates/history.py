"""The story of an action: its updates with what proves them, newest first, and whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from assignments.access import Access
from assignments.models import Unit
from plan.models import ActionItem, ProgressUpdate
from pmqa_tracker import thai


@dataclass(frozen=True, kw_only=True)
class UpdateHistory:
    """What was told of an action.

    Attributes:
        updates: newest first, those of `unit` where one is chosen; each knows whether it `is_undone`.
        withdrawable: the pks of the evidence that the user may withdraw.
        units: whose people told anything, to choose from.
        unit: the chosen one's abbreviation, or empty.
        count: of all updates.
    """

    updates: Sequence[ProgressUpdate]
    withdrawable: frozenset[int]
    units: Sequence[Unit]
    unit: str
    count: int


def read_update_history(action: ActionItem, access: Access, *, unit: str = "") -> UpdateHistory:
    """The story of an action for one person; `unit` (an abbreviation) narrows it, an unknown one does not."""
    rows = action.updates.with_undone().newest_first().select_related("author", "unit")
    updates = list(rows.prefetch_related("evidence__withdrawal__by"))
    units = {update.unit_id: update.unit for update in updates if update.unit}
    named = {each.abbreviation: each for each in units.values()}
    chosen = named.get(thai.match_spelling(unit, named))
    evidence = [item for update in updates for item in update.evidence.all()]
    return UpdateHistory(
        updates=[update for update in updates if chosen is None or update.unit_id == chosen.pk],
        withdrawable=frozenset(item.pk for item in evidence if access.may_withdraw(item)),
        units=sorted(units.values(), key=lambda each: (each.position, thai.sort_key(each.abbreviation))),
        unit=chosen.abbreviation if chosen else "",
        count=len(updates),
    )
