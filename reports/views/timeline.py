"""The document's own picture."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plan.actions.filters import ActionFilter
from plan.as_of import AsOf
from plan.lookup import find_plan, warn_ignored_filters
from plan.models import ActionItem, Plan
from reports.figures.groups import BAR_ORDER
from reports.figures.timeline import build_timeline
from reports.views.day import read_page_day

FILTERS = ("category", "level", "unit", "role", "status", "health", "due", "period")


@require_safe
def timeline(request: HttpRequest, slug: str) -> HttpResponse:
    """The document's own picture: actions by criterion, bars over the periods, the day's line."""
    plan = find_plan(request, slug)
    as_of, context = read_page_day(request, plan)
    chosen, actions = read_lines(request, plan, as_of)
    lines = build_timeline(actions, as_of)
    context |= {
        "filter": chosen,
        "offered": FILTERS,
        "statuses": [(status.look.icon, status.label) for status in BAR_ORDER],
        "timeline": lines,
        "count": len(actions),
        "day_at": f"{lines.day_at:.2f}",
    }
    return render(request, "reports/timeline.html", context)


def read_lines(request: HttpRequest, plan: Plan, as_of: AsOf) -> tuple[ActionFilter, list[ActionItem]]:
    """The page's filters, and the actions they leave in the plan's order; what was left out is said."""
    chosen = ActionFilter(request.GET, plan.actions.all(), as_of=as_of, only=FILTERS)
    warn_ignored_filters(request, chosen)
    return chosen, list(chosen.qs.with_details().in_order())
