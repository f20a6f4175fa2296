"""Writing what a data sheet asks: every row by the same rules as on the site, all of them or none."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from assignments.access import Access
from assignments.models import Assignment, Unit
from criteria.models import Level, Requirement
from exchange.data_sheet.columns import FIELD_OF_COLUMN, ROLE_OF_COLUMN, WORDS, ColumnGroup
from exchange.data_sheet.edits import Comparison, Edit
from exchange.findings import CONFLICT, MERGED, NEW, CellChange
from exchange.models import ImportJob
from plan.models import ActionItem, Plan, ProgressUpdate, Status
from plan.updates.record import UpdateInput, record_update
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.tasks import ProgressCallback
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError

# What the models call a field, and the column that fills it.
COLUMNS = {
    "status_to": "status", "progress_to": "progress", "first_period": "first", "last_period": "last",
    "schedule_basis": "basis", "requirements": "levels",
}  # fmt: skip


class ChangedMeanwhileError(Exception):
    """Somebody wrote while the import did; nothing was written."""


class Writer:
    """Writes the edits of a comparison for one person, inside a transaction of the caller's."""

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
        self.mark = ChangeNote(access.user, _("Import of %(file)s") % {"file": job.file_name})

    def write(self, wanted: Callable[[Edit], bool]) -> list[dict[str, Any]]:
        """Write the edits that are wanted; what is wrong with any is added to the findings.

        Returns:
            For each row, what it takes to undo it.

        Raises:
            ChangedMeanwhileError: another writer was quicker.
        """
        written = []
        edits = [edit for edit in self.comparison.edits if wanted(edit)]
        for done, edit in enumerate(edits):
            self.on_progress(done, len(edits))
            try:
                with transaction.atomic():
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
        held: dict[str, Any] = {}
        if action is None:
            action = self._add(edit)
        else:
            held = self.columns.stored(action)
            before = snapshot(action) | {"token": self.columns.token_of(action)}
            if any(self.columns.columns[name].group == ColumnGroup.CONTENT for name in edit.changed):
                set_content(action, placed({name: edit.values[name] for name in edit.changed}), self.mark)
                action = reread(action)
        update = self._report(action, edit)
        action = reread(action)
        self._show(edit, held, action, update)
        return {"pk": action.pk, "ref": action.ref, "before": before, "token": self.columns.token_of(action)}

    def _show(self, edit: Edit, held: Mapping[str, Any], action: ActionItem, update: ProgressUpdate | None) -> None:
        """Let the row's finding say all that was written, what follows from what was typed too."""
        place = self.comparison.places[edit.row]
        finding = self.comparison.findings.rows[place]
        found = {cell.heading: cell for cell in finding.cells}
        cells = []
        for name, column in self.columns.columns.items():
            before = column.words(held[name]) if name in held else ""
            if name in WORDS:
                after = getattr(update, name) if update else ""
            elif name in self.columns.stored_columns or (edit.kind == NEW and name in ("ref", "criterion")):
                after = column.words(column.stored(action))
            else:
                continue
            if after != before:
                cell = found.get(column.heading, CellChange(heading=column.heading, before=before, after=""))
                cells.append(replace(cell, after=after))
        self.comparison.findings.rows[place] = replace(finding, cells=cells)

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
            action, placed({name: values[name] for name in (*FIELD_OF_COLUMN, "levels", *ROLE_OF_COLUMN)}), self.mark
        )
        return reread(action)

    def _free_ref(self, edit: Edit) -> str:
        """The next ref of its criterion and levels that was never taken: "1.2.1-A-4"."""
        begins = {"ref__startswith": f"{edit.criterion.code}-"}
        taken = set(self.plan.actions.filter(**begins).values_list("ref", flat=True))
        taken |= set(ActionItem.history.filter(plan=self.plan, **begins).values_list("ref", flat=True))
        taken |= {each.values["ref"] for each in self.comparison.edits}
        return free_ref(edit.criterion.code, edit.values["levels"], taken)

    def _report(self, action: ActionItem, edit: Edit) -> ProgressUpdate | None:
        """Record what the row reports as one update; None where it reports nothing."""
        told = {name: edit.values[name] for name in WORDS}
        moved = {name: edit.values[name] for name in ("status", "progress") if name in edit.changed}
        if edit.action is None:
            moved = {name: value for name, value in moved.items() if value not in (None, 0, Status.NOT_STARTED)}
        if not moved and not any(told.values()):
            return None
        return record_update(
            action=action,
            version=action.version,
            op_id=uuid4(),
            access=self.access,
            at=self.at,
            data=complete_status(moved, told),
            source=ProgressUpdate.Source.IMPORT,
            workbook=self.job.imported_file,
            unit=edit.unit,
        )

    def _add_errors(self, edit: Edit, error: ValidationError) -> None:
        """Tell each at the column it is about."""
        by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        told = []
        for name, messages in by_field.items():
            column = self.columns.columns.get(COLUMNS.get(name, name))
            heading = column.heading if column else ""
            told += [(heading, message) for message in messages]
        if edit.kind == CONFLICT or (edit.kind == MERGED and self._conflicts_with_others(edit, by_field)):
            # What others wrote does not go together with it: their side stays, and the page says why.
            trouble = " ".join(message for _heading, message in told)
            rows, place = self.comparison.findings.rows, self.comparison.places[edit.row]
            rows[place] = replace(rows[place], kind=CONFLICT, error=trouble)
            return
        table = self.comparison.table
        self.comparison.findings.errors += [
            table.error(edit.row, heading, edit.cells.get(heading, ReadCell()), message) for heading, message in told
        ]

    def _conflicts_with_others(self, edit: Edit, names: Iterable[str]) -> bool:
        """Whether a broken rule is about what others changed too: progress or content; else it is the file's own."""
        columns = self.columns.columns
        others = {cell.heading for cell in self.comparison.findings.rows[self.comparison.places[edit.row]].others}
        theirs = {column.group for column in columns.values() if column.heading in others}
        ours = {columns[column].group for name in names if (column := COLUMNS.get(name, name)) in columns}
        return not ours or bool(ours & theirs)


def free_ref(code: str, levels: Iterable[Level], taken: Collection[str]) -> str:
    """The next ref of a criterion and levels that is not taken: "1.2.1-A-4"."""
    stem = f"{code}-{''.join(level.initial for level in levels)}-"
    return next(ref for number in count(1) if (ref := f"{stem}{number}") not in taken)


def reread(action: ActionItem) -> ActionItem:
    """An action as it is stored after a write of ours; until then the copy that was compared holds its version."""
    return ActionItem.objects.with_details().get(pk=action.pk)


def complete_status(moved: Mapping[str, Any], told: Mapping[str, str]) -> UpdateInput:
    """A report in which a status alone brings the progress it stands for, and a progress alone the status.

    Done is 100 %, not started 0 %; 100 % typed at a status that was not changed is not yet done: people say so.
    """
    status, progress = moved.get("status"), moved.get("progress")
    if progress is None and status is not None:
        progress = Status(status).rules.progress
    return UpdateInput(status=status, progress=progress, **told)


@dataclass(frozen=True)
class ChangeNote:
    """What the history says of a change: who, and why. Work beside the page has no request to read the person from."""

    user: Any
    reason: str

    def on(self, record: Any) -> Any:
        """Mark a record that is about to be saved or removed."""
        record._history_user, record._change_reason = self.user, self.reason
        return record


def set_content(action: ActionItem, values: Mapping[str, Any], mark: ChangeNote) -> None:
    """Give an action the content some columns hold, as one entry of its history; units come with positions.

    Raises:
        ValidationError: a rule is broken.
        StaleVersionError: somebody else saved it since it was read.
    """
    for name, field in FIELD_OF_COLUMN.items():
        if name in values:
            setattr(action, field, values[name])
    mark.on(action).full_clean(exclude=("requirements",))
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
            _assign(action, role, values[name], mark)


def placed(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says, with the position of each unit."""
    return {
        name: list(enumerate(value, start=1)) if name in ROLE_OF_COLUMN else value for name, value in values.items()
    }


def _assign(action: ActionItem, role: str, units: Sequence[tuple[int, Unit]], mark: ChangeNote) -> None:
    """Let these units, each with its position, have a role in an action."""
    there = {each.unit_id: each for each in Assignment.objects.filter(action=action, role=role)}
    for pk, assignment in there.items():
        if pk not in {unit.pk for _position, unit in units}:
            mark.on(assignment).delete()
    for position, unit in units:
        assignment = there.get(unit.pk) or Assignment(action=action, unit=unit, role=role, position=position)
        if assignment.pk is None or assignment.position != position:
            assignment.position = position
            mark.on(assignment).save()


def snapshot(action: ActionItem) -> dict[str, Any]:
    """What an action holds, to be put back: pks and codes; it comes with its details."""
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
