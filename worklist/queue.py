"""What a person's units owe, most pressing first: for งานของฉัน, the bell and the reminders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assignments.access import Access
from assignments.models import Role
from plan.as_of import AsOf
from plan.models import AT_WORK, ActionItem, Due, Plan, ProgressUpdate
from plan.models.action import ActionItemQuerySet
from plan.models.duties import is_silent, read_duties
from submissions.grid import missing_reports
from submissions.returned import annotate_returned

RETURNED = "RETURNED"
SECTIONS = ((RETURNED, _("Returned by the coordinator")), *Due.choices)


@dataclass(frozen=True, kw_only=True)
class Section:
    """Rows of the page that are equally pressing; those that come through a collective are kept apart.

    Attributes:
        key: RETURNED or a Due.
        label: what the page calls it.
        own: actions assigned to a unit of the person.
        through: those assigned to a collective only, such as ทุกหน่วยงาน.
    """

    key: str
    label: str
    own: list[ActionItem] = field(default_factory=list)
    through: list[ActionItem] = field(default_factory=list)

    @property
    def count(self) -> int:
        """All rows of the section."""
        return len(self.own) + len(self.through)

    @property
    def collectives(self) -> str:
        """The names those come through."""
        parts = (part for action in self.through for part in action.assignments.all() if part.unit.is_collective)
        return ", ".join(dict.fromkeys(str(part.unit) for part in parts))

    @property
    def is_open(self) -> bool:
        """Whether the form of one of its rows stands open."""
        return self.is_through_open or any(getattr(action, "panel", None) for action in self.own)

    @property
    def is_through_open(self) -> bool:
        """Whether that is a row which comes through a collective."""
        return any(getattr(action, "panel", None) for action in self.through)


@dataclass(frozen=True, kw_only=True)
class Told:
    """How many of the actions that should move, or were reported on, in the period that runs were reported on in it.

    Each counts as reported on once every unit of the person that must report on it has.
    """

    told: int
    to_tell: int


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
    own: Told
    through: Told


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


def read_rows(plan: Plan, access: Access, as_of: AsOf, *, refs: Sequence[str] | None = None) -> list[ActionItem]:
    """The actions in which the person's units take part, or those of them with these refs; each as a row shows it.

    Each gets `parts`, its role → whether it is a unit's own (True) or comes through a collective; `duties`, of the
    person's units; `last`, its last update by anybody; and what `ActionItemQuerySet.as_of` and `annotate_returned` add.
    """
    actions = plan.actions.filter(assignments__unit__in=list(access.speaks_for)).distinct()
    if refs is not None:
        actions = actions.filter(ref__in=refs)
    found = annotate_returned(actions.as_of(as_of).with_last_update(as_of), access.unit_ids)
    rows = list(found.with_details().in_order())
    held = read_duties(rows, access.units, as_of)
    updates = ProgressUpdate.objects.without_undone().select_related("author", "unit")
    last = updates.in_bulk({row.last_update for row in rows} - {None})
    for action in rows:
        action.plan = plan
        action.duties = held.get(action.pk, [])
        action.last = last.get(action.last_update)
        action.parts = {}
        for part in action.assignments.all():
            if part.unit_id in access.speaks_for:
                action.parts[part.role] = action.parts.get(part.role, False) or part.unit_id in access.unit_ids
    return rows


def sort_work(rows: Sequence[ActionItem], role: str) -> Work:
    """The page's sections and counters in one role, from `read_rows`."""
    chosen = [action for action in rows if role in action.parts]
    counted = chosen if role == Role.LEAD else []  # a unit that supports owes nothing
    sections = {key: Section(key=key, label=label) for key, label in SECTIONS}
    for action in chosen:
        section = sections[section_of(action)]
        (section.own if action.parts[role] else section.through).append(action)
    return Work(
        role=role,
        tabs=[(each, sum(each in action.parts for action in rows)) for each in Role],
        sections=[section for section in sections.values() if section.count],
        own=count_told([action for action in counted if action.parts[role]]),
        through=count_told([action for action in counted if not action.parts[role]]),
    )


def section_of(action: ActionItem) -> str:
    """RETURNED, or the action's Due."""
    return RETURNED if action.returned_because is not None else action.due


def is_reported(action: ActionItem) -> bool:
    """Whether each of the person's units that must report on it has, in the period that runs; needs `read_rows`."""
    return bool(action.duties) and all(duty.report for duty in action.duties)


def count_told(rows: Sequence[ActionItem]) -> Told:
    """The counter "updated 4 of 11": of what should move, or was reported on, in the period that runs."""
    told = [action for action in rows if is_reported(action)]
    waiting = [action for action in rows if action.duties and action.due in AT_WORK and not is_reported(action)]
    return Told(told=len(told), to_tell=len(told) + len(waiting))


def owed_actions(plan: Plan, access: Access, as_of: AsOf) -> ActionItemQuerySet:
    """What the person's units lead that was returned, or on which one of them owes an update in this period."""
    if not access.may_lead:
        return plan.actions.none()
    actions = plan.actions.assigned_to(access.speaks_for, role=Role.LEAD).as_of(as_of)
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
    return owed_actions(plan, access, as_of).count() + len(missing_reports(plan, access, as_of))
