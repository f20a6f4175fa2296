"""Actions that a coordinator returned: as an annotation, and as of a day."""

from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from plan.as_of import AsOf
from plan.models import Plan, ProgressUpdate
from plan.models.action import ActionItemQuerySet
from plan.models.duties import counts_for
from submissions.models import SubmissionLine, SubmissionState, SubmissionStep


def annotate_returned(actions: ActionItemQuerySet, units: Any) -> ActionItemQuerySet:
    """Annotate `return_reason`: why the coordinator returned the action to one of `units`, or None.

    It is set while the unit's submission is returned and the unit has not updated the action since.
    """
    lines = SubmissionLine.objects.filter(
        action=OuterRef("pk"),
        step__state=SubmissionState.RETURNED,
        step__submission__state=SubmissionState.RETURNED,
        step__version=F("step__submission__version"),
        step__submission__unit__in=units,
    )
    lines = lines.filter(~Exists(_answers()))
    return actions.annotate(return_reason=Subquery(lines.values("reason")[:1]))


def read_returned(plan: Plan, as_of: AsOf) -> dict[tuple[int, int], str]:
    """Return (action pk, unit pk) → why the coordinator returned the action to the unit, by the day; in one query."""
    later = SubmissionStep.objects.filter(
        submission=OuterRef("step__submission"), version__gt=OuterRef("step__version"), at__lt=as_of.ends_at
    )
    lines = SubmissionLine.objects.filter(
        ~Exists(later),
        ~Exists(_answers().filter(at__lt=as_of.ends_at)),
        step__submission__period__plan=plan,
        step__state=SubmissionState.RETURNED,
        step__at__lt=as_of.ends_at,
    )
    return {
        (action, unit): reason
        for action, unit, reason in lines.values_list("action_id", "step__submission__unit_id", "reason")
    }


def _answers() -> QuerySet[ProgressUpdate]:
    """Return the updates of a returned action that its unit has made since, as a subquery of the lines."""
    seen = Coalesce(OuterRef("update__version"), Value(0))
    own = counts_for(OuterRef("step__submission__unit"))
    return ProgressUpdate.objects.without_undone().filter(own, action=OuterRef("action"), version__gt=seen)
