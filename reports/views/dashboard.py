"""The overview page: figures of a plan on a day, compared with an earlier day."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from plan.actions.filters import ActionFilter
from plan.cached_page import render_cached
from plan.lookup import comparison_days, find_plan, read_since, warn_ignored_filters
from plan.models import Plan
from pmqa_tracker import clock
from reports import charts
from reports.figures import matrix
from reports.figures.answers import read_answers
from reports.figures.groups import BAR_ORDER
from reports.figures.maturity import MaturityMap, build_map
from reports.figures.overview import OVERVIEW_FILTERS, Offered, Overview, read_overview
from reports.sentences import final_result
from reports.small_curve import draw_small_curve
from reports.views.day import read_page_day


@require_safe
def dashboard(request: HttpRequest, slug: str) -> HttpResponse:
    """ภาพรวม: figures of the plan, each linked to its rows."""
    plan = find_plan(request, slug)
    also = clock.now().strftime("%H:%M") if "live" in request.GET else ""  # the wall view shows the time
    return render_cached(request, "reports/dashboard.html", lambda: _dashboard_context(request, plan), also=also)


def _dashboard_context(request: HttpRequest, plan: Plan) -> dict[str, Any]:
    """Read the context of the overview."""
    as_of, context = read_page_day(request, plan)
    meetings = list(plan.meetings.order_by("held_on"))
    days = comparison_days(plan, as_of, meetings)
    since = read_since(request, plan, as_of, days)
    filters = ActionFilter(request.GET, plan, as_of=as_of, since=since, only=OVERVIEW_FILTERS)
    warn_ignored_filters(request, filters, also=("sort", "live", "by"))
    is_live = read_live(request)
    the_map = build_map(plan, as_of, context["query"])
    units = list(plan.organization.units.in_order())
    offered = Offered(categories=[part.category for part in the_map.parts], units=units)
    _offer(filters, "category", [(each.number, each) for each in offered.categories])
    _offer(filters, "unit", [(each.abbreviation, each) for each in units])
    overview = read_overview(plan, filters, since, context["query"], offered=offered)
    return context | {
        "filter": filters,
        "is_live": is_live,
        "live_seconds": settings.PMQA_LIVE_SECONDS,
        "days": days,
        "since": since,
        "since_name": next((each.name for each in meetings if each.held_on == since.day), ""),
        "overview": overview,
        "answers": read_answers(plan, overview, units),
        "map": the_map,
        "next_target": _next_target(the_map),
        "meetings": meetings,
        "small_curve": draw_small_curve(overview.curve, as_of, meetings),
        "result": final_result(overview.whole) if context["is_final"] and not filters.active else "",
        "curve_chart": charts.curve_chart(overview.curve, plan, as_of, meetings),
        "age_chart": charts.age_chart(plan, overview.ages),
        **_table_context(request, plan, overview),
    }


def _offer(filters: ActionFilter, name: str, choices: Sequence[tuple[Any, Any]]) -> None:
    """Let a filter offer records that are already read."""
    field = filters.form.fields[name]
    field.widget.choices = [("", field.empty_label), *choices]


def _table_context(request: HttpRequest, plan: Plan, overview: Overview) -> dict[str, Any]:
    """Build the table that `?by=` selects, with its chart; the units are sorted by `?sort=`."""
    tabs = [("category", _("By category"))]
    tabs += [("unit", _("By lead unit"))] if overview.leads else []
    tabs += [("support", _("By supporting unit"))] if overview.supports else []
    tabs += [("period", _("By period"))]
    sort = read_sort(request)
    by = _read_by(request, [name for name, _label in tabs])
    if by == "category":
        table = {
            "status_labels": [(status.look.icon, status.label) for status in BAR_ORDER],
            "category_chart": charts.category_chart(plan, overview.categories),
        }
    elif by == "period":
        table = {"period_chart": charts.period_chart(plan, overview.periods)}
    else:
        table = {"matrix": matrix.build_matrix(overview.leads if by == "unit" else overview.supports, sort)}
    return {"by": by, "tabs": tabs, **table}


def _read_by(request: HttpRequest, offered: Sequence[str]) -> str:
    """Read what the figures are counted by, `?by=`; a sort order of units shows the units."""
    by = request.GET.get("by", "")
    if by in offered:
        return by
    if by:
        text = _("The figures cannot be counted by “%(by)s”; shown by category instead.")
        messages.warning(request, text % {"by": by[:40]})
    elif request.GET.get("sort"):
        return next((each for each in offered if each in ("unit", "support")), offered[0])
    return offered[0]


def _next_target(the_map: MaturityMap) -> int | None:
    """Return the next full hundred points above the score; None without a score, or at the top."""
    if the_map.now.total is None or the_map.now.total >= the_map.full:
        return None
    return min((int(the_map.now.total) // 100 + 1) * 100, the_map.full)


def read_live(request: HttpRequest) -> bool:
    """Whether the overview refreshes by itself, `?live=1`; warn about other values."""
    value = request.GET.get("live", "")
    if value not in ("", "1"):
        text = _("“live=%(asked)s” is not valid; the overview does not refresh by itself.")
        messages.warning(request, text % {"asked": value[:40]})
    return value == "1"


def read_sort(request: HttpRequest) -> str:
    """Read the sort order of the units, `?sort=`; warn about an unknown order, which keeps worst first."""
    sort = request.GET.get("sort", "")
    if not matrix.is_sort_option(sort):
        text = _("The units cannot be sorted by “%(sort)s”; shown worst first instead.")
        messages.warning(request, text % {"sort": sort[:40]})
    return sort
