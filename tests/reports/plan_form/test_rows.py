"""Rows of the plan form, before any cell is written."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from criteria.models import Level
from plan.as_of import on_day
from reports.plan_form.rows import read_form
from tests.factories import (
    ActionItemFactory,
    CategoryFactory,
    CriterionFactory,
    PlanFactory,
    RequirementFactory,
    UnitFactory,
    VerdictFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    return PlanFactory()


@pytest.fixture
def criterion():
    return CriterionFactory(code="1.1", category=CategoryFactory(number=1))


def read(plan):
    return read_form(plan, on_day(plan, date(2020, 5, 15), plan.periods.all()))


def judge(plan, criterion, level, *, passed=False):
    requirement = RequirementFactory(criterion=criterion, level=level)
    VerdictFactory(assessment=plan.assessment, requirement=requirement, passed=passed)
    return requirement


def blocks_of(plan):
    """Return (levels, refs of the actions) of each block of the only criterion."""
    ((_category, (entry,)),) = read(plan)
    return [
        ([level for level, _text, _verdict in block.levels], [str(each) for each in block.actions])
        for block in entry.blocks
    ]


def test_levels_are_separate_blocks_lowest_first(plan, criterion):
    advance, basic = (judge(plan, criterion, level) for level in (Level.ADVANCE, Level.BASIC))
    ActionItemFactory(plan=plan, criterion=criterion, ref="a", requirements=[advance])
    ActionItemFactory(plan=plan, criterion=criterion, ref="b", requirements=[basic])
    assert blocks_of(plan) == [([Level.BASIC], ["b"]), ([Level.ADVANCE], ["a"])]


def test_levels_that_share_an_action_are_one_block(plan, criterion):
    levels = [judge(plan, criterion, level) for level in Level]
    ActionItemFactory(plan=plan, criterion=criterion, ref="a", position=1, requirements=levels[1:2])
    ActionItemFactory(plan=plan, criterion=criterion, ref="as", position=2, requirements=levels[1:])
    ActionItemFactory(plan=plan, criterion=criterion, ref="b", position=3, requirements=levels[:1])
    assert blocks_of(plan) == [([Level.BASIC], ["b"]), ([Level.ADVANCE, Level.SIGNIFICANCE], ["a", "as"])]


def test_passed_level_is_printed_only_with_actions(plan, criterion):
    basic = judge(plan, criterion, Level.BASIC, passed=True)
    judge(plan, criterion, Level.ADVANCE)
    assert blocks_of(plan) == [([Level.ADVANCE], [])]
    ActionItemFactory(plan=plan, criterion=criterion, ref="b", requirements=[basic])
    assert blocks_of(plan) == [([Level.BASIC], ["b"]), ([Level.ADVANCE], [])]


def test_action_without_a_level_is_in_a_block(plan, criterion):
    judge(plan, criterion, Level.ADVANCE)
    ActionItemFactory(plan=plan, criterion=criterion, ref="x", requirements=[])
    ActionItemFactory(plan=plan, criterion=criterion, ref="y", requirements=[])
    assert blocks_of(plan) == [([], ["x", "y"]), ([Level.ADVANCE], [])]


def test_only_assessed_criteria_and_their_parents_are_included(plan):
    parent = CriterionFactory(code="2.1", position=1)
    child = CriterionFactory(code="2.1.1", position=2, parent=parent, category=parent.category)
    CriterionFactory(code="2.1.2", position=3, parent=parent, category=parent.category)
    CriterionFactory(code="9.1")
    judge(plan, child, Level.BASIC, passed=True)
    ((category, entries),) = read(plan)
    assert category == parent.category
    assert [(str(entry.criterion.code), entry.is_passed) for entry in entries] == [("2.1", False), ("2.1.1", True)]


def test_the_queries_do_not_grow_with_the_plan(plan, criterion):
    units = [UnitFactory() for _each in range(3)]

    as_of = on_day(plan, date(2020, 5, 15), plan.periods.all())

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            for _category, entries in read_form(plan, as_of):
                [(each.lead, each.result_on) for entry in entries for block in entry.blocks for each in block.actions]
        return len(queries)

    ActionItemFactory(plan=plan, criterion=criterion, lead=units)
    once = count()
    for _each in range(2):
        ActionItemFactory(plan=plan, lead=units, support=units)
    assert count() == once == 5
