"""A unit's report that the coordinator returned, as rows: for the tests of what is read from them."""

from uuid import uuid4

from plan.models import ActionItem
from pmqa_tracker import clock
from submissions.models import Submission, SubmissionLine, SubmissionState, SubmissionStep
from tests.factories import UserFactory


def give_back(action: ActionItem, *, reason: str) -> SubmissionLine:
    """Return the report of the action's first lead unit for the action's first period; a line of it says why.

    What of the same unit and period was given back before stays in the same step.
    """
    submission, _made = Submission.objects.get_or_create(
        unit=action.lead[0].unit,
        period=action.first_period,
        defaults={"state": SubmissionState.RETURNED, "version": 1},
    )
    step = submission.steps.first() or SubmissionStep.objects.create(
        submission=submission,
        op_id=uuid4(),
        version=1,
        state=SubmissionState.RETURNED,
        by=UserFactory(),
        at=clock.now(),
    )
    last = action.updates.newest_first().first()
    return SubmissionLine.objects.create(step=step, action=action, update=last, reason=reason)
