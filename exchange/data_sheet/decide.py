"""Decide what the edits of a data sheet write, by the rules of the site; nothing is written.

Each edit becomes a change of its action and the finding that shows it, or the errors of the rules it breaks.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from criteria.models import Level
from exchange.data_sheet.changes import (
    ActionChange,
    ChangeNote,
    change_content,
    snapshot,
    with_positions,
    with_update,
)
from exchange.data_sheet.columns import (
    ACTION_COLUMNS,
    FIELD_OF_COLUMN,
    ROLE_OF_COLUMN,
    TEXT_COLUMNS,
    ColumnGroup,
    linked_columns,
)
from exchange.data_sheet.edits import Edit
from exchange.data_sheet.site import SitePlan
from exchange.findings import CHANGED, CONFLICT, MERGED, NEW, CellChange, CellError, RowFinding
from exchange.refs import refs_of
from exchange.run import ImportRun
from plan.models import ActionItem, ProgressUpdate, Status
from plan.updates.record import UpdateInput, build_update
from pmqa_tracker.constraints import violation_message
from pmqa_tracker.write_once import NotAllowedError

MAX_TITLE = 90  # characters of an action's text in the list of rows
REPORTS = 100  # times that the progress of a long import is reported
# Field name in a model's error → column.
COLUMN_OF_FIELD = {
    "status_to": "status", "progress_to": "progress", "first_period": "first", "last_period": "last",
    "schedule_basis": "basis", "requirements": "levels",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What comes of an edit.

    Attributes:
        edit: the edit.
        finding: the row of the preview.
        errors: the rules it breaks.
        change: what it writes; None if it breaks a rule.
        undo: the data to undo it, without the pk of the action.
    """

    edit: Edit
    finding: RowFinding
    errors: Sequence[CellError] = ()
    change: ActionChange | None = None
    undo: Mapping[str, Any] | None = None


def decide(edits: Sequence[Edit], site: SitePlan, run: ImportRun) -> list[Decision]:
    """Decide on every edit of a data sheet."""
    places = NewPlaces(edits, site)
    step = max(len(edits) // REPORTS, 1)
    decisions = []
    for done, edit in enumerate(edits):
        if done % step == 0:
            run.on_progress(done, len(edits))
        decisions.append(_decide(edit, site, run, places))
    run.on_progress(len(edits), len(edits))
    return decisions


class NewPlaces:
    """The free refs and positions for the new actions of a data sheet, each given once."""

    def __init__(self, edits: Sequence[Edit], site: SitePlan) -> None:
        """Read the refs that were ever used, if there are new actions without one."""
        taken = {*site.actions, *(edit.values.get("ref") or "" for edit in edits)}
        if any(edit.kind == NEW and not edit.values["ref"] for edit in edits):
            taken |= set(ActionItem.history.filter(plan=site.plan).order_by().values_list("ref", flat=True).distinct())
        self.taken = {ref.lower() for ref in taken}
        self.lower = {ref.lower() for ref in site.actions}
        self.refs: dict[Hashable, Iterator[str]] = {}
        self.last: dict[int, int] = defaultdict(int)
        for action in site.actions.values():
            self.last[action.criterion_id] = max(self.last[action.criterion_id], action.position)

    def free_ref(self, code: str, levels: Iterable[Level]) -> str:
        """The next ref of a criterion and levels that was never used: "1.2.1-A-4"."""
        refs = self.refs.setdefault((code, *levels), refs_of(code, levels))
        return next(ref for ref in refs if ref.lower() not in self.taken)

    def check_ref(self, ref: str) -> None:
        """Raise a ValidationError if an action has the ref in other capital letters."""
        if ref.lower() in self.lower:
            raise ValidationError({"ref": violation_message(ActionItem, "action_ref_once")})
        self.lower.add(ref.lower())

    def next_position(self, criterion: int) -> int:
        """The next position in a criterion, by its pk."""
        self.last[criterion] += 1
        return self.last[criterion]


def _decide(edit: Edit, site: SitePlan, run: ImportRun, places: NewPlaces) -> Decision:
    finding = _typed_finding(edit, site)
    try:
        change = _plan_change(edit, site, run, places)
    except NotAllowedError as error:
        return _refused(edit, finding, ValidationError(str(error)))
    except ValidationError as error:
        return _refused(edit, finding, error)
    if edit.wrong:
        return Decision(edit=edit, finding=finding)
    after = _stored_after(edit, site, change)
    token = site.columns.token(change.action.version, after)
    before = {}
    if edit.action:
        before = snapshot(edit.action) | {"token": edit.token}
    return Decision(
        edit=edit,
        finding=_full_finding(edit, finding, site, change, after),
        change=change,
        undo={"ref": change.action.ref, "before": before, "token": token},
    )


def _plan_change(edit: Edit, site: SitePlan, run: ImportRun, places: NewPlaces) -> ActionChange:
    """The change that an edit makes; columns that have an error already are left out.

    Raises:
        ValidationError: by field, the broken rules.
        NotAllowedError: the user may not report on the action.
    """
    wrong = linked_columns(edit.wrong)
    changed = [name for name in edit.changed if not linked_columns([name]) & wrong or name == "status"]
    note = change_note(run)
    if edit.action is None:
        action = change_content(*_new_action(edit, site, places), site.requirements)
        places.check_ref(action.ref)
        change = ActionChange(before=None, action=action, entry=note.entry(action, "+"))
    else:
        content = {name: edit.values[name] for name in changed if ACTION_COLUMNS[name].group == ColumnGroup.CONTENT}
        change = ActionChange(before=edit.action, action=edit.action)
        if content:
            action = change_content(edit.action, with_positions(content), site.requirements)
            change = replace(change, action=action, entry=note.entry(action, "~"))
    if "status" in edit.wrong:
        return change  # the rules of an update depend on it
    return with_update(change, _report(change.action, edit, changed, run))


def _stored_after(edit: Edit, site: SitePlan, change: ActionChange) -> dict[str, Any]:
    """Column → value of the action after the change; only the columns that can have changed are computed."""
    columns = site.columns.stored_columns
    changed = [*edit.changed, "status", "progress"] if edit.action else columns
    new = {name: columns[name].stored(change.action) for name in changed if name in columns}
    return {**edit.stored, **new}


def change_note(run: ImportRun) -> ChangeNote:
    """The user and reason that the history shows for an import."""
    return ChangeNote(run.access.user, _("Import of %(file)s") % {"file": run.job.file_name})


def _new_action(edit: Edit, site: SitePlan, places: NewPlaces) -> tuple[ActionItem, dict[str, Any]]:
    """A new action with its key of a row, and column → value of its content."""
    names = (*FIELD_OF_COLUMN, "levels", *ROLE_OF_COLUMN)
    values = {name: edit.values[name] for name in names if name in edit.values}
    values["basis"] = values.get("basis") or ActionItem.Basis.STATED
    action = ActionItem(
        pk=-edit.row.number,  # the database gives it another one
        plan=site.plan,
        criterion=edit.criterion,
        ref=edit.values["ref"] or places.free_ref(edit.criterion.code, edit.values.get("levels", ())),
        position=places.next_position(edit.criterion.pk),
    )
    return action, with_positions(values)


def _report(action: ActionItem, edit: Edit, changed: Collection[str], run: ImportRun) -> ProgressUpdate | None:
    """The row as one update; None if it reports nothing."""
    texts = {name: edit.values.get(name) or "" for name in TEXT_COLUMNS}
    moved = {name: edit.values[name] for name in ("status", "progress") if name in changed}
    if edit.action is None:
        moved = {name: value for name, value in moved.items() if value not in (None, 0, Status.NOT_STARTED)}
    if not moved and not any(texts.values()):
        return None
    return build_update(
        action=action,
        op_id=uuid4(),
        access=run.access,
        at=run.at,
        data=complete_status(moved, texts),
        source=ProgressUpdate.Source.IMPORT,
        workbook=run.job.imported_file,
        unit=edit.row.unit,
    )


def complete_status(moved: Mapping[str, Any], texts: Mapping[str, str]) -> UpdateInput:
    """An update in which a status without a progress sets the progress it stands for.

    DONE is 100 %, NOT_STARTED is 0 %. A progress alone leaves the status: 100 % is not DONE until a user says so.
    """
    status, progress = moved.get("status"), moved.get("progress")
    if progress is None and status is not None:
        progress = Status(status).rules.progress
    return UpdateInput(status=status, progress=progress, **texts)


# Errors of the rules.


def _refused(edit: Edit, finding: RowFinding, error: ValidationError) -> Decision:
    """The errors of an edit at their columns; a conflict shows them beside its row instead."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    errors = {COLUMN_OF_FIELD.get(name, name): messages for name, messages in by_field.items()}
    if edit.kind == CONFLICT or (edit.kind == MERGED and _conflicts_with_others(edit, errors)):
        if edit.wrong:
            return Decision(edit=edit, finding=finding)
        # The values of the file break a rule together with those of other users.
        text = " ".join(message for messages in errors.values() for message in messages)
        return Decision(edit=edit, finding=replace(finding, kind=CONFLICT, error=text))
    wrong = linked_columns(edit.wrong)
    return Decision(
        edit=edit,
        finding=finding,
        errors=[
            edit.row.error(name, message)
            for name, messages in errors.items()
            if not linked_columns([name]) & wrong
            for message in messages
        ],
    )


def _conflicts_with_others(edit: Edit, names: Iterable[str]) -> bool:
    """Whether a broken rule concerns a column group (progress or content) that others have changed too."""
    theirs = {ACTION_COLUMNS[name].group for name in edit.others.cells}
    ours = {ACTION_COLUMNS[name].group for name in names if name in ACTION_COLUMNS}
    return not ours or bool(ours & theirs)


# Rows of the preview.


def _typed_finding(edit: Edit, site: SitePlan) -> RowFinding:
    """The row with the typed values."""
    columns, others, is_conflict = site.columns.columns, edit.others, edit.kind == CONFLICT
    cells = []
    for name in (name for name in columns if name in edit.changed and name not in edit.wrong):
        before = columns[name].display(edit.stored[name]) if name in edit.stored else ""
        before = before or (others.texts.get(name, "") if is_conflict else "")
        by = others.authors.get(name, {}) if is_conflict else {}
        after = columns[name].display(edit.values[name])
        cells.append(CellChange(heading=columns[name].heading, before=before, after=after, **by))
    text = edit.action.text if edit.action else edit.values.get("text", "")
    return RowFinding(
        kind=edit.kind,
        sheet=edit.row.table.sheet,
        row=edit.row.number,
        name=edit.name,
        title=text if len(text) < MAX_TITLE else Truncator(text).chars(MAX_TITLE),
        cells=cells,
        others=[
            cell
            for name, cell in others.cells.items()
            if edit.kind != CHANGED and (edit.kind == MERGED or name not in edit.changed)
        ],
        nearest="" if edit.action or edit.wrong else site.by_content.describe_nearest(edit.criterion.code, text),
    )


def _full_finding(
    edit: Edit, finding: RowFinding, site: SitePlan, change: ActionChange, after: Mapping[str, Any]
) -> RowFinding:
    """The row with every value that the change writes, also those that follow from a typed value."""
    found = {cell.heading: cell for cell in finding.cells}
    cells = []
    for name, column in site.columns.columns.items():
        if name in after and name in edit.stored and after[name] == edit.stored[name]:
            continue
        before = column.display(edit.stored[name]) if name in edit.stored else ""
        if name in TEXT_COLUMNS:
            value = getattr(change.update, name) if change.update else ""
        elif name in after:
            value = column.display(after[name])
        elif edit.kind == NEW and name in ("ref", "criterion"):
            value = column.display(column.stored(change.action))
        else:
            continue
        if value != before:
            cell = found.get(column.heading, CellChange(heading=column.heading, before=before, after=""))
            cells.append(replace(cell, after=value))
    return replace(finding, cells=cells)
