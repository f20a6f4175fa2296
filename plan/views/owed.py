"""What I owe: the list behind the bell, as a page and as the bell's panel."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assignments.access import access_of
from plan.lookup import find_plan
from plan.owed import MOST_ROWS, read_groups
from plan.views.my import now_of


@require_safe
def owed(request: HttpRequest, slug: str) -> HttpResponse:
    """What my units owe, as the reminder lists it; for htmx the bell's panel, with the first rows of each group."""
    plan = find_plan(request, slug)
    as_of = now_of(plan)
    groups = read_groups(plan, access_of(request), as_of)
    context = {"as_of": as_of, "groups": groups, "count": sum(group.count for group in groups)}
    if not request.htmx:
        return render(request, "plan/owed.html", context)
    context["groups"] = [group.first(MOST_ROWS) for group in groups]
    return render(request, "plan/owed.html#panel", context | {"plan": plan})
