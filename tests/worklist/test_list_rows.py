"""Workbooks of the plan's lists: same rows and order as the page, for every filter."""

import re
from datetime import date, datetime, time
from html import unescape
from random import Random
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from assignments.models import Role, Unit
from plan.as_of import on_day
from plan.models import AT_WORK, Plan, Status
from plan.models.duties import read_updated
from tests import sizes
from tests.factories import UserFactory
from tests.test_lists import open_sheet, shape
from worklist.queue import SECTIONS

pytestmark = pytest.mark.django_db
COUNT = re.compile(r'id="count" data-count="(\d+)"')
REF = re.compile(r'class="action-ref" href="[^"]*">([^<]+)<')
HEADINGS = [
    "รหัส", "เกณฑ์", "หมวด", "ระดับ", "สิ่งที่ต้องดำเนินการ", "หน่วยงานหลัก", "หน่วยงานสนับสนุน", "ช่วงเวลา", "สถานะ", "ล่าช้า",
    "ความก้าวหน้า", "ตามแผน", "ความก้าวหน้าเทียบแผน", "รายงานล่าสุดเมื่อ",
]  # fmt: skip


def refs_of(sheet):
    return [row[0] for row in shape(sheet)[2]]


def refs_on_pages(client, address):
    """Return the refs of every page of the list, read by htmx."""
    refs, page, count = [], 1, 1
    while len(refs) < count:
        response = client.get(f"{address}&page={page}", headers={"HX-Request": "true"})
        body = response.content.decode()
        found = [*map(unescape, REF.findall(body))]
        refs, page, count = refs + found, page + 1, int(COUNT.search(body)[1])
        assert found or not count
    return refs


def count_same_rows(client, query):
    """Assert that the workbook has the rows of the pages in the same order, and return their number."""
    address = f"?{urlencode(query)}"
    expected = refs_on_pages(client, f"/plans/2562-2563/actions/{address}")
    sheet = open_sheet(client.get(f"/plans/2562-2563/actions.xlsx{address}"))
    assert refs_of(sheet) == (expected or ["ไม่มีรายการตรงกับเงื่อนไข"]), query
    return len(expected)


FILTERS = {
    "q": ["ระบบ", "1.2", "ไม่มีคำนี้เลย"],
    "category": ["1", "4", "99"],
    "criterion": ["1.1", "1.2.1", "3.1"],
    "level": ["1", "2", "3"],
    "unit": ["กพร.", "สลก.", "ทุกหน่วยงาน", "ไม่มี"],
    "role": list(Role.values),
    "partner": ["กน.", "กคร."],
    "status": list(Status.values),
    "health": ["OVERDUE", "BEHIND", "SLIPPING", "ON_TRACK", "NONE"],
    "due": ["OVERDUE", "NOW", "LATER", "UNSCHEDULED", "CLOSED"],
    "period": ["1", "3", "5"],
    "begins": ["1", "2"],
    "ends": ["4", "5"],
    "updated": ["yes", "no"],
    "scope": ["counted", "open", "at_work"],
    "age": ["30", "more"],
    "change": ["DONE", "FORWARD", "SILENT"],
    "sort": ["due", "behind", "updated", "lead", "-support", "level", "-status", "progress", "-plan", "x"],
    "as_of": ["2019-09-01", "2563-03-31", "31/12/2562", "1999-01-01", "พรุ่งนี้"],
    "since": ["2019-12-31", "2020-03-31"],
}


def queries():
    """Values alone, then random combinations; a full run has each value and 60 combinations."""
    chance = Random(7 + sizes.SEED)  # noqa: S311 - repeatable
    alone = [
        {name: value} for name, values in FILTERS.items() for value in chance.sample(values, sizes.scaled(len(values)))
    ]
    mixed = [
        {name: chance.choice(FILTERS[name]) for name in chance.sample(sorted(FILTERS), chance.randint(2, 4))}
        for _number in range(sizes.scaled(60))
    ]
    return [{}, *alone, *mixed]


@pytest.mark.usefixtures("demo")
class TestThePlan:
    """The department's plan with the demonstration's history."""

    @pytest.mark.apart
    def test_rows_and_order_match_the_page(self, client):
        client.force_login(UserFactory())
        asked = queries()
        some = {count_same_rows(client, query) for query in asked}
        assert max(some) == 141
        assert len(some) > len(asked) // 3

    @pytest.mark.both_databases(every=True)
    @pytest.mark.parametrize("sort", FILTERS["sort"])
    def test_rows_with_equal_sort_keys_have_a_fixed_order(self, client, sort):
        """A page reads some rows, the workbook all; without a fixed order they may sort equal rows differently."""
        client.force_login(UserFactory())
        assert count_same_rows(client, {"sort": sort, "unit": "กพร."}) > 25

    def test_a_row_matches_the_page(self, client):
        client.force_login(UserFactory())
        address = "?as_of=2020-05-15&sort=behind"
        lines, headings, rows = shape(open_sheet(client.get(f"/plans/2562-2563/actions.xlsx{address}")))
        assert headings == HEADINGS
        assert lines == [
            "สิ่งที่ต้องดำเนินการ",
            "แผนการพัฒนาองค์การ กรมสวัสดิการและคุ้มครองแรงงาน ประจำปีงบประมาณ พ.ศ. 2562-2563 · ข้อมูล ณ 15 พ.ค. 2563",
            "เรียงลำดับ: ช้ากว่าแผนมากที่สุดก่อน",
        ]
        context = client.get(f"/plans/2562-2563/actions/{address}").context
        shown = list(context["filter"].qs.with_details()[:50])
        assert [action.ref for action in shown] == [row.ref for row in context["page"]]
        for action, row in zip(shown, rows, strict=False):
            updated = action.updated_at and thai_day(action.updated_at)
            assert row == [
                action.ref,
                str(action.criterion),
                str(action.criterion.category),
                ", ".join(each.get_level_display() for each in action.requirements.all()),
                action.text,
                ", ".join(str(each.unit) for each in action.lead) or None,
                ", ".join(str(each.unit) for each in action.support) or None,
                row[7],
                Status(action.status_on).label,
                "ล่าช้า" if action.due == "OVERDUE" else None,
                action.progress_on / 100,
                pytest.approx(action.expected_on / 100) if action.expected_on is not None else None,
                row[12],
                updated,
            ]
        assert {row[7] for row in rows} > {"เอกสารไม่ระบุช่วงเวลา", "ส.ค.–ก.ย. 2562 ถึง ก.ค.–ก.ย. 2563"}

    def test_updated_actions_read_for_a_page_are_those_of_the_annotation(self):
        plan = Plan.objects.get()
        for day, unit in ((date(2020, 5, 15), None), (date(2020, 3, 31), "กพร."), (date(2020, 5, 15), "สพม.")):
            as_of = on_day(plan, day, plan.periods.all())
            units = unit and [plan.organization.units.get(abbreviation=unit).pk]
            at_work = plan.actions.as_of(as_of).filter(due__in=AT_WORK)
            expected = dict(at_work.with_updated_on(as_of, units).values_list("pk", "updated_on"))
            found = read_updated(dict(at_work.values_list("pk", "updated_at")), as_of, units)
            assert found == {pk: at for pk, at in expected.items() if at}
            assert found

    def test_ignored_parameters_are_named_on_the_sheet_and_on_no_later_page(self, client):
        client.force_login(UserFactory())
        address = "?as_of=x&status=ASLEEP&colour=red"
        lines, _headings, rows = shape(open_sheet(client.get(f"/plans/2562-2563/actions.xlsx{address}")))
        assert len(rows) == 141
        assert "“x” ไม่ใช่วันที่" in lines[2]
        assert "สถานะ" in lines[3]
        assert "“colour”" in lines[3]
        assert list(client.get("/plans/2562-2563/actions/").context["messages"]) == []

    def test_an_earlier_message_is_kept_for_the_next_page(self, client):
        client.force_login(UserFactory())
        client.post("/plans/2562-2563/my/unchanged/")  # redirects with a message
        client.get("/plans/2562-2563/actions.xlsx?as_of=x")
        assert len(client.get("/plans/2562-2563/actions/").context["messages"]) == 1

    def test_the_link_follows_the_swapped_rows(self, client):
        client.force_login(UserFactory())
        response = client.get("/plans/2562-2563/actions/?status=DONE&q=&page=2", headers={"HX-Request": "true"})
        assert 'href="/plans/2562-2563/actions.xlsx?status=DONE&amp;q="' in response.content.decode()

    @pytest.mark.both_databases
    @pytest.mark.parametrize("role", ["LEAD", "SUPPORT"])
    def test_my_work(self, client, role):
        person = UserFactory(roles=["staff"], units=Unit.objects.filter(abbreviation__in=["กพร.", "สลก."]))
        client.force_login(person)
        work = client.get(f"/plans/2562-2563/my/?role={role}").context["work"]
        expected = [
            (str(section.label), row.action.ref, row.action.text, row.collective and str(row.collective))
            for section in work.sections
            for row in (*section.own, *section.via_collective)
        ]
        _lines, _headings, rows = shape(open_sheet(client.get(f"/plans/2562-2563/my.xlsx?role={role}")))
        assert [(row[0], row[1], row[3], row[4]) for row in rows] == expected
        assert len({row[0] for row in rows}) > 2
        assert {row[0] for row in rows} <= {str(label) for _key, label in SECTIONS}

    @pytest.mark.both_databases
    def test_what_is_owed(self, client):
        person = UserFactory(roles=["staff"], units=Unit.objects.filter(abbreviation__in=["กพร.", "สลก."]))
        client.force_login(person)
        groups = client.get("/plans/2562-2563/owed/").context["groups"]
        expected = [
            (str(group.label), row.action.ref, row.was_due_on or row.report_by)
            for group in groups
            for _part, part_rows in group.parts
            for row in part_rows
        ]
        _lines, _headings, rows = shape(open_sheet(client.get("/plans/2562-2563/owed.xlsx")))
        assert [(row[0], row[2], (row[7] or row[8]).date()) for row in rows] == expected
        assert len(rows) > 10


def thai_day(moment):
    """Return the local day of a moment, as openpyxl reads it."""
    return datetime.combine(timezone.localtime(moment).date(), time.min)
