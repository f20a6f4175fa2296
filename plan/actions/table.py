"""The list of actions as a downloadable table, in the order of the page; five queries for any number of rows."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from assignments.models import Assignment, Role
from criteria.models import Level
from plan.as_of import AsOf
from plan.models import ActionItem, Due, Health, Plan, Status
from plan.models.action import ActionItemQuerySet
from plan.schedule import format_schedule
from spreadsheets.list_export import Table
from spreadsheets.tables import Column, ColumnKind

LIST_FIELDS = (
    "pk", "ref", "criterion_id", "text", "first_period_id", "last_period_id", "status_on", "due", "progress_on",
    "expected_on", "health", "updated_at",
)  # fmt: skip
CHUNK_SIZE = 2_000  # rows per fetch


def action_table(plan: Plan, actions: ActionItemQuerySet, as_of: AsOf, *, notes: Sequence[str]) -> Table:
    """Return the table of `actions`, which are annotated as of the day and ordered as on the page.

    There may be 20,000 rows: they are named tuples instead of models, and share texts that are built once.
    """
    return Table(
        title=_("Actions"),
        name="Actions",
        notes=notes,
        columns=_columns(plan, as_of),
        rows=actions.values_list(*LIST_FIELDS, named=True).iterator(chunk_size=CHUNK_SIZE),
        empty=_("No action matches these filters"),
    )


def _columns(plan: Plan, as_of: AsOf) -> list[Column]:
    units = unit_names_by_role(plan)
    levels = _read_levels(plan)
    criteria = {each.pk: (str(each), str(each.category)) for each in plan.framework.criteria.select_related("category")}
    periods = {period.pk: period for period in as_of.periods}
    schedules = {
        (first, last): format_schedule(periods[first], periods[last]) for first in periods for last in periods
    } | {(None, None): format_schedule(None, None)}
    statuses = {status.value: str(status.label) for status in Status}
    healths = {health.value: str(health.label) for health in Health}
    overdue = {Due.OVERDUE.value: str(Due.OVERDUE.label)}
    return [
        Column(_("Ref"), 16, get=lambda row: row.ref),
        Column(_("Criterion"), 36, get=lambda row: criteria[row.criterion_id][0]),
        Column(_("Category"), 24, get=lambda row: criteria[row.criterion_id][1]),
        Column(_("Level"), 22, get=lambda row: levels.get(row.pk)),
        Column(_("What is to be done"), 70, get=lambda row: row.text),
        Column(_("Lead units"), 16, get=lambda row: units.get((row.pk, Role.LEAD.value))),
        Column(_("Support units"), 20, get=lambda row: units.get((row.pk, Role.SUPPORT.value))),
        Column(_("Schedule"), 20, get=lambda row: schedules[row.first_period_id, row.last_period_id]),
        Column(_("Status"), 18, get=lambda row: statuses[row.status_on]),
        Column(_("Overdue"), 12, get=lambda row: overdue.get(row.due)),
        Column(_("Progress"), 14, ColumnKind.PERCENT, get=lambda row: row.progress_on),
        Column(_("Expected"), 12, ColumnKind.PERCENT, get=lambda row: row.expected_on),
        Column(_("Health"), 18, get=lambda row: healths[row.health]),
        Column(_("Last updated"), 21, ColumnKind.DAY, get=lambda row: row.updated_at),
    ]


def unit_names_by_role(plan: Plan) -> Mapping[tuple[int, str], str]:
    """Return (action pk, role) → abbreviations of its units in the document's order, "กพร., สลก."; two queries."""
    abbreviations = dict(plan.organization.units.values_list("pk", "abbreviation"))
    names: dict[tuple[int, str], str] = {}
    links = Assignment.objects.filter(action__plan=plan).in_order()
    for action, role, unit in links.values_list("action_id", "role", "unit_id"):
        key = (action, role)
        names[key] = f"{names[key]}, {abbreviations[unit]}" if key in names else abbreviations[unit]
    return names


def _read_levels(plan: Plan) -> Mapping[int, str]:
    """Return action pk → its levels, lowest first: "Advance (Alignment), Significance (Integration)"."""
    labels = {level.value: str(level.label) for level in Level}
    levels: dict[int, list[int]] = {}
    links = ActionItem.requirements.through.objects.filter(actionitem__plan=plan)
    for action, level in links.values_list("actionitem_id", "requirement__level"):
        levels.setdefault(action, []).append(level)
    texts = {}
    return {
        action: texts.setdefault(tuple(sorted(found)), ", ".join(labels[level] for level in sorted(found)))
        for action, found in levels.items()
    }
