"""What becomes of an uploaded workbook: kept, read, looked at, confirmed, or taken back.

`receive` keeps the file and reads it; `confirm` writes what was looked at, all of it or nothing. Both find what the
file would change by doing it inside a transaction: the preview takes that back again, so it promises nothing else than
what the confirmation does.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from assignments.access import Access
from assignments.models import Unit
from exchange.data_sheet.columns import ActionSheet
from exchange.data_sheet.compare import Comparer
from exchange.data_sheet.edits import Comparison
from exchange.data_sheet.export import EXPORTED, FORM, SHEET
from exchange.data_sheet.write import ChangedMeanwhileError, Writer
from exchange.findings import CONFLICT, Findings
from exchange.matching import mark_of_content
from exchange.models import ImportJob, ImportState
from exchange.tables import read_about, read_table
from exchange.undo_plan import with_tokens
from exchange.whole_plan import write
from plan.as_of import on_day
from plan.models import Plan
from pmqa_tracker import tasks, thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.tasks import Tell
from spreadsheets.read import BookRead, WorkbookRefusedError, read_workbook
from spreadsheets.uploads import UploadStorage

Kind = ImportJob.Kind


class NotPreviewedError(Exception):
    """What is to be confirmed is not what was looked at; the message says why."""


class TakenBack(Exception):  # noqa: N818 - no error: it ends a transaction that only tried
    """Takes back what was written to see what is wrong with it."""


def receive(
    *, data: bytes, file_name: str, plan: Plan | None, unit: Unit | None, access: Access, at: datetime
) -> ImportJob:
    """Keep an uploaded workbook and read it, beside the page where that takes long.

    Args:
        data: the file.
        file_name: what its author calls it.
        plan: whose data sheet it should be; None for a new plan.
        unit: whose own sheet the coordinator says it is; None where the file says so itself.
        access: who brings it.
        at: the moment, aware.

    Returns:
        The import: looked at, refused, or still being read.
    """
    storage = UploadStorage()
    storage.save(data)
    kind = Kind.NEW_PLAN if plan is None else Kind.UNIT_SHEET if unit else Kind.DATA_SHEET
    batch = ImportJob.objects.create(
        kind=kind, plan=plan, unit=unit, by=access.user, at=at, file_name=file_name, size=len(data),
        sha256=sha256(data).hexdigest(), staged=storage.name,
    )  # fmt: skip

    def work(tell: Tell, _result: Any) -> None:
        _look_at(batch, data, access, at, tell)

    return _begin(batch, access, work)


def _begin(batch: ImportJob, access: Access, work: Callable[[Tell, Any], None]) -> ImportJob:
    """Begin to read or write; the import as it stands a moment later."""
    task = tasks.start(owner=access.user.pk, label=batch.file_name, work=work)
    ImportJob.objects.filter(pk=batch.pk).update(task=task.name)
    batch.refresh_from_db()
    return batch


def confirm(*, batch: ImportJob, taken: Collection[int], access: Access, at: datetime) -> ImportJob:
    """Write what was looked at, beside the page where that takes long.

    Args:
        batch: an import that waits to be confirmed.
        taken: the rows in conflict of which the file's side is taken; of the others the site's stays.
        access: who confirms.
        at: the moment, aware.

    Returns:
        The import: written, looked at again because the plan changed meanwhile, or still being written.

    Raises:
        NotPreviewedError: the file is no longer there, or not the one that was looked at.
    """
    if batch.state != ImportState.PREVIEW:
        return batch
    data = _staged(batch)

    def work(tell: Tell, _result: Any) -> None:
        _write(batch, data, frozenset(taken), access, at, tell)

    return _begin(batch, access, work)


def _staged(batch: ImportJob) -> bytes:
    """The file that was looked at."""
    storage = UploadStorage(name=batch.staged)
    gone = _("The uploaded file is no longer kept. Nothing was imported; upload it again.")
    try:
        data = storage.read() if batch.staged else None
    except OSError:
        data = None
    if data is None:
        raise NotPreviewedError(gone)
    if sha256(data).hexdigest() != batch.sha256:
        raise NotPreviewedError(
            _("The kept file is not the one that was looked at. Nothing was imported; upload it again.")
        )
    return data


def _look_at(batch: ImportJob, data: bytes, access: Access, at: datetime, tell: Tell) -> None:
    """Read the file and try what it asks; the import then says what was found."""
    try:
        book = read_workbook(data, batch.file_name)
        _recognise(batch, book)
        content = mark_of_content(book)
        repeat = note_repeat(batch, content)
        if repeat and batch.kind == Kind.NEW_PLAN:
            _settle(batch, state=ImportState.UNCHANGED, refusal=_("%(repeat)s Nothing changes.") % {"repeat": repeat})
            return
        findings, count = _try(batch, book, access, at, tell)
    except WorkbookRefusedError as error:
        _settle(batch, state=ImportState.REFUSED, refusal=str(error))
        return
    except ChangedMeanwhileError:
        _settle(
            batch,
            state=ImportState.REFUSED,
            refusal=_("The plan was changed while the file was read. Upload it again."),
        )
        return
    if repeat:
        findings.notes.insert(0, repeat)
    state = ImportState.REFUSED if findings.errors else ImportState.PREVIEW if count else ImportState.UNCHANGED
    _settle(batch, state=state, found=findings.as_json() | {"content": content})


def _try(batch: ImportJob, book: BookRead, access: Access, at: datetime, tell: Tell) -> tuple[Findings, int]:
    """What the file would do, found by doing it and taking it back; and how many rows that is."""
    findings, count = Findings(), 0
    try:
        with transaction.atomic():
            findings, count = _apply(batch, book, access, at, tell, lambda _edit: True)[:2]
            raise TakenBack
    except TakenBack:
        return findings, count


def _write(batch: ImportJob, data: bytes, taken: Collection[int], access: Access, at: datetime, tell: Tell) -> None:
    """Write, unless what would be written is not what was looked at."""
    book = read_workbook(data, batch.file_name)
    findings = Findings()
    try:
        with transaction.atomic():
            findings, _count, written, plan = _apply(
                batch, book, access, at, tell, lambda edit: edit.kind != CONFLICT or edit.row in taken
            )
            if findings.errors or not _is_as_seen(findings, batch.found, taken):
                raise TakenBack
            if batch.kind == Kind.NEW_PLAN and plan:
                written = with_tokens(plan, written)
            findings.rows = [
                replace(row, is_taken=row.kind == CONFLICT and row.row in taken and not row.trouble)
                for row in findings.rows
            ]
            moved = ImportJob.objects.filter(pk=batch.pk, state=ImportState.PREVIEW).update(
                state=ImportState.WRITTEN if written else ImportState.UNCHANGED,
                refusal=""
                if written
                else _("Nothing was changed: in every row the site's values were left as they are."),
                written=written,
                found=batch.found | {"rows": findings.as_json()["rows"]},
                written_at=at if written else None,
                plan=plan,
                staged="",
            )
            if not moved:
                raise TakenBack  # another click was quicker
        UploadStorage(name=batch.staged).remove()
    except (TakenBack, ChangedMeanwhileError):
        _look_at(batch, data, access, at, tell)
        ImportJob.objects.filter(pk=batch.pk, state=ImportState.PREVIEW).update(
            refusal=_("The plan changed after you looked: nothing was imported. This is what the file would do now.")
        )


def _is_as_seen(findings: Findings, found: Mapping[str, Any], taken: Collection[int]) -> bool:
    """Whether what was found is what the person saw; of a conflict that is not taken only that it still is one."""
    now, seen = findings.as_json()["rows"], found.get("rows", [])
    if len(now) != len(seen):
        return False
    return all(
        [row["kind"], row["row"], row["name"]] == [old["kind"], old["row"], old["name"]]
        and (
            [row["cells"], list(row["others"])] == [old["cells"], old["others"]]
            or (row["kind"] == CONFLICT and row["row"] not in taken)
        )
        for row, old in zip(now, seen, strict=True)
    )


def _apply(
    batch: ImportJob, book: BookRead, access: Access, at: datetime, tell: Tell, wanted: Any
) -> tuple[Findings, int, list[dict[str, Any]], Plan | None]:
    """Compare and write, inside a transaction of the caller's.

    Returns:
        What was found, how many rows ask for anything, what it takes to undo, the plan.
    """
    if batch.kind == Kind.NEW_PLAN:
        return write.apply(book, batch, tell)
    comparison = read_data_sheet(batch.plan, batch.unit, book, at)
    if comparison.table is None:
        return comparison.findings, 0, [], batch.plan
    writer = Writer(batch.plan, comparison, access=access, at=at, batch=batch, tell=tell)
    written = writer.write(wanted)
    comparison.findings.put_in_order([sheet.name for sheet in book.sheets])
    return comparison.findings, len(comparison.edits), written, batch.plan


def read_data_sheet(plan: Plan, unit: Unit | None, book: BookRead, at: datetime) -> Comparison:
    """A data sheet held against its plan."""
    findings = Findings()
    as_of = on_day(plan, at.date(), plan.periods.all(), told_until=at)
    columns = ActionSheet(as_of.periods, Unit.objects.in_order())
    table = read_table(book, SHEET, [column.heading for column in columns.columns.values()], findings)
    if table is None:
        return Comparison(table=None, columns=columns, findings=findings)
    is_chosen = unit is not None and read_about(book).get("unit") != unit.abbreviation
    exported = _exported(book, columns)
    return Comparer(plan, as_of, table, findings, unit=unit, exported=exported, is_chosen=is_chosen).compare()


def _exported(book: BookRead, columns: ActionSheet) -> dict[str, dict[str, ReadCell]]:
    """Ref → heading → cell, as the hidden sheet keeps what was exported; nothing where it is not as it was made."""
    sheet = book.sheet(EXPORTED)
    if sheet is None or not sheet.rows:
        return {}
    headings = [str(cell.value) for cell in sheet.rows[0]]
    ref = columns.columns["ref"].heading
    empty = [ReadCell()] * len(headings)  # a row ends with its last filled cell
    rows = (dict(zip(headings, [*row, *empty], strict=False)) for row in sheet.rows[1:])
    return {str(row[ref].value): row for row in rows if ref in row}


def _recognise(batch: ImportJob, book: BookRead) -> None:
    """Take from the file what it is and whose.

    Raises:
        WorkbookRefusedError: it is of another plan, or of another kind.
    """
    about = read_about(book)
    form = about.get("form", "")
    if batch.kind == Kind.NEW_PLAN:
        if form.startswith("pmqa-data-sheet"):
            raise WorkbookRefusedError(
                _("This is a data sheet of a plan that is there already. Upload it on the page “Import” of that plan.")
            )
        return
    if form == write.FORM:
        raise WorkbookRefusedError(_("This workbook holds a whole plan. Upload it on the page “New plan by Excel”."))
    if form and form != FORM:
        raise WorkbookRefusedError(
            _("This data sheet was made by another release of the site. Export it again and copy your changes into it.")
        )
    if about.get("plan") and about["plan"] != batch.plan.slug:
        raise WorkbookRefusedError(
            _("This data sheet belongs to the plan “%(other)s”, not to “%(plan)s”.")
            % {"other": about["plan"], "plan": batch.plan.slug}
        )
    named = about.get("unit", "")
    if named and batch.unit and batch.unit.abbreviation != named:
        raise WorkbookRefusedError(
            _("The file is the sheet of %(named)s, but %(unit)s was chosen. Choose the unit it belongs to.")
            % {"named": named, "unit": batch.unit}
        )
    if named and batch.unit is None:
        batch.unit = Unit.objects.filter(abbreviation=named).first()
        if batch.unit is None:
            raise WorkbookRefusedError(
                _("The file is the sheet of “%(unit)s”, a unit this site does not know.") % {"unit": named}
            )
        batch.kind = Kind.UNIT_SHEET
        batch.save(update_fields=["unit", "kind"])


def note_repeat(batch: ImportJob, content: str) -> str:
    """A sentence for a file that was imported before; empty for a new one.

    Args:
        batch: the import.
        content: the mark of what stands in the file, which another program may have saved again.
    """
    alike = Q(kind=Kind.NEW_PLAN) if batch.kind == Kind.NEW_PLAN else Q(plan=batch.plan)
    same = Q(sha256=batch.sha256) | Q(found__content=content)
    written = ImportJob.objects.filter(alike, same, state=ImportState.WRITTEN).exclude(pk=batch.pk)
    earlier = written.select_related("by").order_by("-written_at").first()
    if earlier is None:
        return ""
    told = {"when": thai.format_datetime(earlier.written_at), "who": earlier.by}
    return _("This file was imported already on %(when)s by %(who)s.") % told


def _settle(batch: ImportJob, **values: Any) -> None:
    """Say what became of an import that was read."""
    kept = values["state"] == ImportState.PREVIEW
    if not kept:
        UploadStorage(name=batch.staged).remove()
        values["staged"] = ""
    ImportJob.objects.filter(pk=batch.pk).exclude(state__in=(ImportState.WRITTEN, ImportState.UNDONE)).update(**values)
