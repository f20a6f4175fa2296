"""Content of the page of one submission: its actions with their updates, and its steps."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, Value
from django.utils.translation import gettext as _

from assignments.models import Role, Unit
from plan.as_of import AsOf
from plan.models import ActionItem, Period, Plan, ProgressUpdate, Status
from plan.models.duties import counts_for, duties_of, submission_duties
from pmqa_tracker import thai
from submissions.models import Submission, SubmissionLine, SubmissionState, SubmissionStep


@dataclass(frozen=True, kw_only=True)
class SubmissionRow:
    """An action of a submission.

    Attributes:
        action: with its details, as of the day.
        status, progress: as sent; the current values if nothing is sent or the submission is returned.
        period_updates: updates since the period began, by any unit, until it was sent; newest first.
        later_updates: updates made after it was sent; newest first.
        is_updated: one of `period_updates` is the unit's own (`plan.models.duties.counts_for`).
        collective: the collective through which the unit leads it; None if the unit leads it itself.
        return_reason: why the coordinator returned it in the last review, or "".
        is_answered: the unit updated it after the return.
        is_undone: the update that was sent came from an import that has been undone since.
    """

    action: ActionItem
    status: str
    progress: int
    period_updates: list[ProgressUpdate]
    later_updates: list[ProgressUpdate]
    is_updated: bool
    collective: Unit | None = None
    return_reason: str = ""
    is_answered: bool = False
    is_undone: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the action is open in its `status`."""
        return Status(self.status).is_open

    @property
    def earlier(self) -> list[ProgressUpdate]:
        """All of `period_updates` except the latest."""
        return self.period_updates[1:]

    @property
    def is_silent(self) -> bool:
        """Whether the action is open and the unit has not updated it since the period began."""
        return not self.is_updated and self.is_open

    @property
    def needs_update(self) -> bool:
        """Whether the unit should update it before sending: it is silent, or returned and not answered."""
        return self.is_silent or bool(self.return_reason and not self.is_answered)


@dataclass(frozen=True, kw_only=True)
class SubmissionPage:
    """The submission of a unit for a period, sent or not.

    Attributes:
        submission: None if it was never sent.
        steps: oldest first, each with its lines.
        rows: rows that the page lists: `sent`, or `to_send` if it was never sent or is returned.
        sent: rows of the last sending.
        to_send: rows that would be sent now.
    """

    submission: Submission | None
    steps: list[SubmissionStep]
    rows: list[SubmissionRow]
    sent: list[SubmissionRow]
    to_send: list[SubmissionRow]

    @property
    def state(self) -> str:
        """A SubmissionState, or "" if it was never sent."""
        return self.submission.state if self.submission else ""

    @property
    def waits_for_review(self) -> bool:
        """Whether it is sent, and neither accepted nor returned yet."""
        return self.state == SubmissionState.SENT

    @property
    def version(self) -> int:
        """The version that the forms of the page carry; 0 if it was never sent."""
        return self.submission.version if self.submission else 0

    @property
    def groups(self) -> list[tuple[str, list[SubmissionRow]]]:
        """(label, rows) of each group with rows: rows that need an update first, and of these the returned ones.

        Actions led through a collective are in groups of their own.
        """
        missing = sorted((row for row in self.rows if row.needs_update), key=lambda row: not row.return_reason)
        updated = [row for row in self.rows if not row.needs_update]
        groups = [
            (_("Waits for an update"), [row for row in missing if not row.collective]),
            (_("Waits for an update, assigned to several units together"), [row for row in missing if row.collective]),
            (_("Updated"), [row for row in updated if not row.collective]),
            (_("Updated, assigned to several units together"), [row for row in updated if row.collective]),
        ]
        return [(label, rows) for label, rows in groups if rows]

    @property
    def changed(self) -> list[SubmissionRow]:
        """Rows with an update, or an undone update, after they were sent."""
        return [row for row in self.rows if row.later_updates or row.is_undone]

    @property
    def rows_needing_update(self) -> list[SubmissionRow]:
        """Rows due in this submission that have no update yet; those led through a collective come last."""
        return sorted((row for row in self.to_send if row.needs_update), key=lambda row: row.collective is not None)


def read_submission_page(plan: Plan, unit: Unit, period: Period, as_of: AsOf) -> SubmissionPage:
    """Read the content of the page, in a fixed number of queries."""
    submission = period.submissions.filter(unit=unit).first()
    undone = ProgressUpdate.objects.with_undone().filter(pk=OuterRef("update"), is_undone=True)
    with_undone = SubmissionLine.objects.select_related("action", "update").annotate(is_undone=Exists(undone))
    lines = Prefetch("lines", with_undone.order_by("pk"))
    steps = (
        list(submission.steps.order_by("version").select_related("by").prefetch_related(lines)) if submission else []
    )
    shows_sent = bool(submission and submission.state != SubmissionState.RETURNED)
    returned = {line.action_id: line for line in steps[-1].lines.all()} if submission and not shows_sent else {}
    last_sent = next((step.lines.all() for step in reversed(steps) if step.state == SubmissionState.SENT), ())
    sent_lines = {line.action_id: line for line in last_sent}
    has_begun = as_of.day >= period.starts_on
    held = submission_duties(period, as_of).filter(duties_of([unit.pk]), action=OuterRef("pk"))
    actions = plan.actions.annotate(is_due=Exists(held) if has_begun else Value(value=False))
    actions = actions.filter(Q(is_due=True) | Q(pk__in=sent_lines)).as_of(as_of).with_details().in_order()
    updates = _read_updates(unit, period, as_of, actions)
    to_send, sent = [], []
    for action in actions:
        row = _RowBuilder(action=action, unit=unit, period_updates=updates.get(action.pk, []))
        if action.is_due:
            to_send.append(row.current(returned.get(action.pk)))
        if action.pk in sent_lines:
            sent.append(row.as_sent(sent_lines[action.pk]))
    return SubmissionPage(
        submission=submission, steps=steps, rows=sent if shows_sent else to_send, sent=sent, to_send=to_send
    )


def _read_updates(
    unit: Unit, period: Period, as_of: AsOf, actions: Iterable[ActionItem]
) -> dict[int, list[ProgressUpdate]]:
    """Return action pk → its updates since the period began, newest first; annotated with `is_own` for the unit's."""
    own = ProgressUpdate.objects.without_undone().filter(counts_for(unit.pk), pk=OuterRef("pk"))
    updates = ProgressUpdate.objects.without_undone().filter(
        action__in={action.pk for action in actions},
        at__gte=thai.start_of(period.starts_on),
        at__lt=as_of.ends_at,
    )
    by_action: dict[int, list[ProgressUpdate]] = {}
    for update in updates.select_related("author", "unit").annotate(is_own=Exists(own)).order_by("-version"):
        by_action.setdefault(update.action_id, []).append(update)
    return by_action


@dataclass(frozen=True, kw_only=True)
class _RowBuilder:
    """Builds the rows of an action from its updates since the period began."""

    action: ActionItem
    unit: Unit
    period_updates: list[ProgressUpdate]

    def current(self, returned: Any) -> SubmissionRow:
        """Return the row as it would be sent now."""
        answers = [update for update in self.period_updates if returned and update.version > _version_seen(returned)]
        return SubmissionRow(
            action=self.action,
            status=self.action.status_on,
            progress=self.action.progress_on,
            period_updates=self.period_updates,
            later_updates=[],
            is_updated=_has_own_update(self.period_updates),
            collective=_find_collective(self.action, self.unit),
            return_reason=returned.reason if returned else "",
            is_answered=_has_own_update(answers),
        )

    def as_sent(self, line: Any) -> SubmissionRow:
        """Return the row as it was sent."""
        updates = [update for update in self.period_updates if update.version <= _version_seen(line)]
        return SubmissionRow(
            action=self.action,
            status=line.update.status_to if line.update else Status.NOT_STARTED,
            progress=line.update.progress_to if line.update else 0,
            period_updates=updates,
            later_updates=self.period_updates[: len(self.period_updates) - len(updates)],
            is_updated=_has_own_update(updates),
            collective=_find_collective(self.action, self.unit),
            is_undone=line.is_undone,
        )


def _has_own_update(updates: Iterable[ProgressUpdate]) -> bool:
    return any(update.is_own for update in updates)


def _version_seen(line: Any) -> int:
    """Return the version of the action's last update when the line was written, or 0."""
    return line.update.version if line.update else 0


def _find_collective(action: ActionItem, unit: Unit) -> Unit | None:
    """Return the collective through which the unit leads the action; None if the unit leads it itself."""
    leads = [part.unit for part in action.assignments.all() if part.role == Role.LEAD]
    if any(each.pk == unit.pk for each in leads):
        return None
    return next((each for each in leads if each.is_collective), None)
