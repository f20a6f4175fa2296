"""Filters and sort orders of the list of actions."""

from datetime import date, timedelta

import pytest
from django.http import QueryDict

from plan.actions.filters import ActionFilter
from plan.as_of import on_day
from plan.models import Status
from pmqa_tracker import clock
from tests.factories import ActionItemFactory, CriterionFactory, PlanFactory, RequirementFactory, UnitFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def plan():
    return PlanFactory()


@pytest.fixture
def shown(plan):
    def inner(query):
        as_of = on_day(plan, clock.today(), plan.periods.all())
        chosen = ActionFilter(QueryDict(query), plan, as_of=as_of)
        return list(chosen.qs) if "sort" in query else set(chosen.qs)

    return inner


def test_text_is_found_in_any_spelling(plan, shown):
    action = ActionItemFactory(plan=plan, ref="1.2.1-A-3", text="จัดทำคู่มือ น้ำหนัก ระดับ ๓")
    ActionItemFactory(plan=plan, text="อบรมบุคลากร")
    for typed in ("จัดทํา", "คู่มือน้ำหนัก", "ระดับ 3", "1.2.1-a-3", "นํ้าหนัก"):
        assert shown(f"q={typed}") == {action}
    assert len(shown("q=%20")) == 2
    assert shown("q=ไม่มีคำนี้") == set()
    assert shown("q=%25") == set()


def test_category_level_unit_and_role(plan, shown):
    unit, other = UnitFactory(abbreviation="กพร."), UnitFactory()
    criterion = CriterionFactory()
    both = [RequirementFactory(criterion=criterion, level=level) for level in (2, 3)]
    first = ActionItemFactory(plan=plan, criterion=criterion, requirements=both, lead=[unit])
    second = ActionItemFactory(plan=plan, lead=[other], support=[unit])
    assert shown(f"category={criterion.category.number}") == {first}
    assert shown("level=3") == {first}
    assert shown("level=2") == {first, second}
    assert shown("unit=กพร.") == {first, second}
    assert shown("unit=กพร.&role=LEAD") == {first}
    assert shown("unit=กพร.&role=SUPPORT") == {second}
    assert shown("role=SUPPORT") == {first, second}


def test_status_health_due_period_and_update(plan, shown, coordinator, report_progress):
    done = ActionItemFactory(plan=plan, runs=(1, 2))
    late = ActionItemFactory(plan=plan, runs=(1, 2))
    later = ActionItemFactory(plan=plan, runs=(4, 4))
    unscheduled = ActionItemFactory(plan=plan, runs=None)
    report_progress(done, coordinator, status=Status.DONE)
    assert shown("status=DONE") == {done}
    assert shown("health=OVERDUE") == shown("due=OVERDUE") == {late}
    assert shown("due=LATER") == {later}
    assert shown("due=UNSCHEDULED") == shown("health=NONE") == {unscheduled}
    assert shown("period=1") == {done, late}
    assert shown("begins=4") == shown("ends=4") == {later}
    assert shown("updated=yes") == {done}
    assert shown("updated=no") == {late}


def test_orders(plan, shown, coordinator, report_progress):
    first = ActionItemFactory(plan=plan, runs=(1, 4))
    second = ActionItemFactory(plan=plan, runs=(1, 3))
    third = ActionItemFactory(plan=plan, runs=(1, 2))
    report_progress(first, coordinator, progress=10)
    report_progress(second, coordinator, progress=90)
    assert shown("sort=due") == [third, second, first]
    assert shown("sort=behind") == [third, first, second]
    assert shown("sort=updated") == [second, first, third]


@pytest.mark.both_databases(only_full=True)
def test_values_that_are_not_offered_are_ignored_and_named(plan):
    as_of = on_day(plan, clock.today(), plan.periods.all())
    action = ActionItemFactory(plan=plan)
    chosen = ActionFilter(QueryDict("status=ASLEEP&unit=ไม่มี&period=99&q=x&q=ทำ"), plan, as_of=as_of)
    assert len(chosen.ignored) == 3
    assert list(chosen.qs) == [action]
    assert chosen.active_count == 1


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("level=2", ["ระดับ: Advance (Alignment)"]),
        ("status=BLOCKED&unit=กพร.&role=LEAD", ["หน่วยงาน: กพร.", "ในฐานะ: หน่วยงานหลัก", "สถานะ: ติดปัญหา"]),
        ("period=2&sort=due", ["ดำเนินการในช่วง: ม.ค.–มี.ค. 2563", "เรียงลำดับ: ครบกำหนดก่อน"]),
        ("level=9&unit=x", []),
    ],
)
def test_descriptions_of_the_filters(plan, query, words):
    UnitFactory(abbreviation="กพร.")
    as_of = on_day(plan, clock.today(), plan.periods.all())
    assert ActionFilter(QueryDict(query), plan, as_of=as_of).descriptions == words


def test_criterion_includes_its_children_and_combines_with_a_level(plan, shown):
    parent = CriterionFactory()
    child = CriterionFactory(category=parent.category, parent=parent)
    other = CriterionFactory()
    basic, advance = (RequirementFactory(criterion=child, level=level) for level in (1, 2))
    first = ActionItemFactory(plan=plan, criterion=child, requirements=[basic])
    second = ActionItemFactory(plan=plan, criterion=child, requirements=[advance])
    # It belongs to another criterion and also answers a requirement of this one.
    third = ActionItemFactory(plan=plan, criterion=other, requirements=[basic])
    assert shown(f"criterion={parent.code}") == shown(f"criterion={child.code}") == {first, second, third}
    assert shown(f"criterion={child.code}&level=1") == {first, third}
    assert shown(f"criterion={child.code}&level=3") == set()


def test_partner_is_the_unit_in_the_other_role(plan, shown):
    one, two, three = (UnitFactory(abbreviation=name) for name in ("กอ.", "กข.", "กค."))
    led = ActionItemFactory(plan=plan, lead=[one], support=[two])
    supported = ActionItemFactory(plan=plan, lead=[two], support=[one])
    ActionItemFactory(plan=plan, lead=[one], support=[three])
    assert shown("unit=กอ.&role=LEAD&partner=กข.") == {led}
    assert shown("unit=กอ.&role=SUPPORT&partner=กข.") == {supported}
    assert shown("unit=กอ.&partner=กข.") == {led, supported}


def test_scope(plan, shown, coordinator, report_progress):
    done, cancelled, late, later, unscheduled = (
        ActionItemFactory(plan=plan, runs=runs) for runs in ((1, 2), (1, 2), (1, 1), (4, 4), None)
    )
    report_progress(done, coordinator, status=Status.DONE)
    report_progress(cancelled, coordinator, status=Status.CANCELLED, progress=0, reason="รวมกัน")
    assert shown("scope=counted") == {done, late, later, unscheduled}
    assert shown("scope=open") == {late, later, unscheduled}
    assert shown("scope=at_work") == {late}


@pytest.mark.parametrize(
    ("day", "age"),
    [(1, "30"), (30, "30"), (31, "90"), (90, "90"), (91, "180"), (180, "180"), (181, "more"), (270, "more")],
)
def test_age_by_the_days_since_the_last_period(plan, day, age):
    late = ActionItemFactory(plan=plan, runs=(1, 1))
    as_of = on_day(plan, date(2019, 12, 31) + timedelta(days=day), plan.periods.all())
    found = {
        each: set(ActionFilter(QueryDict(f"age={each}"), plan, as_of=as_of).qs) for each in ("30", "90", "180", "more")
    }
    assert found == {each: {late} if each == age else set() for each in found}


@pytest.mark.both_databases(only_full=True)
def test_change_is_offered_only_with_an_earlier_day(plan, coordinator, report_progress):
    done, still = ActionItemFactory(plan=plan), ActionItemFactory(plan=plan)
    as_of = on_day(plan, clock.today(), plan.periods.all())
    since = on_day(plan, date(2020, 1, 1), plan.periods.all())
    report_progress(done, coordinator, status=Status.DONE)
    chosen = ActionFilter(QueryDict("change=DONE"), plan, as_of=as_of, since=since)
    assert set(chosen.qs) == {done}
    assert set(ActionFilter(QueryDict("change=SILENT"), plan, as_of=as_of, since=since).qs) == {still}
    assert "change" not in ActionFilter(QueryDict("change=DONE"), plan, as_of=as_of).form.fields


@pytest.mark.both_databases(only_full=True)
def test_only_the_requested_filters_are_offered(plan):
    as_of = on_day(plan, clock.today(), plan.periods.all())
    chosen = ActionFilter(QueryDict("status=DONE&q=x"), plan, as_of=as_of, only=("status",))
    assert list(chosen.form.fields) == ["status"]
    assert chosen.query == {"status": "DONE"}
