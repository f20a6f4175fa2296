"""The list of owed updates and period reports, as the bell's page and the reminder mail show it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assignments.access import Access
from plan.as_of import AsOf
from plan.models import ActionItem, Due, Plan, Status, looks
from plan.models.duties import Duty, read_duties
from plan.models.looks import Look
from submissions.grid import SubmissionCell, missing_submissions
from worklist.queue import read_owed

MAX_GROUP_ROWS = 30  # rows per group in the mail and in the bell's panel


@dataclass(frozen=True, kw_only=True)
class OwedRow:
    """An action on which the user owes an update.

    Attributes:
        action: as of the day, with `return_reason`.
        url: path of its row in งานของฉัน.
        open_duties: unfulfilled duties of the user's units; all duties if it was returned.
        was_due_on: the day it was due if it is overdue, else None.
        report_by: the day to update it by if it is due now, else None.
    """

    action: ActionItem
    url: str
    open_duties: Sequence[Duty]
    was_due_on: date | None
    report_by: date | None

    @property
    def duty_names(self) -> str:
        """The units of the open duties, as a text."""
        return ", ".join(map(str, self.open_duties))

    @property
    def is_own(self) -> bool:
        """Whether a unit of the user leads it itself, not only through a collective."""
        return any(duty.collective is None for duty in self.open_duties)

    @property
    def status_label(self) -> str:
        """Name of its status on the day."""
        return Status(self.action.status_on).label


@dataclass(frozen=True, kw_only=True)
class OwedGroup:
    """Rows with the same urgency.

    Attributes:
        key: RETURNED (`worklist.queue`) or a Due.
        label: the heading.
        own: actions that a unit of the user leads itself.
        via_collective: actions led only by a collective of the user's units, such as ทุกหน่วยงาน.
        more: number of rows of the group that are not listed.
    """

    key: str
    label: Any
    own: Sequence[OwedRow]
    via_collective: Sequence[OwedRow]
    more: int = 0

    @property
    def count(self) -> int:
        """Number of rows, including those not listed."""
        return len(self.own) + len(self.via_collective) + self.more

    @property
    def is_late(self) -> bool:
        """Whether the rows are returned or overdue."""
        return self.key != Due.NOW

    @property
    def look(self) -> Look:
        """Icon and colours of the heading."""
        return looks.OVERDUE if self.is_late else Due(self.key).look

    @property
    def parts(self) -> list[tuple[Any, Sequence[OwedRow]]]:
        """(label, rows) of each part with rows, own rows first; own rows alone have no label."""
        own_label = _("Assigned to your own unit") if self.via_collective else ""
        parts = ((own_label, self.own), (_("Assigned to several units together"), self.via_collective))
        return [(label, rows) for label, rows in parts if rows]

    def limit(self, size: int) -> "OwedGroup":
        """Return the group with at most `size` rows, own rows first."""
        own = self.own[:size]
        via_collective = self.via_collective[: size - len(own)]
        return replace(self, own=own, via_collective=via_collective, more=self.count - len(own) - len(via_collective))


@dataclass(frozen=True, kw_only=True)
class OwedList:
    """Everything the user owes: period reports that are late or returned, and actions in groups."""

    reports: Sequence[SubmissionCell]
    groups: Sequence[OwedGroup]

    @property
    def count(self) -> int:
        """Number of period reports and actions."""
        return len(self.reports) + sum(group.count for group in self.groups)

    def limit(self, size: int) -> "OwedList":
        """Return the list with at most `size` rows in each group."""
        return replace(self, groups=[group.limit(size) for group in self.groups])


def read_owed_list(plan: Plan, access: Access, as_of: AsOf) -> OwedList:
    """Return everything the user owes."""
    return OwedList(reports=missing_submissions(plan, access, as_of), groups=read_owed_groups(plan, access, as_of))


def read_owed_groups(plan: Plan, access: Access, as_of: AsOf) -> list[OwedGroup]:
    """Return the groups of actions on which the user owes an update, most pressing first."""
    groups = []
    owed = read_owed(plan, access, as_of)
    held = read_duties(owed.actions, access.units, as_of)
    for key, label, actions in owed.groups:
        rows = [_owed_row(action, plan, held.get(action.pk, []), as_of) for action in actions]
        own, via_collective = ([row for row in rows if row.is_own is is_own] for is_own in (True, False))
        groups.append(OwedGroup(key=key, label=label, own=own, via_collective=via_collective))
    return groups


def _owed_row(action: ActionItem, plan: Plan, duties: Sequence[Duty], as_of: AsOf) -> OwedRow:
    return OwedRow(
        action=action,
        url=my_row_url(plan, action),
        open_duties=[duty for duty in duties if duty.update is None] or duties,
        was_due_on=action.last_period.ends_on if action.due == Due.OVERDUE else None,
        report_by=_report_by(action, as_of) if action.due == Due.NOW else None,
    )


def my_row_url(plan: Plan, action: ActionItem) -> str:
    """Return the path that opens the action's row in งานของฉัน."""
    return reverse("my_row", args=[plan.slug, action.ref])


def _report_by(action: ActionItem, as_of: AsOf) -> date:
    """Return the last day of the current period; between periods, the last day of the action's schedule."""
    return as_of.period.ends_on if as_of.period else action.last_period.ends_on
