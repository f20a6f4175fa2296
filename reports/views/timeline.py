"""The timeline page."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from plan.actions.filters import ActionFilter
from plan.as_of import AsOf
from plan.cached_page import render_cached
from plan.lookup import find_plan, warn_ignored_filters
from plan.models import ActionItem, Plan, Status
from plan.templatetags.plan_tags import status_mark
from reports.figures.groups import BAR_ORDER
from reports.figures.timeline import Opened, Timeline, build_timeline
from reports.views.day import read_page_day

TIMELINE_FILTERS = ("category", "level", "unit", "role", "status", "health", "due", "period")


@require_safe
def timeline(request: HttpRequest, slug: str) -> HttpResponse:
    """The timeline: a bar per criterion over the periods, its actions on demand (`?open=`), a line for the day."""
    plan = find_plan(request, slug)
    return render_cached(request, "reports/timeline.html", lambda: _timeline_context(request, plan))


def _timeline_context(request: HttpRequest, plan: Plan) -> dict[str, Any]:
    """Read the context of the timeline."""
    as_of, context = read_page_day(request, plan)
    filters, actions = read_timeline_actions(request, plan, as_of)
    opened = Opened.parse(request.GET.get("open", ""))
    built = build_timeline(actions, as_of, opened=opened, query={**context["query"], **filters.query})
    if not filters.active:
        _warn_unknown(request, opened, built)
    return context | {
        "filter": filters,
        "offered": TIMELINE_FILTERS,
        "statuses": [(status.look.icon, status.label) for status in BAR_ORDER],
        "marks": {status: status_mark(status) for status in Status},
        "opened": opened,
        "timeline": built,
        "count": len(actions),
        "day_at": f"{built.day_at:.2f}",
        "lines_at": [f"{100 * number / len(as_of.periods):.2f}" for number in range(1, len(as_of.periods))],
    }


def _warn_unknown(request: HttpRequest, opened: Opened, built: Timeline) -> None:
    """Warn about criteria in `?open=` that have no action in the plan."""
    unknown = opened.unknown(group.criterion.code for group in built.groups)
    if unknown:
        text = _("No action of the plan is in these criteria, so they cannot be opened: %(codes)s.")
        messages.warning(request, text % {"codes": ", ".join(unknown)[:80]})


def read_timeline_actions(request: HttpRequest, plan: Plan, as_of: AsOf) -> tuple[ActionFilter, list[ActionItem]]:
    """Return the filters and the actions that match, in the order of the plan; warn about ignored filters."""
    filters = ActionFilter(request.GET, plan, as_of=as_of, only=TIMELINE_FILTERS)
    warn_ignored_filters(request, filters, also=("open",))
    return filters, list(filters.qs.with_details().in_order())
