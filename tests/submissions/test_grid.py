"""Grid of the submissions: states, lateness and number of queries."""

from datetime import date

import pytest
from django.utils import timezone

from assignments.models import Unit
from plan.as_of import on_day
from plan.models import Status
from pmqa_tracker import clock
from submissions.grid import read_submission_grid
from submissions.steps import accept_submission, return_submission
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.submissions.sending import on, review, send

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def unit():
    return UnitFactory()


@pytest.fixture
def plan():
    return PlanFactory()


@pytest.fixture
def staff(unit):
    return UserFactory(roles=["staff"], units=[unit])


@pytest.fixture
def action(plan, unit):
    return ActionItemFactory(plan=plan, lead=[unit])


def table(plan, *units):
    as_of = on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now())
    return read_submission_grid(plan, as_of, units)


def cells(plan, unit):
    return [(cell.state.value, cell.is_late) for cell in table(plan, unit).rows[0].cells]


@pytest.mark.both_databases(only_full=True)
def test_a_cell_shows_the_state_of_a_submission(plan, unit, action, staff, coordinator):
    assert cells(plan, unit) == [("LATE", True), ("LATE", True), ("OPEN", False), ("LATER", False)]
    first = send(plan, unit, staff, number=1).submission
    second = send(plan, unit, staff, number=2).submission
    third = send(plan, unit, staff, number=3).submission
    assert cells(plan, unit)[:3] == [("SENT", False)] * 3
    review(accept_submission, first, coordinator, version=1)
    review(return_submission, second, coordinator, version=1, reasons={action.pk: "ก"})
    review(return_submission, third, coordinator, version=1, reasons={action.pk: "ก"})
    assert cells(plan, unit) == [("ACCEPTED", False), ("RETURNED", True), ("RETURNED", False), ("LATER", False)]
    cell = table(plan, unit).rows[0].cells[1]
    assert (cell.by, timezone.localdate(cell.at), cell.days_late) == (coordinator, clock.today(), 45)


@pytest.mark.both_databases(only_full=True)
def test_a_unit_with_nothing_to_report_is_not_late(plan, unit, staff, report_progress):
    other, member = UnitFactory(), UnitFactory()
    everyone = UnitFactory(is_collective=True, members=[unit, member])
    ActionItemFactory(plan=plan, lead=[everyone], support=[unit])
    done = ActionItemFactory(plan=plan, lead=[unit], runs=(1, 2))
    report_progress(done, staff, at=on(1, 20), status=Status.DONE)
    ActionItemFactory(plan=plan, lead=[other], runs=(3, 3))
    ActionItemFactory(plan=plan, lead=[other], runs=None)
    states = [[cell.state.value for cell in row.cells] for row in table(plan, unit, other, member).rows]
    assert states == [
        ["LATE", "LATE", "OPEN", "LATER"],
        ["NONE", "NONE", "OPEN", "LATER"],
        ["LATE", "LATE", "OPEN", "LATER"],
    ]


def test_the_last_period_is_late_once_its_plan_has_ended(plan, unit, action, settings):
    settings.PMQA_TODAY = date(2020, 10, 2)
    assert cells(plan, unit)[3] == ("LATE", True)


def test_the_grid_needs_no_more_queries_for_more_units(plan, django_assert_num_queries):
    for count in (1, 3):
        for _ in range(count):
            unit = UnitFactory()
            ActionItemFactory(plan=plan, lead=[unit])
            send(plan, unit, UserFactory(roles=["staff"], units=[unit]))
        units = list(Unit.objects.divisions())
        as_of = on_day(plan, clock.today(), plan.periods.all())
        with django_assert_num_queries(2):
            assert len(read_submission_grid(plan, as_of, units).waiting) == len(units)
