"""Pages of all units and of one unit."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assignments.models import Role, Unit
from plan.as_of import AsOf
from plan.cached_page import render_cached
from plan.lookup import find_plan, find_unit
from plan.models import Plan, Status
from reports import charts
from reports.figures import groups, matrix
from reports.figures.curve import build_curve
from reports.figures.overview import offered_units
from reports.figures.standings import read_past_updates, read_plan_standings
from reports.figures.unit import needing_attention, read_waiting
from reports.views.dashboard import read_sort
from reports.views.day import read_page_day
from submissions.grid import SubmissionCell, read_submission_grid

ROWS = 20  # most actions in the table on the page of a unit; a link shows the rest
ATTENTION = 6  # most actions that need attention first


@require_safe
def unit_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Every division with its figures as lead and as support, worst first."""
    plan = find_plan(request, slug)
    return render_cached(request, "reports/unit_list.html", lambda: _list_context(request, plan))


def _list_context(request: HttpRequest, plan: Plan) -> dict[str, Any]:
    """Read the context of the list of units."""
    _as_of, context = read_matrices(request, plan)
    collectives = plan.organization.units.active().filter(is_collective=True).prefetch_related("members").in_order()
    return context | {"collectives": list(collectives)}


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
    """One unit: what needs attention, its actions as lead or support (`?role=`), load, trend, period reports."""
    plan = find_plan(request, slug)
    read = partial(_unit_context, request, plan, abbreviation)
    return render_cached(request, "reports/unit_detail.html", read)


def _unit_context(request: HttpRequest, plan: Plan, abbreviation: str) -> dict[str, Any]:
    """Read the context of the page of a unit.

    Raises:
        NotFound: it does not exist; the page lists the units.
    """
    unit = find_unit(plan, abbreviation)
    as_of, context = read_page_day(request, plan)
    standings = read_plan_standings(plan, as_of)
    lead, support = groups.unit_groups(unit, standings, context["query"])
    role = _read_role(request, default=Role.SUPPORT if support.total.count and not lead.total.count else Role.LEAD)
    led = [each for each in standings if unit.pk in each.lead]
    periods = groups.by_period(led, as_of, lead.total.query)
    curve = build_curve(plan, as_of, led, read_past_updates(plan, as_of))
    rows = plan.actions.for_units([unit]).as_of(as_of).with_updated_on(as_of).annotate_latest("problem", as_of)
    rows = list(rows.with_details().behind_first())
    of_role = {each.pk for each in standings if unit.pk in (each.lead if role == Role.LEAD else each.support)}
    led_pks = {each.pk for each in led}
    return context | {
        "unit": unit,
        "lead": lead,
        "support": support,
        "is_lead": role == Role.LEAD,
        "shown": lead if role == Role.LEAD else support,
        "actions": [action for action in rows if action.pk in of_role][:ROWS],
        "blocked_label": Status.BLOCKED.label,
        "attention": needing_attention(action for action in rows if action.pk in led_pks)[:ATTENTION],
        "waiting": read_waiting(unit, offered_units(plan), standings, context["query"]),
        "periods": periods,
        "period_chart": charts.period_chart(plan, periods),
        "curve": curve,
        "curve_chart": charts.curve_chart(curve, plan, as_of),
        "reports": _read_reports(plan, unit, as_of, is_default_day=context["is_default_day"]),
    }


def _read_role(request: HttpRequest, *, default: Role) -> Role:
    """Read which actions the table shows, `?role=`; warn about an unknown value."""
    value = request.GET.get("role", "")
    if value in ("", *Role.values):
        return Role(value or default)
    text = _("“role=%(asked)s” is not valid; the table shows the actions that the unit leads.")
    messages.warning(request, text % {"asked": value[:40]})
    return default


def _read_reports(plan: Plan, unit: Unit, as_of: AsOf, *, is_default_day: bool) -> list[SubmissionCell]:
    """Return the period reports of a unit as they stand now; none for a collective, or on a page of another day."""
    if unit.is_collective or not is_default_day:
        return []
    (row,) = read_submission_grid(plan, as_of, [unit]).rows
    return [] if row.is_empty else [cell for cell in row.cells if cell.is_owed]
