"""Due, expected progress and health of an action on a day, at each boundary."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from plan.as_of import AsOf, clamp_to_plan, on_day
from plan.models import Period, Plan, Status
from pmqa_tracker import clock, thai
from tests.factories import ActionItemFactory, OrganizationFactory, PlanFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.both_databases(every=True)

PERIODS = (
    Period(pk=1, number=1, starts_on=date(2019, 10, 1), ends_on=date(2019, 12, 31)),
    Period(pk=2, number=2, starts_on=date(2020, 1, 1), ends_on=date(2020, 3, 31)),
    Period(pk=3, number=3, starts_on=date(2020, 4, 1), ends_on=date(2020, 6, 30)),
)


def at(day):
    return AsOf(day=day, periods=PERIODS, on_track=0.95, slipping=0.85)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2019, 9, 30), 0),
        (date(2019, 12, 31), 0),
        (date(2020, 1, 1), 100 / 182),
        (date(2020, 3, 31), 50),
        (date(2020, 6, 30), 100),
        (date(2020, 7, 1), 100),
    ],
)
def test_expected_progress_grows_by_the_day(day, expected):
    assert at(day).expected(PERIODS[1], PERIODS[2]) == pytest.approx(expected)


def test_current_period():
    assert at(date(2020, 3, 31)).period == PERIODS[1]
    assert at(date(2020, 4, 1)).period == PERIODS[2]
    assert at(date(2020, 7, 1)).period is None
    assert at(date(2020, 4, 1)).period_starts_at == thai.start_of(date(2020, 4, 1))


def test_ended_plan_is_shown_on_its_last_day():
    plan = Plan(starts_on=date(2019, 10, 1), ends_on=date(2020, 9, 30))
    assert [clamp_to_plan(day, plan) for day in (date(2019, 1, 1), date(2020, 1, 1), date(2569, 1, 1))] == [
        date(2019, 10, 1), date(2020, 1, 1), date(2020, 9, 30),
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("runs", "update", "due", "health"),
    [
        ((1, 2), {}, "OVERDUE", "OVERDUE"),
        ((1, 2), {"progress": 99}, "OVERDUE", "OVERDUE"),
        ((1, 2), {"status": Status.DONE}, "CLOSED", "ON_TRACK"),
        ((1, 3), {}, "NOW", "BEHIND"),
        ((4, 4), {}, "LATER", "ON_TRACK"),
        (None, {}, "UNSCHEDULED", "NONE"),
        (None, {"progress": 50}, "UNSCHEDULED", "NONE"),
        ((1, 2), {"status": Status.CANCELLED, "progress": 0, "reason": "รวม"}, "CLOSED", "NONE"),
        # Quarter 3 runs 91 days; 15 May is its 45th: 49.45 % expected. On track from 46.98 %, slipping from 42.03 %.
        ((3, 3), {"progress": 47}, "NOW", "ON_TRACK"),
        ((3, 3), {"progress": 46}, "NOW", "SLIPPING"),
        ((3, 3), {"progress": 43}, "NOW", "SLIPPING"),
        ((3, 3), {"progress": 42}, "NOW", "BEHIND"),
    ],
)
def test_due_and_health_on_15_may(coordinator, report_progress, runs, update, due, health):
    action = ActionItemFactory(runs=runs)
    if update:
        report_progress(action, coordinator, **update)
    plan = action.plan
    row = plan.actions.as_of(on_day(plan, clock.today(), plan.periods.all())).get()
    assert (row.due, row.health) == (due, health)


@pytest.mark.django_db
def test_last_day_of_an_action_is_not_overdue():
    action = ActionItemFactory(runs=(1, 2))
    plan = action.plan

    def due(day):
        return plan.actions.as_of(on_day(plan, day, plan.periods.all())).get().due

    last = date(2020, 3, 31)
    assert [due(last), due(last + timedelta(days=1))] == ["NOW", "OVERDUE"]


@pytest.mark.django_db
def test_silent_actions_are_at_work_without_an_update_in_the_period(coordinator, report_progress):
    plan = PlanFactory()
    old, new, later, done, never = (
        ActionItemFactory(plan=plan, runs=runs) for runs in ((1, 4), (1, 4), (4, 4), (1, 4), (1, 4))
    )
    report_progress(old, coordinator, at=thai.start_of(date(2020, 4, 1)) - timedelta(seconds=1), progress=10)
    report_progress(new, coordinator, at=thai.start_of(date(2020, 4, 1)), progress=10)
    report_progress(done, coordinator, at=thai.start_of(date(2020, 2, 1)), status=Status.DONE)
    as_of = on_day(plan, clock.today(), plan.periods.all())
    silent = plan.actions.as_of(as_of).silent_in(as_of).order_by("pk")
    assert list(silent) == [old, never]
    assert list(plan.actions.as_of(as_of).updated_in(as_of)) == [new]
    assert later not in silent


@pytest.mark.django_db
def test_work_of_a_unit_includes_its_collectives():
    plan = PlanFactory()
    unit, other = UnitFactory(), UnitFactory()
    everyone = UnitFactory(is_collective=True, members=[unit, other])
    own = ActionItemFactory(plan=plan, lead=[unit])
    shared = ActionItemFactory(plan=plan, lead=[everyone])
    helped = ActionItemFactory(plan=plan, lead=[other], support=[everyone, unit])
    assert list(plan.actions.for_units([unit]).in_order()) == sorted([own, shared, helped], key=lambda each: each.pk)
    assert set(plan.actions.for_units([unit], role="LEAD")) == {own, shared}
    assert set(plan.actions.for_units([unit], role="SUPPORT")) == {helped}
    assert set(plan.actions.for_units([everyone])) == {shared, helped}


@pytest.mark.django_db
@pytest.mark.parametrize(("time_zone", "counts"), [("Asia/Bangkok", False), ("UTC", True)])
def test_days_of_a_plan_follow_the_time_zone_of_its_organization(client, report_progress, time_zone, counts):
    """20:00 UTC on 14 May is 03:00 on 15 May in Bangkok."""
    organization = OrganizationFactory(time_zone=time_zone)
    person = UserFactory(organization=organization, roles=["coordinator"])
    action = ActionItemFactory(plan=PlanFactory(slug="a", organization=organization), ref="1.1-A-9")
    report_progress(action, person, progress=40, at=datetime(2020, 5, 14, 20, tzinfo=UTC))
    client.force_login(person)
    page = client.get("/plans/a/actions/", {"as_of": "2020-05-14", "status": "IN_PROGRESS"}).content.decode()
    assert ("1.1-A-9" in page) == counts
    assert timezone.get_current_timezone_name() == "Asia/Bangkok"  # the thread is as it was before the request
