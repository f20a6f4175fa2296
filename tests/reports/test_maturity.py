"""The maturity map: what locks a cell, what makes it ready, and the score that follows."""

import pytest

from criteria.models import Level
from plan.as_of import on_day
from plan.models import Plan, Status
from pmqa_tracker import clock
from reports.maturity import Cell, build_map, judge
from tests.factories import ActionItemFactory, CriterionFactory, PlanFactory, RequirementFactory, VerdictFactory

P, F = True, False


class Verdict:
    def __init__(self, passed):
        self.passed = passed


@pytest.mark.parametrize(
    ("verdicts", "shares", "states"),
    [
        ((P, P, P), ((0, 0),) * 3, "PASSED PASSED PASSED"),
        ((P, F, F), ((0, 0), (0, 2), (0, 2)), "PASSED FAILED LOCKED"),
        ((P, F, F), ((0, 0), (2, 2), (0, 2)), "PASSED READY LOCKED"),
        ((P, F, F), ((0, 0), (2, 2), (3, 3)), "PASSED READY READY"),
        ((P, F, F), ((0, 0), (1, 2), (3, 3)), "PASSED FAILED LOCKED"),
        ((P, F, P), ((0, 0), (1, 2), (0, 0)), "PASSED FAILED LOCKED"),
        ((F, P, P), ((0, 0), (0, 0), (0, 0)), "FAILED LOCKED LOCKED"),
        ((P, P, F), ((0, 0), (0, 0), (1, 1)), "PASSED PASSED READY"),
        ((P, P, F), ((0, 0), (0, 0), (0, 0)), "PASSED PASSED FAILED"),
        ((P, None, F), ((0, 0), (0, 0), (1, 1)), "PASSED UNKNOWN LOCKED"),
        ((None, None, None), ((0, 0),) * 3, "UNKNOWN UNKNOWN UNKNOWN"),
    ],
)
def test_the_state_of_each_cell(verdicts, shares, states):
    cells = [
        Cell(level, None, None if passed is None else Verdict(passed), done, total)
        for level, passed, (done, total) in zip(Level, verdicts, shares, strict=True)
    ]
    judge(cells)
    assert " ".join(cell.state for cell in cells) == states


@pytest.mark.django_db
def test_the_score_now_and_if_what_is_ready_passes(coordinator, tell):
    plan = PlanFactory()
    criterion = CriterionFactory()
    for level, passed in zip(Level, (P, F, P), strict=True):
        requirement = RequirementFactory(criterion=criterion, level=level)
        VerdictFactory(assessment=plan.assessment, requirement=requirement, passed=passed)
    advance = criterion.requirements.get(level=Level.ADVANCE)
    actions = [ActionItemFactory(plan=plan, criterion=criterion, requirements=[advance]) for _ in range(3)]

    def read():
        fresh = Plan.objects.get(pk=plan.pk)
        the_map = build_map(fresh, on_day(fresh, clock.today(), fresh.periods.all()))
        cells = [cell for _category, rows in the_map.categories for row in rows for cell in row.cells]
        return [str(cell.state) for cell in cells], the_map.now.total, the_map.if_ready.total

    assert read() == (["PASSED", "FAILED", "LOCKED"], 300, 300)
    tell(actions[0], coordinator, status=Status.DONE)
    tell(actions[1], coordinator, status=Status.CANCELLED, progress=0, reason="รวมกับรายการอื่น")
    assert read() == (["PASSED", "FAILED", "LOCKED"], 300, 300)
    tell(actions[2], coordinator, status=Status.DONE)
    # Advance is ready, and the pass above it counts once it is judged again.
    assert read() == (["PASSED", "READY", "LOCKED"], 300, 500)
