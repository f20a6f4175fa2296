"""The bell's list, as a page and as a panel."""

import re
from datetime import date
from unittest import mock

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.template.loader import render_to_string
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assignments.access import Access
from assignments.models import Unit
from plan.as_of import on_day
from plan.models import Due
from submissions.grid import SubmissionCellState, missing_submissions, read_submission_grid
from submissions.steps import return_submission
from tests.factories import ActionItemFactory, UnitFactory, UserFactory
from tests.plan.posting import HTMX
from tests.submissions.returning import create_returned_line
from tests.submissions.sending import review, send
from tests.test_lists import open_sheet, shape
from tests.test_pages import BUDGET, no_inline
from worklist.owed import MAX_GROUP_ROWS
from worklist.queue import RETURNED, count_owed

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]
HERE = "/plans/2563/owed/"
ENDED = (1, 2)  # the periods that have ended by the tests' day


@pytest.fixture
def unit():
    return UnitFactory()


@pytest.fixture
def person(client, unit):
    person = UserFactory(roles=["staff"], units=[unit])
    client.force_login(person)
    return person


def count(plan, person):
    return count_owed(plan, Access.of(person), on_day(plan, date(2020, 5, 15), plan.periods.all()))


@pytest.mark.both_databases
def test_it_is_grouped_most_pressing_first_own_before_shared(client, plan, unit, person, report_progress):
    everybody = UnitFactory(is_collective=True, members=[unit])
    now = ActionItemFactory(plan=plan, lead=[unit], ref="1.1-A-1")
    shared = ActionItemFactory(plan=plan, lead=[everybody], ref="1.1-A-2")
    late = ActionItemFactory(plan=plan, lead=[unit, everybody], ref="1.1-A-3", runs=(1, 2))
    back = ActionItemFactory(plan=plan, lead=[unit], ref="1.1-A-4", runs=(1, 2))
    updated = ActionItemFactory(plan=plan, lead=[unit], ref="1.1-A-5")
    ActionItemFactory(plan=plan, lead=[unit], ref="1.1-A-6", runs=(4, 4))
    ActionItemFactory(plan=plan, support=[unit], ref="1.1-A-7")
    create_returned_line(back, reason="ยังไม่มีหลักฐาน")
    report_progress(updated, person, progress=10)
    response = client.get(HERE)
    groups = [
        (group.key, [row.action for row in group.own], [row.action for row in group.via_collective])
        for group in response.context["groups"]
    ]
    assert groups == [(RETURNED, [back], []), (Due.OVERDUE, [late], []), (Due.NOW, [now], [shared])]
    body = response.content.decode()
    assert "ยังไม่มีหลักฐาน" in body
    assert [f'href="/plans/2563/my/{action.ref}/"' in body for action in (back, late, now, shared, updated)] == [
        True, True, True, True, False,
    ]  # fmt: skip
    reports = [(cell.period.number, cell.state.value, cell.is_late) for cell in response.context["reports"]]
    assert reports == [(1, "RETURNED", True), (2, "LATE", True)]
    assert response.context["count"] == count(plan, person) == 4 + 2
    assert no_inline(body) == []
    days = {
        row.action.ref: (row.was_due_on, row.report_by)
        for group in response.context["groups"]
        for row in [*group.own, *group.via_collective]
    }
    due, by = date(2020, 3, 31), date(2020, 6, 30)
    assert days == {"1.1-A-4": (due, None), "1.1-A-3": (due, None), "1.1-A-1": (None, by), "1.1-A-2": (None, by)}


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_it_says_that_nothing_is_owed(client, plan, person, headers):
    body = client.get(HERE, headers=headers).content.decode()
    assert 'class="empty"' in body
    assert "/my/1." not in body
    assert count(plan, person) == 0


def test_users_who_report_for_no_unit_owe_nothing(client, plan, unit):
    ActionItemFactory(plan=plan, lead=[unit])
    manager = UserFactory(roles=["management"], units=[unit])
    client.force_login(manager)
    assert client.get(HERE).context["count"] == count(plan, manager) == 0


@pytest.mark.both_databases
@pytest.mark.parametrize("state", ["LATE", "RETURNED"])
def test_a_late_or_returned_submission_is_listed_without_actions(
    client, plan, unit, person, report_progress, coordinator, state
):
    """On the page, in the panel, in the workbook and in the bell's number, with its link."""
    action = ActionItemFactory(plan=plan, lead=[unit], runs=(2, 3))
    report_progress(action, person, progress=10)
    number = {"LATE": 2, "RETURNED": 3}[state]
    if state == "RETURNED":
        send(plan, unit, person, number=2)
        step = send(plan, unit, person, number=3)
        review(return_submission, step.submission, coordinator, version=1, reasons={action.pk: "โปรดแนบหลักฐาน"})
        report_progress(action, person, result="แนบแล้ว")
    address = reverse("period_report", args=["2563", unit.abbreviation, number])
    for headers in ({}, HTMX):
        body = client.get(HERE, headers=headers).content.decode()
        assert f'href="{address}"' in body
        assert "/my/1." not in body
        assert 'class="empty"' not in body
    assert count(plan, person) == 1
    assert "มีงานที่ต้องรายงาน 1 รายการ" in client.get("/plans/2563/my/").content.decode()
    _head, headings, rows = shape(open_sheet(client.get("/plans/2563/owed.xlsx")))
    (row,) = (dict(zip(headings, row, strict=True)) for row in rows)
    assert [row["หน่วยงาน"], row["สถานะ"]] == [str(unit), SubmissionCellState(state).label]
    send(plan, unit, person, number=number, version=2 if state == "RETURNED" else 0)
    assert count(plan, person) == 0


@pytest.mark.both_databases
def test_the_bell_and_the_grid_name_the_same_reports(plan, unit, person, report_progress, coordinator):
    """In every state of a submission."""
    action = ActionItemFactory(plan=plan, lead=[unit])
    ActionItemFactory(plan=plan, lead=[UnitFactory()])
    reports = [send(plan, unit, person, number=number).submission for number in (1, 2, 3)]
    as_of = on_day(plan, date(2020, 5, 15), plan.periods.all())
    states = set()
    for report in reports:
        review(return_submission, report, coordinator, version=1, reasons={action.pk: "แก้ไข"})
        cells = read_submission_grid(plan, as_of, list(Unit.objects.divisions())).rows
        asked = [cell for row in cells if row.unit == unit for cell in row.cells if cell.is_missing]
        assert missing_submissions(plan, Access.of(person), as_of) == asked
        states |= {(cell.period.number, cell.state.value) for cell in asked}
    assert states == {(1, "RETURNED"), (2, "RETURNED"), (3, "RETURNED")}


def test_htmx_gets_the_panel_with_the_first_rows_of_each_group(client, plan, unit, person):
    for _ in range(MAX_GROUP_ROWS + 2):
        ActionItemFactory(plan=plan, lead=[unit])
    body = client.get(HERE, headers=HTMX).content.decode()
    assert "<html" not in body
    assert body.count("/plans/2563/my/1.1-A-") == MAX_GROUP_ROWS
    assert re.search(rf'class="owed-more">\s*<a href="{HERE}">[^<]*\b2\b', body)
    page = client.get(HERE).content.decode()
    assert page.count("/plans/2563/my/1.1-A-") == MAX_GROUP_ROWS + 2 == count(plan, person) - len(ENDED)
    assert "owed-more" not in page


@pytest.mark.both_databases
def test_neither_the_page_nor_the_count_needs_more_queries_for_more_rows(client, plan, unit, person):
    UnitFactory(is_collective=True, members=[unit])

    def grow():
        ActionItemFactory(plan=plan, lead=[unit, UnitFactory()])
        ActionItemFactory(plan=plan, lead=[UnitFactory(is_collective=True, members=[unit])])
        create_returned_line(ActionItemFactory(plan=plan, lead=[unit], runs=(1, 2)), reason="ก")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(HERE).status_code == 200
        return len(captured)

    def queries_of_count():
        access, as_of = Access.of(person), on_day(plan, date(2020, 5, 15), list(plan.periods.all()))
        with CaptureQueriesContext(connection) as captured:
            count_owed(plan, access, as_of)
        return len(captured)

    grow()
    with_one = queries()
    assert queries_of_count() == 3
    grow()
    grow()
    assert queries() == with_one <= BUDGET
    assert queries_of_count() == 3


@pytest.mark.parametrize(("owed_count", "badge"), [(0, None), (7, "7"), (120, "99+")])
def test_the_bell_shows_its_number_and_works_without_scripts(plan, owed_count, badge):
    bell = render_to_string("components/bell.html", {"slug": plan.slug, "owed_count": owed_count})
    assert ('class="bell-count"' in bell) is (badge is not None)
    assert badge is None or f">{badge}<" in bell
    assert f'<a href="{HERE}">' in bell
    assert no_inline(bell) == []


def test_the_bell_is_counted_once_between_two_writes(client, plan, unit, action, report_progress):
    person = UserFactory(roles=["staff"], units=[unit])
    client.force_login(person)
    page = f"/plans/{plan.slug}/actions/{action.ref}/"

    def number():
        return client.get(page).context["owed_count"]()

    with mock.patch("worklist.context_processors.count_owed", wraps=count_owed) as counted:
        first = number()
        assert (number(), counted.call_count) == (first, 1)
        report_progress(action, person, progress=10)
        assert (number(), counted.call_count) == (first - 1, 2)
        person.groups.set([])
        assert number() == 0
        person.groups.set(Group.objects.filter(name="staff"))
        with override_settings(PMQA_TODAY=date(2020, 8, 15)):
            assert number() > first
