"""Workbook downloads of my work and of the bell's list, with all rows of the page in its order."""

from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_safe

from assignments.access import access_of
from plan.downloads import list_notes, send_list
from plan.lookup import find_plan
from worklist import tables
from worklist.owed import read_owed_list
from worklist.page import as_of_now, read_my_page
from worklist.work_filter import read_work_filter


@require_safe
def my_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """Download งานของฉัน, filtered like the page."""
    plan = find_plan(request, slug)
    shown = read_my_page(plan, access_of(request), read_work_filter(request))
    as_of, unit = shown["as_of"], shown["work_filter"].unit
    names = ", ".join(map(str, [unit] if unit else shown["units"]))
    return send_list(tables.my_table(shown["work"], notes=list_notes(plan, as_of.day, [names])), plan, as_of.day)


@require_safe
def owed_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """Download what the user's units owe."""
    plan = find_plan(request, slug)
    as_of = as_of_now(plan)
    owed_list = read_owed_list(plan, access_of(request), as_of)
    return send_list(tables.owed_table(owed_list, notes=list_notes(plan, as_of.day)), plan, as_of.day)
