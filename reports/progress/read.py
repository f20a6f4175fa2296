"""What the progress report shows, read once: the dashboards' own figures, and the rows behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

from assignments.models import Role, Unit
from plan.actions.filters import ActionFilter
from plan.as_of import AsOf
from plan.models import ActionItem, Plan
from pmqa_tracker import thai
from reports.figures.maturity import MaturityMap, build_map
from reports.figures.overview import FILTERS, Overview, read_overview
from reports.figures.standings import UnitsByRole, read_units_by_role
from reports.figures.unlock import unlock
from reports.sentences import NAMED, summarize


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """The plan as the report shows it.

    Attributes:
        actions: all of them as of the day, with what changed since, their details and the last words told of each.
        parts: (action pk, role) → pks of the units whose work it is.
    """

    plan: Plan
    as_of: AsOf
    since: AsOf
    overview: Overview
    map: MaturityMap
    sentences: list[str]
    actions: list[ActionItem]
    parts: UnitsByRole

    @property
    def units(self) -> list[Unit]:
        """The units that have any part, in the department's order."""
        there = {pk for pks in self.parts.values() for pk in pks}
        groups = [group.subject for group in self.overview.leads]
        units = (unit for unit in groups if unit.pk in there)
        return sorted(units, key=lambda unit: (unit.position, thai.sort_key(unit.abbreviation)))

    def of_unit(self, unit: Unit, role: str) -> list[ActionItem]:
        """The actions in which a unit has a role, itself or through a collective."""
        return [action for action in self.actions if unit.pk in self.parts.get((action.pk, role), ())]

    def parts_of(self, unit: Unit) -> list[tuple[str, list[ActionItem]]]:
        """(role, actions) of a unit: what it leads, then what it supports."""
        return [(role, self.of_unit(unit, role)) for role in (Role.LEAD, Role.SUPPORT)]


def read_report(plan: Plan, as_of: AsOf, since: AsOf, days: Sequence[tuple[str, object]]) -> ReportData:
    """Read a plan for the report, in a fixed number of queries.

    Args:
        plan: whose.
        as_of: the day.
        since: the earlier day.
        days: (name, day) of the days that have a name, such as a meeting's.
    """
    chosen = ActionFilter({}, plan.actions.all(), as_of=as_of, since=since, only=FILTERS)
    words = ("result", "problem", "next_step")
    rows = plan.actions.as_of(as_of).since(since, as_of).annotate_latest(as_of, *words).with_details().in_order()
    actions = list(rows)
    overview = read_overview(plan, chosen, since, {}, rows=actions)
    the_map = build_map(plan, as_of, {}, actions=actions)
    since_name = next((name for name, day in days if day == since.day), "")
    return ReportData(
        plan=plan,
        as_of=as_of,
        since=since,
        overview=overview,
        map=the_map,
        sentences=summarize(overview, the_map, unlock(the_map, NAMED), since_name),
        actions=actions,
        parts=read_units_by_role(plan),
    )
