"""Send, return and accept the report of a unit for a period (รายงานประจำงวด), and what such a report holds."""

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
from pmqa_tracker import thai
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError, compare_and_set, write_once
from submissions.models import Submission, SubmissionLine, SubmissionState, SubmissionStep

# From which states a step leads to one; a report that is not there yet counts as sent at version 0.
STEPS = {
    SubmissionState.SENT: (SubmissionState.SENT, SubmissionState.RETURNED),
    SubmissionState.RETURNED: (SubmissionState.SENT,),
    SubmissionState.ACCEPTED: (SubmissionState.SENT,),
}


def submission_day(plan: Plan, period: Period, at: datetime) -> AsOf:
    """Return the day that a report of `period` describes when it is read or sent at a moment: the last of the period
    at most.

    Updates until the end of the day of `at` count: a report is written in the days after its period.
    """
    day = timezone.localdate(at)
    return on_day(plan, min(day, period.ends_on), plan.periods.all(), cutoff=thai.end_of(day))


def submission_actions(plan: Plan, unit: Unit, period: Period, as_of: AsOf) -> ActionItemQuerySet:
    """Return the actions a unit reports on for a period, as of a day; see `plan.models.duties.submission_duties`."""
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
    """Send the report of a unit for a period, with its actions as they stand; until it is accepted, also again.

    Args:
        version: the version of the report that the sender saw; 0 where there was none yet.
        op_id: the id of this submission; sending it again returns the step it made.
        at: the moment, aware.
        note: a remark of the unit on the whole report, or "".
        as_of: the day it describes, see `submission_day`.

    Returns:
        The step, new or made before by the same `op_id`.

    Raises:
        NotAllowedError: the sender is not a member of the unit, the period has not begun, there is nothing to report,
            or the report was accepted.
        StaleVersionError: the report has another version, or `op_id` belongs to another step.
    """
    check_may_send(unit, access)
    if timezone.localdate(at) < period.starts_on:
        raise NotAllowedError(_("This period has not begun yet; its report can be sent once it has."))
    step = SubmissionStep(op_id=op_id, state=SubmissionState.SENT, by=access.user, at=at, note=note.strip())

    def lines() -> dict[int, str]:
        actions = submission_actions(period.plan, unit, period, as_of).values_list("pk", flat=True)
        if not actions:
            raise NotAllowedError(_("No action of this unit falls into this period; there is nothing to send."))
        return dict.fromkeys(actions, "")

    return _record_step(step, Submission(unit=unit, period=period), version, lines)


def accept_submission(
    *, report: Submission, access: Access, version: int, op_id: UUID, at: datetime, note: str
) -> SubmissionStep:
    """Accept what a unit has sent; arguments, result and errors as for `send_submission`.

    Raises:
        NotAllowedError: the user is not a coordinator, or nothing waits for review.
    """
    check_may_review(access)
    step = SubmissionStep(op_id=op_id, state=SubmissionState.ACCEPTED, by=access.user, at=at, note=note.strip())
    return _record_step(step, report, version, dict)


def return_submission(
    *,
    report: Submission,
    access: Access,
    version: int,
    op_id: UUID,
    at: datetime,
    note: str,
    reasons: Mapping[int, str],
) -> SubmissionStep:
    """Return a report to its unit, action by action; arguments, result and errors as for `send_submission`.

    Args:
        reasons: pk of each action that is returned → why.

    Raises:
        NotAllowedError: the user is not a coordinator, or nothing waits for review.
        ValidationError: no action is returned, one has no reason, or one was not in what was sent.
    """
    check_may_review(access)
    reasons = {pk: reason.strip() for pk, reason in reasons.items()}
    if not reasons or not all(reasons.values()):
        raise ValidationError(_("To return the report, say at one action or more what is to be corrected."))
    step = SubmissionStep(op_id=op_id, state=SubmissionState.RETURNED, by=access.user, at=at, note=note.strip())

    def lines() -> dict[int, str]:
        sent = last_sent(report)
        if not sent or not reasons.keys() <= set(sent.lines.values_list("action_id", flat=True)):
            raise ValidationError(_("An action that is not in the report cannot be returned."))
        return reasons

    return _record_step(step, report, version, lines)


def last_sent(report: Submission) -> SubmissionStep | None:
    """Return the step that holds what the unit sent last."""
    return report.steps.filter(state=SubmissionState.SENT).order_by("-version").first()


def check_may_send(unit: Unit, access: Access) -> None:
    """Raise NotAllowedError, which says why, where a user does not send the reports of a unit."""
    if reason := access.why_not_send(unit):
        raise NotAllowedError(reason)


def check_may_review(access: Access) -> None:
    """Raise NotAllowedError, which says why, where a user reviews no reports."""
    if reason := access.why_not_review:
        raise NotAllowedError(reason)


def _record_step(
    step: SubmissionStep, report: Submission, version: int, read_lines: Callable[[], Mapping[int, str]]
) -> SubmissionStep:
    """Write a step and the state it makes, or nothing; `read_lines` returns action pk → reason in the transaction."""

    def write() -> SubmissionStep:
        step.report = _advance(report, step.state, version)
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
        made = SubmissionStep.objects.filter(op_id=step.op_id, by=step.by).select_related("report").first()
        if made is None or not _is_same_step(made, step, report, read_lines):
            raise StaleVersionError(report)
        return made

    return write_once(write, find_repeat=find_repeat)


def _advance(report: Submission, state: str, version: int) -> Submission:
    """Set the state and raise the version in one statement; create the report where it is sent for the first time."""
    if state == SubmissionState.SENT:
        report = Submission.objects.filter(unit=report.unit, period=report.period).first() or report
        if report.pk is None and version == 0:
            return Submission.objects.create(unit=report.unit, period=report.period, state=state, version=1)
    stored = Submission.objects.filter(pk=report.pk)
    if compare_and_set(stored.filter(state__in=STEPS[SubmissionState(state)]), version, state=state):
        return report
    if not stored.filter(version=version).exists() and (report.pk or state == SubmissionState.SENT):
        raise StaleVersionError(report)
    if state == SubmissionState.SENT:
        raise NotAllowedError(_("The coordinator has accepted this report; it is not sent again."))
    raise NotAllowedError(_("This report does not wait for review."))


def _last_updates(action_pks: Iterable[int], until: datetime) -> dict[int, int]:
    """Return action pk → pk of its last update before a moment."""
    updates = ProgressUpdate.objects.without_undone().filter(action__in=list(action_pks), at__lt=until)
    return dict(updates.order_by("version").values_list("action_id", "pk"))


def _is_same_step(
    made: SubmissionStep, step: SubmissionStep, report: Submission, read_lines: Callable[[], Mapping[int, str]]
) -> bool:
    """Whether the step made before says the same: a double click or a retry, and not another text in the same form."""
    is_same_report = (made.report.unit_id, made.report.period_id) == (report.unit_id, report.period_id)
    if not is_same_report or (made.state, made.note) != (step.state, step.note):
        return False
    return made.state != SubmissionState.RETURNED or read_lines() == dict(made.lines.values_list("action_id", "reason"))
