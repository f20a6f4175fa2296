"""Data of the progress report, read once: the figures of the dashboards, and all actions."""

from collections.abc import Sequence
from dataclasses import dataclass

from assignments.models import Role, Unit
from plan.actions.filters import ActionFilter
from plan.as_of import AsOf
from plan.models import ActionItem, Plan
from pmqa_tracker import thai
from reports.figures.maturity import MaturityMap, build_map
from reports.figures.overview import OVERVIEW_FILTERS, Overview, read_overview
from reports.figures.standings import UnitsByRole, read_units_by_role
from reports.figures.unlock import find_unlock_steps
from reports.sentences import MAX_NAMED, summarize


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """Everything the progress report shows.

    Attributes:
        actions: all actions as of the day, with changes since the earlier day, details, and the latest result, problem
            and next step.
        units_by_role: (action pk, role) → pks of the units.
    """

    plan: Plan
    as_of: AsOf
    since: AsOf
    overview: Overview
    map: MaturityMap
    sentences: list[str]
    actions: list[ActionItem]
    units_by_role: UnitsByRole

    @property
    def units(self) -> list[Unit]:
        """The units with a role in any action, in the order of the department."""
        involved = {pk for pks in self.units_by_role.values() for pk in pks}
        groups = [group.subject for group in self.overview.leads]
        units = (unit for unit in groups if unit.pk in involved)
        return sorted(units, key=lambda unit: (unit.position, thai.sort_key(unit.abbreviation)))

    def actions_of(self, unit: Unit, role: str) -> list[ActionItem]:
        """Return the actions in which a unit has a role, itself or through a collective."""
        return [action for action in self.actions if unit.pk in self.units_by_role.get((action.pk, role), ())]

    def actions_by_role(self, unit: Unit) -> list[tuple[str, list[ActionItem]]]:
        """Return (role, actions) of a unit: the actions it leads, then those it supports."""
        return [(role, self.actions_of(unit, role)) for role in (Role.LEAD, Role.SUPPORT)]


def read_report(plan: Plan, as_of: AsOf, since: AsOf, days: Sequence[tuple[str, object]]) -> ReportData:
    """Read a plan for the report, in a fixed number of queries.

    Args:
        plan: the plan.
        as_of: the day.
        since: the earlier day.
        days: (name, day) of the days that have a name, such as meetings.
    """
    filters = ActionFilter({}, plan, as_of=as_of, since=since, only=OVERVIEW_FILTERS)
    found = plan.actions.as_of(as_of).since(since, as_of)
    for name in ("result", "problem", "next_step"):
        found = found.annotate_latest(name, as_of)
    actions = list(found.with_details().in_order())
    overview = read_overview(plan, filters, since, {}, rows=actions)
    the_map = build_map(plan, as_of, {}, actions=actions)
    since_name = next((name for name, day in days if day == since.day), "")
    return ReportData(
        plan=plan,
        as_of=as_of,
        since=since,
        overview=overview,
        map=the_map,
        sentences=summarize(overview, the_map, find_unlock_steps(the_map, MAX_NAMED), since_name),
        actions=actions,
        units_by_role=read_units_by_role(plan),
    )
