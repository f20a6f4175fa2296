"""Pages of the plan: the way in, my work, the list of actions, one action and its update."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from assignments.access import Access, RoleGroup, access_of
from assignments.models import Assignment, Role, Unit
from plan.as_of import on_day
from plan.filters import ActionFilter
from plan.forms import UpdateForm
from plan.lookup import find_action, find_plan, read_as_of
from plan.models import ActionItem, Due, Plan
from plan.progress import NotAllowedError, StaleUpdateError, check_may_report, made_before, record_update
from pmqa_tracker import clock

PAGE_SIZE = 50


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the page of the current plan that the person's role comes for."""
    plan = Plan.objects.current(on=clock.today())
    if plan is None:
        return render(request, "plan/plan_none.html")
    access = access_of(request)
    if RoleGroup.ASSESSOR in access.roles:
        return redirect("maturity_map", plan.slug)
    if RoleGroup.STAFF in access.roles and not access.is_coordinator:
        return redirect("my", plan.slug)
    return redirect("dashboard", plan.slug)


@require_safe
def my(request: HttpRequest, slug: str) -> HttpResponse:
    """งานของฉัน: what my units owe, most pressing first; lead and support on a page each."""
    plan = find_plan(request, slug)
    as_of = on_day(plan, clock.today(), plan.periods.all(), told_until=clock.now())
    access = access_of(request)
    units = list(Unit.objects.of_user(request.user).in_order())
    role = Role.SUPPORT if request.GET.get("role") == Role.SUPPORT else Role.LEAD
    work = list(plan.actions.for_units(units).as_of(as_of).with_details().in_order()) if units else []
    by_role = {each: [action for action in work if _assignments_of(access, action, each)] for each in Role}
    chosen = by_role[role]
    for action in chosen:
        mine = _assignments_of(access, action, role)
        is_own = any(assignment.unit_id in access.unit_ids for assignment in mine)
        action.through = None if is_own else mine[0].unit
    told = [action for action in chosen if action.updated_at and action.updated_at >= as_of.period_starts_at]
    at_work = [action for action in chosen if action.due in (Due.OVERDUE, Due.NOW)]
    context = {
        "as_of": as_of,
        "units": units,
        "role": role,
        "tabs": [(each, len(by_role[each])) for each in Role],
        "sections": [(due, [action for action in chosen if action.due == due]) for due in Due],
        "told": len(told),
        "to_tell": len({action.pk for action in [*told, *at_work]}),
    }
    return render(request, "plan/my.html", context)


def _assignments_of(access: Access, action: ActionItem, role: str) -> list[Assignment]:
    """How the person's units take part in an action: their own assignments and those of their collectives."""
    return [item for item in action.assignments.all() if item.role == role and item.unit_id in access.speaks_for]


@require_safe
def action_list(request: HttpRequest, slug: str) -> HttpResponse:
    """Every action, narrowed and ordered by the address; the rows alone for htmx."""
    plan = find_plan(request, slug)
    as_of = read_as_of(request, plan)
    chosen = ActionFilter(request.GET, plan.actions.all(), as_of=as_of)
    actions = chosen.qs
    if chosen.unknown:
        names = ", ".join(chosen.unknown)
        messages.warning(request, _("Left out, since nothing like it is offered: %(names)s.") % {"names": names})
    if not actions.query.order_by:
        actions = actions.in_order()
    page = Paginator(actions.with_details(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"as_of": as_of, "filter": chosen, "page": page, "is_today": as_of.day == clock.today()}
    template = "plan/action_list.html#rows" if request.htmx else "plan/action_list.html"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
def action_detail(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """One action: why, what, who, when, how far; and the form to tell more, which posts to the same address."""
    plan = find_plan(request, slug)
    action = find_action(plan, ref)
    access = access_of(request)
    if request.method == "POST":
        return _update(request, plan, action, access)
    form = UpdateForm(action=action, access=access) if access.may_add_result(action) else None
    return render(request, "plan/action_detail.html", _detail(plan, action, form))


def _update(request: HttpRequest, plan: Plan, action: ActionItem, access: Access) -> HttpResponse:
    """Record one update; whatever refuses it, the page comes back with every typed word."""
    form = UpdateForm(request.POST, action=action, access=access)
    try:
        if made_before(action, request.POST.get("op_id", ""), access):
            return _recorded(request, plan, action)
        if request.POST.get("version") != str(action.version):
            raise StaleUpdateError(action)
        check_may_report(action, access)
        if not form.is_valid():
            return _refuse(request, _detail(plan, action, form), status=422)
        record_update(
            action=action,
            version=action.version,
            op_id=form.cleaned_data["op_id"],
            access=access,
            at=clock.now(),
            report=form.report(),
        )
        return _recorded(request, plan, action)
    except ValidationError as error:
        form.add_error(None, error)
        return _refuse(request, _detail(plan, action, form), status=422)
    except NotAllowedError as error:
        context = _detail(plan, action, None) | {"refusal": str(error), "typed": form.typed_words()}
        return _refuse(request, context, status=403)
    except StaleUpdateError:
        return _refuse(request, _conflict(plan, find_action(plan, action.ref), access, request.POST), status=409)


def _recorded(request: HttpRequest, plan: Plan, action: ActionItem) -> HttpResponse:
    messages.success(request, _("Recorded. %(ref)s now shows what you told.") % {"ref": action.ref})
    address = reverse("action_detail", args=[plan.slug, action.ref])
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _refuse(request: HttpRequest, context: dict[str, Any], *, status: int) -> HttpResponse:
    template = "plan/action_detail.html#update" if request.htmx else "plan/action_detail.html"
    return render(request, template, context, status=status)


def _detail(plan: Plan, action: ActionItem, form: UpdateForm | None) -> dict[str, Any]:
    """What the page of an action shows."""
    as_of = on_day(plan, clock.today(), plan.periods.all(), told_until=clock.now())
    standing = plan.actions.filter(pk=action.pk).as_of(as_of).values("due", "health", "expected_on").get()
    verdicts = plan.assessment.verdicts.filter(requirement__actions=action).select_related("requirement")
    return {
        "as_of": as_of,
        "action": action,
        "standing": standing,
        "verdicts": verdicts.order_by("requirement__level"),
        "updates": action.updates.newest_first().select_related("author").prefetch_related("evidence"),
        "form": form,
    }


def _conflict(plan: Plan, action: ActionItem, access: Access, posted: QueryDict) -> dict[str, Any]:
    """The page after somebody else wrote first: theirs beside what was typed, which is still in its fields."""
    seen = posted.get("version", "")
    theirs = action.updates.newest_first().filter(version__gt=int(seen) if seen.isdecimal() else 0)
    posted = posted.copy()
    posted["version"] = str(action.version)
    form = UpdateForm(posted, action=action, access=access)
    return _detail(plan, action, form) | {"is_stale": True, "theirs": theirs.select_related("author")}
