"""The cheapest path to a target score: the fewest actions that reach it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from assignments.models import Unit
from criteria.scoring import points_of, reached_level, weights
from plan.as_of import AsOf
from plan.models import ActionItem, Plan
from plan.models.status import CLOSED
from reports.figures.maturity import CriterionRow, MapCell, MaturityMap

OpenActions = Mapping[int, Collection[int]]


class PathState(StrEnum):
    """Answer to a target: a path, or why there is none."""

    FOUND = "found"
    REACHED = "reached"
    UNREACHABLE = "unreachable"


class PathCost(NamedTuple):
    """What a path needs; the smaller of two costs is better, compared from the first field on.

    Attributes:
        actions: open actions, and one action still to be planned for each requirement without any.
        unplanned: requirements without any action.
        requirements: requirements that have to pass.
    """

    actions: int = 0
    unplanned: int = 0
    requirements: int = 0

    def plus(self, other: "PathCost") -> "PathCost":
        """Return the cost of both."""
        return PathCost(*(one + another for one, another in zip(self, other, strict=True)))


@dataclass(frozen=True)
class ScorePath:
    """The cheapest path to a target.

    Attributes:
        target: the score to reach.
        state: whether there is a path.
        cells: the requirements that have to pass, in the order of the standard.
        cost: what that needs.
        reaches: the score if they pass; without a path the score now, or the highest that can be reached.
    """

    target: float
    state: PathState
    cells: tuple[MapCell, ...]
    cost: PathCost
    reaches: float

    @property
    def unplanned(self) -> list[MapCell]:
        """The requirements without any action."""
        return [cell for cell in self.cells if not cell.total]

    @property
    def finished(self) -> list[MapCell]:
        """The requirements whose actions are all done; they only await re-assessment."""
        return [cell for cell in self.cells if cell.total and cell.done == cell.total]


@dataclass(frozen=True)
class _Choice:
    """Requirements of the criteria looked at so far, with their cost and the points they add to the total."""

    cost: PathCost
    gain: Fraction
    cells: tuple[MapCell, ...]


NOTHING = _Choice(PathCost(), Fraction(0), ())


def find_path(the_map: MaturityMap, target: Fraction, open_actions: OpenActions) -> ScorePath:
    """Return the cheapest requirements that raise the total to `target` if they pass.

    A level counts only with all levels below it, so a criterion is passed from its lowest open level up: it offers one
    choice per open level, and none. An action belongs to one criterion and counts once, also if it answers several
    levels. The criteria are independent of each other, so the search is exact: it keeps, after each criterion, the
    choices that no cheaper choice equals in points.

    Args:
        the_map: the map without assumptions.
        target: the score to reach.
        open_actions: requirement pk → pks of its open actions, from `read_open_actions`.
    """
    rows = [row for row in the_map.rows if row.is_assessed]
    shares = weights([row.criterion for row in the_map.rows], [row.criterion.pk for row in rows])
    now = sum((shares[row.criterion.pk] * _points(row, (), the_map) for row in rows), Fraction(0))
    if target <= now:
        return ScorePath(float(target), PathState.REACHED, (), PathCost(), float(now))
    best = [NOTHING]
    for row in rows:
        options = [NOTHING, *_options(row, the_map, shares[row.criterion.pk], open_actions)]
        best = _undominated(
            [
                _Choice(chosen.cost.plus(option.cost), chosen.gain + option.gain, chosen.cells + option.cells)
                for chosen in best
                for option in options
            ],
            target - now,
        )
    found = best[-1]
    reaches = float(now + found.gain)
    if found.gain < target - now:
        return ScorePath(float(target), PathState.UNREACHABLE, (), PathCost(), reaches)
    return ScorePath(float(target), PathState.FOUND, found.cells, found.cost, reaches)


def _undominated(choices: Sequence[_Choice], needed: Fraction) -> list[_Choice]:
    """Return the choices that add more points than every cheaper one, up to the first that adds what is needed."""
    kept: list[_Choice] = []
    for choice in sorted(choices, key=lambda each: (each.cost, -each.gain)):
        if not kept or choice.gain > kept[-1].gain:
            kept.append(choice)
            if choice.gain >= needed:
                break
    return kept


def _options(row: CriterionRow, the_map: MaturityMap, share: Fraction, open_actions: OpenActions) -> Iterator[_Choice]:
    """Yield the choices of one criterion: its lowest open requirement, its two lowest, all three."""
    before = _points(row, (), the_map)
    cells: tuple[MapCell, ...] = ()
    actions: set[int] = set()
    unplanned = 0
    for cell in row.open_cells:
        cells += (cell,)
        actions |= set(open_actions.get(cell.requirement.pk, ()))
        unplanned += not cell.total
        gain = share * (_points(row, cells, the_map) - before)
        yield _Choice(PathCost(len(actions) + unplanned, unplanned, len(cells)), gain, cells)


def _points(row: CriterionRow, passing: Iterable[MapCell], the_map: MaturityMap) -> int:
    """Return the points of a criterion if these of its requirements also pass."""
    passed = {cell.level.value for cell in row.cells if cell.verdict and cell.verdict.passed}
    return points_of(reached_level(passed | {cell.level.value for cell in passing}), the_map.framework)


def read_open_actions(plan: Plan, as_of: AsOf) -> OpenActions:
    """Read requirement pk → pks of its actions that are open on the day; in two queries."""
    still_open = set(plan.actions.as_of(as_of).exclude(status_on__in=CLOSED).values_list("pk", flat=True))
    found: dict[int, set[int]] = {}
    links = ActionItem.requirements.through.objects.filter(actionitem__plan=plan)
    for action, requirement in links.values_list("actionitem_id", "requirement_id"):
        if action in still_open:
            found.setdefault(requirement, set()).add(action)
    return found


@dataclass(frozen=True)
class OwnerWork:
    """Open actions of a path that the same units lead, the first due first; without units, those nobody leads."""

    units: tuple[Unit, ...]
    actions: list[ActionItem]


def read_path_work(plan: Plan, as_of: AsOf, path: ScorePath) -> list[OwnerWork]:
    """Read the open actions of a path by the units that lead them, most actions first; in a fixed number of queries."""
    if not path.cells:
        return []
    still_open = plan.actions.as_of(as_of).exclude(status_on__in=CLOSED)
    answering = still_open.filter(requirements__in=[cell.requirement for cell in path.cells])
    groups: dict[tuple[Unit, ...], list[ActionItem]] = {}
    for action in answering.distinct().with_details().in_order():
        groups.setdefault(tuple(each.unit for each in action.lead), []).append(action)
    work = [OwnerWork(units, sorted(actions, key=_due_on)) for units, actions in groups.items()]
    return sorted(work, key=lambda each: (-len(each.actions), _due_on(each.actions[0])))


def _due_on(action: ActionItem) -> date:
    return action.last_period.ends_on if action.last_period else date.max
