"""View of what the user owes: the bell's list, as a page and as the bell's panel."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assignments.access import access_of
from plan.lookup import find_plan
from worklist.owed import MAX_GROUP_ROWS, read_owed_list
from worklist.page import as_of_now


@require_safe
def owed(request: HttpRequest, slug: str) -> HttpResponse:
    """List what the user's units owe, as the reminder does.

    htmx gets the bell's panel with the first rows of each group.
    """
    plan = find_plan(request, slug)
    as_of = as_of_now(plan)
    owed_list = read_owed_list(plan, access_of(request), as_of)
    if request.htmx:
        owed_list = owed_list.limit(MAX_GROUP_ROWS)
    context = {
        "plan": plan,
        "as_of": as_of,
        "reports": owed_list.reports,
        "groups": owed_list.groups,
        "count": owed_list.count,
    }
    return render(request, "worklist/owed.html#panel" if request.htmx else "worklist/owed.html", context)
