"""The list of actions as a table to download: the same rows in the same order, read in five queries, however many."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from assignments.models import Assignment, Role, Unit
from criteria.models import Criterion, Level
from plan.as_of import AsOf
from plan.models import ActionItem, Due, Health, Plan, Status
from plan.models.action import ActionItemQuerySet
from plan.schedule import schedule_words
from pmqa_tracker.table_export import Column, Kind, Table

FIELDS = (
    "pk",
    "ref",
    "criterion_id",
    "text",
    "first_period_id",
    "last_period_id",
    "status_on",
    "due",
    "progress_on",
    "expected_on",
    "health",
    "updated_at",
)
AT_ONCE = 2_000  # rows read from the database at a time


def action_columns() -> list[Column]:
    """What the list shows of an action, each thing in a column of its own."""
    return [
        Column(_("Ref"), 14),
        Column(_("Criterion"), 28),
        Column(_("Category"), 20),
        Column(_("Level"), 17),
        Column(_("What is to be done"), 60),
        Column(_("Lead units"), 16),
        Column(_("Support units"), 16),
        Column(_("Schedule"), 20),
        Column(_("Status"), 16),
        Column(_("Overdue"), 11),
        Column(_("Progress"), 10, Kind.PERCENT),
        Column(_("Expected"), 10, Kind.PERCENT),
        Column(_("Health"), 14),
        Column(_("Last updated"), 14, Kind.DAY),
    ]


def action_table(plan: Plan, actions: ActionItemQuerySet, as_of: AsOf, *, notes: Sequence[str]) -> Table:
    """`actions`, which stand `as_of` the day and are in the order they are wanted in, under the list's headings."""
    return Table(
        title=_("Actions"),
        notes=notes,
        columns=action_columns(),
        rows=_rows(plan, actions, as_of),
        empty=_("No action fits these filters"),
    )


def _rows(plan: Plan, actions: ActionItemQuerySet, as_of: AsOf) -> Iterator[list[Any]]:
    """A row an action. Values, not objects, and each word looked up: what 20,000 rows repeat is made once."""
    units = read_unit_names(plan)
    levels = _read_levels(plan)
    criteria = {each.pk: (str(each), str(each.category)) for each in Criterion.objects.select_related("category")}
    periods = {period.pk: period for period in as_of.periods}
    schedules = {
        (first, last): schedule_words(periods[first], periods[last]) for first in periods for last in periods
    } | {(None, None): schedule_words(None, None)}
    statuses = {status.value: str(status.label) for status in Status}
    healths = {health.value: str(health.label) for health in Health}
    overdue = {Due.OVERDUE.value: str(Due.OVERDUE.label)}
    found = actions.values_list(*FIELDS).iterator(chunk_size=AT_ONCE)
    for pk, ref, criterion, text, first, last, status, due, progress, expected, health, updated_at in found:
        yield [
            ref,
            *criteria[criterion],
            levels.get(pk),
            text,
            units.get((pk, Role.LEAD.value)),
            units.get((pk, Role.SUPPORT.value)),
            schedules[first, last],
            statuses[status],
            overdue.get(due),
            progress,
            expected,
            healths[health],
            updated_at,
        ]


def read_unit_names(plan: Plan) -> Mapping[tuple[int, str], str]:
    """(action pk, role) → the units' abbreviations as the document orders them: "กพร., สลก."; in two queries."""
    abbreviations = dict(Unit.objects.values_list("pk", "abbreviation"))
    names: dict[tuple[int, str], str] = {}
    links = Assignment.objects.filter(action__plan=plan).in_order()
    for action, role, unit in links.values_list("action_id", "role", "unit_id"):
        key = (action, role)
        names[key] = f"{names[key]}, {abbreviations[unit]}" if key in names else abbreviations[unit]
    return names


def _read_levels(plan: Plan) -> Mapping[int, str]:
    """Action pk → the levels it answers, lowest first: "Advance (Alignment), Significance (Integration)"."""
    labels = {level.value: str(level.label) for level in Level}
    levels: dict[int, list[int]] = {}
    links = ActionItem.requirements.through.objects.filter(actionitem__plan=plan)
    for action, level in links.values_list("actionitem_id", "requirement__level"):
        levels.setdefault(action, []).append(level)
    words = {}
    return {
        action: words.setdefault(tuple(sorted(found)), ", ".join(labels[level] for level in sorted(found)))
        for action, found in levels.items()
    }
