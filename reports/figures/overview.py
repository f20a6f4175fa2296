"""All figures of a plan for the overview page, the wall view, the meeting pack and the progress report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assignments.models import Role, Unit
from criteria.models import Category
from plan.actions.filters import ActionFilter
from plan.as_of import AsOf
from plan.models import ActionItem, Age, Change, Plan
from plan.models.action import ActionItemQuerySet
from reports.figures import groups
from reports.figures.curve import Curve, build_curve
from reports.figures.groups import ComparedFigure, Figure, Group, PeriodLoad
from reports.figures.standings import (
    Standing,
    build_standings,
    read_past_updates,
    read_reporters,
    read_standings,
    read_units_by_role,
)

OVERVIEW_FILTERS = ("category", "level", "unit", "role")


@dataclass(frozen=True, kw_only=True)
class Offered:
    """The categories of the framework and the units of the organization, in order, that a page has read already."""

    categories: Sequence[Category]
    units: Sequence[Unit]

    @property
    def divisions(self) -> list[Unit]:
        """The active units that are no collectives."""
        return [unit for unit in self.units if unit.is_active and not unit.is_collective]


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Figures of a plan, or of the part that filters show, on a day and on an earlier day.

    Attributes:
        standings: the state of each action on the day, from which its figures are counted.
        then: figures of the whole on the earlier day.
        leads, supports: figures of each unit in the role, worst first; empty if the filters select the other role.
        silent_units: figures of the lead units without an update in this period; None if only support is shown.
        owing_since: action pk → pks of the units and collectives whose update is missing since the earlier day.
    """

    as_of: AsOf
    since: AsOf
    standings: Sequence[Standing]
    whole: Group
    then: Group
    compared: list[ComparedFigure]
    changes: list[tuple[Change, Figure]]
    ages: list[tuple[Age, Figure]]
    categories: list[Group]
    leads: list[Group]
    supports: list[Group]
    silent_units: list[Group] | None
    owing_since: Mapping[int, frozenset[int]]
    periods: list[PeriodLoad]
    curve: Curve


def read_overview(
    plan: Plan,
    filters: ActionFilter,
    since: AsOf,
    query: Mapping[str, Any],
    *,
    rows: Sequence[ActionItem] | None = None,
    offered: Offered | None = None,
) -> Overview:
    """Read every figure of the overview, in a fixed number of queries.

    Args:
        plan: the plan.
        filters: the filters of the page on the actions of the plan, with the day.
        since: the earlier day.
        query: parameters that the links of all figures keep besides the filters (the day).
        rows: the actions of `filters` if already read, with `since()` and `with_details()`.
        offered: the categories and units, if already read.
    """
    as_of = filters.as_of
    query_now = {**query, **filters.query}
    query_then = {"as_of": since.day.isoformat(), **filters.query}
    units, updates = read_units_by_role(plan), read_past_updates(plan, as_of)
    reporters, since_reporters, earlier_reporters = read_reporters(
        plan.pk,
        (as_of.period_starts_at, as_of.ends_at),
        (since.ends_at, as_of.ends_at),
        (since.period_starts_at, since.ends_at),
    )
    key = None if filters.active else plan.pk  # the statement of a filter has keys of units and criteria in it
    if rows is None:
        standings = read_standings(
            lambda: filters.qs, as_of, units, reporters, key=key, since=since, since_reporters=since_reporters
        )
        categories = offered.categories if offered else groups.offered_categories(plan)
    else:
        standings = build_standings(rows, as_of, units, reporters, since_reporters)
        categories = sorted({row.criterion.category for row in rows}, key=lambda each: each.number)
    unit = filters.active.get("unit")
    role = filters.active.get("role") if unit else None  # a role has no effect without a unit
    reporter = unit if filters.reporters else None
    whole = groups.group(plan, standings, query_now, reporter=reporter)

    def same_actions() -> ActionItemQuerySet:
        """Return the actions as of the earlier day; no filter of the overview depends on the day."""
        same = plan.actions.filter(pk__in=filters.qs.values("pk")) if filters.active else plan.actions.all()
        return same.as_of(since)

    before = read_standings(same_actions, since, units, earlier_reporters, key=key)
    then = groups.group(plan, before, query_then, reporter=reporter)
    divisions = offered.divisions if offered else offered_units(plan)
    pairs = groups.by_unit([unit] if unit else divisions, standings, query_now)
    leads = [lead for lead, _support in pairs if role != Role.SUPPORT]
    return Overview(
        as_of=as_of,
        since=since,
        standings=standings,
        whole=whole,
        then=then,
        compared=groups.compare(then, whole),
        changes=groups.by_change(standings, since, query_now, reporter=reporter),
        ages=groups.by_age(standings, query_now),
        categories=groups.by_category(categories, standings, query_now, reporter=reporter),
        leads=leads,
        supports=[support for _lead, support in pairs if role != Role.LEAD],
        silent_units=None if role == Role.SUPPORT else groups.silent_units(leads, standings),
        owing_since={each.pk: each.owing_since for each in standings},
        periods=groups.by_period(standings, as_of, query_now),
        curve=build_curve(plan, as_of, standings, updates),
    )


def offered_units(plan: Plan) -> list[Unit]:
    """Return the active divisions of the plan's organization."""
    return list(plan.organization.units.divisions().active().in_order())
