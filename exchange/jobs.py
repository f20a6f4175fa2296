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
from exchange.data_sheet.export import DATA_SHEET_FORMAT, EXPORTED, SHEET
from exchange.data_sheet.write import ChangedMeanwhileError, Writer
from exchange.findings import CONFLICT, Findings
from exchange.matching import mark_of_content
from exchange.models import ImportJob, ImportState
from exchange.tables import read_metadata, read_table
from exchange.undo_plan import with_tokens
from exchange.whole_plan import write
from plan.as_of import on_day
from plan.models import Plan
from pmqa_tracker import tasks, thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.tasks import ProgressCallback
from spreadsheets.read import ReadWorkbook, WorkbookRefusedError, read_workbook
from spreadsheets.uploads import UploadStorage

Kind = ImportJob.Kind


class StalePreviewError(Exception):
    """What is to be confirmed is not what was looked at; the message says why."""


class PreviewRollback(Exception):  # noqa: N818 - no error: it ends a transaction that only tried
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
    job = ImportJob.objects.create(
        kind=kind, plan=plan, unit=unit, by=access.user, at=at, file_name=file_name, size=len(data),
        sha256=sha256(data).hexdigest(), staged=storage.name,
    )  # fmt: skip

    def work(on_progress: ProgressCallback, _result: Any) -> None:
        _preview(job, data, access, at, on_progress)

    return _begin(job, access, work)


def _begin(job: ImportJob, access: Access, work: Callable[[ProgressCallback, Any], None]) -> ImportJob:
    """Begin to read or write; the import as it stands a moment later."""
    task = tasks.start(owner=access.user.pk, label=job.file_name, work=work)
    ImportJob.objects.filter(pk=job.pk).update(task=task.name)
    job.refresh_from_db()
    return job


def confirm(*, job: ImportJob, taken: Collection[int], access: Access, at: datetime) -> ImportJob:
    """Write what was looked at, beside the page where that takes long.

    Args:
        job: an import that waits to be confirmed.
        taken: the rows in conflict of which the file's side is taken; of the others the site's stays.
        access: who confirms.
        at: the moment, aware.

    Returns:
        The import: written, looked at again because the plan changed meanwhile, or still being written.

    Raises:
        NotPreviewedError: the file is no longer there, or not the one that was looked at.
    """
    if job.state != ImportState.PREVIEW:
        return job
    data = _staged(job)

    def work(on_progress: ProgressCallback, _result: Any) -> None:
        _write(job, data, frozenset(taken), access, at, on_progress)

    return _begin(job, access, work)


def _staged(job: ImportJob) -> bytes:
    """The file that was looked at."""
    storage = UploadStorage(name=job.staged)
    gone = _("The uploaded file is no longer kept. Nothing was imported; upload it again.")
    try:
        data = storage.read() if job.staged else None
    except OSError:
        data = None
    if data is None:
        raise StalePreviewError(gone)
    if sha256(data).hexdigest() != job.sha256:
        raise StalePreviewError(
            _("The kept file is not the one that was looked at. Nothing was imported; upload it again.")
        )
    return data


def _preview(job: ImportJob, data: bytes, access: Access, at: datetime, on_progress: ProgressCallback) -> None:
    """Read the file and try what it asks; the import then says what was found."""
    try:
        book = read_workbook(data, job.file_name)
        _recognise(job, book)
        content = mark_of_content(book)
        repeat = note_repeat(job, content)
        if repeat and job.kind == Kind.NEW_PLAN:
            _settle(job, state=ImportState.UNCHANGED, refusal=_("%(repeat)s Nothing changes.") % {"repeat": repeat})
            return
        findings, count = _dry_run(job, book, access, at, on_progress)
    except WorkbookRefusedError as error:
        _settle(job, state=ImportState.REFUSED, refusal=str(error))
        return
    except ChangedMeanwhileError:
        _settle(
            job,
            state=ImportState.REFUSED,
            refusal=_("The plan was changed while the file was read. Upload it again."),
        )
        return
    if repeat:
        findings.notes.insert(0, repeat)
    state = ImportState.REFUSED if findings.errors else ImportState.PREVIEW if count else ImportState.UNCHANGED
    _settle(job, state=state, found=findings.as_json() | {"content": content})


def _dry_run(
    job: ImportJob, book: ReadWorkbook, access: Access, at: datetime, on_progress: ProgressCallback
) -> tuple[Findings, int]:
    """What the file would do, found by doing it and taking it back; and how many rows that is."""
    findings, count = Findings(), 0
    try:
        with transaction.atomic():
            findings, count = _apply(job, book, access, at, on_progress, lambda _edit: True)[:2]
            raise PreviewRollback
    except PreviewRollback:
        return findings, count


def _write(
    job: ImportJob, data: bytes, taken: Collection[int], access: Access, at: datetime, on_progress: ProgressCallback
) -> None:
    """Write, unless what would be written is not what was looked at."""
    book = read_workbook(data, job.file_name)
    findings = Findings()
    try:
        with transaction.atomic():
            findings, _count, written, plan = _apply(
                job, book, access, at, on_progress, lambda edit: edit.kind != CONFLICT or edit.row in taken
            )
            if findings.errors or not _is_as_seen(findings, job.found, taken):
                raise PreviewRollback
            if job.kind == Kind.NEW_PLAN and plan:
                written = with_tokens(plan, written)
            findings.rows = [
                replace(row, is_taken=row.kind == CONFLICT and row.row in taken and not row.error)
                for row in findings.rows
            ]
            moved = ImportJob.objects.filter(pk=job.pk, state=ImportState.PREVIEW).update(
                state=ImportState.WRITTEN if written else ImportState.UNCHANGED,
                refusal=""
                if written
                else _("Nothing was changed: in every row the site's values were left as they are."),
                written=written,
                found=job.found | {"rows": findings.as_json()["rows"]},
                written_at=at if written else None,
                plan=plan,
                staged="",
            )
            if not moved:
                raise PreviewRollback  # another click was quicker
        UploadStorage(name=job.staged).remove()
    except (PreviewRollback, ChangedMeanwhileError):
        _preview(job, data, access, at, on_progress)
        ImportJob.objects.filter(pk=job.pk, state=ImportState.PREVIEW).update(
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
    job: ImportJob, book: ReadWorkbook, access: Access, at: datetime, on_progress: ProgressCallback, wanted: Any
) -> tuple[Findings, int, list[dict[str, Any]], Plan | None]:
    """Compare and write, inside a transaction of the caller's.

    Returns:
        What was found, how many rows ask for anything, what it takes to undo, the plan.
    """
    if job.kind == Kind.NEW_PLAN:
        return write.write_plan(book, job, on_progress)
    comparison = read_data_sheet(job.plan, job.unit, book, at)
    if comparison.table is None:
        return comparison.findings, 0, [], job.plan
    writer = Writer(job.plan, comparison, access=access, at=at, job=job, on_progress=on_progress)
    written = writer.write(wanted)
    comparison.findings.put_in_order([sheet.name for sheet in book.sheets])
    return comparison.findings, len(comparison.edits), written, job.plan


def read_data_sheet(plan: Plan, unit: Unit | None, book: ReadWorkbook, at: datetime) -> Comparison:
    """A data sheet held against its plan."""
    findings = Findings()
    as_of = on_day(plan, at.date(), plan.periods.all(), cutoff=at)
    columns = ActionSheet(as_of.periods, Unit.objects.in_order())
    table = read_table(book, SHEET, [column.heading for column in columns.columns.values()], findings)
    if table is None:
        return Comparison(table=None, columns=columns, findings=findings)
    is_chosen = unit is not None and read_metadata(book).get("unit") != unit.abbreviation
    exported = _exported(book, columns)
    return Comparer(plan, as_of, table, findings, unit=unit, exported=exported, is_chosen=is_chosen).compare()


def _exported(book: ReadWorkbook, columns: ActionSheet) -> dict[str, dict[str, ReadCell]]:
    """Ref → heading → cell, as the hidden sheet keeps what was exported; nothing where it is not as it was made."""
    sheet = book.sheet(EXPORTED)
    if sheet is None or not sheet.rows:
        return {}
    headings = [str(cell.value) for cell in sheet.rows[0]]
    ref = columns.columns["ref"].heading
    empty = [ReadCell()] * len(headings)  # a row ends with its last filled cell
    rows = (dict(zip(headings, [*row, *empty], strict=False)) for row in sheet.rows[1:])
    return {str(row[ref].value): row for row in rows if ref in row}


def _recognise(job: ImportJob, book: ReadWorkbook) -> None:
    """Take from the file what it is and whose.

    Raises:
        WorkbookRefusedError: it is of another plan, or of another kind.
    """
    about = read_metadata(book)
    form = about.get("form", "")
    if job.kind == Kind.NEW_PLAN:
        if form.startswith("pmqa-data-sheet"):
            raise WorkbookRefusedError(
                _("This is a data sheet of a plan that is there already. Upload it on the page “Import” of that plan.")
            )
        return
    if form == write.WHOLE_PLAN_FORMAT:
        raise WorkbookRefusedError(_("This workbook holds a whole plan. Upload it on the page “New plan by Excel”."))
    if form and form != DATA_SHEET_FORMAT:
        raise WorkbookRefusedError(
            _("This data sheet was made by another release of the site. Export it again and copy your changes into it.")
        )
    if about.get("plan") and about["plan"] != job.plan.slug:
        raise WorkbookRefusedError(
            _("This data sheet belongs to the plan “%(other)s”, not to “%(plan)s”.")
            % {"other": about["plan"], "plan": job.plan.slug}
        )
    named = about.get("unit", "")
    if named and job.unit and job.unit.abbreviation != named:
        raise WorkbookRefusedError(
            _("The file is the sheet of %(named)s, but %(unit)s was chosen. Choose the unit it belongs to.")
            % {"named": named, "unit": job.unit}
        )
    if named and job.unit is None:
        job.unit = Unit.objects.filter(abbreviation=named).first()
        if job.unit is None:
            raise WorkbookRefusedError(
                _("The file is the sheet of “%(unit)s”, a unit this site does not know.") % {"unit": named}
            )
        job.kind = Kind.UNIT_SHEET
        job.save(update_fields=["unit", "kind"])


def note_repeat(job: ImportJob, content: str) -> str:
    """A sentence for a file that was imported before; empty for a new one.

    Args:
        job: the import.
        content: the mark of what stands in the file, which another program may have saved again.
    """
    alike = Q(kind=Kind.NEW_PLAN) if job.kind == Kind.NEW_PLAN else Q(plan=job.plan)
    same = Q(sha256=job.sha256) | Q(found__content=content)
    written = ImportJob.objects.filter(alike, same, state=ImportState.WRITTEN).exclude(pk=job.pk)
    earlier = written.select_related("by").order_by("-written_at").first()
    if earlier is None:
        return ""
    told = {"when": thai.format_datetime(earlier.written_at), "who": earlier.by}
    return _("This file was imported already on %(when)s by %(who)s.") % told


def _settle(job: ImportJob, **values: Any) -> None:
    """Say what became of an import that was read."""
    kept = values["state"] == ImportState.PREVIEW
    if not kept:
        UploadStorage(name=job.staged).remove()
        values["staged"] = ""
    ImportJob.objects.filter(pk=job.pk).exclude(state__in=(ImportState.WRITTEN, ImportState.UNDONE)).update(**values)
