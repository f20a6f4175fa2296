"""Lists of the dashboards as workbooks, with the parameters, rows and order of the page."""

from django.http import FileResponse, HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from plan.downloads import list_notes, send_list
from plan.lookup import find_plan
from pmqa_tracker.templatetags.page import points
from reports.list_tables import map_table, timeline_table, unit_table
from reports.views.criteria import MapListing, read_map_listing
from reports.views.day import read_page_day
from reports.views.timeline import read_timeline_actions
from reports.views.units import read_matrices
from spreadsheets.downloads import capture_messages


@require_safe
def unit_list_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """Download the figures of the divisions, as lead and as support."""
    plan = find_plan(request, slug)
    captured = capture_messages(request)
    as_of, context = read_matrices(request, plan)
    idle = f"{_('Without any action:')} {', '.join(map(str, context['idle']))}" if context["idle"] else ""
    notes = [*list_notes(plan, as_of.day, [context["lead"].order_label], captured.lines), idle]
    return send_list(unit_table(context["lead"], context["support"], notes=notes), plan, as_of.day)


@require_safe
def maturity_map_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """Download the criteria by level; takes the parameters of the map."""
    plan = find_plan(request, slug)
    captured = capture_messages(request)
    listing = read_map_listing(request, plan)
    notes = list_notes(plan, listing.as_of.day, [plan.assessment.name, *_describe_map(listing)], captured.lines)
    return send_list(map_table(listing.map, notes=notes), plan, listing.as_of.day)


def _describe_map(listing: MapListing) -> list[str]:
    """Return lines with the scores, the assumptions and the selected state."""
    lines = []
    if listing.map.now.total is not None:
        lines.append(f"{_('Score as assessed')}: {points(listing.map.now.total)} ({listing.map.scope})")
        lines.append(f"{_('Score if everything ready passes')}: {points(listing.map.if_ready.total)}")
    if listing.map.if_assumed:
        lines.append(
            f"{_('Score with assumptions')}: {points(listing.map.if_assumed.total)} ({', '.join(listing.assumed)})"
        )
    if listing.state:
        lines.append(_("Only criteria with a level that is: %(state)s") % {"state": listing.state.label})
    return lines


@require_safe
def timeline_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """Download the actions over the periods; takes the filters of the page."""
    plan = find_plan(request, slug)
    captured = capture_messages(request)
    as_of, _context = read_page_day(request, plan)
    filters, actions = read_timeline_actions(request, plan, as_of)
    notes = list_notes(plan, as_of.day, filters.descriptions, captured.lines)
    return send_list(timeline_table(actions, as_of, notes=notes), plan, as_of.day)
