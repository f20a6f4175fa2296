"""The figures: by hand on a small plan, and each the same as the rows its link shows."""

from datetime import date

import pytest

from plan.as_of import on_day
from plan.models import Status
from pmqa_tracker import clock
from reports import figures
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    return PlanFactory()


def read(plan, day=None):
    as_of = on_day(plan, day or clock.today(), plan.periods.all())
    return figures.overview(plan, as_of, {}), as_of


def test_the_figures_of_a_small_plan(plan, coordinator, tell):
    unit, other = UnitFactory(), UnitFactory()
    done = ActionItemFactory(plan=plan, lead=[unit], runs=(1, 2))
    half = ActionItemFactory(plan=plan, lead=[unit], support=[other], runs=(1, 4))
    blocked = ActionItemFactory(plan=plan, lead=[other], runs=(3, 3))
    cancelled = ActionItemFactory(plan=plan, lead=[other], runs=(1, 1))
    ActionItemFactory(plan=plan, lead=[unit], runs=(1, 2))
    ActionItemFactory(plan=plan, lead=[unit], runs=None)
    tell(done, coordinator, status=Status.DONE)
    tell(half, coordinator, progress=50)
    tell(blocked, coordinator, status=Status.BLOCKED, progress=10, problem="รออัตรากำลัง")
    tell(cancelled, coordinator, status=Status.CANCELLED, progress=0, reason="รวมกับรายการอื่น")
    overview, _as_of = read(plan)
    whole = overview.whole
    assert {status.value: figure.count for status, figure in whole.by_status.items()} == {
        "NOT_STARTED": 2, "IN_PROGRESS": 1, "DONE": 1, "BLOCKED": 1, "CANCELLED": 1,
    }  # fmt: skip
    assert {health.value: figure.count for health, figure in whole.by_health.items()} == {
        "OVERDUE": 1, "BEHIND": 2, "SLIPPING": 0, "ON_TRACK": 1, "NONE": 2,
    }  # fmt: skip
    assert (whole.total.count, whole.overdue.count, whole.silent.count) == (6, 1, 1)
    assert whole.progress == (100 + 50 + 10 + 0 + 0) / 5
    day_of_year = (date(2020, 5, 15) - date(2019, 9, 30)).days
    assert whole.expected == pytest.approx((100 + 100 * day_of_year / 366 + 100 * 45 / 91 + 100) / 4)
    by_unit = {str(lead.subject): (lead.total.count, support.total.count) for lead, support in overview.units}
    assert by_unit == {unit.abbreviation: (4, 0), other.abbreviation: (2, 1)}
    assert [str(lead.subject) for lead, _support in overview.units] == [unit.abbreviation, other.abbreviation]
    loads = [(load.begins.count, load.runs.count, load.ends.count, load.done.count) for load in overview.periods]
    assert loads == [(4, 4, 1, 0), (0, 3, 2, 1), (1, 2, 1, 0), (0, 1, 1, 0)]


def test_a_past_day_is_told_as_it_was(plan, coordinator, tell):
    action = ActionItemFactory(plan=plan, runs=(1, 4))
    tell(action, coordinator, at=figures_at(date(2020, 1, 31)), progress=20)
    tell(action, coordinator, at=figures_at(date(2020, 4, 30)), status=Status.DONE)
    assert [read(plan, day)[0].whole.progress for day in (date(2020, 1, 30), date(2020, 1, 31), date(2020, 5, 1))] == [
        0, 20, 100,
    ]  # fmt: skip
    curve = {day: (expected, actual) for day, expected, actual in figures.curve(plan, read(plan)[1])}
    assert [curve[day][1] for day in (date(2019, 12, 31), date(2020, 1, 31), date(2020, 4, 30), date(2020, 5, 15))] == [
        0, 20, 100, 100,
    ]  # fmt: skip
    assert curve[date(2020, 6, 30)][1] is None
    assert curve[date(2020, 9, 30)][0] == 100


def figures_at(day):
    return clock.now().replace(year=day.year, month=day.month, day=day.day)


def test_without_rows_there_is_no_mean(plan):
    overview, _as_of = read(plan)
    assert (overview.whole.progress, overview.whole.expected, overview.whole.total.count) == (None, None, 0)
    assert overview.categories == []
