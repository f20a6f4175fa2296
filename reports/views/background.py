"""Workbooks built in the background: start, status page, download."""

from collections.abc import Callable
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
from openpyxl import Workbook

from plan.lookup import comparison_days, find_plan, read_as_of, read_since
from plan.models import Plan
from pmqa_tracker import clock, tasks, thai
from pmqa_tracker.long_names import download_name
from pmqa_tracker.tasks import ProgressCallback, Task
from pmqa_tracker.views import NotFound
from reports.plan_form.workbook import build_plan_form, name_plan_form
from reports.progress.workbook import build_progress_report
from spreadsheets.downloads import capture_messages, save_workbook, xlsx_response

WorkbookBuilder = Callable[[ProgressCallback], Workbook]


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
    if kind == "progress":
        options = {"days": days, "made_by": str(request.user), "made_at": clock.now(), "notes": captured.lines}
        name = _("progress report %(plan)s as of %(day)s") % params
        return _start(
            request,
            plan,
            name,
            lambda on_progress: build_progress_report(plan, as_of, since, **options, on_progress=on_progress),
        )
    if kind in ("plan-form", "form-only"):
        with_status = kind == "plan-form"
        name = name_plan_form(plan, as_of, with_status=with_status)
        options = {"with_status": with_status, "notes": captured.lines}
        return _start(
            request, plan, name, lambda on_progress: build_plan_form(plan, as_of, **options, on_progress=on_progress)
        )
    messages.warning(request, _("There is no such workbook; choose one of these."))
    return redirect("report_list", slug)


def _start(request: HttpRequest, plan: Plan, name: str, build: WorkbookBuilder) -> HttpResponse:
    def work(on_progress: ProgressCallback, result: Path) -> None:
        save_workbook(result, build(on_progress))

    task = tasks.start(owner=request.user.pk, label=name, work=work, file_name=name)
    return redirect("prepared", plan.slug, task.name)


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
    if task.state != tasks.DONE:
        raise NotFound(_("This file is not ready."), [(task.label, reverse("prepared", args=[slug, name]))])
    if task.file_name.endswith(".zip"):
        return FileResponse(task.result.open("rb"), as_attachment=True, filename=download_name(task.file_name))
    return xlsx_response(task.result.open("rb"), task.file_name)


def _find(request: HttpRequest, plan: Plan, name: str) -> Task:
    """Find a workbook of the user.

    Raises:
        NotFound: it does not exist, belongs to another user, or is no longer stored.
    """
    task = tasks.find(name)
    if task is None or task.owner != request.user.pk or not task.file_name:
        own_tasks = tasks.list_for_owner(request.user.pk)
        links = [(each.label, reverse("prepared", args=[plan.slug, each.name])) for each in own_tasks]
        raise NotFound(_("This file is no longer available. Create it again on the reports page."), links)
    return task
