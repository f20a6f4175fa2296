"""Figures of a small plan, computed by hand."""

from datetime import date

import pytest

from plan.actions.filters import ActionFilter
from plan.as_of import on_day
from plan.models import Change, Status
from pmqa_tracker import clock
from reports.figures.overview import OVERVIEW_FILTERS, read_overview
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def plan():
    return PlanFactory()


def read(plan, day=None, *, since=None, **filters):
    as_of = on_day(plan, day or clock.today(), plan.periods.all())
    then = on_day(plan, since or plan.starts_on, plan.periods.all())
    chosen = ActionFilter(filters, plan, as_of=as_of, since=then, only=OVERVIEW_FILTERS)
    return read_overview(plan, chosen, then, {})


def at(day):
    return clock.now().replace(year=day.year, month=day.month, day=day.day)


def counts(figures):
    return {str(key.value): figure.count for key, figure in figures}


def test_the_figures_of_a_small_plan(plan, coordinator, report_progress):
    unit, other = UnitFactory(), UnitFactory()
    done = ActionItemFactory(plan=plan, lead=[unit], runs=(1, 2))
    half = ActionItemFactory(plan=plan, lead=[unit], support=[other], runs=(1, 4))
    blocked = ActionItemFactory(plan=plan, lead=[other], runs=(3, 3))
    cancelled = ActionItemFactory(plan=plan, lead=[other], runs=(1, 1))
    ActionItemFactory(plan=plan, lead=[unit], runs=(1, 2))
    ActionItemFactory(plan=plan, lead=[unit], runs=None)
    report_progress(done, coordinator, status=Status.DONE)
    report_progress(half, coordinator, progress=50)
    report_progress(blocked, coordinator, status=Status.BLOCKED, progress=10, problem="รออัตรากำลัง")
    report_progress(cancelled, coordinator, status=Status.CANCELLED, progress=0, reason="รวมกับรายการอื่น")
    overview = read(plan)
    whole = overview.whole
    assert counts(whole.by_status.items()) == {
        "NOT_STARTED": 2, "IN_PROGRESS": 1, "DONE": 1, "BLOCKED": 1, "CANCELLED": 1,
    }  # fmt: skip
    assert counts(whole.by_health.items()) == {
        "OVERDUE": 1, "BEHIND": 2, "SLIPPING": 0, "ON_TRACK": 1, "NONE": 2,
    }  # fmt: skip
    assert (whole.total.count, whole.counted.count, whole.overdue.count, whole.at_work.count, whole.silent.count) == (
        6, 5, 1, 3, 1,
    )  # fmt: skip
    assert whole.progress == (100 + 50 + 10 + 0 + 0) / 5
    day_of_year = (date(2020, 5, 15) - date(2019, 9, 30)).days
    assert whole.expected == pytest.approx((100 + 100 * day_of_year / 366 + 100 * 45 / 91 + 100) / 4)
    assert whole.gap == whole.progress - whole.expected
    assert [(part.subject, part.total.count) for part in overview.leads] == [(unit, 4), (other, 2)]
    assert [(part.subject, part.total.count) for part in overview.supports] == [(unit, 0), (other, 1)]
    loads = [(load.begins.count, load.runs.count, load.ends.count, load.done.count) for load in overview.periods]
    assert loads == [(4, 4, 1, 0), (0, 3, 2, 1), (1, 2, 1, 0), (0, 1, 1, 0)]
    assert counts(overview.ages) == {"30": 0, "90": 1, "180": 0, "more": 0}
    assert counts(overview.changes) == {
        "DONE": 1, "FORWARD": 2, "LATE": 1, "BLOCKED": 1, "BACK": 0, "CANCELLED": 1, "SILENT": 1,
    }  # fmt: skip


def test_figures_of_a_past_day(plan, coordinator, report_progress):
    action = ActionItemFactory(plan=plan, runs=(1, 4))
    report_progress(action, coordinator, at=at(date(2020, 1, 31)), progress=20)
    report_progress(action, coordinator, at=at(date(2020, 4, 30)), status=Status.DONE)
    assert [read(plan, day).whole.progress for day in (date(2020, 1, 30), date(2020, 1, 31), date(2020, 5, 1))] == [
        0, 20, 100,
    ]  # fmt: skip
    curve = {point.day: point for point in read(plan).curve.points}
    days = (date(2019, 12, 31), date(2020, 1, 31), date(2020, 4, 30), date(2020, 5, 15))
    assert [curve[day].actual for day in days] == [0, 20, 100, 100]
    assert curve[date(2020, 6, 30)].actual is None
    assert curve[date(2020, 9, 30)].expected == 100


@pytest.mark.both_databases(only_full=True)
def test_forecast_continues_the_pace_of_90_days(plan, coordinator, report_progress):
    action = ActionItemFactory(plan=plan, runs=(1, 4))
    report_progress(action, coordinator, at=at(date(2020, 2, 1)), progress=10)
    report_progress(action, coordinator, at=at(date(2020, 4, 30)), progress=37)
    curve = read(plan, date(2020, 5, 1)).curve
    assert curve.pace_from == date(2020, 2, 1)
    assert curve.pace == pytest.approx(27 / 90)
    points = {point.day: point.forecast for point in curve.points}
    assert points[date(2020, 4, 30)] is None
    assert points[date(2020, 5, 1)] == 37
    assert points[date(2020, 5, 31)] == pytest.approx(37 + 30 * 27 / 90)
    assert curve.at_end == points[date(2020, 9, 30)] == pytest.approx(37 + 152 * 27 / 90)
    assert curve.complete_on == date(2020, 11, 27)  # 63 points at 0.3 a day are 210 days


@pytest.mark.both_databases(only_full=True)
def test_no_completion_is_forecast_without_pace_or_after_the_end(plan, coordinator, report_progress):
    action = ActionItemFactory(plan=plan, runs=(1, 4))
    report_progress(action, coordinator, at=at(date(2019, 11, 1)), progress=10)
    still = read(plan, date(2020, 5, 1)).curve
    assert (still.pace, still.at_end, still.complete_on) == (0, 10, None)
    ended = read(plan, plan.ends_on).curve
    assert (ended.pace, ended.complete_on) == (None, None)
    first = read(plan, plan.starts_on).curve
    assert (first.pace, first.complete_on) == (None, None)


def test_what_changed_between_two_days(plan, coordinator, report_progress):
    before, after = date(2020, 4, 1), date(2020, 5, 1)
    names = {}

    def action(name, runs=(1, 4)):
        names[name] = ActionItemFactory(plan=plan, runs=runs)
        return names[name]

    finished = action("finished")
    report_progress(finished, coordinator, at=at(before), progress=50)
    report_progress(finished, coordinator, at=at(after), status=Status.DONE)
    reopened = action("reopened")
    report_progress(reopened, coordinator, at=at(before), status=Status.DONE)
    report_progress(
        reopened, coordinator, at=at(after), status=Status.IN_PROGRESS, progress=100, reason="แก้ไขตามข้อสังเกต"
    )
    less = action("less")
    report_progress(less, coordinator, at=at(before), progress=60)
    report_progress(
        less, coordinator, at=at(after), status=Status.BLOCKED, progress=40, problem="รออนุมัติ", reason="นับผิด"
    )
    late = action("late", runs=(1, 2))
    report_progress(late, coordinator, at=at(date(2020, 3, 1)), progress=30)
    begun = action("begun")
    report_progress(begun, coordinator, at=at(after), progress=0)
    action("later", runs=(4, 4))
    since = read(plan, date(2020, 5, 1), since=date(2020, 4, 1))
    assert counts(since.changes) == {
        "DONE": 1, "FORWARD": 1, "LATE": 0, "BLOCKED": 1, "BACK": 2, "CANCELLED": 0, "SILENT": 1,
    }  # fmt: skip
    assert counts(read(plan, date(2020, 5, 1), since=date(2020, 3, 31)).changes)["LATE"] == 1

    def shown(change, since):
        as_of = on_day(plan, date(2020, 5, 1), plan.periods.all())
        then = on_day(plan, since, plan.periods.all())
        rows = ActionFilter({"change": change}, plan, as_of=as_of, since=then).qs
        return {name for name, each in names.items() if each in rows}

    assert shown(Change.BACK, date(2020, 4, 1)) == {"reopened", "less"}
    assert shown(Change.FORWARD, date(2020, 4, 1)) == {"begun"}
    assert shown(Change.SILENT, date(2020, 4, 1)) == {"late"}
    assert shown(Change.LATE, date(2020, 3, 31)) == {"late"}


def test_units_without_an_update_this_period(plan, report_progress):
    """An update by one unit on an action shared by every unit does not count for the other units."""
    silent, half, idle, through, early = (UnitFactory() for _ in range(5))
    every = UnitFactory(is_collective=True, members=[silent, half, idle, through])
    shared = ActionItemFactory(plan=plan, lead=[every], runs=(1, 4))
    ActionItemFactory(plan=plan, lead=[silent], runs=(1, 4))
    before = ActionItemFactory(plan=plan, lead=[early], runs=(1, 4))
    updated = ActionItemFactory(plan=plan, lead=[half], runs=(1, 4))
    ActionItemFactory(plan=plan, lead=[half], runs=(1, 4))
    ActionItemFactory(plan=plan, lead=[idle], runs=(4, 4))
    report_progress(shared, UserFactory(roles=["staff"], units=[half]), progress=10)
    report_progress(updated, UserFactory(roles=["staff"], units=[half]), progress=10)
    report_progress(before, UserFactory(roles=["staff"], units=[early]), at=at(date(2020, 3, 31)), progress=10)
    found = [(part.subject, part.at_work.count, part.silent.count) for part in read(plan).silent_units]
    assert found == [(silent, 2, 2), (early, 1, 1)]


def test_without_rows_there_is_no_mean(plan):
    overview = read(plan)
    assert (overview.whole.progress, overview.whole.expected, overview.whole.total.count) == (None, None, 0)
    assert overview.categories == []
    assert {point.actual for point in overview.curve.points} == {None}
