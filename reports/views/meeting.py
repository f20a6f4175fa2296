"""The meeting pack: a page to print and a Word file to edit."""

from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from criteria.models import Level
from plan.cached_page import render_cached
from plan.lookup import comparison_days, find_plan, read_since, warn_ignored_parameters
from plan.models import Plan
from pmqa_tracker import thai
from pmqa_tracker.long_names import download_name
from reports import charts
from reports.figures.groups import BAR_ORDER
from reports.meeting.document import BrokenTemplateError, build_meeting_word
from reports.meeting.pack import MeetingPack, read_meeting_pack
from reports.views.day import read_page_day
from spreadsheets.downloads import capture_messages
from spreadsheets.properties import set_author

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@require_safe
def meeting_pack(request: HttpRequest, slug: str) -> HttpResponse:
    """เอกสารประกอบการประชุม: overview, map, overdue actions and changes on one page to print."""
    plan = find_plan(request, slug)
    return render_cached(request, "reports/meeting_pack.html", lambda: _pack_context(request, plan))


@require_safe
def meeting_word(request: HttpRequest, slug: str) -> HttpResponse:
    """เอกสารประกอบการประชุม as a Word file, always in Thai.

    If the template is broken, show the page with a message that says why (status 503).
    """
    captured = capture_messages(request)
    plan = find_plan(request, slug)
    file = BytesIO()
    try:
        with override("th"):
            pack, _context = read_pack_page(request, plan)
            name = _("meeting-pack %(plan)s as of %(day)s.docx")
            name %= {"plan": plan.slug, "day": thai.format_date(pack.as_of.day)}
            build_meeting_word(pack, settings.PMQA_MEETING_TEMPLATE, notes=captured.lines).save(file)
    except BrokenTemplateError as error:
        capture_messages(request)  # drop the Thai warnings; the page warns in its own language
        problem = _(
            "The Word file was not created. %(problem)s Ask an administrator to correct the template named by the "
            "setting PMQA_MEETING_TEMPLATE."
        )
        messages.error(request, problem % {"problem": " ".join(error.messages)})
        return render(request, "reports/meeting_pack.html", _pack_context(request, plan), status=503)
    return FileResponse(set_author(file), as_attachment=True, filename=download_name(name), content_type=DOCX)


def _pack_context(request: HttpRequest, plan: Plan) -> dict[str, Any]:
    """Read the context of the page."""
    pack, context = read_pack_page(request, plan)
    return context | {
        "pack": pack,
        "overview": pack.overview,
        "map": pack.map,
        "since": pack.since,
        "levels": list(Level),
        "status_labels": [(status.look.icon, status.label) for status in BAR_ORDER],
        "curve_chart": charts.curve_chart(pack.overview.curve, plan, pack.as_of),
    }


def read_pack_page(request: HttpRequest, plan: Plan) -> tuple[MeetingPack, dict[str, Any]]:
    """Read the pack for `?as_of=` and `?since=`, and the context of its templates."""
    as_of, context = read_page_day(request, plan)
    days = comparison_days(plan, as_of)
    since = read_since(request, plan, as_of, days)
    warn_ignored_parameters(request, ("since",))
    return read_meeting_pack(plan, as_of, since, days, context["query"]), {**context, "days": days}
