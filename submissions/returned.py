"""Annotation of the actions that a coordinator returned."""

from typing import Any

from django.db.models import Exists, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from plan.models import ProgressUpdate
from plan.models.action import ActionItemQuerySet
from plan.models.duties import counts_for
from submissions.models import SubmissionLine, SubmissionState


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
    seen = Coalesce(OuterRef("update__version"), Value(0))
    own = counts_for(OuterRef("step__submission__unit"))
    since = ProgressUpdate.objects.without_undone().filter(own, action=OuterRef("action"), version__gt=seen)
    return actions.annotate(return_reason=Subquery(lines.filter(~Exists(since)).values("reason")[:1]))
