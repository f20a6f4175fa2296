"""Open, close and reopen a plan; only this module changes the state of a plan that exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from assignments.access import Access
from assignments.models import Assignment, Role
from plan.models import Plan, PlanStep
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError, write_once

MAX_NAMED = 20  # most actions that the list of what is missing names


@dataclass(frozen=True, kw_only=True)
class PlanMove:
    """A way from one state to the next; each state has exactly one.

    Attributes:
        name: its name in the URL.
        label: text of its button.
        done: what the history and the message say after it.
        needs_note: it goes back, so the user says why.
    """

    name: str
    state_from: Plan.State
    state_to: Plan.State
    label: Any
    done: Any
    needs_note: bool = False


MOVES = {
    move.name: move
    for move in (
        PlanMove(
            name="open",
            state_from=Plan.State.PREPARATION,
            state_to=Plan.State.RUNNING,
            label=gettext_lazy("Open the plan"),
            done=gettext_lazy("The plan was opened"),
        ),
        PlanMove(
            name="close",
            state_from=Plan.State.RUNNING,
            state_to=Plan.State.ENDED,
            label=gettext_lazy("Close the plan"),
            done=gettext_lazy("The plan was closed"),
        ),
        PlanMove(
            name="reopen",
            state_from=Plan.State.ENDED,
            state_to=Plan.State.RUNNING,
            label=gettext_lazy("Reopen the plan"),
            done=gettext_lazy("The plan was reopened"),
            needs_note=True,
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Something that a plan needs before it can run: a sentence, and (label, URL) of the pages to add it."""

    text: str
    links: Sequence[tuple[str, str]]


class PlanNotReadyError(Exception):
    """The plan cannot be opened; see `find_missing`."""


def next_move(plan: Plan) -> PlanMove:
    """Return the only way on from the state of a plan."""
    return next(move for move in MOVES.values() if move.state_from == plan.state)


def find_missing(plan: Plan) -> list[Missing]:
    """Return what a plan needs before it can run: periods, an action, and a lead unit for each action."""
    missing = []
    if not plan.periods.all():
        links = [(_("Periods of the plan"), reverse("admin:plan_plan_change", args=[plan.pk]))]
        missing.append(Missing(text=_("The plan has no periods."), links=links))
    leads = Assignment.objects.filter(action=OuterRef("pk"), role=Role.LEAD)
    actions = plan.actions.in_order().annotate(has_lead=Exists(leads))
    found = list(actions.values_list("pk", "ref", "has_lead"))
    if not found:
        links = [
            (_("Data sheet and import"), reverse("import_list", args=[plan.slug])),
            (_("Add an action"), f"{reverse('admin:plan_actionitem_add')}?plan={plan.pk}"),
        ]
        missing.append(Missing(text=_("The plan has no actions."), links=links))
    if without := [(ref, reverse("admin:plan_actionitem_change", args=[pk])) for pk, ref, has in found if not has]:
        text = ngettext("%(count)s action has no lead unit:", "%(count)s actions have no lead unit:", len(without))
        links = without[:MAX_NAMED]
        if len(without) > MAX_NAMED:
            links.append((_("all actions"), reverse("action_list", args=[plan.slug])))
        missing.append(Missing(text=text % {"count": len(without)}, links=links))
    return missing


def change_state(
    *, plan: Plan, move: PlanMove, access: Access, version: int, op_id: UUID, at: datetime, note: str
) -> PlanStep:
    """Open, close or reopen a plan, and keep who did it.

    Args:
        plan: the plan; read it again after a StaleVersionError.
        move: what to do.
        access: the user and what they may do in the plan.
        version: the version of the plan that the user saw.
        op_id: identifies the posted form; posting it again returns the same step.
        at: the moment, aware.
        note: a remark, or "".

    Returns:
        The new step, or the existing one with the same `op_id`.

    Raises:
        NotAllowedError: the user is not a coordinator of the plan.
        PlanNotReadyError: the plan cannot run yet.
        StaleVersionError: the plan has another version or state, or `op_id` belongs to another step.
    """
    if reason := access.why_not_coordinate:
        raise NotAllowedError(reason)
    if move.state_from == plan.state == Plan.State.PREPARATION and find_missing(plan):
        raise PlanNotReadyError(plan)
    step = PlanStep(
        plan=plan, op_id=op_id, version=version + 1, state_from=move.state_from, state_to=move.state_to,
        by=access.user, at=at, note=note.strip(),
    )  # fmt: skip

    def write() -> PlanStep:
        if (plan.version, plan.state) != (version, move.state_from):
            raise StaleVersionError(plan)
        plan.state = move.state_to
        plan.closed_on = timezone.localdate(at) if plan.has_ended else None
        plan.save(update_fields=["state", "closed_on"])
        step.save()
        return step

    def find_repeat() -> PlanStep:
        made = PlanStep.objects.filter(op_id=op_id, plan=plan, by=access.user, state_to=step.state_to).first()
        if made is None or made.note != step.note:
            raise StaleVersionError(plan)
        return made

    return write_once(write, find_repeat=find_repeat)
