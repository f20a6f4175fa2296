"""Actions of the user's units, by urgency, for งานของฉัน (my work), the bell and the reminders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assignments.access import Access
from assignments.models import Role, Unit
from plan.as_of import AsOf
from plan.models import AT_WORK, ActionItem, Due, Plan, ProgressUpdate
from plan.models.action import ActionItemQuerySet
from plan.models.duties import Duty, is_silent, read_duties_and_updates
from pmqa_tracker.prepared import read_prepared
from submissions.grid import missing_submissions
from submissions.models import SubmissionState
from submissions.returned import annotate_returned

RETURNED, TOLD = "RETURNED", "TOLD"
SECTIONS = (
    (RETURNED, _("Returned by the coordinator")),
    (Due.OVERDUE, Due.OVERDUE.label),
    (Due.NOW, Due.NOW.label),
    (TOLD, _("Updated this period")),
    *(choice for choice in Due.choices if choice[0] not in AT_WORK),
)
LEFT = (RETURNED, *AT_WORK)  # sections of what is still to be done
SHARED = "-SHARED"  # ends the key of the fold of a section's actions that only a collective of the units has


@dataclass(frozen=True, kw_only=True)
class WorkRow:
    """An action in which a unit of the user has a role.

    Attributes:
        action: with the annotations of `ActionItemQuerySet.as_of` and `annotate_returned`.
        parts: role → True if it is assigned to a unit of the user, False if only to a collective.
        duties: duties of the user's units.
        last: the latest update of the action by anybody, or None.
    """

    action: ActionItem
    parts: Mapping[str, bool]
    duties: Sequence[Duty]
    last: ProgressUpdate | None

    @property
    def has_all_updates(self) -> bool:
        """Whether every unit of the user with a duty has updated the action in the current period."""
        return bool(self.duties) and all(duty.update for duty in self.duties)

    @property
    def is_left(self) -> bool:
        """Whether a unit of the user that leads it still has to update it."""
        return Role.LEAD in self.parts and self.section in LEFT

    @property
    def is_late(self) -> bool:
        """Whether the action is overdue."""
        return self.action.due == Due.OVERDUE

    @property
    def is_at_work(self) -> bool:
        """Whether the action has begun and is not closed."""
        return self.action.due in AT_WORK

    @property
    def section(self) -> str:
        """The key of its section: RETURNED, TOLD if the user's units have updated it in this period, or its Due."""
        section = section_of(self.action)
        return TOLD if self.has_all_updates and section != RETURNED else section


@dataclass(frozen=True, kw_only=True)
class PageRow(WorkRow):
    """A row of งานของฉัน for one role.

    Attributes:
        collective: the collective through which it is assigned; None if it is assigned to a unit of the user.
        updated_on: moment of the latest update by the user's units if all of them have updated it, else None.
        shown_duties: the duties on an action that is at work or updated.
        names_duties: whether the row has to name their units: there are several, or they have updated it.
        form_urls: URLs of the update form, see `row_form_urls`.
        can_report: whether the user may add an update.
        unit_choices: (unit, field value) of each "no change" the user may record.
        panel: the update form if the row is open.
    """

    collective: Unit | None
    updated_on: datetime | None
    shown_duties: Sequence[Duty]
    names_duties: bool
    form_urls: Mapping[str, str]
    can_report: bool
    unit_choices: Sequence[tuple[Unit, str]]
    panel: Any = None


@dataclass(frozen=True, kw_only=True)
class Section:
    """Rows of the page with the same urgency.

    Attributes:
        key: RETURNED or a Due.
        label: the heading.
        own: rows assigned to a unit of the user.
        via_collective: rows assigned only to a collective, such as ทุกหน่วยงาน.
        open_folds: keys of the folds whose rows the page shows.
    """

    key: str
    label: str
    own: list[Any] = field(default_factory=list)
    via_collective: list[Any] = field(default_factory=list)
    open_folds: frozenset[str] = frozenset()

    @property
    def short_label(self) -> str:
        """The label where there is little room."""
        return SubmissionState.RETURNED.label if self.key == RETURNED else self.label

    @property
    def is_folded(self) -> bool:
        """Whether the page folds it, because nothing is left to do."""
        return self.key not in LEFT

    @property
    def is_open(self) -> bool:
        """Whether the page shows the rows of its fold."""
        return self.key in self.open_folds

    @property
    def shared_key(self) -> str:
        """The key of the fold of `via_collective`."""
        return self.key + SHARED

    @property
    def is_shared_open(self) -> bool:
        """Whether the page shows the rows of the fold of `via_collective`."""
        return self.shared_key in self.open_folds

    @property
    def rows(self) -> list[PageRow]:
        """All rows."""
        return [*self.own, *self.via_collective]

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def collectives(self) -> str:
        """Names of the collectives of `via_collective`, separated by commas."""
        parts = (
            part for row in self.via_collective for part in row.action.assignments.all() if part.unit.is_collective
        )
        return ", ".join(dict.fromkeys(str(part.unit) for part in parts))

    def with_open_folds(self, keys: Collection[str], refs: Collection[str]) -> "Section":
        """Return the section with those of its folds open that are named, or hold one of these actions."""
        opened = {self.key} if any(row.action.ref in refs for row in self.rows) else set()
        if any(row.action.ref in refs for row in self.via_collective):
            opened.add(self.shared_key)
        return replace(self, open_folds=frozenset({*keys, *opened}))


@dataclass(frozen=True, kw_only=True)
class UpdatedCount:
    """The counter "updated 4 of 11" of the current period.

    Attributes:
        updated: actions that every unit of the user with a duty has updated.
        total: those, and the actions at work that still need an update.
    """

    updated: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Work:
    """The content of งานของฉัน for one role.

    Attributes:
        role: a Role.
        tabs: (role, number of actions) of each role.
        sections: sections with rows, most pressing first.
        own: counter of the actions assigned to the user's units.
        via_collective: counter of the actions assigned only to a collective.
    """

    role: str
    tabs: list[tuple[Role, int]]
    sections: list[Section]
    own: UpdatedCount
    via_collective: UpdatedCount

    def with_open_folds(self, keys: Collection[str], refs: Collection[str]) -> "Work":
        """Return the work with the folds open that are named, or hold one of these actions."""
        return replace(self, sections=[section.with_open_folds(keys, refs) for section in self.sections])

    def rows_of_fold(self, key: str) -> list[Any]:
        """Return the rows of a fold."""
        for section in self.sections:
            if key == section.shared_key:
                return section.via_collective
            if key == section.key:
                return section.rows
        return []

    @property
    def left(self) -> list[Any]:
        """The rows of actions that still need an update, in the order of the page; none for supporting units."""
        sections = [section for section in self.sections if self.is_lead and not section.is_folded]
        return [row for section in sections for row in section.own] + [
            row for section in sections for row in section.via_collective
        ]

    @property
    def is_lead(self) -> bool:
        """Whether it lists the actions that the units lead."""
        return self.role == Role.LEAD

    @property
    def is_clear(self) -> bool:
        """Whether the units lead actions, and none of them still needs an update."""
        is_waiting = any(count.updated < count.total for count in (self.own, self.via_collective))
        return self.is_lead and bool(self.sections) and not (is_waiting or self.left)


@dataclass(frozen=True, kw_only=True)
class OwedActions:
    """Actions on which the user's units owe an update, each in the most pressing group only.

    An overdue action that was updated in the current period is owed again in the next one.
    """

    returned: Sequence[ActionItem]
    overdue: Sequence[ActionItem]
    now: Sequence[ActionItem]

    @property
    def actions(self) -> list[ActionItem]:
        """All actions owed."""
        return [*self.returned, *self.overdue, *self.now]

    @property
    def count(self) -> int:
        """Number of actions owed."""
        return len(self.actions)

    @property
    def groups(self) -> list[tuple[str, Any, Sequence[ActionItem]]]:
        """(key, label, actions) of each group with actions, most pressing first."""
        labels = dict(SECTIONS) | {Due.NOW: _("Not updated this period")}
        rows = ((RETURNED, self.returned), (Due.OVERDUE, self.overdue), (Due.NOW, self.now))
        return [(key, labels[key], actions) for key, actions in rows if actions]


def read_rows(plan: Plan, access: Access, as_of: AsOf, *, refs: Sequence[str] | None = None) -> list[WorkRow]:
    """Return the actions in which the user's units have a role, in the plan's order; with `refs`, only those.

    The actions are read `with_units()`.
    """

    def build() -> ActionItemQuerySet:
        actions = plan.actions.filter(assignments__unit__in=list(access.represented_units)).distinct()
        if refs is not None:
            actions = actions.filter(ref__in=refs)
        found = annotate_returned(actions.as_of(as_of).with_last_update(as_of), access.unit_ids)
        return found.with_units().in_order()

    key = ("rows", plan.pk, as_of.key, access.units_key)
    found = read_prepared(key, build) if refs is None else list(build())
    held, last = read_duties_and_updates(found, access.units, as_of, {action.last_update for action in found})
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


def build_work(rows: Sequence[WorkRow], role: str, *, kept: Sequence[WorkRow] | None = None) -> Work:
    """Group rows of `read_rows` into the sections and counters of one role; with `kept`, only those in sections."""
    chosen = [row for row in rows if role in row.parts]
    counted = chosen if role == Role.LEAD else []  # supporting units owe no updates
    sections = {key: Section(key=key, label=label) for key, label in SECTIONS}
    for row in chosen if kept is None else kept:
        if role in row.parts:
            section = sections[row.section]
            (section.own if row.parts[role] else section.via_collective).append(row)
    return Work(
        role=role,
        tabs=[(each, sum(each in row.parts for row in rows)) for each in Role],
        sections=[section for section in sections.values() if section.count],
        own=count_updated([row for row in counted if row.parts[role]]),
        via_collective=count_updated([row for row in counted if not row.parts[role]]),
    )


def next_left(work: Work, rows: Sequence[WorkRow], row: WorkRow, section: str) -> WorkRow | None:
    """Return the row of `work.left` that follows a row, or else the first one; None if nothing is left.

    Args:
        work: the work after the row was updated.
        rows: all rows in the plan's order.
        row: the row.
        section: key of the section in which it stood.
    """
    place = {each.action.pk: number for number, each in enumerate(rows)}
    sections = [key for key, _label in SECTIONS]

    def order(each: WorkRow, key: str) -> tuple[bool, int, int]:
        return not each.parts[work.role], sections.index(key), place[each.action.pk]

    left = [each for each in work.left if each.action != row.action]
    here = order(row, section if section in sections else LEFT[0])
    return next((each for each in left if order(each, each.section) > here), next(iter(left), None))


def section_of(action: ActionItem) -> str:
    """Return RETURNED for a returned action, otherwise its Due."""
    return RETURNED if action.return_reason is not None else action.due


def count_updated(rows: Sequence[WorkRow]) -> UpdatedCount:
    """Count how many of the rows were updated in the current period, of those updated or in need of an update."""
    updated = [row for row in rows if row.has_all_updates]
    waiting = [row for row in rows if row.duties and row.is_at_work and not row.has_all_updates]
    return UpdatedCount(updated=len(updated), total=len(updated) + len(waiting))


def owed_actions(plan: Plan, access: Access, as_of: AsOf) -> ActionItemQuerySet:
    """Return the actions led by the user's units that were returned or need an update in this period.

    There are none if the plan takes no reports.
    """
    if not (access.may_lead and plan.takes_reports):
        return plan.actions.none()
    actions = plan.actions.assigned_to(access.represented_units, role=Role.LEAD).as_of(as_of)
    actions = annotate_returned(actions, access.unit_ids)
    return actions.filter(Q(return_reason__isnull=False) | is_silent(as_of.period_starts_at, as_of, access.unit_ids))


def read_owed(plan: Plan, access: Access, as_of: AsOf) -> OwedActions:
    """Return the actions on which the user owes an update, each group in the plan's order."""
    by_key: dict[str, list[ActionItem]] = {RETURNED: [], Due.OVERDUE: [], Due.NOW: []}
    for action in owed_actions(plan, access, as_of).with_details().in_order():
        key = section_of(action)
        by_key[key if key in by_key else Due.NOW].append(action)
    return OwedActions(returned=by_key[RETURNED], overdue=by_key[Due.OVERDUE], now=by_key[Due.NOW])


def count_owed(plan: Plan, access: Access, as_of: AsOf) -> int:
    """Return the number on the bell: actions and period reports that the user's units owe."""
    key = ("owed", plan.pk, as_of.key, access.units_key, access.may_lead and plan.takes_reports)
    owed = read_prepared(key, lambda: owed_actions(plan, access, as_of).values_list("pk"))
    return len(owed) + len(missing_submissions(plan, access, as_of))
