"""Write the edits of a data sheet, with the same rules as on the site."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Max
from django.utils.translation import gettext as _

from assignments.access import Access
from assignments.models import Assignment, Unit
from criteria.models import Level, Requirement
from exchange.data_sheet.columns import FIELD_OF_COLUMN, ROLE_OF_COLUMN, TEXT_COLUMNS, ColumnGroup
from exchange.data_sheet.edits import Comparison, Edit
from exchange.findings import CONFLICT, MERGED, NEW, CellChange
from exchange.models import ImportJob
from exchange.run import ChangedMeanwhileError
from plan.models import ActionItem, Plan, ProgressUpdate, Status
from plan.updates.record import UpdateInput, record_update
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.tasks import ProgressCallback
from pmqa_tracker.transactions import write_transaction
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError

# Field name in a model's error → column.
COLUMN_OF_FIELD = {
    "status_to": "status", "progress_to": "progress", "first_period": "first", "last_period": "last",
    "schedule_basis": "basis", "requirements": "levels",
}  # fmt: skip


class Writer:
    """Writes the edits of a comparison for one user. The caller opens the transaction."""

    def __init__(
        self,
        plan: Plan,
        comparison: Comparison,
        *,
        access: Access,
        at: datetime,
        job: ImportJob,
        on_progress: ProgressCallback,
    ) -> None:
        self.plan, self.comparison, self.access, self.at = plan, comparison, access, at
        self.job, self.on_progress = job, on_progress
        self.columns = comparison.columns
        self.note = ChangeNote(access.user, _("Import of %(file)s") % {"file": job.file_name})

    def write(self, wanted: Callable[[Edit], bool]) -> list[dict[str, Any]]:
        """Write the edits that are wanted; add an error to the findings for each that breaks a rule.

        Returns:
            The data to undo each row.

        Raises:
            ChangedMeanwhileError: another user wrote at the same time.
        """
        written = []
        edits = [edit for edit in self.comparison.edits if wanted(edit)]
        for done, edit in enumerate(edits):
            self.on_progress(done, len(edits))
            try:
                with write_transaction():
                    written.append(self._write(edit))
            except ValidationError as error:
                self._add_errors(edit, error)
            except NotAllowedError as error:
                self._add_errors(edit, ValidationError(str(error)))
            except (StaleVersionError, IntegrityError) as error:
                raise ChangedMeanwhileError(edit.name) from error
        self.on_progress(len(edits), len(edits))
        return written

    def _write(self, edit: Edit) -> dict[str, Any]:
        action = edit.action
        before: dict[str, Any] = {}
        old_values: dict[str, Any] = {}
        if action is None:
            action = self._add(edit)
        else:
            old_values = self.columns.stored(action)
            before = snapshot(action) | {"token": self.columns.token_of(action)}
            if any(self.columns.columns[name].group == ColumnGroup.CONTENT for name in edit.changed):
                set_content(action, with_positions({name: edit.values[name] for name in edit.changed}), self.note)
                action = reload_action(action)
        update = self._report(action, edit)
        action = reload_action(action)
        self._update_finding(edit, old_values, action, update)
        return {"pk": action.pk, "ref": action.ref, "before": before, "token": self.columns.token_of(action)}

    def _update_finding(
        self, edit: Edit, old_values: Mapping[str, Any], action: ActionItem, update: ProgressUpdate | None
    ) -> None:
        """Add every written value to the finding of the row, also those that follow from a typed value."""
        index = self.comparison.finding_index[edit.row]
        finding = self.comparison.findings.rows[index]
        found = {cell.heading: cell for cell in finding.cells}
        cells = []
        for name, column in self.columns.columns.items():
            before = column.display(old_values[name]) if name in old_values else ""
            if name in TEXT_COLUMNS:
                after = getattr(update, name) if update else ""
            elif name in self.columns.stored_columns or (edit.kind == NEW and name in ("ref", "criterion")):
                after = column.display(column.stored(action))
            else:
                continue
            if after != before:
                cell = found.get(column.heading, CellChange(heading=column.heading, before=before, after=""))
                cells.append(replace(cell, after=after))
        self.comparison.findings.rows[index] = replace(finding, cells=cells)

    def _add(self, edit: Edit) -> ActionItem:
        criterion = edit.criterion
        values = edit.values
        last = self.plan.actions.filter(criterion=criterion).aggregate(last=Max("position"))["last"] or 0
        action = ActionItem(
            plan=self.plan,
            criterion=criterion,
            ref=values["ref"] or self._free_ref(edit),
            position=last + 1,
        )
        if not values["basis"]:
            values = {**values, "basis": ActionItem.Basis.STATED}
        set_content(
            action,
            with_positions({name: values[name] for name in (*FIELD_OF_COLUMN, "levels", *ROLE_OF_COLUMN)}),
            self.note,
        )
        return reload_action(action)

    def _free_ref(self, edit: Edit) -> str:
        """The next ref of the criterion and levels that was never used: "1.2.1-A-4"."""
        prefix = {"ref__startswith": f"{edit.criterion.code}-"}
        taken = set(self.plan.actions.filter(**prefix).values_list("ref", flat=True))
        taken |= set(ActionItem.history.filter(plan=self.plan, **prefix).values_list("ref", flat=True))
        taken |= {each.values["ref"] for each in self.comparison.edits}
        return free_ref(edit.criterion.code, edit.values["levels"], taken)

    def _report(self, action: ActionItem, edit: Edit) -> ProgressUpdate | None:
        """Record the row as one update; None if it reports nothing."""
        texts = {name: edit.values[name] for name in TEXT_COLUMNS}
        moved = {name: edit.values[name] for name in ("status", "progress") if name in edit.changed}
        if edit.action is None:
            moved = {name: value for name, value in moved.items() if value not in (None, 0, Status.NOT_STARTED)}
        if not moved and not any(texts.values()):
            return None
        return record_update(
            action=action,
            version=action.version,
            op_id=uuid4(),
            access=self.access,
            at=self.at,
            data=complete_status(moved, texts),
            source=ProgressUpdate.Source.IMPORT,
            workbook=self.job.imported_file,
            unit=edit.unit,
        )

    def _add_errors(self, edit: Edit, error: ValidationError) -> None:
        """Add the errors of an edit at their columns; a conflict shows them beside its row instead."""
        by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        errors = []
        for name, messages in by_field.items():
            column = self.columns.columns.get(COLUMN_OF_FIELD.get(name, name))
            heading = column.heading if column else ""
            errors += [(heading, message) for message in messages]
        if edit.kind == CONFLICT or (edit.kind == MERGED and self._conflicts_with_others(edit, by_field)):
            # The values of the file break a rule together with those of other users.
            text = " ".join(message for _heading, message in errors)
            rows, index = self.comparison.findings.rows, self.comparison.finding_index[edit.row]
            rows[index] = replace(rows[index], kind=CONFLICT, error=text)
            return
        table = self.comparison.table
        self.comparison.findings.errors += [
            table.error(edit.row, heading, edit.cells.get(heading, ReadCell()), message) for heading, message in errors
        ]

    def _conflicts_with_others(self, edit: Edit, names: Iterable[str]) -> bool:
        """Whether a broken rule concerns a column group (progress or content) that others have changed too."""
        columns = self.columns.columns
        others = {
            cell.heading for cell in self.comparison.findings.rows[self.comparison.finding_index[edit.row]].others
        }
        theirs = {column.group for column in columns.values() if column.heading in others}
        ours = {columns[column].group for name in names if (column := COLUMN_OF_FIELD.get(name, name)) in columns}
        return not ours or bool(ours & theirs)


def free_ref(code: str, levels: Iterable[Level], taken: Collection[str]) -> str:
    """The next ref of a criterion and levels that is not in `taken`: "1.2.1-A-4"."""
    stem = f"{code}-{''.join(level.initial for level in levels)}-"
    return next(ref for number in count(1) if (ref := f"{stem}{number}") not in taken)


def reload_action(action: ActionItem) -> ActionItem:
    """Read an action again after a write, `with_details()`."""
    return action.plan.actions.with_details().get(pk=action.pk)


def complete_status(moved: Mapping[str, Any], texts: Mapping[str, str]) -> UpdateInput:
    """An update in which a status without a progress sets the progress it stands for.

    DONE is 100 %, NOT_STARTED is 0 %. A progress alone leaves the status: 100 % is not DONE until a user says so.
    """
    status, progress = moved.get("status"), moved.get("progress")
    if progress is None and status is not None:
        progress = Status(status).rules.progress
    return UpdateInput(status=status, progress=progress, **texts)


@dataclass(frozen=True)
class ChangeNote:
    """User and reason of a change, for the history. A background task has no request to read the user from."""

    user: Any
    reason: str

    def set_on(self, record: Any) -> Any:
        """Set user and reason on a record before it is saved or deleted."""
        record._history_user, record._change_reason = self.user, self.reason
        return record


def set_content(action: ActionItem, values: Mapping[str, Any], note: ChangeNote) -> None:
    """Save the content of some columns in an action, as one history entry; units come from `with_positions`.

    Raises:
        ValidationError: a rule is broken.
        StaleVersionError: another user has saved the action since it was read.
    """
    for name, field in FIELD_OF_COLUMN.items():
        if name in values:
            setattr(action, field, values[name])
    note.set_on(action).full_clean(exclude=("requirements",))
    is_new = action.pk is None
    if "levels" in values:
        action.skip_history_when_saving = True  # setting the requirements writes the entry
        action.save()
        del action.skip_history_when_saving
        action.requirements.set(
            Requirement.objects.filter(criterion=action.criterion, level__in=[int(each) for each in values["levels"]])
        )
    else:
        action.save()
    if is_new:
        ActionItem.history.filter(id=action.pk).update(history_type="+")
    for name, role in ROLE_OF_COLUMN.items():
        if name in values:
            _assign(action, role, values[name], note)


def with_positions(values: Mapping[str, Any]) -> dict[str, Any]:
    """Column → value, with (position, unit) pairs for the units."""
    return {
        name: list(enumerate(value, start=1)) if name in ROLE_OF_COLUMN else value for name, value in values.items()
    }


def _assign(action: ActionItem, role: str, units: Sequence[tuple[int, Unit]], note: ChangeNote) -> None:
    """Set the units that have a role in an action, as (position, unit)."""
    existing = {each.unit_id: each for each in Assignment.objects.filter(action=action, role=role)}
    for pk, assignment in existing.items():
        if pk not in {unit.pk for _position, unit in units}:
            note.set_on(assignment).delete()
    for position, unit in units:
        assignment = existing.get(unit.pk) or Assignment(action=action, unit=unit, role=role, position=position)
        if assignment.pk is None or assignment.position != position:
            assignment.position = position
            note.set_on(assignment).save()


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
