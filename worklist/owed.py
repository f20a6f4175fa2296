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
from plan.models.duties import read_duties
from plan.models.looks import Look
from submissions.grid import Cell, missing_reports
from worklist.queue import read_owed

MOST_ROWS = 30  # of a group, in a mail and behind the bell


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
    own: Sequence[ActionItem]
    through: Sequence[ActionItem]
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
    def parts(self) -> list[tuple[Any, Sequence[ActionItem]]]:
        """(label, actions) of what there is, the person's own first; theirs needs no label where it is alone."""
        own_label = _("Assigned to your own unit") if self.through else ""
        parts = ((own_label, self.own), (_("Assigned to several units together"), self.through))
        return [(label, actions) for label, actions in parts if actions]

    def first(self, most: int) -> "OwedGroup":
        """The group with no more than `most` rows, its own ones before the others."""
        own = self.own[:most]
        through = self.through[: most - len(own)]
        return replace(self, own=own, through=through, more=self.count - len(own) - len(through))


@dataclass(frozen=True, kw_only=True)
class OwedList:
    """All that a person owes: the reports of periods that are late or were returned, and actions in groups."""

    reports: Sequence[Cell]
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
    return OwedList(reports=missing_reports(plan, access, as_of), groups=read_groups(plan, access, as_of))


def read_groups(plan: Plan, access: Access, as_of: AsOf) -> list[OwedGroup]:
    """The actions that the person owes, most pressing first; empty where there are none.

    Each action gets `address` (of its row, on this site), `owed_by` (the duties of the person's units that are not
    fulfilled, or all of them where it was returned), `status_label`, and the day it was due or is to be updated by:
    `was_due_on` or `report_by`, the other None.
    """
    groups = []
    owed = read_owed(plan, access, as_of)
    held = read_duties(owed.actions, access.units, as_of)
    for key, label, actions in owed.groups:
        own, through = [], []
        for action in actions:
            duties = held.get(action.pk, [])
            action.owed_by = [duty for duty in duties if duty.report is None] or duties
            is_own = any(duty.through is None for duty in action.owed_by)
            action.address = row_address(plan, action)
            action.status_label = Status(action.status_on).label
            action.was_due_on = action.last_period.ends_on if action.due == Due.OVERDUE else None
            action.report_by = _report_by(action, as_of) if action.due == Due.NOW else None
            (own if is_own else through).append(action)
        groups.append(OwedGroup(key=key, label=label, own=own, through=through))
    return groups


def row_address(plan: Plan, action: ActionItem) -> str:
    """Where the action's row of งานของฉัน opens, without the site's name."""
    return reverse("my_row", args=[plan.slug, action.ref])


def _report_by(action: ActionItem, as_of: AsOf) -> date:
    """The last day of the period that runs; between periods, of the action's own last one."""
    return as_of.period.ends_on if as_of.period else action.last_period.ends_on
