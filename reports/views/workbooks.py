"""The files there are to download."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from assignments.access import access_of
from assignments.models import Unit
from plan.as_of import AsOf
from plan.lookup import earlier_days, find_plan, find_unit, read_as_of, read_since, warn_ignored_parameters
from plan.models import Plan
from pmqa_tracker import clock, tasks, thai
from reports.plan_form.workbook import build_plan_form
from reports.progress.workbook import build_progress_report, build_unit_report
from reports.views.background import needs_background
from reports.views.day import read_page_day
from spreadsheets.downloads import capture_messages, workbook_response


@require_safe
def report_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The workbooks there are to download."""
    plan = find_plan(request, slug)
    as_of, context = read_page_day(request, plan)
    units = list(Unit.objects.divisions().active().in_order())
    access = access_of(request)
    context |= {
        "asked": as_of.day.isoformat() if context["query"] else None,
        "days": earlier_days(plan, as_of),
        "units": units,
        "is_long": needs_background(plan),
        "prepared": tasks.list_for_owner(request.user.pk),
        "own_units": [unit for unit in units if unit.pk in access.unit_ids],
    }
    return render(request, "reports/report_list.html", context)


@require_safe
def plan_form(request: HttpRequest, slug: str) -> HttpResponse:
    """แบบแผน as a workbook; `?status=no` leaves out the status columns."""
    said = capture_messages(request)
    plan = find_plan(request, slug)
    with override("th"):
        as_of = read_as_of(request, plan)
        warn_ignored_parameters(request, ("status",))
    with_status = request.GET.get("status") != "no"
    name = _("plan-form %(plan)s as of %(day)s") % {"plan": plan.slug, "day": thai.format_date(as_of.day)}
    return workbook_response(build_plan_form(plan, as_of, with_status=with_status, notes=said.lines), name)


@require_safe
def progress_report(request: HttpRequest, slug: str) -> HttpResponse:
    """รายงานความก้าวหน้า as a workbook, of `?as_of=` and against `?since=`."""
    said = capture_messages(request)
    plan = find_plan(request, slug)
    as_of, since, days = _read_days(request, plan)
    told = {"made_by": str(request.user), "made_at": clock.now(), "notes": said.lines}
    book = build_progress_report(plan, as_of, since, days=days, **told)
    name = _("progress report %(plan)s as of %(day)s") % {"plan": plan.slug, "day": thai.format_date(as_of.day)}
    return workbook_response(book, name)


@require_safe
def unit_report(request: HttpRequest, slug: str, abbreviation: str) -> HttpResponse:
    """One unit's sheet of it, alone."""
    said = capture_messages(request)
    plan = find_plan(request, slug)
    unit = find_unit(plan, abbreviation)
    as_of, since, days = _read_days(request, plan)
    book = build_unit_report(plan, unit, as_of, since, days=days, notes=said.lines)
    words = {"unit": unit, "plan": plan.slug, "day": thai.format_date(as_of.day)}
    return workbook_response(book, _("progress report %(unit)s %(plan)s as of %(day)s") % words)


def _read_days(request: HttpRequest, plan: Plan) -> tuple[AsOf, AsOf, list[tuple[str, date]]]:
    """The day of a report, the earlier one, and the days with a name; what is said of them is Thai, as the report."""
    with override("th"):
        as_of = read_as_of(request, plan)
        days = earlier_days(plan, as_of)
        since = read_since(request, plan, as_of, days)
        warn_ignored_parameters(request, ("since",))
    return as_of, since, days
