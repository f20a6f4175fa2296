"""Context processor of the page frame: current plan, access and the number on the bell."""

from functools import cache
from typing import Any

from django.http import HttpRequest

from assignments.access import access_of
from plan.as_of import on_day
from plan.cached_page import state_of_plan
from plan.lookup import find_current_plan
from plan.switcher import PlanSwitcher, read_plan_switcher
from plan.titles import owner_of
from pmqa_tracker import clock, page_cache
from worklist.queue import count_owed


def current_plan(request: HttpRequest) -> dict[str, Any]:
    """Return `plan` (of the URL, otherwise the current one), its names and switcher, `access`, and `owed_count`.

    Admin pages have their own frame and get nothing.
    """
    user = getattr(request, "user", None)
    is_admin = request.resolver_match is not None and request.resolver_match.app_name == "admin"
    if user is None or not user.is_authenticated or is_admin:
        return {}
    plan = getattr(request, "plan", None)
    if plan is None:
        plan = find_current_plan(user)
    access = access_of(request)
    if plan is not None:
        access = access.in_organization(plan.organization_id)

    @cache
    def owed_count() -> int:
        """Return the number on the bell; a function, so that only pages with a bell query it."""
        if plan is None:
            return 0

        def count() -> int:
            return count_owed(plan, access, on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now()))

        if request.method == "POST":
            return count()  # it may have changed since the request read the plan
        # Users of the same units owe the same.
        units = access.may_lead and sorted(access.unit_ids)
        key = page_cache.make_key(state_of_plan(plan), clock.today(), "owed", units)
        number = page_cache.read(key)
        if number is None:
            number = count()
            page_cache.keep(key, number)
        return number

    @cache
    def plan_owner() -> str:
        """Return the organization of the plan for the page's head, if the site has more than one."""
        return owner_of(plan) if plan else ""

    @cache
    def plan_switcher() -> PlanSwitcher | None:
        """Return the switcher of the header; a function, so that only whole pages query it."""
        return read_plan_switcher(request, plan)

    return {
        "plan": plan,
        "plan_owner": plan_owner,
        "plan_title": lambda: " · ".join(filter(None, [plan_owner(), plan.title])) if plan else "",
        "access": access,
        "owed_count": owed_count,
        "plan_switcher": plan_switcher,
    }
