"""The filters of the list: each narrows to what its name says."""

import pytest
from django.http import QueryDict

from plan.as_of import on_day
from plan.filters import ActionFilter
from plan.models import Status
from pmqa_tracker import clock
from tests.factories import ActionItemFactory, CriterionFactory, PlanFactory, RequirementFactory, UnitFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    return PlanFactory()


@pytest.fixture
def shown(plan):
    def inner(query):
        as_of = on_day(plan, clock.today(), plan.periods.all())
        chosen = ActionFilter(QueryDict(query), plan.actions.all(), as_of=as_of)
        return list(chosen.qs) if "sort" in query else set(chosen.qs)

    return inner


def test_text_is_found_however_it_is_typed(plan, shown):
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


def test_status_health_due_period_and_update(plan, shown, coordinator, tell):
    done = ActionItemFactory(plan=plan, runs=(1, 2))
    late = ActionItemFactory(plan=plan, runs=(1, 2))
    later = ActionItemFactory(plan=plan, runs=(4, 4))
    unscheduled = ActionItemFactory(plan=plan, runs=None)
    tell(done, coordinator, status=Status.DONE)
    assert shown("status=DONE") == {done}
    assert shown("health=OVERDUE") == shown("due=OVERDUE") == {late}
    assert shown("due=LATER") == {later}
    assert shown("due=UNSCHEDULED") == shown("health=NONE") == {unscheduled}
    assert shown("period=1") == {done, late}
    assert shown("begins=4") == shown("ends=4") == {later}
    assert shown("updated=yes") == {done}
    assert shown("updated=no") == {late}


def test_orders(plan, shown, coordinator, tell):
    first = ActionItemFactory(plan=plan, runs=(1, 4))
    second = ActionItemFactory(plan=plan, runs=(1, 3))
    third = ActionItemFactory(plan=plan, runs=(1, 2))
    tell(first, coordinator, progress=10)
    tell(second, coordinator, progress=90)
    assert shown("sort=due") == [third, second, first]
    assert shown("sort=behind") == [third, first, second]
    assert shown("sort=updated") == [second, first, third]


def test_what_nobody_offers_is_left_out_and_named(plan):
    as_of = on_day(plan, clock.today(), plan.periods.all())
    action = ActionItemFactory(plan=plan)
    chosen = ActionFilter(QueryDict("status=ASLEEP&unit=ไม่มี&period=99&q=x&q=ทำ"), plan.actions.all(), as_of=as_of)
    assert len(chosen.unknown) == 3
    assert list(chosen.qs) == [action]
    assert chosen.active_count == 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("level=2", ["ระดับ: Advance (Alignment)"]),
        ("status=BLOCKED&unit=กพร.&role=LEAD", ["หน่วยงาน: กพร.", "ในฐานะ: หน่วยงานหลัก", "สถานะ: ติดปัญหา"]),
        ("period=2&sort=due", ["ดำเนินการในช่วง: ม.ค.–มี.ค. 2563", "เรียงลำดับ: ครบกำหนดก่อน"]),
        ("level=9&unit=x", []),
    ],
)
def test_the_filters_in_words(plan, query, words):
    UnitFactory(abbreviation="กพร.")
    as_of = on_day(plan, clock.today(), plan.periods.all())
    assert ActionFilter(QueryDict(query), plan.actions.all(), as_of=as_of).words == words
