"""Workbooks built in the background: start, status page, download."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_POST, require_safe

from assignments.models import User
from plan.as_of import AsOf, on_day
from plan.lookup import comparison_days, find_plan, read_as_of, read_since
from plan.models import Plan
from pmqa_tracker import clock, thai
from pmqa_tracker.long_names import download_name
from pmqa_tracker.tasks.models import BackgroundTask, ProgressCallback
from pmqa_tracker.tasks.priority import at_low_priority
from pmqa_tracker.tasks.queue import find, list_for_owner, start
from pmqa_tracker.tasks.run import background_task
from pmqa_tracker.views import NotFound
from reports.plan_form.workbook import build_plan_form, name_plan_form
from reports.progress.workbook import build_progress_report
from spreadsheets.downloads import capture_messages, save_workbook, xlsx_response


def needs_background(plan: Plan) -> bool:
    """Whether the plan is so long that its workbooks are built in the background."""
    return plan.actions.count() > settings.PMQA_LONG_PLAN


@require_POST
def background_start(request: HttpRequest, slug: str) -> HttpResponse:
    """Start to build the workbook `kind`, for `?as_of=` and compared with `?since=`."""
    plan = find_plan(request, slug)
    kind = request.POST.get("kind", "")
    page_messages, captured = request._messages, capture_messages(request)
    with override("th"):
        as_of = read_as_of(request, plan)
        days = comparison_days(plan, as_of)
        since = read_since(request, plan, as_of, days) if kind == "progress" else as_of
    request._messages = page_messages
    for line in captured.lines:
        messages.warning(request, line)
    params = {"plan": plan.slug, "day": thai.format_date(as_of.day)}
    arguments = {"plan": plan.pk, "user": request.user.pk, "day": as_of.day.isoformat(), "notes": captured.lines}
    if kind == "progress":
        name = _("progress report %(plan)s as of %(day)s") % params
        arguments |= {"since": since.day.isoformat(), "days": [(label, day.isoformat()) for label, day in days]}
        arguments |= {"made_by": str(request.user), "made_at": clock.now().isoformat()}
        task = start(progress_report_task, owner=request.user.pk, label=name, file_name=name, **arguments)
    elif kind in ("plan-form", "form-only"):
        with_status = kind == "plan-form"
        name = name_plan_form(plan, as_of, with_status=with_status)
        arguments["with_status"] = with_status
        task = start(plan_form_task, owner=request.user.pk, label=name, file_name=name, **arguments)
    else:
        messages.warning(request, _("There is no such workbook; choose one of these."))
        return redirect("report_list", slug)
    return redirect("prepared", plan.slug, task.name)


@background_task(is_repeatable=True)
def progress_report_task(
    on_progress: ProgressCallback,
    result: Path,
    *,
    plan: int,
    user: int,
    day: str,
    since: str,
    days: Sequence[tuple[str, str]],
    made_by: str,
    made_at: str,
    notes: Sequence[str],
) -> None:
    """Build the progress report of a plan on a day, compared with an earlier day; see `build_progress_report`."""
    of, as_of = _read_day(plan, user, day)
    earlier = on_day(of, date.fromisoformat(since), as_of.periods)
    options = {
        "days": [(label, date.fromisoformat(each)) for label, each in days],
        "made_by": made_by,
        "made_at": datetime.fromisoformat(made_at),
        "notes": notes,
    }
    at_low_priority(
        lambda: save_workbook(result, build_progress_report(of, as_of, earlier, **options, on_progress=on_progress))
    )


@background_task(is_repeatable=True)
def plan_form_task(
    on_progress: ProgressCallback,
    result: Path,
    *,
    plan: int,
    user: int,
    day: str,
    with_status: bool,
    notes: Sequence[str],
) -> None:
    """Build the plan form of a plan on a day; see `build_plan_form`."""
    of, as_of = _read_day(plan, user, day)
    options = {"with_status": with_status, "notes": notes, "on_progress": on_progress}
    at_low_priority(lambda: save_workbook(result, build_plan_form(of, as_of, **options)))


def _read_day(plan: int, user: int, day: str) -> tuple[Plan, AsOf]:
    """Read a plan that the user may see, and its day."""
    found = Plan.objects.visible_to(User.objects.get(pk=user)).get(pk=plan)
    return found, on_day(found, date.fromisoformat(day), found.periods.all())


@require_safe
def background_status(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Show the progress of a workbook, and its download when it is ready."""
    plan = find_plan(request, slug)
    task = _find(request, plan, name)
    context: dict[str, Any] = {"task": task, "status_url": reverse("prepared", args=[slug, name])}
    template = "reports/background.html#state" if request.htmx else "reports/background.html"
    return render(request, template, context)


@require_safe
def background_file(request: HttpRequest, slug: str, name: str) -> FileResponse:
    """Download the finished workbook, or zip file of workbooks."""
    plan = find_plan(request, slug)
    task = _find(request, plan, name)
    if not task.is_done:
        raise NotFound(_("This file is not ready."), [(task.label, reverse("prepared", args=[slug, name]))])
    if task.file_name.endswith(".zip"):
        return FileResponse(task.result.open(), as_attachment=True, filename=download_name(task.file_name))
    return xlsx_response(task.result.open(), task.file_name)


def _find(request: HttpRequest, plan: Plan, name: str) -> BackgroundTask:
    """Find a workbook of the user.

    Raises:
        NotFound: it does not exist, belongs to another user, or is no longer stored.
    """
    task = find(name)
    if task is None or task.owner != request.user.pk or not task.file_name:
        own_tasks = list_for_owner(request.user.pk)
        links = [(each.label, reverse("prepared", args=[plan.slug, each.name])) for each in own_tasks]
        raise NotFound(_("This file is no longer available. Create it again on the reports page."), links)
    return task
