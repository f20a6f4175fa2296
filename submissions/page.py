"""What the page of a unit's report of a period shows: its actions, the updates of each, and its steps."""

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
    """An action of the report.

    Attributes:
        action: with its details, as of the day.
        status, progress: as it was sent; where nothing waits or was accepted, as it stands.
        words: the updates made since the period began, by any unit, up to what was sent; newest first.
        since: those made after it was sent.
        is_reported: an update of `words` is the unit's own (`plan.models.duties.counts_for`).
        through: the collective it reaches the unit by, or None.
        returned_because: why the coordinator gave it back with the last review, or "".
        is_answered: the unit updated it after that.
        is_undone: the import that brought what was sent was undone since.
    """

    action: ActionItem
    status: str
    progress: int
    words: list[ProgressUpdate]
    since: list[ProgressUpdate]
    is_reported: bool
    through: Unit | None = None
    returned_because: str = ""
    is_answered: bool = False
    is_undone: bool = False

    @property
    def is_open(self) -> bool:
        """Whether something was left to do."""
        return Status(self.status).is_open

    @property
    def earlier(self) -> list[ProgressUpdate]:
        """The updates before the last of `words`."""
        return self.words[1:]

    @property
    def is_silent(self) -> bool:
        """Whether the unit owes an update of it: it is open, and no update since the period began is the unit's own."""
        return not self.is_reported and self.is_open

    @property
    def needs_update(self) -> bool:
        """Silent, or returned and not answered: what its unit is asked about before it sends."""
        return self.is_silent or bool(self.returned_because and not self.is_answered)


@dataclass(frozen=True, kw_only=True)
class SubmissionPage:
    """The report of a unit for a period.

    Attributes:
        report: None before its first sending.
        steps: oldest first, each with its lines.
        rows: the rows the page lists: `sent`, or `to_send` where nothing was sent yet or it was returned.
        sent: what the unit sent last.
        to_send: what would be sent now.
    """

    report: Submission | None
    steps: list[SubmissionStep]
    rows: list[SubmissionRow]
    sent: list[SubmissionRow]
    to_send: list[SubmissionRow]

    @property
    def state(self) -> str:
        """A SubmissionState, or "" before its first sending."""
        return self.report.state if self.report else ""

    @property
    def waits_for_review(self) -> bool:
        """Whether it was sent, and neither accepted nor returned since."""
        return self.state == SubmissionState.SENT

    @property
    def version(self) -> int:
        """The version a form of this page is written on."""
        return self.report.version if self.report else 0

    @property
    def groups(self) -> list[tuple[str, list[SubmissionRow]]]:
        """(label, rows) of what is not empty: what is missing first, and there what was returned.

        What reaches the unit through a collective is kept apart.
        """
        missing = sorted((row for row in self.rows if row.needs_update), key=lambda row: not row.returned_because)
        updated = [row for row in self.rows if not row.needs_update]
        groups = [
            (_("Waits for an update"), [row for row in missing if not row.through]),
            (_("Waits for an update, assigned to several units together"), [row for row in missing if row.through]),
            (_("Updated"), [row for row in updated if not row.through]),
            (_("Updated, assigned to several units together"), [row for row in updated if row.through]),
        ]
        return [(label, rows) for label, rows in groups if rows]

    @property
    def changed(self) -> list[SubmissionRow]:
        """The rows that were updated, or whose update was undone, after they were sent."""
        return [row for row in self.rows if row.since or row.is_undone]

    @property
    def rows_needing_update(self) -> list[SubmissionRow]:
        """Rows due in this report that have no update of the unit yet, its own before those through a collective."""
        return sorted((row for row in self.to_send if row.needs_update), key=lambda row: row.through is not None)


def read_submission_page(plan: Plan, unit: Unit, period: Period, as_of: AsOf) -> SubmissionPage:
    """Read the page in a fixed number of queries, whatever the rows."""
    report = Submission.objects.filter(unit=unit, period=period).first()
    undone = ProgressUpdate.objects.with_undone().filter(pk=OuterRef("update"), is_undone=True)
    with_undone = SubmissionLine.objects.select_related("action", "update").annotate(is_undone=Exists(undone))
    lines = Prefetch("lines", with_undone.order_by("pk"))
    steps = list(report.steps.order_by("version").select_related("by").prefetch_related(lines)) if report else []
    is_kept = bool(report and report.state != SubmissionState.RETURNED)
    returned = {line.action_id: line for line in steps[-1].lines.all()} if report and not is_kept else {}
    sent = next((step.lines.all() for step in reversed(steps) if step.state == SubmissionState.SENT), ())
    sent_lines = {line.action_id: line for line in sent}
    has_begun = as_of.day >= period.starts_on
    held = submission_duties(period, as_of).filter(duties_of([unit.pk]), action=OuterRef("pk"))
    actions = plan.actions.annotate(is_live=Exists(held) if has_begun else Value(value=False))
    actions = actions.filter(Q(is_live=True) | Q(pk__in=sent_lines)).as_of(as_of).with_details().in_order()
    words = _read_words(unit, period, as_of, actions)
    to_send, kept = [], []
    for action in actions:
        row = _RowOf(action=action, unit=unit, words=words.get(action.pk, []))
        if action.is_live:
            to_send.append(row.live(returned.get(action.pk)))
        if action.pk in sent_lines:
            kept.append(row.kept(sent_lines[action.pk]))
    return SubmissionPage(report=report, steps=steps, rows=kept if is_kept else to_send, sent=kept, to_send=to_send)


def _read_words(
    unit: Unit, period: Period, as_of: AsOf, actions: Iterable[ActionItem]
) -> dict[int, list[ProgressUpdate]]:
    """Action pk → its updates since the period began, newest first; `is_own` tells those of the unit."""
    own = ProgressUpdate.objects.without_undone().filter(counts_for(unit.pk), pk=OuterRef("pk"))
    updates = ProgressUpdate.objects.without_undone().filter(
        action__in={action.pk for action in actions},
        at__gte=thai.start_of(period.starts_on),
        at__lt=as_of.ends_at,
    )
    words: dict[int, list[ProgressUpdate]] = {}
    for update in updates.select_related("author", "unit").annotate(is_own=Exists(own)).order_by("-version"):
        words.setdefault(update.action_id, []).append(update)
    return words


@dataclass(frozen=True, kw_only=True)
class _RowOf:
    """An action of the page, with its updates since the period began."""

    action: ActionItem
    unit: Unit
    words: list[ProgressUpdate]

    def live(self, returned: Any) -> SubmissionRow:
        """As it would be sent now."""
        answers = [update for update in self.words if returned and update.version > _seen(returned)]
        return SubmissionRow(
            action=self.action,
            status=self.action.status_on,
            progress=self.action.progress_on,
            words=self.words,
            since=[],
            is_reported=_has_own(self.words),
            through=_through(self.action, self.unit),
            returned_because=returned.reason if returned else "",
            is_answered=_has_own(answers),
        )

    def kept(self, line: Any) -> SubmissionRow:
        """As it was sent."""
        words = [update for update in self.words if update.version <= _seen(line)]
        return SubmissionRow(
            action=self.action,
            status=line.update.status_to if line.update else Status.NOT_STARTED,
            progress=line.update.progress_to if line.update else 0,
            words=words,
            since=self.words[: len(self.words) - len(words)],
            is_reported=_has_own(words),
            through=_through(self.action, self.unit),
            is_undone=line.is_undone,
        )


def _has_own(updates: Iterable[ProgressUpdate]) -> bool:
    return any(update.is_own for update in updates)


def _seen(line: Any) -> int:
    """The version of the action's last update when the line was written; 0 where there was none."""
    return line.update.version if line.update else 0


def _through(action: ActionItem, unit: Unit) -> Unit | None:
    """The collective by which the unit leads it; None where it leads it by name."""
    leads = [part.unit for part in action.assignments.all() if part.role == Role.LEAD]
    if any(each.pk == unit.pk for each in leads):
        return None
    return next((each for each in leads if each.is_collective), None)
