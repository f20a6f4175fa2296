"""Changes of actions, computed in memory: the content and the update that an import or its undo will store."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import Model
from django.utils import timezone

from assignments.models import Assignment, Unit
from criteria.models import Requirement
from exchange.data_sheet.columns import FIELD_OF_COLUMN, ROLE_OF_COLUMN
from plan.models import ActionItem, ProgressUpdate
from pmqa_tracker.model_rules import check_without_query

PlacedUnits = Sequence[tuple[int, Unit]]  # units with their positions


@cache
def _history_of(model: type[Model]) -> type[Model]:
    """The model of the history entries; the attribute `history` builds a manager each time."""
    return model.history.model


@dataclass(frozen=True)
class ChangeNote:
    """User and reason of a change, for the history. A background task has no request to read the user from."""

    user: Any
    reason: str

    def set_on(self, record: Any) -> Any:
        """Set user and reason on a record before it is saved or deleted."""
        record._history_user, record._change_reason = self.user, self.reason
        return record

    def entry(self, record: Model, kind: str) -> Any:
        """The unsaved history entry of a record; `kind` is "+", "~" or "-"."""
        history = _history_of(type(record))
        values = {field.attname: getattr(record, field.attname) for field in history.tracked_fields}
        return history(
            **values, history_type=kind, history_date=timezone.now(), history_user=self.user,
            history_change_reason=self.reason,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ActionChange:
    """An action as an import will store it.

    Attributes:
        before: the action as it was read; None for a new one.
        action: the action as it will be, with its requirements and assignments.
        entry: the entry for its history, before the update; None if the content stays.
        update: the update; None without one.
    """

    before: ActionItem | None
    action: ActionItem
    entry: Any = None
    update: ProgressUpdate | None = None

    @property
    def added(self) -> list[Assignment]:
        """The new assignments."""
        return [each for each in self.action.assignments.all() if each.pk is None]

    @property
    def moved(self) -> list[Assignment]:
        """The assignments that get another position."""
        before = {each.pk: each.version for each in self.before.assignments.all()} if self.before else {}
        return [each for each in self.action.assignments.all() if before.get(each.pk, each.version) != each.version]

    @property
    def removed(self) -> list[Assignment]:
        """The assignments that end."""
        kept = {each.pk for each in self.action.assignments.all()}
        return [each for each in self.before.assignments.all() if each.pk not in kept] if self.before else []


def change_content(
    action: ActionItem, values: Mapping[str, Any], requirements: Mapping[tuple[str, int], Requirement]
) -> ActionItem:
    """Return a copy of an action with the content of some columns.

    Args:
        action: an action read `with_details()`, or a new one.
        values: column → value; units have their positions.
        requirements: (code, level) → requirement.

    Raises:
        ValidationError: by field, the broken rules.
    """
    changed = copy(action)
    is_new = action._state.adding
    for name, field in FIELD_OF_COLUMN.items():
        if name in values:
            setattr(changed, field, values[name])
    levels = None if is_new else action.requirements.all()
    if "levels" in values:
        code = action.criterion.code
        found = (requirements.get((code, int(level))) for level in values["levels"])
        levels = [requirement for requirement in found if requirement]
    parts = [] if is_new else [each for each in action.assignments.all() if _column_of(each) not in values]
    for name, role in ROLE_OF_COLUMN.items():
        if name in values:
            existing = {} if is_new else {each.unit_id: each for each in action.assignments.all() if each.role == role}
            parts += [_placed(changed, role, existing.get(unit.pk), unit, place) for place, unit in values[name]]
    changed.set_details(requirements=levels or (), assignments=parts)
    check_without_query(changed)
    changed.set_search_text()
    changed.version += not is_new
    return changed


def _column_of(assignment: Assignment) -> str:
    return next(name for name, role in ROLE_OF_COLUMN.items() if role == assignment.role)


def _placed(action: ActionItem, role: str, existing: Assignment | None, unit: Unit, position: int) -> Assignment:
    """The assignment of a unit at a position."""
    if existing is None:
        return Assignment(action=action, unit=unit, role=role, position=position)
    if existing.position == position:
        return existing
    moved = copy(existing)
    moved.position, moved.version = position, existing.version + 1
    return moved


def with_update(change: ActionChange, update: ProgressUpdate | None) -> ActionChange:
    """Add an update to a change: its action gets the status, the progress and the version of the update."""
    if update is None:
        return change
    action = change.action if change.entry else copy(change.action)
    action.status, action.progress, action.version = update.status_to, update.progress_to, update.version
    return ActionChange(before=change.before, action=action, entry=change.entry, update=update)


def with_positions(values: Mapping[str, Any]) -> dict[str, Any]:
    """Column → value, with (position, unit) pairs for the units."""
    return {
        name: list(enumerate(value, start=1)) if name in ROLE_OF_COLUMN else value for name, value in values.items()
    }


def snapshot(action: ActionItem) -> dict[str, Any]:
    """The pks and codes needed to restore an action, which is read `with_details()`."""
    return {
        "number": action.number,
        "text": action.text,
        "first": action.first_period_id,
        "last": action.last_period_id,
        "basis": action.schedule_basis,
        "levels": sorted(each.level for each in action.requirements.all()),
        "lead": [[each.position, each.unit_id] for each in action.lead],
        "support": [[each.position, each.unit_id] for each in action.support],
        "status": action.status,
        "progress": action.progress,
        "version": action.version,
    }


def records(changes: Iterable[ActionChange], name: str) -> list[Any]:
    """The records of one attribute of all changes whose content changes."""
    return [each for change in changes if change.entry for each in getattr(change, name)]
