"""Histories of a generated world: the updates of an action, with evidence, by users who may write them."""

from datetime import date, datetime, timedelta
from random import Random

from assignments.models import Unit, User
from demo.texts import BEGUN, CANCELLED, FINISHED, MOVED, NEXT, PROBLEMS, SUPPORTED
from demo.world.batches import Batch
from demo.world.options import WorldOptions, moment
from demo.world.organizations import Department
from demo.world.plans import GeneratedPlan, PlannedAction
from demo.world.texts import EVIDENCE, WENT_BACK, WITHDRAWN
from plan.models import Evidence, EvidenceWithdrawal, Plan, ProgressUpdate, Status

# Final status of the actions that have begun, and its share by the state of the plan.
STATUSES = (Status.DONE, Status.IN_PROGRESS, Status.BLOCKED, Status.CANCELLED, Status.NOT_STARTED)
SHARES = {Plan.State.RUNNING: (27, 50, 12, 5, 6), Plan.State.ENDED: (74, 14, 4, 5, 3)}
MOST_LATE = timedelta(days=25)  # after the last period of an action


def add_history(
    batch: Batch, options: WorldOptions, department: Department, plan: GeneratedPlan, draw: Random
) -> list[list[ProgressUpdate]]:
    """Add the updates of a plan to a batch and return those of each action in order.

    Status, progress and version of the actions become those of their last update.
    """
    histories = [_History(batch, options, department, planned, draw) for planned in plan.actions]
    shares = SHARES.get(plan.plan.state)
    if shares and options.max_updates:
        for history in histories:
            history.write(draw.choices(STATUSES, shares)[0], plan)
    return [history.written for history in histories]


class _History:
    """The updates of one action, written step by step."""

    def __init__(
        self, batch: Batch, options: WorldOptions, department: Department, planned: PlannedAction, draw: Random
    ) -> None:
        self.batch, self.options, self.department, self.draw = batch, options, department, draw
        self.planned, self.action = planned, planned.action
        self.written: list[ProgressUpdate] = []

    def write(self, ending: Status, plan: GeneratedPlan) -> None:
        """Write updates until the action has its final status; none if it has not begun by the day of the world."""
        draw, action = self.draw, self.action
        begins_on = (action.first_period or plan.periods[0]).starts_on + timedelta(days=draw.randint(5, 35))
        ends_on = min(plan.until, action.last_period.ends_on + MOST_LATE if action.last_period else plan.until)
        if ending == Status.NOT_STARTED or begins_on > ends_on:
            return
        count = draw.randint(1, self.options.max_updates)
        target = draw.randint(10, 95)
        days: list[date] = [
            begins_on + timedelta(days=draw.randint(0, (ends_on - begins_on).days)) for _ in range(count)
        ]
        *moments, last = sorted(moment(draw, day) for day in days)
        for step, at in enumerate(moments, start=1):
            self._step(at, max(1, target * step // count))
        self._end(last, ending, max(target, action.progress))

    def _step(self, at: datetime, progress: int) -> None:
        """Write an update before the last one: usually progress, sometimes none, or a result of a supporting unit."""
        draw, kind = self.draw, self.draw.random()
        begun = self.action.status != Status.NOT_STARTED
        if begun and kind < 0.1:
            self._add(at, *self._lead_author(), is_unchanged=True)
        elif self.planned.support and kind < 0.2:
            self._add(at, *self._author(self.planned.support), result=draw.choice(SUPPORTED))
        elif begun and kind < 0.26 and self.action.progress > 10:
            texts = {"result": draw.choice(MOVED), "reason": draw.choice(WENT_BACK)}
            self._add(at, *self._lead_author(), progress=self.action.progress - 5, **texts)
        else:
            texts = {"result": draw.choice(MOVED if begun else BEGUN), "next_step": draw.choice(NEXT)}
            self._move(at, progress, **texts)

    def _end(self, at: datetime, ending: Status, progress: int) -> None:
        """Write the last update."""
        draw = self.draw
        if ending == Status.DONE:
            update = self._add(at, *self._lead_author(), status=ending, progress=100, result=draw.choice(FINISHED))
            if draw.random() < 0.6:
                self._prove(update)
        elif ending == Status.BLOCKED:
            problem, way_out = draw.choice(PROBLEMS)
            self._add(at, *self._lead_author(), status=ending, problem=problem, next_step=way_out)
        elif ending == Status.CANCELLED:
            self._add(at, *self._coordinator(), status=ending, reason=draw.choice(CANCELLED))
        else:
            self._move(at, progress, result=draw.choice(MOVED), next_step=draw.choice(NEXT))

    def _move(self, at: datetime, progress: int, **texts: str) -> None:
        progress = max(progress, self.action.progress)
        update = self._add(at, *self._lead_author(), status=Status.IN_PROGRESS, progress=progress, **texts)
        if self.draw.random() < 0.15:
            self._prove(update)

    def _coordinator(self) -> tuple[User, Unit | None]:
        """Return the coordinator and the unit they report for: the lead unit, or None for several."""
        lead = self.planned.lead
        return self.department.coordinator, lead[0] if len(lead) == 1 else None

    def _lead_author(self) -> tuple[User, Unit | None]:
        return self._coordinator() if self.draw.random() < 0.12 else self._author(self.planned.lead)

    def _author(self, units: list[Unit]) -> tuple[User, Unit]:
        """Return a member of staff of one of the units, and the division they report for."""
        division = self.draw.choice(self.department.represented(self.draw.choice(units)))
        return self.department.reporter(division), division

    def _add(
        self,
        at: datetime,
        author: User,
        unit: Unit | None,
        *,
        status: Status | None = None,
        progress: int | None = None,
        **values: object,
    ) -> ProgressUpdate:
        """Add an update and copy its status, progress and version to the action."""
        action = self.action
        update = ProgressUpdate(
            action=action,
            op_id=self.options.op_id("update", action.plan.slug, action.ref, action.version),
            version=action.version + 1,
            author=author,
            unit=unit,
            at=at,
            status_from=action.status,
            status_to=status or action.status,
            progress_from=action.progress,
            progress_to=action.progress if progress is None else progress,
            source=ProgressUpdate.Source.DEMO,
            **values,
        )
        action.status, action.progress, action.version = update.status_to, update.progress_to, update.version
        self.written.append(update)
        self.batch.add(update)
        return update

    def _prove(self, update: ProgressUpdate) -> None:
        """Add a link as evidence; a few are withdrawn an hour later."""
        evidence = Evidence(
            action=self.action,
            update=update,
            title=self.draw.choice(EVIDENCE),
            link=f"https://example.org/{self.action.plan.slug}/{self.action.ref}/{update.version}",
            added_by=update.author,
            at=update.at,
        )
        self.batch.add(evidence)
        if self.draw.random() < 0.06:
            withdrawal = EvidenceWithdrawal(
                evidence=evidence, reason=WITHDRAWN, by=update.author, at=update.at + timedelta(hours=1)
            )
            self.batch.add(withdrawal)
