"""Pages of a plan itself: its state and history, and the confirmation before it is opened, closed or reopened."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from assignments.access import access_of
from plan.lookup import find_plan
from plan.models import Plan
from plan.state.forms import PlanStepForm, typed_note
from plan.state.steps import MOVES, PlanMove, PlanNotReadyError, change_state, find_missing, next_move
from pmqa_tracker import clock
from pmqa_tracker.forms import with_new_op_id
from pmqa_tracker.typed_text import reads_typed_text
from pmqa_tracker.views import NotFound
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError


@require_safe
def plan_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """The plan itself: state, days, periods, history of the state, and the button of the next step."""
    plan = find_plan(request, slug)
    is_coordinator = access_of(request).is_coordinator
    context = {
        "move": next_move(plan) if is_coordinator else None,
        "missing": find_missing(plan) if is_coordinator and plan.is_in_preparation else [],
        "steps": read_steps(plan),
        "periods": sorted(plan.periods.all(), key=lambda each: each.number),
        "is_past": clock.today() > plan.ends_on,
    }
    return render(request, "plan/plan_detail.html", context)


def read_steps(plan: Plan) -> list[tuple[Any, Any]]:
    """Return (step, what it did) of each step of a plan, newest first."""
    done = {(move.state_from, move.state_to): move.done for move in MOVES.values()}
    steps = plan.steps.select_related("by").order_by("-version")
    return [(step, done[step.state_from, step.state_to]) for step in steps]


@reads_typed_text(typed_note)
@require_http_methods(["GET", "HEAD", "POST"])
def plan_step(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Confirm to open, close or reopen a plan: what will happen, and who will see it. The form posts here."""
    plan = find_plan(request, slug)
    move = MOVES.get(name)
    if move is None:
        raise NotFound(_("There is no such page."), [(plan.title, f"/plans/{plan.slug}/")])
    if reason := access_of(request).why_not_coordinate:
        raise PermissionDenied(reason)
    if request.method == "POST":
        return _answer(request, plan, move)
    if move.state_from != plan.state:
        messages.info(request, _("The plan is %(state)s already.") % {"state": plan.get_state_display()})
        return redirect("plan_detail", plan.slug)
    return render(request, "plan/plan_step.html", _context(plan, move, PlanStepForm(plan=plan, move=move)))


def _answer(request: HttpRequest, plan: Plan, move: PlanMove) -> HttpResponse:
    """Write the step of the posted form; if that is refused, the page keeps the note."""
    form = PlanStepForm(request.POST, plan=plan, move=move)
    try:
        if not form.is_valid() and form.is_intact:
            return render(request, "plan/plan_step.html", _context(plan, move, form), status=422)
        if not form.is_intact:
            raise StaleVersionError(plan)
        change_state(plan=plan, move=move, access=access_of(request), at=clock.now(), **form.cleaned_data)
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except PlanNotReadyError:
        return render(request, "plan/plan_step.html", _context(plan, move, form), status=422)
    except StaleVersionError:
        plan.refresh_from_db()
        posted = PlanStepForm(with_new_op_id(request.POST, plan.version), plan=plan, move=move)
        posted.is_valid()
        context = _context(plan, move, posted) | {"is_stale": True, "typed": typed_note(request)}
        return render(request, "plan/plan_step.html", context, status=409)
    messages.success(request, f"{move.done}.")
    return redirect("plan_detail", plan.slug)


def _context(plan: Plan, move: PlanMove, form: PlanStepForm) -> dict[str, Any]:
    """Return the context of the confirmation page; without a form if the plan cannot take this step."""
    missing = find_missing(plan) if move.state_to == Plan.State.RUNNING and plan.is_in_preparation else []
    organization = plan.organization
    return {
        "move": move,
        "missing": missing,
        "form": None if missing or move.state_from != plan.state else form,
        "steps": read_steps(plan),
        "readers": organization.users.filter(is_active=True).count(),
        "parent": organization.parent,
    }
