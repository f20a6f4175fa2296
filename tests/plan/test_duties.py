"""Duties: which unit must report on which action; all pages and figures agree."""

from datetime import date
from random import Random

import pytest

from assignments.access import Access
from plan.actions.filters import ActionFilter
from plan.as_of import on_day
from plan.models import Status
from pmqa_tracker import clock
from reports.figures.groups import silent_units, unit_groups
from reports.figures.standings import read_plan_standings
from submissions.grid import SubmissionCellState, read_submission_grid
from submissions.page import read_submission_page
from submissions.steps import submission_actions, submission_day
from tests import sizes
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.submissions.returning import create_returned_line
from tests.submissions.sending import on
from worklist.owed import read_owed_list
from worklist.queue import RETURNED, build_work, count_owed, read_owed, read_rows

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


def today(plan):
    return on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now())


def member_of(*units, **kwargs):
    return UserFactory(**{"organization": units[0].organization, "roles": ["staff"], "units": units} | kwargs)


def owed_refs(plan, person):
    owed = read_owed_list(plan, Access.of(person), today(plan))
    refs = [row.action.ref for group in owed.groups for row in (*group.own, *group.via_collective)]
    assert count_owed(plan, Access.of(person), today(plan)) == owed.count
    return sorted(refs)


def silent_refs(plan, **filters):
    rows = ActionFilter({"updated": "no", **filters}, plan, as_of=today(plan)).qs
    return sorted(action.ref for action in rows)


def counters(plan, person):
    rows = read_rows(plan, Access.of(person), today(plan))
    work = build_work(rows, "LEAD")
    return [(each.updated, each.total) for each in (work.own, work.via_collective)]


def test_result_of_a_supporting_unit_does_not_count_for_the_lead_unit(plan, report_progress):
    lead, support = UnitFactory(), UnitFactory()
    action = ActionItemFactory(plan=plan, lead=[lead], support=[support])
    leader, helper = member_of(lead), member_of(support)
    report_progress(action, helper, result="ส่งข้อมูลแล้ว")
    assert owed_refs(plan, leader) == silent_refs(plan) == silent_refs(plan, unit=str(lead)) == [action.ref]
    assert owed_refs(plan, helper) == silent_refs(plan, unit=str(support)) == []
    assert counters(plan, leader) == [(0, 1), (0, 0)]
    report_progress(action, leader, progress=10)
    assert owed_refs(plan, leader) == silent_refs(plan) == []
    assert counters(plan, leader) == [(1, 1), (0, 0)]


def test_each_of_two_lead_units_must_report(plan, report_progress):
    first, second = UnitFactory(), UnitFactory()
    action = ActionItemFactory(plan=plan, lead=[first, second])
    report_progress(action, member_of(first), progress=10)
    assert owed_refs(plan, member_of(first)) == []
    assert owed_refs(plan, member_of(second)) == silent_refs(plan) == [action.ref]
    assert silent_refs(plan, unit=str(first), role="LEAD") == []
    assert silent_refs(plan, unit=str(second), role="LEAD") == [action.ref]


def test_update_of_one_member_does_not_count_for_the_rest_of_a_collective(plan, report_progress):
    units = [UnitFactory() for _ in range(3)]
    everyone = UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True, members=units)
    action = ActionItemFactory(plan=plan, lead=[everyone])
    people = [member_of(unit) for unit in units]
    report_progress(action, people[0], progress=10)
    assert [owed_refs(plan, person) for person in people] == [[], [action.ref], [action.ref]]
    assert [counters(plan, person)[1] for person in people] == [(1, 1), (0, 1), (0, 1)]
    assert silent_refs(plan) == silent_refs(plan, unit="ทุกหน่วยงาน") == [action.ref]
    for person in people[1:]:
        report_progress(action, person, progress=20)
    assert silent_refs(plan) == silent_refs(plan, unit="ทุกหน่วยงาน") == []


def test_user_of_the_collective_itself_owes_until_all_its_members_reported(plan, report_progress):
    units = [UnitFactory() for _ in range(3)]
    everyone = UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True, members=units)
    action = ActionItemFactory(plan=plan, lead=[everyone])
    ActionItemFactory(plan=plan, runs=(4, 4), lead=[everyone], support=units)  # the members stand in a row too
    person, both = member_of(everyone), member_of(units[0], everyone)
    for unit in units:
        assert owed_refs(plan, person) == owed_refs(plan, both) == [action.ref]
        assert sum(counters(plan, person), ()) == sum(counters(plan, both), ()) == (0, 1, 0, 0)
        report_progress(action, member_of(unit), progress=10)
    assert owed_refs(plan, person) == owed_refs(plan, both) == []
    assert sum(counters(plan, person), ()) == sum(counters(plan, both), ()) == (1, 1, 0, 0)


@pytest.mark.both_databases
def test_coordinator_reports_for_the_lead_units(plan, report_progress):
    lead, other = UnitFactory(), UnitFactory()
    alone = ActionItemFactory(plan=plan, lead=[lead])
    shared = ActionItemFactory(plan=plan, lead=[lead, other])
    outside = UserFactory(roles=["coordinator"], units=[UnitFactory()])
    assert report_progress(alone, outside, progress=10).unit == lead
    assert report_progress(shared, outside, progress=10).unit is None
    assert owed_refs(plan, member_of(lead)) == owed_refs(plan, member_of(other)) == silent_refs(plan) == []


def test_action_without_a_lead_is_silent_until_somebody_reports(plan, coordinator, report_progress):
    action = ActionItemFactory(plan=plan)
    gone = ActionItemFactory(plan=plan, lead=[UnitFactory(is_active=False)])
    assert silent_refs(plan) == sorted([action.ref, gone.ref])
    report_progress(action, coordinator, progress=10)
    assert silent_refs(plan) == [gone.ref]


@pytest.mark.both_databases
def test_updated_overdue_action_leaves_the_bell_until_the_next_period(client, plan, report_progress, settings):
    unit = UnitFactory()
    person = member_of(unit)
    action = ActionItemFactory(plan=plan, lead=[unit], runs=(1, 2))
    assert owed_refs(plan, person) == [action.ref]
    report_progress(action, person, progress=60)
    assert owed_refs(plan, person) == []
    client.force_login(person)
    row = client.get("/plans/2563/my/?show=TOLD").content.decode()
    assert "ครบกำหนดเมื่อ 31 มี.ค. 2563" in row
    assert "รายงานแล้วเมื่อ 15 พ.ค. 2563" in row
    for address in (f"/plans/2563/actions/{action.ref}/", "/plans/2563/actions/?due=OVERDUE"):
        assert "ล่าช้า รายงานแล้วเมื่อ 15 พ.ค. 2563" in client.get(address).content.decode()
    (standing,) = read_plan_standings(plan, today(plan))
    assert (standing.due, standing.is_silent) == ("OVERDUE", False)
    settings.PMQA_TODAY = date(2020, 7, 1)
    assert owed_refs(plan, person) == [action.ref]
    assert "รายงานแล้วเมื่อ" not in client.get("/plans/2563/actions/?due=OVERDUE").content.decode()


def random_plan(seed):
    """Return a random plan with units, collectives and users."""
    random = Random(seed)  # noqa: S311 - nothing secret
    plan = PlanFactory()
    units = [UnitFactory() for _ in range(4)]
    every = [
        *units,
        UnitFactory(is_collective=True, members=units[:3]),
        UnitFactory(is_collective=True, members=units[1:]),
    ]
    people = [member_of(unit) for unit in units]
    people += [UserFactory(roles=["coordinator"]), UserFactory(roles=["coordinator"], units=[units[0]])]
    for _ in range(12):
        runs = random.choice([None, *((first, last) for first in range(1, 5) for last in range(first, 5))])
        ActionItemFactory(
            plan=plan, runs=runs, lead=random.sample(every, random.choice([0, 1, 1, 2])),
            support=random.sample(every, random.choice([0, 1])),
        )  # fmt: skip
    return plan, units, people, random


def write_history(plan, people, random, report_progress):
    """Write updates on the days of the plan, each by a user who may write it."""
    steps = [(on(*day), random.choice(people)) for day in ((11, 5), (1, 20), (2, 9), (3, 30), (4, 2), (4, 28), (5, 14))]
    for action in plan.actions.with_details():
        for at, person in random.sample(steps, random.randint(0, 4)):
            access = Access.of(person)
            if access.may_change_status(action):
                status = random.choice([Status.IN_PROGRESS, Status.DONE, Status.IN_PROGRESS])
                fields = {"progress": random.randint(1, 99)} if status == Status.IN_PROGRESS else {"status": status}
                report_progress(action, person, at=at, reason="ปรับตามข้อเท็จจริง", **fields)
            elif access.may_add_result(action):
                report_progress(action, person, at=at, result="เพิ่มเติม")


def expect_agreement(plan, units):
    """Check that all code that uses duties agrees for each unit, and for each unit and period."""
    as_of = today(plan)
    standings = read_plan_standings(plan, as_of)
    table = read_submission_grid(plan, as_of, units)
    for row in table.rows:
        unit, person = row.unit, member_of(row.unit)
        for cell in row.cells:
            spoken = submission_day(plan, cell.period, clock.now())
            page = read_submission_page(plan, unit, cell.period, spoken)
            held = set(submission_actions(plan, unit, cell.period, spoken).values_list("pk", flat=True))
            if cell.period.starts_on > as_of.day:
                assert page.to_send == []
                continue
            assert {each.action.pk for each in page.to_send} == held
            assert cell.by or (cell.state == SubmissionCellState.NONE) == (not held), (unit, cell.period)
            if cell.period == as_of.period:
                waiting = {each.action.pk for each in page.to_send if each.is_silent}
        owed = read_owed(plan, Access.of(person), as_of)
        rows = read_rows(plan, Access.of(person), as_of)
        mine = {row.action.pk for row in rows if row.is_at_work and any(not duty.update for duty in row.duties)}
        returned = {action.pk for action in owed.returned}
        shown = {action.pk for action in plan.actions.as_of(as_of).silent_in(as_of, [unit.pk])}
        counted = {each.pk for each in standings if each.is_silent_for(unit)}
        lead, support = unit_groups(unit, standings, {})
        assert waiting == mine == shown == counted
        assert waiting - returned == {action.pk for action in owed.actions} - returned
        assert lead.silent.count == len(shown)
        for part in (lead, support):
            chosen = ActionFilter(part.silent.query, plan, as_of=as_of)
            assert chosen.ignored == []
            assert chosen.qs.count() == part.silent.count
        assert (lead in silent_units([lead], standings)) == bool(
            {each.pk for each in standings if unit.pk in each.own and each.is_at_work}
            and not any(unit.pk in each.reporters for each in standings)
        )
    anybody = {each.pk for each in standings if each.is_silent}
    assert anybody == {action.pk for action in plan.actions.as_of(as_of).silent_in(as_of)}


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(sizes.scaled(40)))
def test_all_pages_agree_on_a_random_history(seed, report_progress):
    plan, units, people, random = random_plan(seed)
    write_history(plan, people, random, report_progress)
    expect_agreement(plan, units)


@pytest.mark.both_databases
def test_update_of_another_unit_does_not_answer_a_return(plan, report_progress):
    first, second = UnitFactory(), UnitFactory()
    action = ActionItemFactory(plan=plan, lead=[first, second])
    person = member_of(first)
    report_progress(action, person, progress=10)
    create_returned_line(action, reason="ขอหลักฐาน")
    report_progress(action, member_of(second), progress=20)
    owed = read_owed(plan, Access.of(person), today(plan))
    assert [each.pk for each in owed.returned] == [action.pk]
    report_progress(action, person, progress=30)
    assert read_owed(plan, Access.of(person), today(plan)).returned == []
    assert RETURNED not in [key for key, _label, _rows in read_owed(plan, Access.of(person), today(plan)).groups]
