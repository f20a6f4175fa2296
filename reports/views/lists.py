"""The dashboards' lists as workbooks: the rows of the page, under the same parameters and in the same order."""

from django.http import FileResponse, HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from plan.downloads import list_notes, send_list
from plan.lookup import find_plan
from pmqa_tracker.templatetags.page import points
from reports.list_tables import map_table, timeline_table, unit_table
from reports.views.criteria import MapListing, read_map_listing
from reports.views.day import read_page_day
from reports.views.timeline import read_lines
from reports.views.units import read_matrices
from spreadsheets.downloads import capture_messages


@require_safe
def unit_list_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """The divisions' figures, as lead and as support."""
    plan = find_plan(request, slug)
    said = capture_messages(request)
    as_of, shown = read_matrices(request, plan)
    idle = f"{_('Without any action:')} {', '.join(map(str, shown['idle']))}" if shown["idle"] else ""
    notes = [*list_notes(plan, as_of.day, [shown["lead"].order_words], said.lines), idle]
    return send_list(unit_table(shown["lead"], shown["support"], notes=notes), plan, as_of.day)


@require_safe
def maturity_map_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """The criteria by level, as supposed and narrowed."""
    plan = find_plan(request, slug)
    said = capture_messages(request)
    shown = read_map_listing(request, plan)
    notes = list_notes(plan, shown.as_of.day, [plan.assessment.name, *_map_words(shown)], said.lines)
    return send_list(map_table(shown.map, notes=notes), plan, shown.as_of.day)


def _map_words(shown: MapListing) -> list[str]:
    """The scores, what is supposed to pass, and what the map is narrowed to, in words."""
    words = []
    if shown.map.now.total is not None:
        words.append(f"{_('Score as judged')}: {points(shown.map.now.total)} ({shown.map.scope})")
        words.append(f"{_('Score if what is ready passes')}: {points(shown.map.if_ready.total)}")
    if shown.map.if_assumed:
        words.append(f"{_('Score as supposed')}: {points(shown.map.if_assumed.total)} ({', '.join(shown.assumed)})")
    if shown.state:
        words.append(_("Only criteria with a level that is: %(state)s") % {"state": shown.state.label})
    return words


@require_safe
def timeline_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """The actions over the periods; takes the filters of the page."""
    plan = find_plan(request, slug)
    said = capture_messages(request)
    as_of, _context = read_page_day(request, plan)
    chosen, actions = read_lines(request, plan, as_of)
    notes = list_notes(plan, as_of.day, chosen.words, said.lines)
    return send_list(timeline_table(actions, as_of, notes=notes), plan, as_of.day)
