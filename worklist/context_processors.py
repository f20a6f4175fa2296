"""Context processor of the page frame: current plan, access and the number on the bell."""

from functools import cache
from typing import Any

from django.http import HttpRequest

from assignments.access import access_of
from plan.as_of import on_day
from plan.models import Plan
from pmqa_tracker import clock
from worklist.queue import count_owed


def current_plan(request: HttpRequest) -> dict[str, Any]:
    """Return `plan` (of the URL, otherwise the current one), `access` of the user, and `owed_count`.

    Admin pages have their own frame and get nothing.
    """
    user = getattr(request, "user", None)
    is_admin = request.resolver_match is not None and request.resolver_match.app_name == "admin"
    if user is None or not user.is_authenticated or is_admin:
        return {}
    plan = getattr(request, "plan", None) or Plan.objects.current(on=clock.today())
    access = access_of(request)

    @cache
    def owed_count() -> int:
        """Return the number on the bell; a function, so that only pages with a bell query it."""
        if plan is None:
            return 0
        return count_owed(plan, access, on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now()))

    return {"plan": plan, "access": access, "owed_count": owed_count}
