"""Pages to export and import workbooks: downloads, upload, preview, confirmation and undo."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assignments.access import access_of, coordinators_only
from assignments.models import User
from criteria.models import Framework
from exchange import jobs
from exchange.data_sheet.export import build_data_sheet, data_sheet_name
from exchange.findings import CHANGED, CONFLICT, MERGED, NEW, rows_of_kind
from exchange.forms import WorkbookUploadForm, typed_sides, typed_upload
from exchange.marked import marked_workbook
from exchange.models import ImportJob, ImportJobState
from exchange.outcome import outcome_of
from exchange.undo import LaterImportsError, NothingToUndoError, UndoneAlreadyError, read_undoable, undo_import
from exchange.undo_plan import InUseError, read_later_jobs, remove_new_plan
from exchange.whole_plan.export import build_plan_book, build_template
from plan.evidence.names import clean_name
from plan.lookup import find_plan, find_unit
from plan.models import Plan
from pmqa_tracker import clock, thai
from pmqa_tracker.database_text import find_named
from pmqa_tracker.scope import own_records
from pmqa_tracker.tasks.queue import find
from pmqa_tracker.typed_text import reads_typed_text
from pmqa_tracker.views import NotFound
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError
from spreadsheets.downloads import marked_response, workbook_response
from spreadsheets.edited import UneditableError

MAX_LISTED_JOBS = 30  # on a page


@require_safe
def data_sheet(request: HttpRequest, slug: str) -> FileResponse:
    """ข้อมูลแผน as a workbook; `?unit=` exports the sheet of one unit."""
    plan = find_plan(request, slug)
    name = request.GET.get("unit", "")
    unit = find_unit(plan, name, lambda each: f"{request.path}?unit={each}") if name else None
    now = clock.now()
    return workbook_response(build_data_sheet(plan, now, unit=unit), data_sheet_name(plan, now, unit=unit))


@reads_typed_text(typed_upload)
@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def import_list(request: HttpRequest, slug: str) -> HttpResponse:
    """นำเข้า: the data sheets to download, the upload form and the earlier imports."""
    plan = find_plan(request, slug)
    form = _upload_form(request, plan)
    if form.is_valid():
        job = _receive(request, form, plan)
        return redirect("import_detail", slug, job.key)
    imports = plan.imports.select_related("by", "unit").order_by("-at", "-pk")[:MAX_LISTED_JOBS]
    context = {"form": form, "imports": imports, "units": form.fields["unit"].queryset}
    return render(request, "exchange/job_list.html", context, status=422 if form.is_bound else 200)


@reads_typed_text(typed_sides)
@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def import_detail(request: HttpRequest, slug: str, key: Any) -> HttpResponse:
    """One import: being read, refused, to be confirmed (POST to the same URL), written or undone."""
    plan = find_plan(request, slug)
    return _detail(request, find_job(plan.imports.all(), key), reverse("import_detail", args=[slug, key]))


@require_safe
@coordinators_only
def import_marked(request: HttpRequest, slug: str, key: Any) -> HttpResponse:
    """The uploaded workbook of a refused import, with its errors marked."""
    plan = find_plan(request, slug)
    return _marked(request, find_job(plan.imports.all(), key), reverse("import_detail", args=[slug, key]))


@require_POST
@coordinators_only
def import_undo(request: HttpRequest, slug: str, key: Any) -> HttpResponse:
    """Undo an import for the rows that nobody has edited since."""
    plan = find_plan(request, slug)
    job = find_job(plan.imports.all(), key)
    try:
        found = undo_import(job=job, access=access_of(request), at=clock.now())
    except UndoneAlreadyError:
        messages.warning(request, _("This import is already undone, or was never written."))
    except NotAllowedError as error:
        messages.error(request, str(error))
    except LaterImportsError as error:
        messages.error(request, _undo_first(error.args[0]))
    except NothingToUndoError:
        text = _("Nothing was undone: every row was edited after the import of %(file)s.")
        messages.error(request, text % {"file": job.file_name})
    except ValidationError as error:
        text = _("Nothing was undone, because the earlier values break a rule: %(why)s")
        messages.error(request, text % {"why": " ".join(error.messages)})
    except StaleVersionError:
        messages.error(request, _("Another user is editing one of these actions. Nothing was undone; try again."))
    else:
        text = _("Undone: %(count)s actions are as they were before the import of %(file)s.")
        messages.success(request, text % {"count": len(found.rows), "file": job.file_name})
    return redirect("import_detail", slug, key)


@reads_typed_text(typed_upload)
@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def new_plan(request: HttpRequest) -> HttpResponse:
    """แผนใหม่จาก Excel: the template to download and the upload form of a whole plan."""
    form = _upload_form(request, None)
    if form.is_valid():
        job = _receive(request, form, None)
        return redirect("new_plan_import", job.key)
    jobs_of_new_plans = _new_plan_jobs(request)
    imports = jobs_of_new_plans.select_related("by", "plan").order_by("-at", "-pk")[:MAX_LISTED_JOBS]
    plans = Plan.objects.visible_to(request.user).order_by("-starts_on")
    context = {"form": form, "imports": imports, "plans": plans, "frameworks": Framework.objects.in_order()}
    return render(request, "exchange/new_plan.html", context, status=422 if form.is_bound else 200)


@reads_typed_text(typed_sides)
@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def new_plan_import(request: HttpRequest, key: Any) -> HttpResponse:
    """One workbook of a whole plan: its preview, and the POST that makes the plan."""
    job = find_job(_new_plan_jobs(request), key)
    return _detail(request, job, reverse("new_plan_import", args=[key]))


@require_safe
@coordinators_only
def new_plan_marked(request: HttpRequest, key: Any) -> HttpResponse:
    """The uploaded workbook of a refused new plan, with its errors marked."""
    return _marked(request, find_job(_new_plan_jobs(request), key), reverse("new_plan_import", args=[key]))


@require_POST
@coordinators_only
def new_plan_undo(request: HttpRequest, key: Any) -> HttpResponse:
    """Remove a plan made from a workbook if nobody has used it yet."""
    job = find_job(_new_plan_jobs(request), key)
    try:
        remove_new_plan(job=job, access=access_of(request), at=clock.now())
    except UndoneAlreadyError:
        messages.warning(request, _("This import is already undone, or was never written."))
    except NotAllowedError as error:
        messages.error(request, str(error))
    except LaterImportsError as error:
        messages.error(request, _undo_first(error.args[0]))
    except InUseError as error:
        text = _("Nothing was removed: “%(name)s” was edited, reported on or used elsewhere since.")
        messages.error(request, text % {"name": error.args[0]})
    else:
        messages.success(
            request, _("Undone: the records of the import of %(file)s were removed.") % {"file": job.file_name}
        )
    return redirect("new_plan_import", key)


@require_safe
@coordinators_only
def plan_template(request: HttpRequest) -> FileResponse:
    """The empty workbook for a new plan, with the criteria of `?framework=` or of the organization's latest plan."""
    slug = request.GET.get("framework", "").strip()
    framework = find_named(Framework.objects.all(), "slug", slug) if slug else None
    if slug and framework is None:
        others = [(str(each), f"{request.path}?framework={each.slug}") for each in Framework.objects.in_order()]
        raise NotFound(_("There is no edition “%(slug)s” of the standard.") % {"slug": slug}, others)
    return workbook_response(build_template(request.user.organization, framework), _("template of a new plan"))


@require_safe
def plan_book(request: HttpRequest, slug: str) -> FileResponse:
    """The whole plan as a workbook, as the base of another plan or for another site."""
    plan = find_plan(request, slug)
    return workbook_response(build_plan_book(plan), _("whole plan %(plan)s") % {"plan": plan.slug})


def _undo_first(later: list[ImportJob]) -> str:
    """The message that lists the later imports to undo first."""
    names = ", ".join(f"{each.file_name} ({thai.format_datetime(each.written_at)})" for each in later)
    text = _("Nothing was undone: later imports changed the same actions. Undo these first, in this order: %(names)s")
    return text % {"names": names}


def _new_plan_jobs(request: HttpRequest) -> QuerySet[ImportJob]:
    """The workbooks of whole plans that the user's organization uploaded."""
    return own_records(ImportJob.objects.filter(kind=ImportJob.Kind.NEW_PLAN), request.user)


def find_job(imports: Any, key: Any) -> ImportJob:
    """Find an import by its key.

    Raises:
        NotFound: there is no such import.
    """
    job = imports.select_related("plan", "unit", "by", "undone_by").filter(key=key).first()
    if job is None:
        raise NotFound(_("There is no such import."))
    return job


def _detail(request: HttpRequest, job: ImportJob, status_url: str) -> HttpResponse:
    if request.method == "POST":
        file_rows = {
            int(name.removeprefix("side-"))
            for name, side in request.POST.items()
            if side == "file" and name.removeprefix("side-").isdecimal()
        }
        try:
            job = jobs.confirm_job(job=job, file_rows=file_rows, access=access_of(request), at=clock.now())
        except jobs.StalePreviewError as error:
            messages.error(request, str(error))
            return redirect(status_url)
        if job.is_written and job.is_new_plan:
            is_added = bool(job.findings.get("existing_plan"))
            done = _("Added to the plan.") if is_added else _("The plan was created.")
            messages.success(request, _("%(done)s This is its overview.") % {"done": done})
            return redirect("dashboard", job.plan.slug)
        return redirect(status_url)
    context = _context(job, status_url, request.user)
    template = "exchange/job_detail.html#state" if request.htmx else "exchange/job_detail.html"
    return render(request, template, context)


def _marked(request: HttpRequest, job: ImportJob, status_url: str) -> HttpResponse:
    """Answer with the marked workbook, or return to the import page, which says why there is none."""
    if not job.has_errors_in_cells:
        raise NotFound(_("This import has no errors in cells to mark."), [(job.file_name, status_url)])
    try:
        data = marked_workbook(job, clock.now())
    except jobs.StalePreviewError as error:
        messages.error(request, str(error))
        return redirect(status_url)
    except UneditableError:
        text = _("This workbook cannot be marked. Correct the cells in the list below, then upload it again.")
        messages.error(request, text)
        return redirect(status_url)
    return marked_response(data, job.file_name)


def _context(job: ImportJob, status_url: str, user: User) -> dict[str, Any]:
    """The template context of an import page, as this user sees it."""
    task = find(job.task)
    is_waiting = bool(task and task.is_running and job.state in (ImportJobState.READING, ImportJobState.PREVIEW))
    is_cut_off = job.is_reading and not is_waiting
    is_expired = job.is_preview and clock.now() > job.expires_at()
    is_new_plan = job.is_new_plan
    undoable = read_undoable(job) if job.is_written else None
    later = read_later_jobs(job) if job.is_written and is_new_plan else undoable.later if undoable else []
    conflicts = rows_of_kind(job.findings, CONFLICT)
    not_undone = [row["ref"] for row in job.changes if "undone" not in row and not is_new_plan]
    return {
        "job": job,
        "status_url": status_url,
        "task": task,
        "is_waiting": is_waiting,
        "outcome": outcome_of(job, is_cut_off=is_cut_off, is_expired=is_expired, not_undone=not_undone),
        "existing_plan": job.findings.get("existing_plan") if job.is_preview or job.is_refused else "",
        "is_expired": is_expired,
        "marked_url": _marked_url(job),
        "is_stored": jobs.is_file_stored(job, clock.now()),
        "new": rows_of_kind(job.findings, NEW),
        "changed": rows_of_kind(job.findings, CHANGED),
        "merged": rows_of_kind(job.findings, MERGED),
        "conflicts": conflicts,
        "is_own": all(cell.get("by_id") == user.pk for row in conflicts for cell in row["cells"]),
        "taken": [row for row in conflicts if row.get("uses_file")],
        "left": [row for row in conflicts if not row.get("uses_file")],
        "undoable": undoable,
        "later": later,
        "not_new_plan": not is_new_plan,
        "is_new_plan": is_new_plan,
    }


def _marked_url(job: ImportJob) -> str:
    """The URL of the marked workbook; "" if the file was not refused for errors in its cells."""
    if not job.has_errors_in_cells:
        return ""
    if job.is_new_plan:
        return reverse("new_plan_marked", args=[job.key])
    return reverse("import_marked", args=[job.plan.slug, job.key])


def _receive(request: HttpRequest, form: WorkbookUploadForm, plan: Plan | None) -> ImportJob:
    """Store and preview the file of a valid form; without a plan it is a new plan."""
    return jobs.receive_workbook(
        data=form.data_of_file(),
        file_name=clean_name(form.cleaned_data["file"].name),
        plan=plan,
        unit=form.cleaned_data.get("unit"),
        access=access_of(request),
        at=clock.now(),
    )


def _upload_form(request: HttpRequest, plan: Plan | None) -> WorkbookUploadForm:
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    return WorkbookUploadForm(*sent, plan=plan)
