"""Actions that a submission contains."""

import pytest

from plan.models import Status
from pmqa_tracker import clock
from submissions.steps import submission_actions, submission_day
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.submissions.sending import on, period_of

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


def refs_of(plan, unit, number, at=None):
    period = period_of(plan, number)
    actions = submission_actions(plan, unit, period, submission_day(plan, period, at or clock.now()))
    return sorted(action.ref for action in actions)


def test_a_submission_contains_actions_at_work_or_updated_in_the_period(plan, unit, staff, report_progress):
    def add(ref, runs):
        return ActionItemFactory(plan=plan, ref=ref, lead=[unit], runs=runs)

    add("running", (1, 4))
    add("overdue", (1, 1))
    add("later", (3, 4))
    add("unscheduled", None)
    report_progress(add("unscheduled, updated", None), staff, at=on(2, 10), result="เริ่มแล้ว")
    report_progress(add("later, updated", (3, 4)), staff, at=on(3, 31), result="เตรียมการ")
    report_progress(add("updated too late", (3, 4)), staff, at=on(4, 1), result="เตรียมการ")
    report_progress(add("done before", (1, 4)), staff, at=on(12, 20), status=Status.DONE)
    report_progress(add("done in it", (1, 4)), staff, at=on(1, 20), status=Status.DONE)
    report_progress(add("done after", (1, 4)), staff, at=on(4, 20), status=Status.DONE)
    ActionItemFactory(plan=plan, ref="only supported", support=[unit], lead=[UnitFactory()])
    ActionItemFactory(ref="of another plan", lead=[unit])
    held = ["done after", "done in it", "later, updated", "overdue", "running", "unscheduled, updated"]
    assert refs_of(plan, unit, 2) == held
    assert refs_of(plan, unit, 2, at=on(3, 1)) == [ref for ref in held if ref != "later, updated"]


def test_collective_actions_at_work_or_updated_by_this_unit(plan, unit, staff, report_progress):
    other = UnitFactory()
    everyone = UnitFactory(is_collective=True, members=[unit, other])
    colleague = UserFactory(roles=["staff"], units=[other])
    ours, theirs, _silent = (
        ActionItemFactory(plan=plan, ref=ref, lead=[everyone], runs=None) for ref in ("ours", "theirs", "silent")
    )
    ActionItemFactory(plan=plan, ref="at work", lead=[everyone])
    report_progress(ours, staff, at=on(2, 3), progress=10)
    report_progress(theirs, colleague, at=on(2, 3), progress=10)
    assert refs_of(plan, unit, 2) == ["at work", "ours"]
    assert refs_of(plan, other, 2) == ["at work", "theirs"]
    assert refs_of(plan, unit, 1) == ["at work"]


def test_an_action_led_directly_and_through_a_collective_is_listed_once(plan, unit, staff, report_progress):
    everyone = UnitFactory(is_collective=True, members=[unit])
    action = ActionItemFactory(plan=plan, ref="both", lead=[everyone, unit])
    report_progress(action, staff, at=on(2, 3), progress=10)
    assert refs_of(plan, unit, 2) == ["both"]
