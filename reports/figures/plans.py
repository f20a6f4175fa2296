"""Headline figures of many plans, and the table of plans with its search and sort orders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, Q
from django.utils.translation import gettext as _

from plan.as_of import on_day
from plan.models import Due, Plan, Status
from plan.models.plan import STATE_RANK, PlanQuerySet
from pmqa_tracker import thai
from pmqa_tracker.database_text import by_thai
from reports.figures import groups
from reports.figures.groups import Figure, Group
from reports.figures.matrix import FigureColumn, Heading, build_heading
from reports.figures.standings import read_standings_of_plans
from reports.figures.summaries import Summary, read_summaries

PAGE_SIZE = 25
# Sort orders that the database knows: name in the URL → expressions.
ORDERS: Mapping[str, Sequence[Any]] = {
    "title": [by_thai("title")],
    "organization": [by_thai("organization__name")],
    "state": [STATE_RANK],
    "days": [F("starts_on"), F("ends_on")],
}
DEFAULT_ORDER = (STATE_RANK, by_thai("organization__name"), "-starts_on", "pk")


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The headline figures of a plan; they link to the list of actions without a day, which shows the same day."""

    total: Figure
    counted: Figure
    done: Figure
    overdue: Figure
    silent: Figure
    progress: float | None
    expected: float | None

    @property
    def gap(self) -> float | None:
        """Percentage points above the expected progress; negative if below."""
        return None if self.expected is None or self.progress is None else self.progress - self.expected


@dataclass(frozen=True, kw_only=True)
class PlanRow:
    """A plan with its headline figures; `cells` are (column, figure) pairs."""

    plan: Plan
    headline: Headline
    cells: Sequence[tuple[FigureColumn, Figure]]


@dataclass(frozen=True, kw_only=True)
class PlanTable:
    """A page of the plans, with the headings that sort them.

    Attributes:
        headings: name → heading.
        figure_headings: headings of the figures, in the order of `PlanRow.cells`.
        has_organizations: the plans belong to several organizations.
    """

    page: Page
    rows: Sequence[PlanRow]
    headings: Mapping[str, Heading]
    figure_headings: Sequence[Heading]
    has_organizations: bool


def read_plan_figures(plans: Sequence[Plan], today: date) -> dict[int, Group]:
    """Return plan pk → the figures of the whole plan, in two queries for any number of plans.

    The figures link to the list of actions without a day, which shows the same day.

    Args:
        plans: with their periods prefetched.
        today: the day of plans that run on it; the others show the nearest of their days.
    """
    standings = read_standings_of_plans({plan: on_day(plan, today, plan.periods.all()) for plan in plans})
    return {plan.pk: groups.group(plan, standings.get(plan.pk, []), {}) for plan in plans}


def build_headline(plan: Plan, summary: Summary, today: date) -> Headline:
    """Return the headline figures of a plan; its periods are prefetched."""
    return Headline(
        total=Figure(summary.total, {}),
        counted=Figure(summary.counted, groups.COUNTED),
        done=Figure(summary.done, {"status": Status.DONE.value}),
        overdue=Figure(summary.overdue, groups.OVERDUE),
        silent=Figure(summary.silent, groups.SILENT),
        progress=summary.mean_progress,
        expected=summary.expected(on_day(plan, today, plan.periods.all())),
    )


def figure_columns() -> list[FigureColumn]:
    """Return the columns with figures: total, done, overdue, silent."""
    done = Status.DONE
    return [
        FigureColumn("total", _("Actions"), "", lambda part: part.total),
        FigureColumn("done", str(done.label), done.look.icon, lambda part: part.done),
        FigureColumn("overdue", str(Due.OVERDUE.label), Due.OVERDUE.look.icon, lambda part: part.overdue),
        FigureColumn("silent", _("Not updated"), "silent", lambda part: part.silent),
    ]


# Sort orders by figures, largest first: name in the URL → sort key.
FIGURE_ORDERS: Mapping[str, Callable[[Summary], float]] = {
    "total": lambda summary: summary.total,
    "done": lambda summary: summary.done,
    "overdue": lambda summary: summary.overdue,
    "silent": lambda summary: summary.silent,
    "progress": lambda summary: -1 if summary.mean_progress is None else summary.mean_progress,
}


def is_plan_sort(sort: str) -> bool:
    """Whether the table can be sorted by this value of `?sort=`."""
    return not sort or sort.removeprefix("-") in {*ORDERS, *FIGURE_ORDERS}


def matching(plans: PlanQuerySet, text: str) -> PlanQuerySet:
    """Return the plans whose title, address or organization contains `text`, in any spelling."""
    if not thai.search_key(text):
        return plans
    fields = ("title", "slug", "organization__name", "organization__short_name")
    found = Q()
    for field in fields:
        found |= Q(**{f"{field}__folded": text})
    return plans.filter(found)


def read_plan_table(plans: PlanQuerySet, *, text: str, sort: str, number: str | None, today: date) -> PlanTable:
    """Read a page of the table, in a fixed number of queries.

    Args:
        plans: the plans that the user may read.
        text: text to search for; "" for all plans.
        sort: name of a column, a leading "-" reverses it; "" for running plans first.
        number: number of the page.
        today: the day of the figures.
    """
    name, is_reversed = sort.removeprefix("-"), sort.startswith("-")
    order = [each.desc() if is_reversed else each.asc() for each in ORDERS.get(name, ())]
    found = matching(plans, text)
    keys = list(found.order_by(*order, *DEFAULT_ORDER).values_list("pk", flat=True))
    summaries: Mapping[int, Summary] = {}
    if key := FIGURE_ORDERS.get(name):
        summaries = read_summaries(found, keys, today)
        keys.sort(key=lambda plan: key(summaries[plan]), reverse=not is_reversed)
    page = Paginator(keys, PAGE_SIZE).get_page(number)
    listed = plans.filter(pk__in=list(page))
    summaries = summaries or read_summaries(listed, list(page), today)
    shown = {plan.pk: plan for plan in listed.select_related("organization").prefetch_related("periods")}
    columns = figure_columns()
    labels = {"title": _("Plan"), "organization": _("Organization"), "state": _("State"), "days": _("From – to")}
    headings = {
        name: build_heading(FigureColumn(name, label, "", lambda part: part.total), sort, ascends=True)
        for name, label in labels.items()
    }
    progress = FigureColumn("progress", _("Progress against the plan"), "", lambda part: part.counted)
    return PlanTable(
        page=page,
        rows=[
            PlanRow(plan=plan, headline=headline, cells=[(column, column.read(headline)) for column in columns])
            for plan in (shown[key] for key in page)
            for headline in [build_headline(plan, summaries[plan.pk], today)]
        ],
        headings=headings | {"progress": build_heading(progress, sort)},
        figure_headings=[build_heading(column, sort) for column in columns],
        has_organizations=len(plans.order_by().values_list("organization").distinct()[:2]) > 1,
    )
