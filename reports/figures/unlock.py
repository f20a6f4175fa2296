"""ปลดล็อก (unlock): the requirements that raise the score most if they pass, and their open actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from assignments.models import Role, Unit
from criteria.scoring import points_of, reached_level, weights
from plan.as_of import AsOf
from plan.models import ActionItem, Plan
from plan.models.status import CLOSED
from reports.figures.maturity import CriterionRow, MapCell, MaturityMap

MAX_STEPS = 10  # most requirements in one proposal
DEFAULT_STEPS = 3


@dataclass(frozen=True)
class UnlockStep:
    """A requirement to pass, and the points it adds to the total after the steps before it."""

    row: CriterionRow
    cell: MapCell
    gain: float


@dataclass(frozen=True)
class MissingWork:
    """The open actions of a step, and the units that lead them."""

    step: UnlockStep
    actions: list[ActionItem]
    units: list[Unit]


@dataclass(frozen=True)
class _Choice:
    """A choice of steps.

    Attributes:
        steps: the chosen steps.
        worth: (points gained, −requirements without actions, −open actions); the larger of two choices is better.
    """

    steps: tuple[UnlockStep, ...]
    worth: tuple[Fraction, int, int]


def find_unlock_steps(the_map: MaturityMap, limit: int) -> list[UnlockStep]:
    """Return at most `limit` requirements that raise the total most, the criterion with the largest gain first.

    Ties are broken by the fewest requirements, then the fewest requirements without actions, then the fewest open
    actions, then the order of the standard. A level counts only with all levels below it, so the levels of a criterion
    are passed from the lowest up and each criterion offers at most three steps. The choice among the criteria is exact
    (a knapsack with one choice per criterion).
    """
    rows = [row for row in the_map.rows if row.is_assessed]
    shares = weights([row.criterion for row in the_map.rows], [row.criterion.pk for row in rows])
    best = {0: _Choice((), (Fraction(0), 0, 0))}
    for row in rows:
        options = _options(row, the_map, shares[row.criterion.pk])
        following = dict(best)
        for used, chosen in best.items():
            for option in options:
                number = used + len(option.steps)
                if number > limit:
                    break
                worth = tuple(one + other for one, other in zip(chosen.worth, option.worth, strict=True))
                if number not in following or worth > following[number].worth:
                    following[number] = _Choice(chosen.steps + option.steps, worth)
        best = following
    _number, found = max(best.items(), key=lambda item: (item[1].worth[0], -item[0]))
    gained: dict[int, float] = {}
    for step in found.steps:
        gained[step.row.criterion.pk] = gained.get(step.row.criterion.pk, 0) + step.gain
    return sorted(found.steps, key=lambda step: -gained[step.row.criterion.pk])


def _options(row: CriterionRow, the_map: MaturityMap, share: Fraction) -> list[_Choice]:
    """Return the choices of one criterion: its lowest open requirement, its two lowest, all three."""
    passed = {cell.level.value for cell in row.cells if cell.verdict and cell.verdict.passed}
    points, steps, unplanned, unfinished, gained = points_of(reached_level(passed), the_map.framework), [], 0, 0, 0
    options = []
    for cell in row.open_cells:
        passed.add(cell.level.value)
        gain = points_of(reached_level(passed), the_map.framework) - points - gained
        steps.append(UnlockStep(row, cell, float(share * gain)))
        gained, unplanned = gained + gain, unplanned + (cell.total == 0)
        unfinished += cell.unfinished.count
        options.append(_Choice(tuple(steps), (share * gained, -unplanned, -unfinished)))
    return options


def read_missing_work(plan: Plan, as_of: AsOf, steps: Sequence[UnlockStep]) -> list[MissingWork]:
    """Read the open actions of each step on the day, in a fixed number of queries."""
    if not steps:
        return []
    requirements = [step.cell.requirement for step in steps]
    actions = plan.actions.as_of(as_of).exclude(status_on__in=CLOSED).filter(requirements__in=requirements)
    found = list(actions.distinct().with_details().behind_first())
    missing = []
    for step in steps:
        own = [action for action in found if step.cell.requirement in action.requirements.all()]
        leads = [each for action in own for each in action.assignments.all() if each.role == Role.LEAD]
        missing.append(MissingWork(step, own, list(dict.fromkeys(each.unit for each in leads))))
    return missing
