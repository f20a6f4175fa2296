"""The start page and the list of plans."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assignments.access import RoleGroup, access_of
from plan.cached_page import KnownReader, render_cached, state_of_plans
from plan.lookup import warn_ignored_parameters
from plan.models import Plan
from plan.no_plan import contacts_of, show_no_plan
from pmqa_tracker import clock
from reports.figures.plans import is_plan_sort, read_plan_figures, read_plan_table
from reports.sentences import final_result


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the plan of the user's organization, to the page for their role.

    A plan that has ended says so, with the next step. Users who read only plans of other organizations get their list.
    """
    plans = Plan.objects.visible_to(request.user).of_own_organization(request.user)
    plan = plans.current(on=clock.today())
    if plan is None:
        is_reader = Plan.objects.visible_to(request.user).exists()
        return redirect("plan_list") if is_reader else show_no_plan(request)
    if request.user.organization_id is None and plans.exclude(organization=plan.organization_id).exists():
        return redirect("plan_list")
    access = access_of(request)
    if plan.has_ended:
        return render(request, "reports/plan_ended.html", _ended_context(request, plan))
    if plan.is_in_preparation:
        return redirect("plan_detail", plan.slug)
    if RoleGroup.ASSESSOR in access.roles:
        return redirect("maturity_map", plan.slug)
    if RoleGroup.STAFF in access.roles and not access.is_coordinator:
        return redirect("my", plan.slug)
    return redirect("dashboard", plan.slug)


def _ended_context(request: HttpRequest, plan: Plan) -> dict[str, Any]:
    """Return the result of a plan that has ended, and what the user can do next."""
    preparing = Plan.objects.visible_to(request.user).filter(
        organization=plan.organization_id, state=Plan.State.PREPARATION
    )
    figures = read_plan_figures([plan], clock.today())[plan.pk]
    return {
        "plan": plan,
        "group": figures,
        "is_final": True,
        "result": final_result(figures),
        "preparing": preparing.order_by("starts_on", "pk"),
        "coordinators": contacts_of(request.user),
    }


@dataclass(frozen=True, kw_only=True)
class PlansReader(KnownReader):
    """What the list of plans knows about its reader: which plans they see, and whether they may add one."""

    organization: int | None
    is_superuser: bool
    is_coordinator: bool
    roles: tuple[str, ...]


@require_safe
def plan_list(request: HttpRequest) -> HttpResponse:
    """The plans that the user may see, with their headline figures; `?q=` searches, `?sort=` sorts."""
    warn_ignored_parameters(request, {"q", "sort", "page"})
    text, sort = request.GET.get("q", "").strip(), request.GET.get("sort", "")
    if not is_plan_sort(sort):
        message = _("The plans cannot be sorted by “%(sort)s”; shown in the usual order instead.")
        messages.warning(request, message % {"sort": sort[:40]})
        sort = ""

    def read() -> dict[str, Any]:
        plans = Plan.objects.visible_to(request.user)
        table = read_plan_table(plans, text=text, sort=sort, number=request.GET.get("page"), today=clock.today())
        return {"table": table, "page": table.page, "text": text}

    user, access = request.user, access_of(request)
    reader = PlansReader(
        organization=user.organization_id,
        is_superuser=user.is_superuser,
        is_coordinator=access.is_coordinator,
        roles=tuple(sorted(user.role_names)),
    )
    return render_cached(request, "reports/plan_list.html", read, reader=reader, state=state_of_plans())
