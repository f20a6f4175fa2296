"""Rows of the list of actions for its page. There are fifty: each cell is rendered once by a function, in few bytes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator

from assignments.models import Assignment, Role
from criteria.models import Level, Requirement
from plan.as_of import AsOf
from plan.models import Due, Plan
from plan.models.duties import read_updated
from plan.schedule import format_months
from plan.templatetags.plan_tags import health_badge, overdue_badge, progress_line, status_badge
from plan.templatetags.plan_tags import status_mark as mark
from pmqa_tracker.templatetags.thai import be_day

ROW_FIELDS = (
    "pk", "ref", "text", "first_period_id", "last_period_id", "status_on", "due", "progress_on", "expected_on",
    "health", "updated_at",
)  # fmt: skip
LONGEST_TEXT = 120  # characters; a closed row shows fewer
Cell = Callable[[Any], str]


@dataclass(frozen=True, kw_only=True)
class ListRow:
    """A row of the list.

    Attributes:
        pk, ref: of the action.
        url: of its page.
        text: the beginning of its text; `is_cut` if there is more, which htmx fetches when the row is opened.
        cells: its cells in the chosen columns.
    """

    pk: int
    ref: str
    url: str
    text: str
    is_cut: bool
    cells: SafeString


def build_rows(
    rows: Sequence[Any],
    plan: Plan,
    as_of: AsOf,
    columns: Iterable[str],
    unit_url: Callable[[str], str],
    reporters: Collection[int] | None = None,
) -> list[ListRow]:
    """Return rows as the page shows them; at most three queries.

    Args:
        rows: the rows of one page: actions as of the day, as named tuples of `ROW_FIELDS`.
        plan: their plan.
        as_of: the day.
        columns: names of the columns besides the text.
        unit_url: returns the URL of a unit by its abbreviation.
        reporters: the units (pks) whose updates count; None for all.
    """
    pks, columns = [row.pk for row in rows], list(columns)
    late = {row.pk: row.updated_at for row in rows if row.due == Due.OVERDUE}
    cells = _cells(as_of, read_updated(late, as_of, reporters) if "status" in columns else {})
    if {"lead", "support"} & set(columns):
        cells |= _unit_cells(pks, unit_url)
    if "level" in columns:
        levels = _read_levels(pks)
        cells["level"] = lambda row: format_html('<td class="small">{}</td>', levels.get(row.pk, ""))
    chosen = [cells[name] for name in columns]
    found = []
    for row in rows:
        text = Truncator(row.text).chars(LONGEST_TEXT)
        found.append(
            ListRow(
                pk=row.pk,
                ref=row.ref,
                url=reverse("action_detail", args=[plan.slug, row.ref]),
                text=text,
                is_cut=text != row.text,
                cells=mark_safe("".join([cell(row) for cell in chosen])),  # noqa: S308 - each cell is safe
            )
        )
    return found


def _cells(as_of: AsOf, updated: Mapping[int, datetime]) -> dict[str, Cell]:
    """Return the cell of each column that needs no query; equal states are rendered once.

    `updated` has the overdue actions that were updated in this period, see `read_updated`.
    """
    periods = {period.pk: period for period in as_of.periods}

    @cache
    def status(value: str, due: str, updated_on: Any) -> str:
        late = overdue_badge(due, updated_on)
        return format_html("<td>{} {}</td>", late, mark(value) if late else status_badge(value))

    @cache
    def progress(value: int, expected: float | None) -> str:
        return format_html("<td>{}</td>", progress_line(value, expected))

    @cache
    def health(value: str) -> str:
        return format_html("<td>{}</td>", health_badge(value))

    @cache
    def schedule(first: int | None, last: int | None) -> str:
        months = format_months(periods.get(first), periods.get(last))
        return format_html('<td class="small">{}</td>', months)

    return {
        "schedule": lambda row: schedule(row.first_period_id, row.last_period_id),
        "status": lambda row: status(row.status_on, row.due, updated.get(row.pk)),
        "progress": lambda row: progress(row.progress_on, row.expected_on),
        "health": lambda row: health(row.health),
        "updated": lambda row: format_html('<td class="small">{}</td>', be_day(row.updated_at) or "–"),
    }


def _unit_cells(pks: Sequence[int], unit_url: Callable[[str], str]) -> dict[str, Cell]:
    """Return the cells of lead and support units; one query."""
    links = Assignment.objects.filter(action__in=pks).in_order()
    names: dict[tuple[int, str], list[str]] = {}
    for action, role, name in links.values_list("action_id", "role", "unit__abbreviation"):
        names.setdefault((action, role), []).append(name)

    @cache
    def link(name: str) -> SafeString:
        return format_html('<a href="{}">{}</a>', unit_url(name), name)

    @cache
    def units(*found: str) -> str:
        return mark_safe("\n".join(map(link, found)) or "–")  # noqa: S308 - each link is safe

    return {
        "lead": lambda row: format_html('<td class="units">{}</td>', units(*names.get((row.pk, Role.LEAD), ()))),
        "support": lambda row: format_html(
            '<td class="units is-support">{}</td>', units(*names.get((row.pk, Role.SUPPORT), ()))
        ),
    }


def _read_levels(pks: Sequence[int]) -> Mapping[int, str]:
    """Return action pk → its levels, lowest first, with commas; one query."""
    labels = {level.value: str(level.label) for level in Level}
    links = Requirement.objects.filter(actions__in=pks).order_by("level").values_list("actions", "level")
    levels: dict[int, list[str]] = {}
    for action, level in links:
        levels.setdefault(action, []).append(labels[level])
    return {action: ", ".join(found) for action, found in levels.items()}
