"""Create a returned submission directly, for tests that read it."""

from uuid import uuid4

from plan.models import ActionItem
from pmqa_tracker import clock
from submissions.models import Submission, SubmissionLine, SubmissionState, SubmissionStep
from tests.factories import UserFactory


def create_returned_line(action: ActionItem, *, reason: str) -> SubmissionLine:
    """Create a returned submission of the action's first lead unit and period, with the reason.

    Further actions of the same unit and period join the same step.
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
