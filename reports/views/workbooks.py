"""The files there are to download."""

from io import BytesIO

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from plan.lookup import find_plan, read_as_of
from pmqa_tracker import thai
from reports.meeting_word import build_meeting_word
from reports.plan_form import build_plan_form
from reports.views.day import read_day
from reports.views.meeting import read_asked

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@require_safe
def report_list(request: HttpRequest, slug: str) -> HttpResponse:
    """The workbooks there are to download."""
    plan = find_plan(request, slug)
    as_of, context = read_day(request, plan)
    context["asked"] = as_of.day.isoformat() if context["query"] else None
    return render(request, "reports/report_list.html", context)


@require_safe
def plan_form(request: HttpRequest, slug: str) -> HttpResponse:
    """แบบแผน as a workbook; `?status=no` leaves out the status columns."""
    plan = find_plan(request, slug)
    as_of = read_as_of(request, plan)
    with_status = request.GET.get("status") != "no"
    file = BytesIO()
    build_plan_form(plan, as_of, with_status=with_status).save(file)
    file.seek(0)
    name = _("plan-form %(plan)s as of %(day)s.xlsx") % {"plan": plan.slug, "day": thai.format_date(as_of.day)}
    return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX)


@require_safe
def meeting_word(request: HttpRequest, slug: str) -> HttpResponse:
    """เอกสารประกอบการประชุม as a Word file, always in Thai: it is the department's own paper."""
    plan = find_plan(request, slug)
    file = BytesIO()
    with override("th"):
        pack, _context = read_asked(request, plan)
        build_meeting_word(pack).save(file)
        day = thai.format_date(pack.as_of.day)
        name = _("meeting-pack %(plan)s as of %(day)s.docx") % {"plan": plan.slug, "day": day}
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=DOCX)
