"""What a person owes, as the bell's page and the reminder list it: in groups, each row with its link and its day."""

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

MOST_ROWS = 30  # of a group, in a mail and behind the bell


@dataclass(frozen=True, kw_only=True)
class OwedRow:
    """An action that the user owes.

    Attributes:
        action: as of the day, with `returned_because`.
        address: of its row in งานของฉัน, without the site's name.
        owed_by: the duties of the user's units that are not fulfilled, or all of them where it was returned.
        was_due_on, report_by: the day it was due or is to be updated by; the other is None.
    """

    action: ActionItem
    address: str
    owed_by: Sequence[Duty]
    was_due_on: date | None
    report_by: date | None

    @property
    def is_own(self) -> bool:
        """Whether a unit of the user leads it by name, and not only through a collective."""
        return any(duty.through is None for duty in self.owed_by)

    @property
    def status_label(self) -> str:
        """Its status on the day, in words."""
        return Status(self.action.status_on).label


@dataclass(frozen=True, kw_only=True)
class OwedGroup:
    """Rows that are equally pressing; those that come through a collective are kept apart.

    Attributes:
        key: RETURNED (`worklist.queue`) or a Due.
        label: what a reader calls it.
        own: actions that a unit of the person leads itself.
        through: those that only a collective of it leads, such as ทุกหน่วยงาน.
        more: how many others belong to the group and are not listed.
    """

    key: str
    label: Any
    own: Sequence[OwedRow]
    through: Sequence[OwedRow]
    more: int = 0

    @property
    def count(self) -> int:
        """All of the group, the ones not listed too."""
        return len(self.own) + len(self.through) + self.more

    @property
    def is_late(self) -> bool:
        """Whether it should have been done before: returned or overdue."""
        return self.key != Due.NOW

    @property
    def look(self) -> Look:
        """Icon and colours of its heading."""
        return looks.OVERDUE if self.is_late else Due(self.key).look

    @property
    def parts(self) -> list[tuple[Any, Sequence[OwedRow]]]:
        """(label, rows) of what there is, the person's own first; theirs needs no label where it is alone."""
        own_label = _("Assigned to your own unit") if self.through else ""
        parts = ((own_label, self.own), (_("Assigned to several units together"), self.through))
        return [(label, rows) for label, rows in parts if rows]

    def first(self, most: int) -> "OwedGroup":
        """The group with no more than `most` rows, its own ones before the others."""
        own = self.own[:most]
        through = self.through[: most - len(own)]
        return replace(self, own=own, through=through, more=self.count - len(own) - len(through))


@dataclass(frozen=True, kw_only=True)
class OwedList:
    """All that a person owes: the reports of periods that are late or were returned, and actions in groups."""

    reports: Sequence[SubmissionCell]
    groups: Sequence[OwedGroup]

    @property
    def count(self) -> int:
        """How many reports and actions."""
        return len(self.reports) + sum(group.count for group in self.groups)

    def first(self, most: int) -> "OwedList":
        """The list with no more than `most` rows in each group."""
        return replace(self, groups=[group.first(most) for group in self.groups])


def read_list(plan: Plan, access: Access, as_of: AsOf) -> OwedList:
    """All that the person owes; see `read_groups` for the actions."""
    return OwedList(reports=missing_submissions(plan, access, as_of), groups=read_groups(plan, access, as_of))


def read_groups(plan: Plan, access: Access, as_of: AsOf) -> list[OwedGroup]:
    """The actions that the user owes, most pressing first; empty where there are none."""
    groups = []
    owed = read_owed(plan, access, as_of)
    held = read_duties(owed.actions, access.units, as_of)
    for key, label, actions in owed.groups:
        rows = [_owed_row(action, plan, held.get(action.pk, []), as_of) for action in actions]
        own, through = ([row for row in rows if row.is_own is is_own] for is_own in (True, False))
        groups.append(OwedGroup(key=key, label=label, own=own, through=through))
    return groups


def _owed_row(action: ActionItem, plan: Plan, duties: Sequence[Duty], as_of: AsOf) -> OwedRow:
    return OwedRow(
        action=action,
        address=row_address(plan, action),
        owed_by=[duty for duty in duties if duty.report is None] or duties,
        was_due_on=action.last_period.ends_on if action.due == Due.OVERDUE else None,
        report_by=_report_by(action, as_of) if action.due == Due.NOW else None,
    )


def row_address(plan: Plan, action: ActionItem) -> str:
    """Where the action's row of งานของฉัน opens, without the site's name."""
    return reverse("my_row", args=[plan.slug, action.ref])


def _report_by(action: ActionItem, as_of: AsOf) -> date:
    """The last day of the period that runs; between periods, of the action's own last one."""
    return as_of.period.ends_on if as_of.period else action.last_period.ends_on
