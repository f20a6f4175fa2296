"""What a person's units owe, most pressing first: for งานของฉัน, the bell and the reminders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assignments.access import Access
from assignments.models import Role, Unit
from plan.as_of import AsOf
from plan.models import AT_WORK, ActionItem, Due, Plan, ProgressUpdate
from plan.models.action import ActionItemQuerySet
from plan.models.duties import Duty, is_silent, read_duties
from submissions.grid import missing_submissions
from submissions.returned import annotate_returned

RETURNED = "RETURNED"
SECTIONS = ((RETURNED, _("Returned by the coordinator")), *Due.choices)


@dataclass(frozen=True, kw_only=True)
class WorkRow:
    """An action in which a unit of the user takes part.

    Attributes:
        action: with what `ActionItemQuerySet.as_of` and `annotate_returned` add.
        parts: its role → whether it is a unit's own (True) or comes through a collective.
        duties: of the user's units.
        last: its last update by anybody; None where there is none.
    """

    action: ActionItem
    parts: Mapping[str, bool]
    duties: Sequence[Duty]
    last: ProgressUpdate | None

    @property
    def is_reported(self) -> bool:
        """Whether each of the user's units that must report on it has, in the period that runs."""
        return bool(self.duties) and all(duty.report for duty in self.duties)

    @property
    def is_at_work(self) -> bool:
        """Whether its time has come and it is not closed."""
        return self.action.due in AT_WORK

    @property
    def section(self) -> str:
        """The key of its section: RETURNED, or its Due."""
        return section_of(self.action)


@dataclass(frozen=True, kw_only=True)
class PageRow(WorkRow):
    """A row of งานของฉัน in one role.

    Attributes:
        through: the collective it comes through; None where it is assigned to a unit of the user by name.
        reported_on: the moment of the last of its units' updates, where each of them has reported.
        shown_duties: those that the page names.
        addresses: of its panel.
        can_report: whether the user may add an update.
        choices: (unit, value of the field) of each "no change" the user may record.
        panel: its form, where it stands open.
    """

    through: Unit | None
    reported_on: datetime | None
    shown_duties: Sequence[Duty]
    addresses: Mapping[str, str]
    can_report: bool
    choices: Sequence[tuple[Unit, str]]
    panel: Any = None


@dataclass(frozen=True, kw_only=True)
class Section:
    """Rows of the page that are equally pressing; those that come through a collective are kept apart.

    Attributes:
        key: RETURNED or a Due.
        label: what the page calls it.
        own: rows assigned to a unit of the user.
        through: those assigned to a collective only, such as ทุกหน่วยงาน.
    """

    key: str
    label: str
    own: list[PageRow] = field(default_factory=list)
    through: list[PageRow] = field(default_factory=list)

    @property
    def is_folded(self) -> bool:
        """Whether the page shows it folded: nothing is left to do."""
        return self.key == Due.CLOSED

    @property
    def count(self) -> int:
        """All rows of the section."""
        return len(self.own) + len(self.through)

    @property
    def collectives(self) -> str:
        """The names those come through."""
        parts = (part for row in self.through for part in row.action.assignments.all() if part.unit.is_collective)
        return ", ".join(dict.fromkeys(str(part.unit) for part in parts))

    @property
    def is_open(self) -> bool:
        """Whether the form of one of its rows stands open."""
        return self.is_collective_row_open or any(row.panel for row in self.own)

    @property
    def is_collective_row_open(self) -> bool:
        """Whether the open row comes through a collective."""
        return any(row.panel for row in self.through)


@dataclass(frozen=True, kw_only=True)
class UpdatedCount:
    """How many of the actions that should move, or were reported on, in the period that runs were reported on in it.

    Each counts as reported on once every unit of the person that must report on it has.
    """

    told: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Work:
    """งานของฉัน in one role.

    Attributes:
        role: a Role.
        tabs: (role, how many actions) of each role.
        sections: those that hold anything, most pressing first.
        own, through: the counters of what is the units' own and of what comes through a collective.
    """

    role: str
    tabs: list[tuple[Role, int]]
    sections: list[Section]
    own: UpdatedCount
    through: UpdatedCount

    @property
    def is_lead(self) -> bool:
        """Whether it is what the units lead, and not what they support."""
        return self.role == Role.LEAD

    @property
    def is_clear(self) -> bool:
        """Whether nothing is due in this period of what the units lead."""
        return self.is_lead and bool(self.sections) and not (self.own.total or self.through.total)


@dataclass(frozen=True, kw_only=True)
class Owed:
    """What the units of a person owe as a lead: each action once, under the most pressing of the three.

    What is overdue and was updated in the period that runs is owed again in the next one.
    """

    returned: Sequence[ActionItem]
    overdue: Sequence[ActionItem]
    now: Sequence[ActionItem]

    @property
    def actions(self) -> list[ActionItem]:
        """All that is owed."""
        return [*self.returned, *self.overdue, *self.now]

    @property
    def count(self) -> int:
        """How much is owed."""
        return len(self.actions)

    @property
    def groups(self) -> list[tuple[str, Any, Sequence[ActionItem]]]:
        """(key, label, actions) of what is not empty, most pressing first."""
        labels = dict(SECTIONS) | {Due.NOW: _("Not updated this period")}
        rows = ((RETURNED, self.returned), (Due.OVERDUE, self.overdue), (Due.NOW, self.now))
        return [(key, labels[key], actions) for key, actions in rows if actions]


def read_rows(plan: Plan, access: Access, as_of: AsOf, *, refs: Sequence[str] | None = None) -> list[WorkRow]:
    """The actions in which the user's units take part, or those of them with these refs, in the plan's order."""
    actions = plan.actions.filter(assignments__unit__in=list(access.represented_units)).distinct()
    if refs is not None:
        actions = actions.filter(ref__in=refs)
    found = annotate_returned(actions.as_of(as_of).with_last_update(as_of), access.unit_ids)
    found = list(found.with_details().in_order())
    held = read_duties(found, access.units, as_of)
    updates = ProgressUpdate.objects.without_undone().select_related("author", "unit")
    last = updates.in_bulk({action.last_update for action in found} - {None})
    rows = []
    for action in found:
        action.plan = plan
        parts: dict[str, bool] = {}
        for part in action.assignments.all():
            if part.unit_id in access.represented_units:
                parts[part.role] = parts.get(part.role, False) or part.unit_id in access.unit_ids
        duties = held.get(action.pk, [])
        rows.append(WorkRow(action=action, parts=parts, duties=duties, last=last.get(action.last_update)))
    return rows


def sort_work(rows: Sequence[WorkRow], role: str) -> Work:
    """The page's sections and counters in one role, from `read_rows`."""
    chosen = [row for row in rows if role in row.parts]
    counted = chosen if role == Role.LEAD else []  # a unit that supports owes nothing
    sections = {key: Section(key=key, label=label) for key, label in SECTIONS}
    for row in chosen:
        section = sections[row.section]
        (section.own if row.parts[role] else section.through).append(row)
    return Work(
        role=role,
        tabs=[(each, sum(each in row.parts for row in rows)) for each in Role],
        sections=[section for section in sections.values() if section.count],
        own=count_updated([row for row in counted if row.parts[role]]),
        through=count_updated([row for row in counted if not row.parts[role]]),
    )


def section_of(action: ActionItem) -> str:
    """RETURNED, or the action's Due."""
    return RETURNED if action.returned_because is not None else action.due


def count_updated(rows: Sequence[WorkRow]) -> UpdatedCount:
    """The counter "updated 4 of 11": of what should move, or was reported on, in the period that runs."""
    told = [row for row in rows if row.is_reported]
    waiting = [row for row in rows if row.duties and row.is_at_work and not row.is_reported]
    return UpdatedCount(told=len(told), total=len(told) + len(waiting))


def owed_actions(plan: Plan, access: Access, as_of: AsOf) -> ActionItemQuerySet:
    """What the person's units lead that was returned, or on which one of them owes an update in this period."""
    if not access.may_lead:
        return plan.actions.none()
    actions = plan.actions.assigned_to(access.represented_units, role=Role.LEAD).as_of(as_of)
    actions = annotate_returned(actions, access.unit_ids)
    return actions.filter(Q(returned_because__isnull=False) | is_silent(as_of.period_starts_at, as_of, access.unit_ids))


def read_owed(plan: Plan, access: Access, as_of: AsOf) -> Owed:
    """What the person owes, in the plan's order."""
    by_key: dict[str, list[ActionItem]] = {RETURNED: [], Due.OVERDUE: [], Due.NOW: []}
    for action in owed_actions(plan, access, as_of).with_details().in_order():
        key = section_of(action)
        by_key[key if key in by_key else Due.NOW].append(action)
    return Owed(returned=by_key[RETURNED], overdue=by_key[Due.OVERDUE], now=by_key[Due.NOW])


def count_owed(plan: Plan, access: Access, as_of: AsOf) -> int:
    """How many actions and period reports the person's units owe: the number on the bell."""
    return owed_actions(plan, access, as_of).count() + len(missing_submissions(plan, access, as_of))
