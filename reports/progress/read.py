"""Data of the progress report, read once: the figures of the dashboards, and all actions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from assignments.models import Role, Unit
from plan.actions.filters import ActionFilter
from plan.as_of import AsOf
from plan.models import ActionItem, Plan
from pmqa_tracker import thai
from reports.figures.maturity import MaturityMap, build_map
from reports.figures.overview import OVERVIEW_FILTERS, Overview, read_overview
from reports.figures.standings import Standing, UnitsByRole, read_units_by_role
from reports.figures.unlock import find_unlock_steps
from reports.sentences import MAX_NAMED, summarize
from submissions.returned import read_returned


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """Everything the progress report shows.

    Attributes:
        actions: all actions as of the day, with changes since the earlier day, details, and the latest result, problem
            and next step.
        units_by_role: (action pk, role) → pks of the units.
        returned: (action pk, unit pk) → why the coordinator returned the action to the unit.
    """

    plan: Plan
    as_of: AsOf
    since: AsOf
    overview: Overview
    map: MaturityMap
    sentences: list[str]
    actions: list[ActionItem]
    units_by_role: UnitsByRole
    returned: dict[tuple[int, int], str]

    @cached_property
    def _standings(self) -> dict[int, Standing]:
        return {each.pk: each for each in self.overview.standings}

    def standing(self, action: ActionItem) -> Standing:
        """Return the state of an action on the day."""
        return self._standings[action.pk]

    @cached_property
    def units(self) -> list[Unit]:
        """The units with a role in any action, in the order of the department."""
        involved = {pk for pks in self.units_by_role.values() for pk in pks}
        groups = [group.subject for group in self.overview.leads]
        units = (unit for unit in groups if unit.pk in involved)
        return sorted(units, key=lambda unit: (unit.position, thai.sort_key(unit.abbreviation)))

    @cached_property
    def collectives(self) -> list[Unit]:
        """The collectives that lead actions, in the order of the plan."""
        leads = (part.unit for action in self.actions for part in action.lead if part.unit.is_collective)
        return list(dict.fromkeys(leads))

    def actions_led_by(self, unit: Unit) -> list[ActionItem]:
        """Return the actions that a unit or collective leads by name."""
        return [action for action in self.actions if any(part.unit_id == unit.pk for part in action.lead)]

    def shared_actions(self, unit: Unit, collective: Unit) -> list[ActionItem]:
        """Return the actions that a unit leads through a collective, and not by name."""
        led = ((action, self.standing(action)) for action in self.actions_led_by(collective))
        return [action for action, standing in led if unit.pk in standing.lead - standing.own]

    def for_unit(self, unit: Unit) -> "ReportData":
        """Return the same data with only the actions in which the unit has a role, itself or through a collective."""
        roles = self.units_by_role
        actions = [
            action for action in self.actions if any(unit.pk in roles.get((action.pk, role), ()) for role in Role)
        ]
        return replace(self, actions=actions)


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
        returned=read_returned(plan, as_of),
    )
