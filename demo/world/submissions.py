"""Submissions of a generated world: the units' reports of past periods, with steps and lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from assignments.models import Unit, User
from demo.texts import REPORT_ADDED, REPORT_REASONS, REPORT_THANKS
from demo.world.batches import Batch
from demo.world.options import WorldOptions, end_of, moment, start_of
from demo.world.organizations import Department
from demo.world.plans import GeneratedPlan, PlannedAction
from plan.models import Period, Plan, ProgressUpdate, Status
from submissions.models import Submission, SubmissionLine, SubmissionState, SubmissionStep

SENT, RETURNED, ACCEPTED = SubmissionState
# Steps of a submission, and the share of the submissions with them.
COURSES = (
    ((SENT, ACCEPTED), 60),
    ((SENT, RETURNED, SENT, ACCEPTED), 12),
    ((SENT, RETURNED), 10),
    ((SENT,), 10),
    ((), 8),
)


@dataclass(frozen=True)
class _ActionOfUnit:
    """An action that a unit leads, with its updates in order."""

    planned: PlannedAction
    history: Sequence[ProgressUpdate]


def add_submissions(
    batch: Batch,
    options: WorldOptions,
    department: Department,
    plan: GeneratedPlan,
    histories: Sequence[Sequence[ProgressUpdate]],
    draw: Random,
) -> None:
    """Add the submissions of the periods that have ended by the day of the world.

    Args:
        batch, options, department: as everywhere.
        plan: a plan with its actions.
        histories: the updates of each action in order.
        draw: random numbers.
    """
    if plan.plan.state == Plan.State.PREPARATION:
        return
    members = dict(department.collectives)
    for unit in department.active:
        led = [
            _ActionOfUnit(planned, updates)
            for planned, updates in zip(plan.actions, histories, strict=True)
            if any(unit in department.represented(lead) for lead in planned.lead)
        ]
        speaking = {unit, *(collective for collective, inside in members.items() if unit in inside)}
        for period in plan.periods:
            actions = [each for each in led if _is_due(each, speaking, period)]
            if actions and period.ends_on < options.day:
                sender = department.reporter(unit)
                _Course(batch, options, draw, unit, period, actions).write(sender, department.coordinator)


def _is_due(action: _ActionOfUnit, speaking: set[Unit], period: Period) -> bool:
    """Whether a submission contains an action; `plan.models.duties.submission_duties` is the rule.

    A test compares the two; asking the database would take statements for each plan.

    Args:
        action: one that the unit leads.
        speaking: the unit and its collectives; an update of any of these counts for the unit.
        period: the period of the submission.
    """
    starts_at, ends_at = start_of(period.starts_on), end_of(period.ends_on)
    before = [update for update in action.history if update.at < starts_at]
    inside = [update for update in action.history if starts_at <= update.at < ends_at]
    status = Status(before[-1].status_to) if before else Status.NOT_STARTED
    was_open = status.is_open or any(Status(update.status_to).is_open for update in inside)
    first = action.planned.action.first_period
    is_scheduled = first is not None and first.number <= period.number
    return (was_open and is_scheduled) or any(update.unit is None or update.unit in speaking for update in inside)


class _Course:
    """The submission of a unit for a period, written step by step."""

    def __init__(
        self,
        batch: Batch,
        options: WorldOptions,
        draw: Random,
        unit: Unit,
        period: Period,
        actions: list[_ActionOfUnit],
    ) -> None:
        self.batch, self.options, self.draw, self.actions = batch, options, draw, actions
        self.submission = Submission(unit=unit, period=period)

    def write(self, sender: User, coordinator: User) -> None:
        """Write the steps of one of the courses, as far as they lie before the end of the world's day."""
        states = self.draw.choices([course for course, _share in COURSES], [share for _course, share in COURSES])[0]
        day = self.submission.period.ends_on
        for state in states:
            day += timedelta(days=self.draw.randint(4, 9))  # the step may be on the Friday before
            at = moment(self.draw, day)
            if day > self.options.day:
                break
            self._add(state, sender if state == SENT else coordinator, at)

    def _add(self, state: SubmissionState, by: User, at: datetime) -> None:
        submission = self.submission
        if not submission.version:
            self.batch.add(submission)
        submission.state, submission.version = state, submission.version + 1
        period = submission.period
        step = SubmissionStep(
            submission=submission,
            op_id=self.options.op_id(
                "step", period.plan.slug, period.number, submission.unit.abbreviation, submission.version
            ),
            version=submission.version,
            state=state,
            by=by,
            at=at,
            note=self._note(state),
        )
        self.batch.add(step, *(self._line(step, action) for action in self._actions_in(state)))

    def _note(self, state: SubmissionState) -> str:
        if state == ACCEPTED:
            return self.draw.choice(REPORT_THANKS)
        return REPORT_ADDED if state == SENT and self.submission.version > 1 else ""

    def _actions_in(self, state: SubmissionState) -> list[_ActionOfUnit]:
        """Return the actions in a step: all that are sent, one or two that are returned, none that are accepted."""
        if state == RETURNED:
            return self.draw.sample(self.actions, min(len(self.actions), self.draw.randint(1, 2)))
        return self.actions if state == SENT else []

    def _line(self, step: SubmissionStep, action: _ActionOfUnit) -> SubmissionLine:
        until = end_of(step.at.date())
        made = [update for update in action.history if update.at < until]
        reason = self.draw.choice(REPORT_REASONS) if step.is_return else ""
        return SubmissionLine(step=step, action=action.planned.action, update=made[-1] if made else None, reason=reason)
