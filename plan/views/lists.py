"""Lists as workbooks: each page's rows, all of them, under the same filters and in the same order."""

from collections.abc import Iterable
from datetime import date

from django.http import FileResponse, HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assignments.access import access_of
from plan import work_tables
from plan.action_table import action_table
from plan.lookup import find_plan
from plan.models import Plan
from plan.owed import read_list
from plan.views.actions import read_actions
from plan.views.my import now_of, place_of, read_my
from plan.views.period_reports import read_grid
from pmqa_tracker import thai
from pmqa_tracker.downloads import listen
from pmqa_tracker.table_export import Table, send_table


@require_safe
def action_list(request: HttpRequest, slug: str) -> FileResponse:
    """The list of actions; takes the parameters of its page."""
    plan = find_plan(request, slug)
    said = listen(request)
    shown = read_actions(request, plan)
    since = []
    if "change" in shown.filter.chosen:
        since = [_("Compared with %(day)s") % {"day": thai.format_date(shown.since.day)}]
    notes = list_notes(plan, shown.as_of.day, [*shown.filter.words, *since], said.lines)
    return send_list(action_table(plan, shown.actions, shown.as_of, notes=notes), plan, shown.as_of.day)


@require_safe
def my(request: HttpRequest, slug: str) -> FileResponse:
    """งานของฉัน, the tab that `?role=` names."""
    plan = find_plan(request, slug)
    shown = read_my(plan, access_of(request), place_of(request))
    as_of = shown["as_of"]
    return send_list(
        work_tables.my_table(
            shown["work"],
            notes=list_notes(
                plan, as_of.day, [_names([shown["place"].unit] if shown["place"].unit else shown["units"])]
            ),
        ),
        plan,
        as_of.day,
    )


@require_safe
def owed(request: HttpRequest, slug: str) -> FileResponse:
    """What the person's units owe."""
    plan = find_plan(request, slug)
    as_of = now_of(plan)
    owed_list = read_list(plan, access_of(request), as_of)
    return send_list(work_tables.owed_table(owed_list, notes=list_notes(plan, as_of.day)), plan, as_of.day)


@require_safe
def reporting(request: HttpRequest, slug: str) -> FileResponse:
    """Who has sent the report of which period."""
    plan = find_plan(request, slug)
    as_of, grid = read_grid(plan)
    idle = [f"{_('Nothing to report so far:')} {_names(row.unit for row in grid.idle)}"] if grid.idle else []
    return send_list(work_tables.reporting_table(grid, notes=[*list_notes(plan, as_of.day), *idle]), plan, as_of.day)


def list_notes(plan: Plan, day: date, filters: Iterable[str] = (), said: Iterable[str] = ()) -> list[str]:
    """The lines under a list's title: the plan and the day, the filters in words, what of the address was left out."""
    of_day = _("as of %(day)s") % {"day": thai.format_date(day)}
    return [f"{plan.title} · {of_day}", " · ".join(filter(None, filters)), *said]


def send_list(table: Table, plan: Plan, day: date) -> FileResponse:
    """The list as a download, named by its title, its plan and its day."""
    names = {"list": table.title, "plan": plan.slug, "day": thai.format_date(day)}
    return send_table(table, _("%(list)s %(plan)s as of %(day)s.xlsx") % names)


def _names(units: Iterable[object]) -> str:
    return ", ".join(map(str, units))
