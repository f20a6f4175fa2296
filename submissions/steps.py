"""รายงานประจำงวด: what a unit's report of a period holds, and the one way in which it is sent and reviewed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from assignments.access import Access
from assignments.models import Unit
from plan.as_of import AsOf, on_day
from plan.models import Period, Plan, ProgressUpdate
from plan.models.action import ActionItemQuerySet
from plan.models.duties import duties_of, submission_duties
from plan.updates.record import NotAllowedError
from pmqa_tracker import thai
from submissions.models import Submission, SubmissionLine, SubmissionState, SubmissionStep

# From which states a step leads to one; a report that is not there yet counts as sent at version 0.
STEPS = {
    SubmissionState.SENT: (SubmissionState.SENT, SubmissionState.RETURNED),
    SubmissionState.RETURNED: (SubmissionState.SENT,),
    SubmissionState.ACCEPTED: (SubmissionState.SENT,),
}


class StaleSubmissionError(Exception):
    """The report was sent or reviewed since the page was opened; nothing was written."""


def submission_day(plan: Plan, period: Period, at: datetime) -> AsOf:
    """The day a report of `period` speaks of when it is looked at or sent at a moment: the period's last at most.

    What was told until the end of the day of `at` counts: a report is written in the days after its period.
    """
    day = timezone.localdate(at)
    return on_day(plan, min(day, period.ends_on), plan.periods.all(), cutoff=thai.end_of(day))


def submission_actions(plan: Plan, unit: Unit, period: Period, as_of: AsOf) -> ActionItemQuerySet:
    """The actions a unit reports on for a period, as of a day; see `plan.models.duties.submission_duties`."""
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
    """Hand in a unit's report of a period, with its actions as they stand; before it is accepted, again too.

    Args:
        version: of the report its sender had in front of him; 0 where there was none yet.
        op_id: names this submission; sending it again returns the step it made.
        at: the moment, aware.
        note: what the unit says to the whole of it, or "".
        as_of: the day it speaks of, see `submission_day`.

    Returns:
        The step, new or made before by the same `op_id`.

    Raises:
        NotAllowedError: the sender is not of the unit, the period has not begun, there is nothing to report, or the
            report was accepted.
        StaleReportError: the report's version is not `version` any more, or `op_id` made another step.
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
    """Accept what a unit has sent; arguments, answer and errors as of `send_submission`.

    Raises:
        NotAllowedError: somebody else than a coordinator asks, or nothing waits for review.
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
    """Give a report back to its unit, action by action; arguments, answer and errors as of `send_submission`.

    Args:
        reasons: pk of each action that is returned → why.

    Raises:
        NotAllowedError: somebody else than a coordinator asks, or nothing waits for review.
        ValidationError: no action is returned, one without a reason, or one that was not in what was sent.
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
    """The step that holds what the unit sent last."""
    return report.steps.filter(state=SubmissionState.SENT).order_by("-version").first()


def check_may_send(unit: Unit, access: Access) -> None:
    """Raise NotAllowedError, which says why, where a person does not send the reports of a unit."""
    if reason := access.why_not_send(unit):
        raise NotAllowedError(reason)


def check_may_review(access: Access) -> None:
    """Raise NotAllowedError, which says why, where a person reviews no reports."""
    if reason := access.why_not_review:
        raise NotAllowedError(reason)


def _record_step(step: SubmissionStep, report: Submission, version: int, lines: Any) -> SubmissionStep:
    """Write a step and the state it makes, or nothing; `lines` tells action pk → reason once the step is its turn."""
    try:
        with transaction.atomic():
            if made := _find_step_by_op_id(step):
                return _return_existing_step(made, step, report, lines)
            step.report = _advance(report, step.state, version)
            step.version = version + 1
            reasons = lines()
            step.save()
            last = _last_updates(reasons, thai.end_of(timezone.localdate(step.at)))
            SubmissionLine.objects.bulk_create(
                SubmissionLine(step=step, action_id=pk, update_id=last.get(pk), reason=reason)
                for pk, reason in reasons.items()
            )
            return step
    except (StaleSubmissionError, IntegrityError) as error:
        # The same submission twice at the same moment: the second finds the first's step.
        if made := _find_step_by_op_id(step):
            return _return_existing_step(made, step, report, lines)
        raise StaleSubmissionError(report) from error


def _advance(report: Submission, state: str, version: int) -> Submission:
    """Compare and raise the version in one statement; the report, made where it is the first time it is sent."""
    if state == SubmissionState.SENT:
        report, _made = Submission.objects.get_or_create(
            unit=report.unit, period=report.period, defaults={"state": state}
        )
    stored = Submission.objects.filter(pk=report.pk, version=version)
    if stored.filter(state__in=STEPS[SubmissionState(state)]).update(state=state, version=F("version") + 1):
        return report
    if report.pk and not stored.exists():
        raise StaleSubmissionError(report)
    if state == SubmissionState.SENT:
        raise NotAllowedError(_("The coordinator has accepted this report; it is not sent again."))
    raise NotAllowedError(_("This report does not wait for review."))


def _last_updates(action_pks: Any, until: datetime) -> dict[int, int]:
    """Action pk → pk of the last update told of it before a moment."""
    updates = ProgressUpdate.objects.without_undone().filter(action__in=list(action_pks), at__lt=until)
    return dict(updates.order_by("version").values_list("action_id", "pk"))


def _find_step_by_op_id(step: SubmissionStep) -> SubmissionStep | None:
    return SubmissionStep.objects.filter(op_id=step.op_id, by=step.by).select_related("report").first()


def _return_existing_step(made: SubmissionStep, step: SubmissionStep, report: Submission, lines: Any) -> SubmissionStep:
    """The step made before, where it is the same: a double click or a retry, and not the form written anew."""
    is_same_report = (made.report.unit_id, made.report.period_id) == (report.unit_id, report.period_id)
    is_same = is_same_report and (made.state, made.note) == (step.state, step.note)
    if is_same and made.state == SubmissionState.RETURNED:
        is_same = lines() == dict(made.lines.values_list("action_id", "reason"))
    if not is_same:
        raise StaleSubmissionError(report)
    return made
