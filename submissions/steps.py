"""Send, return and accept submissions (รายงานประจำงวด), and select the actions they contain."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from assignments.access import Access
from assignments.models import Unit
from plan.as_of import AsOf, on_day
from plan.models import Period, Plan, ProgressUpdate
from plan.models.action import ActionItemQuerySet
from plan.models.duties import duties_of, submission_duties
from plan.updates.record import check_takes_reports
from pmqa_tracker import thai
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError, compare_and_set, write_once
from submissions.models import Submission, SubmissionLine, SubmissionState, SubmissionStep

# State → states from which a step may lead to it. A submission that does not exist yet counts as SENT at version 0.
STEPS = {
    SubmissionState.SENT: (SubmissionState.SENT, SubmissionState.RETURNED),
    SubmissionState.RETURNED: (SubmissionState.SENT,),
    SubmissionState.ACCEPTED: (SubmissionState.SENT,),
}


def submission_day(plan: Plan, period: Period, at: datetime) -> AsOf:
    """Return the day that a submission describes when it is read or sent at a moment: the period's last day at most.

    Updates until the end of the day of `at` count, because a submission is written in the days after its period.
    """
    day = timezone.localdate(at)
    return on_day(plan, min(day, period.ends_on), plan.periods.all(), cutoff=thai.end_of(day))


def submission_actions(plan: Plan, unit: Unit, period: Period, as_of: AsOf) -> ActionItemQuerySet:
    """Return the actions that a unit must report on for a period; see `plan.models.duties.submission_duties`."""
    held = submission_duties(period, as_of).filter(duties_of([unit.pk]))
    return plan.actions.filter(pk__in=held.values("action")).as_of(as_of)


def send_submission(
    *,
    unit: Unit,
    period: Period,
    access: Access,
    version: int,
    op_id: UUID,
    at: datetime,
    note: str,
    as_of: AsOf,
) -> SubmissionStep:
    """Send the submission of a unit for a period, with the latest update of each action.

    It may be sent again until it is accepted.

    Args:
        version: the version that the sender saw; 0 if it was never sent.
        op_id: identifies the posted form; posting it again returns the same step.
        at: the moment, aware.
        note: a remark of the unit, or "".
        as_of: the day it describes, see `submission_day`.

    Returns:
        The new step, or the existing one with the same `op_id`.

    Raises:
        NotAllowedError: the user may not send for the unit, the plan takes no reports, the period has not begun, there
            is nothing to report, or the submission is accepted.
        StaleVersionError: the submission has another version, or `op_id` belongs to another step.
    """
    check_takes_reports(period.plan)
    check_may_send(unit, access)
    if timezone.localdate(at) < period.starts_on:
        raise NotAllowedError(_("This period has not begun yet; the report can be sent once it begins."))
    step = SubmissionStep(op_id=op_id, state=SubmissionState.SENT, by=access.user, at=at, note=note.strip())

    def lines() -> dict[int, str]:
        actions = submission_actions(period.plan, unit, period, as_of).values_list("pk", flat=True)
        if not actions:
            raise NotAllowedError(_("No action of this unit falls into this period; there is nothing to send."))
        return dict.fromkeys(actions, "")

    return _record_step(step, Submission(unit=unit, period=period), version, lines)


def accept_submission(
    *, submission: Submission, access: Access, version: int, op_id: UUID, at: datetime, note: str
) -> SubmissionStep:
    """Accept a submission; arguments, result and StaleVersionError as for `send_submission`.

    Raises:
        NotAllowedError: the user is not a coordinator, the plan takes no reports, or the submission does not wait for
            review.
    """
    check_takes_reports(submission.period.plan)
    check_may_review(access)
    step = SubmissionStep(op_id=op_id, state=SubmissionState.ACCEPTED, by=access.user, at=at, note=note.strip())
    return _record_step(step, submission, version, dict)


def return_submission(
    *,
    submission: Submission,
    access: Access,
    version: int,
    op_id: UUID,
    at: datetime,
    note: str,
    reasons: Mapping[int, str],
) -> SubmissionStep:
    """Return actions of a submission to its unit; arguments, result and StaleVersionError as for `send_submission`.

    Args:
        reasons: action pk → reason of each returned action.

    Raises:
        NotAllowedError: the user is not a coordinator, the plan takes no reports, or the submission does not wait for
            review.
        ValidationError: no action is returned, one has no reason, or one is not in the submission.
    """
    check_takes_reports(submission.period.plan)
    check_may_review(access)
    reasons = {pk: reason.strip() for pk, reason in reasons.items()}
    if not reasons or not all(reasons.values()):
        raise ValidationError(_("To return the report, write what is to be corrected at one or more actions."))
    step = SubmissionStep(op_id=op_id, state=SubmissionState.RETURNED, by=access.user, at=at, note=note.strip())

    def lines() -> dict[int, str]:
        sent = last_sent_step(submission)
        if not sent or not reasons.keys() <= set(sent.lines.values_list("action_id", flat=True)):
            raise ValidationError(_("An action that is not in the report cannot be returned."))
        return reasons

    return _record_step(step, submission, version, lines)


def last_sent_step(submission: Submission) -> SubmissionStep | None:
    """Return the last step with which the unit sent the submission."""
    return submission.steps.filter(state=SubmissionState.SENT).order_by("-version").first()


def check_may_send(unit: Unit, access: Access) -> None:
    """Raise NotAllowedError with the reason if the user may not send submissions of the unit."""
    if reason := access.why_not_send(unit):
        raise NotAllowedError(reason)


def check_may_review(access: Access) -> None:
    """Raise NotAllowedError with the reason if the user may not review submissions."""
    if reason := access.why_not_review:
        raise NotAllowedError(reason)


def _record_step(
    step: SubmissionStep, submission: Submission, version: int, read_lines: Callable[[], Mapping[int, str]]
) -> SubmissionStep:
    """Write a step and the new state in one transaction, in which `read_lines` returns action pk → reason."""

    def write() -> SubmissionStep:
        step.submission = _advance(submission, step.state, version)
        step.version = version + 1
        reasons = read_lines()
        step.save()
        last = _last_updates(reasons, thai.end_of(timezone.localdate(step.at)))
        SubmissionLine.objects.bulk_create(
            SubmissionLine(step=step, action_id=pk, update_id=last.get(pk), reason=reason)
            for pk, reason in reasons.items()
        )
        return step

    def find_repeat() -> SubmissionStep:
        existing = SubmissionStep.objects.filter(op_id=step.op_id, by=step.by).select_related("submission").first()
        if existing is None or not _is_same_step(existing, step, submission, read_lines):
            raise StaleVersionError(submission)
        return existing

    return write_once(write, find_repeat=find_repeat)


def _advance(submission: Submission, state: str, version: int) -> Submission:
    """Set state and version in one statement; create the submission when it is sent for the first time."""
    if state == SubmissionState.SENT:
        submission = _stored(submission) or submission
        if submission.pk is None and version == 0:
            return Submission.objects.create(unit=submission.unit, period=submission.period, state=state, version=1)
    stored = Submission.objects.filter(pk=submission.pk)
    if compare_and_set(stored.filter(state__in=STEPS[SubmissionState(state)]), version, state=state):
        return submission
    if not stored.filter(version=version).exists() and (submission.pk or state == SubmissionState.SENT):
        raise StaleVersionError(submission)
    if state == SubmissionState.SENT:
        raise NotAllowedError(_("The coordinator has accepted this report; it cannot be sent again."))
    raise NotAllowedError(_("This report does not wait for review."))


def _stored(submission: Submission) -> Submission | None:
    """Return the stored submission of the same unit and period."""
    same = Submission.objects.filter(unit=submission.unit, period=submission.period)
    return same.select_related("unit", "period").first()


def _last_updates(action_pks: Iterable[int], until: datetime) -> dict[int, int]:
    """Return action pk → pk of its last update before a moment."""
    updates = ProgressUpdate.objects.without_undone().filter(action__in=list(action_pks), at__lt=until)
    return dict(updates.order_by("version").values_list("action_id", "pk"))


def _is_same_step(
    existing: SubmissionStep, step: SubmissionStep, submission: Submission, read_lines: Callable[[], Mapping[int, str]]
) -> bool:
    """Whether an existing step with the same `op_id` has the same content, so that it is a double click or a retry."""
    stored = existing.submission
    is_same_submission = (stored.unit_id, stored.period_id) == (submission.unit_id, submission.period_id)
    if not is_same_submission or (existing.state, existing.note) != (step.state, step.note):
        return False
    reasons = dict(existing.lines.values_list("action_id", "reason"))
    return existing.state != SubmissionState.RETURNED or read_lines() == reasons
