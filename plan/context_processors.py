"""The plan a page belongs to, for the frame around it."""

from typing import Any

from django.http import HttpRequest

from assignments.access import access_of
from plan.models import Plan
from pmqa_tracker import clock


def current_plan(request: HttpRequest) -> dict[str, Any]:
    """`plan`: the one in the address, otherwise the current one; `access`: of the person who asks.

    The admin's pages have a frame of their own and need neither.
    """
    user = getattr(request, "user", None)
    is_admin = request.resolver_match is not None and request.resolver_match.app_name == "admin"
    if user is None or not user.is_authenticated or is_admin:
        return {}
    plan = getattr(request, "plan", None) or Plan.objects.current(on=clock.today())
    return {"plan": plan, "access": access_of(request)}
