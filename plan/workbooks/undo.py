"""Taking an import back, row by row, where nobody has edited since."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from assignments.access import Access
from assignments.models import Unit
from plan.models import (
    ActionItem,
    AppendOnlyError,
    ImportState,
    Period,
    ProgressUpdate,
    ReportLine,
    Status,
    WorkbookImport,
)
from plan.progress import Report, record_update
from plan.workbooks.columns import ActionSheet
from plan.workbooks.write import Mark, reread, set_content, snapshot

KEPT = ("status", "progress", "version")  # of a snapshot: what is no content


class UndoneAlreadyError(Exception):
    """The import was undone, or never written."""


class InUseError(Exception):
    """What was added is in use by now; nothing was removed. The first argument names it."""


@dataclass(frozen=True, kw_only=True)
class Undoable:
    """What can be taken back of an import.

    Attributes:
        rows: (what it takes to undo, the action) of what nobody has edited since.
        edited: refs of what somebody has; it stays.
        reported: refs of new actions that a unit's period report holds; they stay.
    """

    rows: list[tuple[Mapping[str, Any], ActionItem]]
    edited: list[str]
    reported: list[str] = field(default_factory=list)


def read_undoable(batch: WorkbookImport) -> Undoable:
    """What can be taken back, in a fixed number of queries."""
    if batch.plan is None or batch.kind == WorkbookImport.Kind.NEW_PLAN:
        return Undoable(rows=[], edited=[])
    periods = sorted(batch.plan.periods.all(), key=lambda each: each.number)
    columns = ActionSheet(periods, Unit.objects.in_order())
    pks = [row["pk"] for row in batch.written]
    actions = {each.pk: each for each in batch.plan.actions.filter(pk__in=pks).with_details()}
    added = [row["pk"] for row in batch.written if not row["before"]]
    in_report = set(ReportLine.objects.filter(action__in=added).values_list("action_id", flat=True))
    found = Undoable(rows=[], edited=[])
    for row in batch.written:
        action = actions.get(row["pk"])
        if action is None or columns.token_of(action) != row["token"]:
            found.edited.append(row["ref"])
        elif action.pk in in_report:
            found.reported.append(row["ref"])
        else:
            found.rows.append((row, action))
    return found


def undo_import(*, batch: WorkbookImport, access: Access, at: datetime) -> Undoable:
    """Take an import back, all that nobody has edited since or nothing.

    What was reported stays in the history of each action, followed by a row that takes it back; neither of them counts
    as a report from now on (`ProgressUpdateQuerySet.without_undone`). A new action is removed.

    Returns:
        What was taken back, and what was left.

    Raises:
        UndoneAlreadyError: it was undone already.
        StaleUpdateError, StaleVersionError: somebody was quicker; nothing was undone.
    """
    with transaction.atomic():
        undone = WorkbookImport.objects.filter(pk=batch.pk, state=ImportState.WRITTEN).update(
            state=ImportState.UNDONE, undone_at=at, undone_by=access.user
        )
        if not undone:
            raise UndoneAlreadyError(batch)
        found = read_undoable(batch)
        mark = mark_of(batch, access)
        for row, action in found.rows:
            _undo(row["before"], action, batch, access, at, mark)
    batch.refresh_from_db()
    return found


def remove_new_plan(*, batch: WorkbookImport, access: Access, at: datetime) -> None:
    """Remove what an import of a whole plan added, all of it or nothing.

    Raises:
        UndoneAlreadyError: it was undone already.
        InUseError: somebody has edited one of its records since, reported on it, or built on it.
    """
    with transaction.atomic():
        undone = WorkbookImport.objects.filter(pk=batch.pk, state=ImportState.WRITTEN).update(
            state=ImportState.UNDONE, undone_at=at, undone_by=access.user, plan=None
        )
        if not undone:
            raise UndoneAlreadyError(batch)
        mark = mark_of(batch, access)
        for row in reversed(batch.written):
            record = apps.get_model(row["model"]).objects.filter(pk=row["pk"]).first()
            if record is None or record.version != row["version"]:
                raise InUseError(row["ref"])
            try:
                mark.on(record).delete()
            except (ProtectedError, AppendOnlyError) as error:
                raise InUseError(row["ref"]) from error


def mark_of(batch: WorkbookImport, access: Access) -> Mark:
    """What the history says of what is taken back."""
    return Mark(access.user, _("The import of %(file)s was undone") % {"file": batch.file_name})


def _undo(
    before: Mapping[str, Any], action: ActionItem, batch: WorkbookImport, access: Access, at: datetime, mark: Mark
) -> None:
    told = action.updates.filter(workbook=batch).exists()
    if not before:
        action.updates.remove_imported(batch)
        for assignment in action.assignments.all():
            mark.on(assignment).delete()
        mark.on(action).delete()
        return
    now = snapshot(action)
    changed = {name: before[name] for name in before if name not in KEPT and before[name] != now[name]}
    if changed:
        set_content(action, _values(changed), mark)
        action = reread(action)
    if told:
        report = Report(
            status=before["status"],
            progress=before["progress"],
            reason=mark.reason,
            **_words(action, before, mark.reason),
        )
        _report(action, batch, access, at, report)


def _values(changed: Mapping[str, Any]) -> dict[str, Any]:
    """The kept pks as the records `set_content` takes."""
    values = dict(changed)
    for name in ("first", "last"):
        if values.get(name):
            values[name] = Period.objects.get(pk=values[name])
    for name in ("lead", "support"):
        if name in values:
            units = Unit.objects.in_bulk(values[name])
            values[name] = [units[pk] for pk in values[name] if pk in units]
    return values


def _words(action: ActionItem, before: Mapping[str, Any], reason: str) -> dict[str, str]:
    """The words that the rules ask for again when a status comes back: what was told when it was first reached."""
    earlier = action.updates.without_undone().filter(version__lte=before["version"]).order_by("-version")
    if before["status"] == Status.BLOCKED != action.status:
        return {"problem": earlier.exclude(problem="").values_list("problem", flat=True).first() or reason}
    if before["status"] == Status.DONE != action.status:
        return {"result": earlier.exclude(result="").values_list("result", flat=True).first() or reason}
    return {}


def _report(action: ActionItem, batch: WorkbookImport, access: Access, at: datetime, report: Report) -> None:
    record_update(
        action=action, version=action.version, op_id=uuid4(), access=access, at=at, report=report,
        source=ProgressUpdate.Source.UNDO, workbook=batch,
    )  # fmt: skip
