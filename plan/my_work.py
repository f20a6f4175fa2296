"""What a person's units owe, most pressing first: for งานของฉัน, the bell and the reminders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assignments.access import Access
from assignments.models import Role, Unit
from plan.as_of import AsOf
from plan.models import ActionItem, Due, Plan
from plan.models.action import ActionItemQuerySet

RETURNED = "RETURNED"
AT_WORK = (Due.OVERDUE, Due.NOW)
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
    """How many of the actions that should move, or were told of, in the period that runs were told of in it."""

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
    """What the units of a person owe as a lead: each action once, under the most pressing of the three."""

    returned: Sequence[ActionItem]
    overdue: Sequence[ActionItem]
    now: Sequence[ActionItem]

    @property
    def count(self) -> int:
        """All that is owed."""
        return len(self.returned) + len(self.overdue) + len(self.now)

    @property
    def groups(self) -> list[tuple[str, Any, Sequence[ActionItem]]]:
        """(key, label, actions) of what is not empty, most pressing first."""
        labels = dict(SECTIONS) | {Due.NOW: _("Not updated this period")}
        rows = ((RETURNED, self.returned), (Due.OVERDUE, self.overdue), (Due.NOW, self.now))
        return [(key, labels[key], actions) for key, actions in rows if actions]


def read_rows(plan: Plan, access: Access, as_of: AsOf, *, refs: Sequence[str] | None = None) -> list[ActionItem]:
    """The actions in which the person's units take part, or those of them with these refs; each as a row shows it.

    Each gets `parts`, its role → whether it is a unit's own (True) or comes through a collective, and what
    `ActionItemQuerySet.as_of` and `with_returned` add.
    """
    actions = plan.actions.filter(assignments__unit__in=list(access.speaks_for)).distinct()
    if refs is not None:
        actions = actions.filter(ref__in=refs)
    rows = list(actions.as_of(as_of).with_returned(access.unit_ids).with_details().in_order())
    for action in rows:
        action.plan = plan
        action.parts = {}
        for part in action.assignments.all():
            if part.unit_id in access.speaks_for:
                action.parts[part.role] = action.parts.get(part.role, False) or part.unit_id in access.unit_ids
    return rows


def sort_work(rows: Sequence[ActionItem], as_of: AsOf, role: str) -> Work:
    """The page's sections and counters in one role, from `read_rows`."""
    chosen = [action for action in rows if role in action.parts]
    sections = {key: Section(key=key, label=label) for key, label in SECTIONS}
    for action in chosen:
        section = sections[section_of(action)]
        (section.own if action.parts[role] else section.through).append(action)
    return Work(
        role=role,
        tabs=[(each, sum(each in action.parts for action in rows)) for each in Role],
        sections=[section for section in sections.values() if section.count],
        own=count_told([action for action in chosen if action.parts[role]], as_of),
        through=count_told([action for action in chosen if not action.parts[role]], as_of),
    )


def section_of(action: ActionItem) -> str:
    """RETURNED, or the action's Due."""
    return RETURNED if action.returned_because is not None else action.due


def is_told(action: ActionItem, as_of: AsOf) -> bool:
    """Whether anything was told of it in the period that runs."""
    return action.updated_at is not None and action.updated_at >= as_of.period_starts_at


def count_told(rows: Sequence[ActionItem], as_of: AsOf) -> Told:
    """The counter "updated 4 of 11": of what should move, or was told of, in the period that runs."""
    told = {action.pk for action in rows if is_told(action, as_of)}
    at_work = {action.pk for action in rows if action.due in AT_WORK}
    return Told(told=len(told), to_tell=len(told | at_work))


def owed_actions(plan: Plan, access: Access, as_of: AsOf) -> ActionItemQuerySet:
    """What the person's units lead that was returned, is overdue, or was not told of in the period that runs."""
    if not access.may_lead:
        return plan.actions.none()
    actions = plan.actions.assigned_to(access.speaks_for, role=Role.LEAD).as_of(as_of).with_returned(access.unit_ids)
    silent = Q(due=Due.NOW) & (Q(updated_at__isnull=True) | Q(updated_at__lt=as_of.period_starts_at))
    return actions.filter(Q(returned_because__isnull=False) | Q(due=Due.OVERDUE) | silent)


def read_owed(plan: Plan, access: Access, as_of: AsOf) -> Owed:
    """What the person owes, in the plan's order."""
    by_key: dict[str, list[ActionItem]] = {RETURNED: [], Due.OVERDUE: [], Due.NOW: []}
    for action in owed_actions(plan, access, as_of).with_details().in_order():
        key = section_of(action)
        by_key[key if key in by_key else Due.NOW].append(action)
    return Owed(returned=by_key[RETURNED], overdue=by_key[Due.OVERDUE], now=by_key[Due.NOW])


def units_of(access: Access) -> list[Unit]:
    """The person's units, as the department lists them."""
    return list(Unit.objects.filter(pk__in=access.unit_ids).in_order())


def count_owed(plan: Plan, access: Access, as_of: AsOf) -> int:
    """How many actions `read_owed` would read: the number on the bell, in one query."""
    return owed_actions(plan, access, as_of).count()
