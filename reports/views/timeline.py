"""The timeline page."""

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

TIMELINE_FILTERS = ("category", "level", "unit", "role", "status", "health", "due", "period")


@require_safe
def timeline(request: HttpRequest, slug: str) -> HttpResponse:
    """The timeline: actions by criterion, bars over the periods, a line for the day."""
    plan = find_plan(request, slug)
    as_of, context = read_page_day(request, plan)
    filters, actions = read_timeline_actions(request, plan, as_of)
    built = build_timeline(actions, as_of)
    context |= {
        "filter": filters,
        "offered": TIMELINE_FILTERS,
        "statuses": [(status.look.icon, status.label) for status in BAR_ORDER],
        "timeline": built,
        "count": len(actions),
        "day_at": f"{built.day_at:.2f}",
    }
    return render(request, "reports/timeline.html", context)


def read_timeline_actions(request: HttpRequest, plan: Plan, as_of: AsOf) -> tuple[ActionFilter, list[ActionItem]]:
    """Return the filters and the actions that match, in the order of the plan; warn about ignored filters."""
    filters = ActionFilter(request.GET, plan, as_of=as_of, only=TIMELINE_FILTERS)
    warn_ignored_filters(request, filters)
    return filters, list(filters.qs.with_details().in_order())
