"""Pages of all units and of one unit."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plan.as_of import AsOf
from plan.lookup import find_plan, find_unit
from plan.models import Plan, Status
from reports import charts
from reports.figures import groups, matrix
from reports.figures.curve import build_curve
from reports.figures.overview import offered_units
from reports.figures.standings import read_past_updates, read_plan_standings
from reports.figures.unit import read_waiting
from reports.views.dashboard import read_sort
from reports.views.day import read_page_day

ROWS = 20  # most actions per table on the page of a unit; a link shows the rest


@require_safe
def unit_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Every division with its figures as lead and as support, worst first."""
    plan = find_plan(request, slug)
    _as_of, context = read_matrices(request, plan)
    collectives = plan.organization.units.active().filter(is_collective=True).prefetch_related("members").in_order()
    return render(request, "reports/unit_list.html", context | {"collectives": list(collectives)})


def read_matrices(request: HttpRequest, plan: Plan) -> tuple[AsOf, dict[str, Any]]:
    """Return the day and the context: `lead` and `support` matrices sorted by `?sort=`, and `idle` divisions."""
    as_of, context = read_page_day(request, plan)
    standings = read_plan_standings(plan, as_of)
    pairs = groups.by_unit(offered_units(plan), standings, context["query"])
    sort = read_sort(request)
    return as_of, context | {
        "lead": matrix.build_matrix([lead for lead, _support in pairs], sort),
        "support": matrix.build_matrix([support for _lead, support in pairs], sort),
        "idle": [lead.subject for lead, support in pairs if not (lead.total.count or support.total.count)],
    }


@require_safe
def unit_detail(request: HttpRequest, slug: str, abbreviation: str) -> HttpResponse:
    """One unit: figures, actions it leads and supports (furthest behind first), shared work, load and trend."""
    plan = find_plan(request, slug)
    unit = find_unit(plan, abbreviation)
    as_of, context = read_page_day(request, plan)
    standings = read_plan_standings(plan, as_of)
    lead, support = groups.unit_groups(unit, standings, context["query"])
    led = [each for each in standings if unit.pk in each.lead]
    periods = groups.by_period(led, as_of, lead.total.query)
    curve = build_curve(plan, as_of, led, read_past_updates(plan, as_of))
    is_lead = {each.pk: unit.pk in each.lead for each in standings}
    is_support = {each.pk: unit.pk in each.support for each in standings}
    rows = (
        plan.actions.for_units([unit])
        .as_of(as_of)
        .with_updated_on(as_of)
        .annotate_latest("problem", as_of)
        .with_details()
    )
    rows = rows.behind_first()
    lead_actions = [action for action in rows if is_lead[action.pk]]
    support_actions = [action for action in rows if is_support[action.pk]]
    context |= {
        "unit": unit,
        "lead": lead,
        "support": support,
        "lead_actions": lead_actions[:ROWS],
        "support_actions": support_actions[:ROWS],
        "blocked": [action for action in lead_actions if action.status_on == Status.BLOCKED],
        "waiting": read_waiting(unit, offered_units(plan), standings, context["query"]),
        "periods": periods,
        "period_chart": charts.period_chart(plan, periods),
        "curve": curve,
        "curve_chart": charts.curve_chart(curve, plan, as_of),
    }
    return render(request, "reports/unit_detail.html", context)
