"""What a meeting is handed, as a page to print."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from criteria.models import Level
from plan.lookup import earlier_days, find_plan, read_since, warn_unread
from plan.models import Plan
from reports import charts
from reports.figures import BAR_ORDER
from reports.meeting import Pack, read_pack
from reports.views.day import read_day


@require_safe
def meeting_pack(request: HttpRequest, slug: str) -> HttpResponse:
    """เอกสารประกอบการประชุม: overview, map, what is overdue and what changed, on one page to print."""
    plan = find_plan(request, slug)
    pack, context = read_asked(request, plan)
    context |= {
        "pack": pack,
        "overview": pack.overview,
        "map": pack.map,
        "since": pack.since,
        "levels": list(Level),
        "status_labels": [(status.look.icon, status.label) for status in BAR_ORDER],
        "curve_chart": charts.curve(pack.overview.curve, plan, pack.as_of),
    }
    return render(request, "reports/meeting_pack.html", context)


def read_asked(request: HttpRequest, plan: Plan) -> tuple[Pack, dict[str, Any]]:
    """The pack of the day and the earlier day the address asks for, with what a template says of them."""
    as_of, context = read_day(request, plan)
    days = earlier_days(plan, as_of)
    since = read_since(request, plan, as_of, days)
    warn_unread(request, ("since",))
    return read_pack(plan, as_of, since, days, context["query"]), {**context, "days": days}
