"""ปลดล็อก: the fewest requirements that, once passed, lift the score most, and what each of them still lacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from assignments.models import Role, Unit
from criteria.scoring import points_of, reached_level, weights
from plan.as_of import AsOf
from plan.models import ActionItem, Plan
from plan.models.status import CLOSED
from reports.figures.maturity import CriterionRow, MapCell, MaturityMap

MAX_STEPS = 10  # requirements offered at once
USUAL = 3


@dataclass(frozen=True)
class UnlockStep:
    """A requirement to pass, and the points of the total it gains once those before it passed."""

    row: CriterionRow
    cell: MapCell
    gain: float


@dataclass(frozen=True)
class Missing:
    """What a step still lacks: its actions that are not closed, and the units that lead them."""

    step: UnlockStep
    actions: list[ActionItem]
    units: list[Unit]


@dataclass(frozen=True)
class _Choice:
    """Some of the steps; `worth` compares two of the same number."""

    steps: tuple[UnlockStep, ...]
    worth: tuple[Fraction, int, int]


def unlock(the_map: MaturityMap, most: int) -> list[UnlockStep]:
    """The requirements to pass, `most` at most, that lift the total most, by what each criterion gains.

    Of several such sets it is one with the fewest requirements, then the fewest nobody has planned an action for,
    then the fewest open actions, then what comes first in the standard. A criterion's levels are passed from the
    lowest up, since none counts without those below, so each criterion offers at most three steps; the choice among
    the criteria is exact (a knapsack of one choice a criterion).
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
                if number > most:
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
    """Pass the lowest open requirement of a criterion, the two lowest, all three."""
    passed = {cell.level.value for cell in row.cells if cell.verdict and cell.verdict.passed}
    points, steps, unplanned, unfinished, gained = points_of(reached_level(passed), the_map.assessment), [], 0, 0, 0
    options = []
    for cell in row.open_cells:
        passed.add(cell.level.value)
        gain = points_of(reached_level(passed), the_map.assessment) - points - gained
        steps.append(UnlockStep(row, cell, float(share * gain)))
        gained, unplanned = gained + gain, unplanned + (cell.total == 0)
        unfinished += cell.unfinished.count
        options.append(_Choice(tuple(steps), (share * gained, -unplanned, -unfinished)))
    return options


def read_missing(plan: Plan, as_of: AsOf, steps: Sequence[UnlockStep]) -> list[Missing]:
    """What each step still lacks on the day, in a fixed number of queries."""
    requirements = [step.cell.requirement for step in steps]
    actions = plan.actions.as_of(as_of).exclude(status_on__in=CLOSED).filter(requirements__in=requirements)
    found = list(actions.distinct().with_details().behind_first()) if steps else []
    missing = []
    for step in steps:
        own = [action for action in found if step.cell.requirement in action.requirements.all()]
        leads = [each for action in own for each in action.assignments.all() if each.role == Role.LEAD]
        missing.append(Missing(step, own, list(dict.fromkeys(each.unit for each in leads))))
    return missing
