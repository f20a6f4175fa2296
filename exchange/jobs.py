"""Receive an uploaded workbook, preview its changes and write them after confirmation.

`receive_workbook` stores the file and previews it; `confirm_job` writes everything in the preview, or nothing. Both
start a background task, which plans the changes in memory by the planner of the kind of file. Only `write_task` opens a
transaction, and applies exactly the changes in the preview.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django_tasks.base import Task

from assignments.access import Access
from assignments.models import Unit, User
from audit.models import Event
from audit.record import record_event
from exchange.data_sheet import planner as data_sheet
from exchange.data_sheet.export import DATA_SHEET_FORMAT
from exchange.findings import CONFLICT
from exchange.matching import content_digest
from exchange.models import ImportJob, ImportJobState
from exchange.run import ChangedMeanwhileError, ImportRun, PlannedImport, import_transaction
from exchange.tables import read_metadata
from exchange.whole_plan import planner as whole_plan
from exchange.whole_plan.tables import WHOLE_PLAN_FORMAT
from plan.models import Plan
from pmqa_tracker import thai
from pmqa_tracker.scope import own_records
from pmqa_tracker.tasks.models import ProgressCallback, new_name
from pmqa_tracker.tasks.priority import at_low_priority
from pmqa_tracker.tasks.queue import start
from pmqa_tracker.tasks.run import background_task
from spreadsheets.read import ReadWorkbook, WorkbookRefusedError, read_workbook
from spreadsheets.uploads import UploadStorage

TRIES = 3  # times that a confirmation plans its changes again because another user was first


class StalePreviewError(Exception):
    """The file is no longer the one in the preview; the message says why."""


class ConfirmedAlreadyError(Exception):
    """Another request has confirmed the preview, or has made a new one."""


def receive_workbook(
    *, data: bytes, file_name: str, plan: Plan | None, unit: Unit | None, access: Access, at: datetime
) -> ImportJob:
    """Store an uploaded workbook and preview it; a long preview continues in the background.

    Args:
        data: content of the file.
        file_name: name of the file at upload.
        plan: the plan of the data sheet; None for a new plan.
        unit: the unit of the sheet, chosen by the coordinator; None to read it from the file.
        access: access of the user who uploads it.
        at: time of the upload, aware.

    Returns:
        The job: previewed, refused, or still being read.
    """
    storage = UploadStorage()
    storage.save(data)
    user = access.user
    owner = None if user.is_superuser else user.organization  # until it is written, if they may name any organization
    kind = ImportJob.Kind.NEW_PLAN if plan is None else ImportJob.Kind.UNIT_SHEET if unit else ImportJob.Kind.DATA_SHEET
    job = ImportJob.objects.create(
        kind=kind, plan=plan, organization=plan.organization if plan else owner,
        unit=unit, by=user, at=at, file_name=file_name, size=len(data),
        sha256=sha256(data).hexdigest(), staged=storage.name,
    )  # fmt: skip

    return _begin(job, preview_task, access, at)


def _begin(job: ImportJob, work: Task, access: Access, at: datetime, **arguments: Any) -> ImportJob:
    """Start reading or writing; return the job with its state after a short wait."""
    name = new_name()
    job.change(task=name)
    user = access.user.pk
    start(work, owner=user, label=job.file_name, name=name, job=job.pk, user=user, at=at.isoformat(), **arguments)
    job.refresh_from_db()
    return job


def confirm_job(*, job: ImportJob, file_rows: Collection[int], access: Access, at: datetime) -> ImportJob:
    """Write the changes of a preview; a long import continues in the background.

    Args:
        job: a job in the state PREVIEW; in any other state nothing happens.
        file_rows: numbers of the rows in conflict for which the user chose the file's values.
        access: access of the user who confirms.
        at: time of the confirmation, aware.

    Returns:
        The job: written, previewed again because the plan has changed, or still being written.

    Raises:
        StalePreviewError: the stored file is missing, or is not the one in the preview; or the plan has ended.
    """
    if job.state != ImportJobState.PREVIEW:
        return job
    if job.why_closed:
        raise StalePreviewError(job.why_closed)
    read_stored_file(job)
    return _begin(job, write_task, access, at, file_rows=sorted(file_rows))


@background_task(is_repeatable=True)
def preview_task(on_progress: ProgressCallback, _result: Path, *, job: int, user: int, at: str) -> None:
    """Preview the stored file of a job."""
    found, access = _read_job(job, user)
    if found.is_reading:
        _preview(found, read_stored_file(found), access, datetime.fromisoformat(at), on_progress)


@background_task(is_repeatable=True)
def write_task(
    on_progress: ProgressCallback, _result: Path, *, job: int, user: int, at: str, file_rows: Collection[int]
) -> None:
    """Write the previewed changes of a job, once, however often the task is repeated."""
    found, access = _read_job(job, user)
    if found.is_preview:
        data = read_stored_file(found)
        _write(found, data, frozenset(file_rows), access, datetime.fromisoformat(at), on_progress)


def _read_job(job: int, user: int) -> tuple[ImportJob, Access]:
    """Read a job and the access of a user to its plan; what they may do now decides."""
    found = ImportJob.objects.select_related("plan__organization", "organization", "unit", "by").get(pk=job)
    access = Access.of(User.objects.get(pk=user))
    return found, access.in_organization(found.plan.organization_id) if found.plan else access


def is_file_stored(job: ImportJob, now: datetime) -> bool:
    """Whether the uploaded file of a preview, or of a file with errors, is still kept."""
    return UploadStorage(name=job.staged).is_stored and now <= job.expires_at()


def read_stored_file(job: ImportJob) -> bytes:
    """The content of the uploaded file, which is stored for a preview and for a file with errors.

    Raises:
        StalePreviewError: it is no longer stored, or is not the one that was read.
    """
    storage = UploadStorage(name=job.staged)
    missing = _("The uploaded file is no longer stored. Nothing was imported; upload it again.")
    try:
        data = storage.read() if job.staged else None
    except OSError:
        data = None
    if data is None:
        raise StalePreviewError(missing)
    if sha256(data).hexdigest() != job.sha256:
        raise StalePreviewError(
            _("The stored file is not the one in the preview. Nothing was imported; upload it again.")
        )
    return data


def _preview(job: ImportJob, data: bytes, access: Access, at: datetime, on_progress: ProgressCallback) -> None:
    """Read the file, plan its changes and store the result in the job."""
    try:
        book = at_low_priority(lambda: read_workbook(data, job.file_name))
        _identify(job, book)
        content = content_digest(book)
        repeat = repeated_file_note(job, content, access)
        if repeat and job.kind == ImportJob.Kind.NEW_PLAN:
            _finish(job, state=ImportJobState.UNCHANGED, refusal=_("%(repeat)s Nothing changes.") % {"repeat": repeat})
            return
        run = ImportRun(job=job, book=book, access=access, at=at, on_progress=on_progress)
        planned = at_low_priority(lambda: _plan_changes(run))
    except WorkbookRefusedError as error:
        _finish(job, state=ImportJobState.REFUSED, refusal=str(error))
        return
    except ChangedMeanwhileError:
        _finish(
            job,
            state=ImportJobState.REFUSED,
            refusal=_("The plan changed while the file was being read. Upload it again."),
        )
        return
    findings = planned.findings
    if repeat:
        findings.notes.insert(0, repeat)
    is_changing = ImportJobState.PREVIEW if planned.count else ImportJobState.UNCHANGED
    state = ImportJobState.REFUSED if findings.errors else is_changing
    _finish(job, state=state, findings=findings.as_json() | {"content": content})


def _plan_changes(run: ImportRun) -> PlannedImport:
    """The changes of a workbook, found by the planner of its kind."""
    planner = whole_plan if run.job.kind == ImportJob.Kind.NEW_PLAN else data_sheet
    return planner.plan_changes(run)


def _write(
    job: ImportJob, data: bytes, file_rows: Collection[int], access: Access, at: datetime, on_progress: ProgressCallback
) -> None:
    """Write the changes if they are those of the preview; otherwise make a new preview."""
    book = at_low_priority(lambda: read_workbook(data, job.file_name))
    run = ImportRun(job=job, book=book, access=access, at=at, on_progress=on_progress)
    for _try in range(TRIES):
        try:
            planned = at_low_priority(lambda: _plan_changes(run))
            if planned.findings.errors or not _matches_preview(planned, job.findings, file_rows):
                break
            _apply(planned, run, file_rows)
        except ChangedMeanwhileError:
            continue
        except ConfirmedAlreadyError:
            return
        UploadStorage(name=job.staged).remove()
        return
    _preview(job, data, access, at, on_progress)
    job.change(
        was=(ImportJobState.PREVIEW,),
        refusal=_("The plan changed after the preview, so nothing was imported. This is the new preview."),
    )


def _apply(planned: PlannedImport, run: ImportRun, file_rows: Collection[int]) -> None:
    """Write the changes and the job's new state, in one transaction.

    Raises:
        ChangedMeanwhileError: another user has changed the plan since it was read.
        ConfirmedAlreadyError: another request has confirmed the preview.
    """
    rows = [
        replace(row, uses_file=row.kind == CONFLICT and row.row in file_rows and not row.error)
        for row in planned.findings.rows
    ]
    shown = replace(planned.findings, rows=rows).as_json()["rows"]
    with import_transaction(ChangedMeanwhileError(run.job)):
        waiting = ImportJob.objects.filter(pk=run.job.pk, state=ImportJobState.PREVIEW)
        if not waiting.select_for_update().exists():
            raise ConfirmedAlreadyError(run.job)
        applied = planned.apply(file_rows)
        run.job.change(
            state=ImportJobState.WRITTEN if applied.changes else ImportJobState.UNCHANGED,
            refusal="" if applied.changes else _("Nothing was changed: every row keeps the site's values."),
            changes=applied.changes,
            findings=run.job.findings | {"rows": shown},
            written_at=run.at if applied.changes else None,
            plan=applied.plan,
            organization=applied.plan.organization if applied.plan else run.job.organization,
            staged="",
        )
        if applied.changes:
            record_event(Event.Kind.IMPORT, person=run.access.user, plan=applied.plan, about=run.job.file_name)


def _matches_preview(planned: PlannedImport, previewed: Mapping[str, Any], file_rows: Collection[int]) -> bool:
    """Whether the changes are those the user saw; a conflict that keeps the site's values only has to be one still."""
    now, seen = planned.findings.as_json()["rows"], previewed.get("rows", [])
    if len(now) != len(seen):
        return False
    return all(
        [row["kind"], row["row"], row["name"]] == [old["kind"], old["row"], old["name"]]
        and (
            [row["cells"], list(row["others"])] == [old["cells"], old["others"]]
            or (row["kind"] == CONFLICT and row["row"] not in file_rows)
        )
        for row, old in zip(now, seen, strict=True)
    )


def _identify(job: ImportJob, book: ReadWorkbook) -> None:
    """Check the kind and plan of a file, and take the unit from it.

    Raises:
        WorkbookRefusedError: the file belongs to another plan or unit, or has another kind.
    """
    metadata = read_metadata(book)
    form = metadata.get("form", "")
    if job.kind == ImportJob.Kind.NEW_PLAN:
        if form.startswith("pmqa-data-sheet"):
            raise WorkbookRefusedError(
                _(
                    "This is a data sheet of an existing plan. "
                    "Upload it on the page “Data sheet and import” of that plan."
                )
            )
        return
    if job.why_closed:
        raise WorkbookRefusedError(job.why_closed)
    if form == WHOLE_PLAN_FORMAT:
        raise WorkbookRefusedError(_("This workbook holds a whole plan. Upload it on the page “New plan by Excel”."))
    if form and form != DATA_SHEET_FORMAT:
        raise WorkbookRefusedError(
            _("This data sheet comes from another version of the site. Export it again and copy your changes into it.")
        )
    if metadata.get("plan") and metadata["plan"] != job.plan.slug:
        raise WorkbookRefusedError(
            _("This data sheet belongs to the plan “%(other)s”, not to “%(plan)s”.")
            % {"other": metadata["plan"], "plan": job.plan.slug}
        )
    named = metadata.get("unit", "")
    if named and job.unit and job.unit.abbreviation != named:
        raise WorkbookRefusedError(
            _("The file is the sheet of %(named)s, but %(unit)s was chosen. Choose the unit it belongs to.")
            % {"named": named, "unit": job.unit}
        )
    if named and job.unit is None:
        job.unit = job.plan.organization.units.filter(abbreviation=named).first()
        if job.unit is None:
            raise WorkbookRefusedError(
                _("The file is the sheet of “%(unit)s”, a unit this site does not know.") % {"unit": named}
            )
        job.kind = ImportJob.Kind.UNIT_SHEET
        job.save(update_fields=["unit", "kind"])


def repeated_file_note(job: ImportJob, content: str, access: Access) -> str:
    """A sentence on the earlier import of the same file in the user's organization; empty for a new file.

    Args:
        job: the import job.
        content: `content_digest` of the file; it also finds a copy saved by another program.
        access: access of the user, who learns of no import of another organization.
    """
    alike = Q(kind=ImportJob.Kind.NEW_PLAN) if job.kind == ImportJob.Kind.NEW_PLAN else Q(plan=job.plan)
    same = Q(sha256=job.sha256) | Q(findings__content=content)
    written = own_records(ImportJob.objects.filter(alike, same, state=ImportJobState.WRITTEN), access.user)
    written = written.exclude(pk=job.pk)
    earlier = written.select_related("by").order_by("-written_at").first()
    if earlier is None:
        return ""
    details = {"when": thai.format_datetime(earlier.written_at), "who": earlier.by}
    return _("This file was already imported on %(when)s by %(who)s.") % details


def _finish(job: ImportJob, **values: Any) -> None:
    """Store the result of a preview, and delete the file unless it can be confirmed or shown with its errors."""
    is_marked = values["state"] == ImportJobState.REFUSED and values.get("findings", {}).get("errors")
    if values["state"] != ImportJobState.PREVIEW and not is_marked:
        UploadStorage(name=job.staged).remove()
        values["staged"] = ""
    job.change(was=set(ImportJobState) - {ImportJobState.WRITTEN, ImportJobState.UNDONE}, **values)
