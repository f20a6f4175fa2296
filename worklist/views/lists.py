"""Downloads of my work and of what is owed: all rows of the page, with its filters and in its order."""

from collections.abc import Iterable

from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_safe

from assignments.access import access_of
from plan.downloads import list_notes, send_list
from plan.lookup import find_plan
from worklist import tables
from worklist.owed import read_list
from worklist.views.my import as_of_now, read_my, read_work_filter


@require_safe
def my_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """งานของฉัน, the tab that `?role=` names."""
    plan = find_plan(request, slug)
    shown = read_my(plan, access_of(request), read_work_filter(request))
    as_of = shown["as_of"]
    return send_list(
        tables.my_table(
            shown["work"],
            notes=list_notes(
                plan, as_of.day, [_names([shown["place"].unit] if shown["place"].unit else shown["units"])]
            ),
        ),
        plan,
        as_of.day,
    )


@require_safe
def owed_workbook(request: HttpRequest, slug: str) -> FileResponse:
    """What the person's units owe."""
    plan = find_plan(request, slug)
    as_of = as_of_now(plan)
    owed_list = read_list(plan, access_of(request), as_of)
    return send_list(tables.owed_table(owed_list, notes=list_notes(plan, as_of.day)), plan, as_of.day)


def _names(units: Iterable[object]) -> str:
    return ", ".join(map(str, units))
