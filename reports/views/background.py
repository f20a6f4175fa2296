"""Workbooks that take long: made beside the page, found again, downloaded when they are ready."""

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

from plan.lookup import earlier_days, find_plan, read_as_of, read_since
from plan.models import Plan
from pmqa_tracker import clock, tasks, thai
from pmqa_tracker.tasks import ProgressCallback, Task
from pmqa_tracker.views import NotFound
from reports.plan_form.workbook import build_plan_form
from reports.progress.workbook import build_progress_report
from spreadsheets.downloads import capture_messages, save_workbook, xlsx_response

WorkbookBuilder = Callable[[ProgressCallback], Workbook]


def needs_background(plan: Plan) -> bool:
    """Whether a workbook of the plan is better made beside the page."""
    return plan.actions.count() > settings.PMQA_LONG_PLAN


@require_POST
def background_start(request: HttpRequest, slug: str) -> HttpResponse:
    """Begin to make the workbook that is asked for: `kind`, of `?as_of=` and against `?since=`."""
    plan = find_plan(request, slug)
    kind = request.POST.get("kind", "")
    page, said = request._messages, capture_messages(request)
    with override("th"):
        as_of = read_as_of(request, plan)
        days = earlier_days(plan, as_of)
        since = read_since(request, plan, as_of, days) if kind == "progress" else as_of
    request._messages = page
    for line in said.lines:
        messages.warning(request, line)
    words = {"plan": plan.slug, "day": thai.format_date(as_of.day)}
    if kind == "progress":
        told = {"days": days, "made_by": str(request.user), "made_at": clock.now(), "notes": said.lines}
        name = _("progress report %(plan)s as of %(day)s") % words
        return _begin(
            request,
            plan,
            name,
            lambda on_progress: build_progress_report(plan, as_of, since, **told, on_progress=on_progress),
        )
    if kind in ("plan-form", "form-only"):
        name = _("plan-form %(plan)s as of %(day)s") % words
        form = {"with_status": kind == "plan-form", "notes": said.lines}
        return _begin(
            request, plan, name, lambda on_progress: build_plan_form(plan, as_of, **form, on_progress=on_progress)
        )
    messages.warning(request, _("There is no such workbook; choose one of these."))
    return redirect("report_list", slug)


def _begin(request: HttpRequest, plan: Plan, name: str, build: WorkbookBuilder) -> HttpResponse:
    def work(on_progress: ProgressCallback, result: Path) -> None:
        save_workbook(result, build(on_progress))

    task = tasks.start(owner=request.user.pk, label=name, work=work, file_name=name)
    return redirect("prepared", plan.slug, task.name)


@require_safe
def background_status(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """How far a workbook is, and the workbook."""
    plan = find_plan(request, slug)
    task = _find(request, plan, name)
    context: dict[str, Any] = {"task": task, "here": reverse("prepared", args=[slug, name])}
    template = "reports/prepared.html#state" if request.htmx else "reports/prepared.html"
    return render(request, template, context)


@require_safe
def background_file(request: HttpRequest, slug: str, name: str) -> FileResponse:
    """The workbook, once it is made."""
    plan = find_plan(request, slug)
    task = _find(request, plan, name)
    if task.state != tasks.DONE:
        raise NotFound(_("This file is not ready."), [(task.label, reverse("prepared", args=[slug, name]))])
    return xlsx_response(task.result.open("rb"), task.file_name)


def _find(request: HttpRequest, plan: Plan, name: str) -> Task:
    """A person's own file.

    Raises:
        NotFound: there is none, or it is somebody else's, or no longer kept.
    """
    task = tasks.find(name)
    if task is None or task.owner != request.user.pk or not task.file_name:
        own = tasks.list_for_owner(request.user.pk)
        near = [(each.label, reverse("prepared", args=[plan.slug, each.name])) for each in own]
        raise NotFound(_("This file is no longer kept. Make it again on the page of reports."), near)
    return task
