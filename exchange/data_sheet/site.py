"""The plan of a data sheet as it is on the site, read in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from assignments.models import Role, Unit, User
from assignments.unit_names import former_names
from criteria.models import Criterion, Requirement
from exchange.data_sheet.columns import ActionSheet
from exchange.matching import ActionsByContent, ImportedReports
from plan.models import ActionItem, Plan
from pmqa_tracker import thai


@dataclass(frozen=True, kw_only=True)
class SitePlan:
    """A plan with everything that its data sheet names.

    Attributes:
        plan: the plan, read now, with its assessment.
        columns: the columns of its data sheet.
        actions: ref → action, read `with_details()`, in the document's order.
        criteria: code → criterion to which actions can belong.
        requirements: (code, level) → requirement.
        collectives: unit pk → pks of the collectives it belongs to.
        imported: the imported updates.
    """

    plan: Plan
    columns: ActionSheet
    actions: Mapping[str, ActionItem]
    criteria: Mapping[str, Criterion]
    requirements: Mapping[tuple[str, int], Requirement]
    collectives: Mapping[int, set[int]]
    imported: ImportedReports

    @cached_property
    def by_content(self) -> ActionsByContent:
        """The actions by their content."""
        return ActionsByContent(self.actions.values())

    @cached_property
    def _spellings(self) -> dict[str, dict[str, str]]:
        return {
            "ref": {thai.search_key(ref): ref for ref in self.actions},
            "criterion": {thai.search_key(code): code for code in self.criteria},
        }

    def usual_spelling(self, name: str, value: str) -> str:
        """The ref or criterion on the site that a typed one is a spelling of; otherwise the typed one."""
        known = self.actions if name == "ref" else self.criteria
        return value if not value or value in known else self._spellings[name].get(thai.search_key(value), value)

    def roles_of(self, action: ActionItem, unit: Unit | None) -> set[str]:
        """The roles of a unit in an action, its own or through a collective; all roles for the coordinator (None)."""
        if unit is None:
            return set(Role)
        pks = self.collectives[unit.pk] | {unit.pk}
        return {each.role for each in action.assignments.all() if each.unit_id in pks}


def read_site_plan(pk: int, user: User) -> SitePlan:
    """Read a plan, by its pk, that the user may see."""
    plans = Plan.objects.visible_to(user).select_related("assessment__framework", "organization")
    plan = plans.get(pk=pk)
    periods = sorted(plan.periods.all(), key=lambda each: each.number)
    requirements = Requirement.objects.filter(criterion__framework=plan.framework).select_related("criterion")
    collectives: dict[int, set[int]] = defaultdict(set)
    members = Unit.members.through.objects.filter(from_unit__organization=plan.organization)
    for collective, unit in members.values_list("from_unit", "to_unit"):
        collectives[unit].add(collective)
    units = list(plan.organization.units.in_order())
    return SitePlan(
        plan=plan,
        columns=ActionSheet(periods, units, former_names(units)),
        actions={action.ref: action for action in plan.actions.with_shared_details().in_order()},
        criteria={criterion.code: criterion for criterion in plan.framework.criteria.leaves()},
        requirements={(each.criterion.code, each.level): each for each in requirements},
        collectives=collectives,
        imported=ImportedReports(plan),
    )
