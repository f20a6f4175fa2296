"""Pages of the workbooks that come back: the sheets to download, an upload, what it would change, taking it back."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assignments.access import access_of, coordinators_only
from assignments.models import Unit
from exchange import jobs
from exchange.data_sheet.export import build_data_sheet
from exchange.findings import CHANGED, CONFLICT, MERGED, NEW, of_kind
from exchange.forms import WorkbookUploadForm, typed_sides, typed_upload
from exchange.models import ImportJob, ImportState
from exchange.outcome import outcome_of
from exchange.undo import LaterImportsError, NothingToUndoError, UndoneAlreadyError, read_undoable, undo_import
from exchange.undo_plan import InUseError, read_later, remove_new_plan
from exchange.whole_plan.export import build_plan_book, build_template
from plan.evidence.names import clean_name
from plan.lookup import find_plan, find_unit
from plan.models import Plan
from pmqa_tracker import clock, tasks, thai
from pmqa_tracker.typed_text import reads_typed_text
from pmqa_tracker.views import NotFound
from pmqa_tracker.write_once import StaleVersionError
from spreadsheets.downloads import workbook_response

LISTED = 30  # imports on the page


@require_safe
def data_sheet(request: HttpRequest, slug: str) -> FileResponse:
    """ข้อมูลแผน as a workbook; `?unit=` gives that unit's own sheet."""
    plan = find_plan(request, slug)
    asked = request.GET.get("unit", "")
    unit = find_unit(plan, asked, lambda each: f"{request.path}?unit={each}") if asked else None
    now = clock.now()
    day = thai.format_date(now.date())
    if unit:
        name = _("data sheet %(unit)s %(plan)s %(day)s") % {"unit": unit, "plan": plan.slug, "day": day}
    else:
        name = _("data sheet %(plan)s %(day)s") % {"plan": plan.slug, "day": day}
    return workbook_response(build_data_sheet(plan, now, unit=unit), name)


@reads_typed_text(typed_upload)
@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def import_list(request: HttpRequest, slug: str) -> HttpResponse:
    """นำเข้า: the sheets to download, the form to bring one back, and what was brought in before."""
    plan = find_plan(request, slug)
    form = WorkbookUploadForm(request.POST, request.FILES) if request.method == "POST" else WorkbookUploadForm()
    if form.is_valid():
        job = _receive(request, form, plan)
        return redirect("import_detail", slug, job.key)
    imports = plan.imports.select_related("by", "unit").order_by("-at", "-pk")[:LISTED]
    context = {"form": form, "imports": imports, "units": Unit.objects.divisions().active().in_order()}
    return render(request, "exchange/import_list.html", context, status=422 if form.is_bound else 200)


@reads_typed_text(typed_sides)
@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def import_detail(request: HttpRequest, slug: str, key: Any) -> HttpResponse:
    """One import: being read, refused, to be confirmed (posts to the same address), written or undone."""
    plan = find_plan(request, slug)
    return _detail(request, find_job(plan.imports.all(), key), reverse("import_detail", args=[slug, key]))


@require_POST
@coordinators_only
def import_undo(request: HttpRequest, slug: str, key: Any) -> HttpResponse:
    """Take an import back where nobody has edited since."""
    plan = find_plan(request, slug)
    job = find_job(plan.imports.all(), key)
    try:
        found = undo_import(job=job, access=access_of(request), at=clock.now())
    except UndoneAlreadyError:
        messages.warning(request, _("This import was undone already, or was never written."))
    except LaterImportsError as error:
        messages.error(request, _undo_first(error.args[0]))
    except NothingToUndoError:
        text = _("Nothing was undone: none of these rows is as the import of %(file)s left it.")
        messages.error(request, text % {"file": job.file_name})
    except ValidationError as error:
        text = _("Nothing was undone, because a rule does not allow what was there before: %(why)s")
        messages.error(request, text % {"why": " ".join(error.messages)})
    except StaleVersionError:
        messages.error(
            request, _("Somebody is editing one of these actions at this moment. Nothing was undone; try again.")
        )
    else:
        text = _("Undone: %(count)s actions are as they were before the import of %(file)s.")
        messages.success(request, text % {"count": len(found.rows), "file": job.file_name})
    return redirect("import_detail", slug, key)


@reads_typed_text(typed_upload)
@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def new_plan(request: HttpRequest) -> HttpResponse:
    """แผนใหม่จาก Excel: the template to download and the form to bring a whole plan in."""
    form = _new_plan_form(request)
    if form.is_valid():
        job = _receive(request, form, None)
        return redirect("new_plan_import", job.key)
    kind = ImportJob.Kind.NEW_PLAN
    imports = ImportJob.objects.filter(kind=kind).select_related("by", "plan").order_by("-at", "-pk")[:LISTED]
    plans = Plan.objects.order_by("-starts_on")
    context = {"form": form, "imports": imports, "plans": plans}
    return render(request, "exchange/new_plan.html", context, status=422 if form.is_bound else 200)


@reads_typed_text(typed_sides)
@require_http_methods(["GET", "HEAD", "POST"])
@coordinators_only
def new_plan_import(request: HttpRequest, key: Any) -> HttpResponse:
    """One workbook of a whole plan: what it would make, and making it."""
    job = find_job(ImportJob.objects.filter(kind=ImportJob.Kind.NEW_PLAN), key)
    return _detail(request, job, reverse("new_plan_import", args=[key]))


@require_POST
@coordinators_only
def new_plan_undo(request: HttpRequest, key: Any) -> HttpResponse:
    """Remove a plan that was made from a workbook, where nobody has used it yet."""
    job = find_job(ImportJob.objects.filter(kind=ImportJob.Kind.NEW_PLAN), key)
    try:
        remove_new_plan(job=job, access=access_of(request), at=clock.now())
    except UndoneAlreadyError:
        messages.warning(request, _("This import was undone already, or was never written."))
    except LaterImportsError as error:
        messages.error(request, _undo_first(error.args[0]))
    except InUseError as error:
        text = _("Nothing was removed: “%(name)s” was edited, reported on or used elsewhere since.")
        messages.error(request, text % {"name": error.args[0]})
    else:
        messages.success(request, _("Undone: what the import of %(file)s made is removed.") % {"file": job.file_name})
    return redirect("new_plan_import", key)


@require_safe
@coordinators_only
def plan_template(request: HttpRequest) -> FileResponse:
    """The workbook a new plan is written into."""
    return workbook_response(build_template(), _("template of a new plan"))


@require_safe
def plan_book(request: HttpRequest, slug: str) -> FileResponse:
    """The whole plan as a workbook, to begin another with, or to bring it in elsewhere."""
    plan = find_plan(request, slug)
    return workbook_response(build_plan_book(plan), _("whole plan %(plan)s") % {"plan": plan.slug})


def _undo_first(later: list[ImportJob]) -> str:
    """What to undo before an import that others lie over."""
    names = ", ".join(f"{each.file_name} ({thai.format_datetime(each.written_at)})" for each in later)
    text = _(
        "Nothing was undone: other imports changed some of this afterwards. Undo these first, in this order: %(names)s"
    )
    return text % {"names": names}


def find_job(imports: Any, key: Any) -> ImportJob:
    """One of these imports by its key.

    Raises:
        NotFound: there is none.
    """
    job = imports.select_related("plan", "unit", "by", "undone_by").filter(key=key).first()
    if job is None:
        raise NotFound(_("There is no such import."))
    return job


def _detail(request: HttpRequest, job: ImportJob, here: str) -> HttpResponse:
    if request.method == "POST":
        chosen = {
            int(name.removeprefix("side-"))
            for name, side in request.POST.items()
            if side == "file" and name.removeprefix("side-").isdecimal()
        }
        try:
            job = jobs.confirm(job=job, taken=chosen, access=access_of(request), at=clock.now())
        except jobs.StalePreviewError as error:
            messages.error(request, str(error))
            return redirect(here)
        if job.is_written and job.is_new_plan:
            is_added = bool(job.found.get("adds_to"))
            done = _("Added to the plan.") if is_added else _("The plan is made.")
            messages.success(request, _("%(done)s This is its overview.") % {"done": done})
            return redirect("dashboard", job.plan.slug)
        return redirect(here)
    context = _context(job, here, request.user.pk)
    if request.htmx:
        return render(request, "exchange/import_detail.html#state", context)
    return render(request, "exchange/import_detail.html", context)


def _context(job: ImportJob, here: str, reader: int) -> dict[str, Any]:
    """What the page of an import shows the user with a pk."""
    task = tasks.find(job.task) if job.task else None
    is_waiting = bool(task and task.is_running and job.state in (ImportState.READING, ImportState.PREVIEW))
    is_cut_off = job.is_reading and not is_waiting
    is_expired = job.is_preview and clock.now() > job.expires_at()
    is_new_plan = job.is_new_plan
    undoable = read_undoable(job) if job.is_written else None
    later = read_later(job) if job.is_written and is_new_plan else undoable.later if undoable else []
    conflicts = of_kind(job.found, CONFLICT)
    not_undone = [row["ref"] for row in job.written if "undone" not in row and not is_new_plan]
    return {
        "batch": job,
        "here": here,
        "task": task,
        "is_waiting": is_waiting,
        "outcome": outcome_of(job, is_cut_off=is_cut_off, is_expired=is_expired, not_undone=not_undone),
        "adds_to": job.found.get("adds_to") if job.is_preview or job.is_refused else "",
        "is_expired": is_expired,
        "new": of_kind(job.found, NEW),
        "changed": of_kind(job.found, CHANGED),
        "merged": of_kind(job.found, MERGED),
        "conflicts": conflicts,
        "is_own": all(cell.get("by_id") == reader for row in conflicts for cell in row["cells"]),
        "taken": [row for row in conflicts if row.get("is_taken")],
        "left": [row for row in conflicts if not row.get("is_taken")],
        "undoable": undoable,
        "later": later,
        "not_new_plan": not is_new_plan,
        "is_new_plan": is_new_plan,
    }


def _receive(request: HttpRequest, form: WorkbookUploadForm, plan: Plan | None) -> ImportJob:
    """Keep and read the file of a valid form; without a plan it is a new one."""
    return jobs.receive(
        data=form.data_of_file(),
        file_name=clean_name(form.cleaned_data["file"].name),
        plan=plan,
        unit=form.cleaned_data.get("unit"),
        access=access_of(request),
        at=clock.now(),
    )


def _new_plan_form(request: HttpRequest) -> WorkbookUploadForm:
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    return WorkbookUploadForm(*sent, is_new_plan=True)
