"""What the page of a unit's report of a period shows: its actions, what was told of each, and what was made of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch
from django.utils.translation import gettext as _

from assignments.models import Role, Unit
from plan.as_of import AsOf
from plan.models import (
    ActionItem,
    Period,
    PeriodReport,
    Plan,
    ProgressUpdate,
    ReportLine,
    ReportState,
    ReportStep,
    Status,
)
from plan.reporting import report_actions
from pmqa_tracker import thai


@dataclass(frozen=True, kw_only=True)
class ReportRow:
    """An action of the report.

    Attributes:
        action: with its details, as of the day.
        status, progress: as it was sent; where nothing waits or was accepted, as it stands.
        words: the updates told since the period began, up to what was sent; newest first.
        since: those told after it was sent.
        through: the collective it reaches the unit by, or None.
        returned_because: why the coordinator gave it back with the last review, or "".
        is_answered: something was told of it after that.
        is_undone: the import that brought what was sent was undone since.
    """

    action: ActionItem
    status: str
    progress: int
    words: list[ProgressUpdate]
    since: list[ProgressUpdate]
    through: Unit | None = None
    returned_because: str = ""
    is_answered: bool = False
    is_undone: bool = False

    @property
    def earlier(self) -> list[ProgressUpdate]:
        """What was told before the last of `words`."""
        return self.words[1:]

    @property
    def is_silent(self) -> bool:
        """Nothing was told of it since the period began."""
        return not self.words

    @property
    def waits_for_unit(self) -> bool:
        """Silent, or returned and not answered: what its unit is asked about before it sends."""
        return self.is_silent or bool(self.returned_because and not self.is_answered)


@dataclass(frozen=True, kw_only=True)
class ReportPage:
    """The report of a unit for a period.

    Attributes:
        report: None before its first sending.
        steps: oldest first, each with its lines.
        rows: the rows the page lists: `sent`, or `to_send` where nothing was sent yet or it was returned.
        sent: what the unit sent last.
        to_send: what would be sent now.
    """

    report: PeriodReport | None
    steps: list[ReportStep]
    rows: list[ReportRow]
    sent: list[ReportRow]
    to_send: list[ReportRow]

    @property
    def state(self) -> str:
        """A ReportState, or "" before its first sending."""
        return self.report.state if self.report else ""

    @property
    def version(self) -> int:
        """The version a form of this page is written on."""
        return self.report.version if self.report else 0

    @property
    def groups(self) -> list[tuple[str, list[ReportRow]]]:
        """(label, rows) of what is not empty: what is missing first, and there what was returned."""
        missing = sorted((row for row in self.rows if row.waits_for_unit), key=lambda row: not row.returned_because)
        told = [row for row in self.rows if not row.waits_for_unit]
        return [(label, rows) for label, rows in ((_("Waits for an update"), missing), (_("Updated"), told)) if rows]

    @property
    def changed(self) -> list[ReportRow]:
        """The rows of which something was told, or undone, after they were sent."""
        return [row for row in self.rows if row.since or row.is_undone]

    @property
    def waiting_for_unit(self) -> list[ReportRow]:
        """What of that to be sent has not been updated."""
        return [row for row in self.to_send if row.waits_for_unit]


def read_page(plan: Plan, unit: Unit, period: Period, as_of: AsOf) -> ReportPage:
    """Read the page in a fixed number of queries, whatever the rows."""
    report = PeriodReport.objects.filter(unit=unit, period=period).first()
    undone = ProgressUpdate.objects.with_undone().filter(pk=OuterRef("update"), is_undone=True)
    with_undone = ReportLine.objects.select_related("action", "update").annotate(is_undone=Exists(undone))
    lines = Prefetch("lines", with_undone.order_by("pk"))
    steps = list(report.steps.order_by("version").select_related("by").prefetch_related(lines)) if report else []
    is_kept = bool(report and report.state != ReportState.RETURNED)
    returned = {line.action_id: line for line in steps[-1].lines.all()} if report and not is_kept else {}
    sent = next((step.lines.all() for step in reversed(steps) if step.state == ReportState.SENT), ())
    sent_lines = {line.action_id: line for line in sent}
    has_begun = as_of.day >= period.starts_on
    live = set(report_actions(plan, unit, period, as_of).values_list("pk", flat=True)) if has_begun else set()
    actions = list(plan.actions.filter(pk__in=live | sent_lines.keys()).as_of(as_of).with_details().in_order())
    told = _told(period, as_of, actions)
    to_send, kept = [], []
    for action in actions:
        words = told.get(action.pk, [])
        if action.pk in live:
            to_send.append(_live_row(action, unit, words, returned.get(action.pk)))
        if action.pk in sent_lines:
            kept.append(_kept_row(action, unit, words, sent_lines[action.pk]))
    return ReportPage(report=report, steps=steps, rows=kept if is_kept else to_send, sent=kept, to_send=to_send)


def _told(period: Period, as_of: AsOf, actions: Iterable[ActionItem]) -> dict[int, list[ProgressUpdate]]:
    """Action pk → what was told of it since the period began, newest first."""
    updates = (
        ProgressUpdate.objects.without_undone()
        .filter(
            action__in={action.pk for action in actions},
            at__gte=thai.start_of(period.starts_on),
            at__lt=as_of.ends_at,
        )
        .select_related("author", "unit")
    )
    told: dict[int, list[ProgressUpdate]] = {}
    for update in updates.order_by("-version"):
        told.setdefault(update.action_id, []).append(update)
    return told


def _live_row(action: ActionItem, unit: Unit, told: list[ProgressUpdate], returned: Any) -> ReportRow:
    """An action as it would be sent now."""
    return ReportRow(
        action=action,
        status=action.status_on,
        progress=action.progress_on,
        words=told,
        since=[],
        through=_through(action, unit),
        returned_because=returned.reason if returned else "",
        is_answered=bool(returned and any(update.version > _seen(returned) for update in told)),
    )


def _kept_row(action: ActionItem, unit: Unit, told: list[ProgressUpdate], line: Any) -> ReportRow:
    """An action as it was sent."""
    seen = _seen(line)
    return ReportRow(
        action=action,
        status=line.update.status_to if line.update else Status.NOT_STARTED,
        progress=line.update.progress_to if line.update else 0,
        words=[update for update in told if update.version <= seen],
        since=[update for update in told if update.version > seen],
        through=_through(action, unit),
        is_undone=line.is_undone,
    )


def _seen(line: Any) -> int:
    """The version of the action's last update when the line was written; 0 where there was none."""
    return line.update.version if line.update else 0


def _through(action: ActionItem, unit: Unit) -> Unit | None:
    """The collective by which the unit leads it; None where it leads it by name."""
    leads = [part.unit for part in action.assignments.all() if part.role == Role.LEAD]
    if any(each.pk == unit.pk for each in leads):
        return None
    return next((each for each in leads if each.is_collective), None)
