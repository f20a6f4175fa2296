"""The reports page, and its workbooks: plan form, progress report, report of a unit."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from assignments.access import access_of
from plan.as_of import AsOf
from plan.lookup import comparison_days, find_plan, find_unit, read_as_of, read_since, warn_ignored_parameters
from plan.models import Plan
from pmqa_tracker import clock, thai
from pmqa_tracker.tasks.queue import list_for_owner
from reports.plan_form.workbook import build_plan_form, name_plan_form
from reports.progress.workbook import build_progress_report, build_unit_report
from reports.views.background import needs_background
from reports.views.day import read_page_day
from spreadsheets.downloads import capture_messages, workbook_response


@require_safe
def report_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The reports page: all files to download."""
    plan = find_plan(request, slug)
    as_of, context = read_page_day(request, plan)
    units = list(plan.organization.units.divisions().active().in_order())
    access = access_of(request)
    context |= {
        "asked": as_of.day.isoformat() if context["query"] else None,
        "days": comparison_days(plan, as_of),
        "units": units,
        "is_long": needs_background(plan),
        "background_tasks": list_for_owner(request.user.pk),
        "own_units": [unit for unit in units if unit.pk in access.unit_ids],
    }
    return render(request, "reports/report_list.html", context)


@require_safe
def plan_form(request: HttpRequest, slug: str) -> HttpResponse:
    """แบบแผน as a workbook; `?status=no` leaves out the status columns."""
    captured = capture_messages(request)
    plan = find_plan(request, slug)
    with override("th"):
        as_of = read_as_of(request, plan)
        warn_ignored_parameters(request, ("status",))
    with_status = request.GET.get("status") != "no"
    book = build_plan_form(plan, as_of, with_status=with_status, notes=captured.lines)
    return workbook_response(book, name_plan_form(plan, as_of, with_status=with_status))


@require_safe
def progress_report(request: HttpRequest, slug: str) -> HttpResponse:
    """รายงานความก้าวหน้า as a workbook, for `?as_of=` and compared with `?since=`."""
    captured = capture_messages(request)
    plan = find_plan(request, slug)
    as_of, since, days = _read_days(request, plan)
    author = {"made_by": str(request.user), "made_at": clock.now()}
    book = build_progress_report(plan, as_of, since, days=days, **author, notes=captured.lines)
    name = _("progress report %(plan)s as of %(day)s") % {"plan": plan.slug, "day": thai.format_date(as_of.day)}
    return workbook_response(book, name)


@require_safe
def unit_report(request: HttpRequest, slug: str, abbreviation: str) -> HttpResponse:
    """The sheet of one unit in the progress report, as a workbook."""
    captured = capture_messages(request)
    plan = find_plan(request, slug)
    unit = find_unit(plan, abbreviation)
    as_of, since, days = _read_days(request, plan)
    book = build_unit_report(plan, unit, as_of, since, days=days, notes=captured.lines)
    params = {"unit": unit, "plan": plan.slug, "day": thai.format_date(as_of.day)}
    return workbook_response(book, _("progress report %(unit)s %(plan)s as of %(day)s") % params)


def _read_days(request: HttpRequest, plan: Plan) -> tuple[AsOf, AsOf, list[tuple[str, date]]]:
    """Return the day of a report, the earlier day, and the named days; warnings are in Thai, as the report is."""
    with override("th"):
        as_of = read_as_of(request, plan)
        days = comparison_days(plan, as_of)
        since = read_since(request, plan, as_of, days)
        warn_ignored_parameters(request, ("since",))
    return as_of, since, days
