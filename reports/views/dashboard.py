"""The overview page: figures of a plan on a day, compared with an earlier day."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from plan.actions.filters import ActionFilter
from plan.lookup import comparison_days, find_plan, read_since, warn_ignored_filters
from plan.models import Plan
from reports import charts
from reports.figures import matrix
from reports.figures.groups import BAR_ORDER
from reports.figures.overview import OVERVIEW_FILTERS, Overview, read_overview
from reports.sentences import final_result
from reports.views.day import read_page_day


@require_safe
def dashboard(request: HttpRequest, slug: str) -> HttpResponse:
    """ภาพรวม: figures of the plan, each linked to its rows."""
    plan = find_plan(request, slug)
    return render(request, "reports/dashboard.html", _dashboard_context(request, plan))


def _dashboard_context(request: HttpRequest, plan: Plan) -> dict[str, Any]:
    """Read the context of the overview."""
    as_of, context = read_page_day(request, plan)
    days = comparison_days(plan, as_of)
    since = read_since(request, plan, as_of, days)
    filters = ActionFilter(request.GET, plan, as_of=as_of, since=since, only=OVERVIEW_FILTERS)
    warn_ignored_filters(request, filters, also=("sort", "live"))
    is_live = read_live(request)
    overview = read_overview(plan, filters, since, context["query"])
    return context | {
        "filter": filters,
        "status_labels": [(status.look.icon, status.label) for status in BAR_ORDER],
        "is_live": is_live,
        "live_seconds": settings.PMQA_LIVE_SECONDS,
        "days": days,
        "since": since,
        "overview": overview,
        "result": final_result(overview.whole) if context["is_final"] and not filters.active else "",
        "curve_chart": charts.curve_chart(overview.curve, plan, as_of),
        "category_chart": charts.category_chart(plan, overview.categories),
        "age_chart": charts.age_chart(plan, overview.ages),
        "period_chart": charts.period_chart(plan, overview.periods),
        **_matrices(request, overview),
    }


def _matrices(request: HttpRequest, overview: Overview) -> dict[str, Any]:
    """Build the unit × status matrix of each role that the filters show, sorted by `?sort=`."""
    sort = read_sort(request)
    return {
        "lead": matrix.build_matrix(overview.leads, sort) if overview.leads else None,
        "support": matrix.build_matrix(overview.supports, sort) if overview.supports else None,
    }


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
