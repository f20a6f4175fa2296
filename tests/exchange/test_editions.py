"""The whole-plan workbook with editions of the standard and organizations: what it adds, refuses and leaves alone."""

import datetime
from io import BytesIO
from types import SimpleNamespace

import openpyxl.packaging.core
import openpyxl.writer.excel
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from assignments.access import Access
from assignments.models import Organization
from criteria.models import Category, Criterion, Framework, Requirement
from exchange.models import ImportJobState
from exchange.run import ImportRun
from exchange.whole_plan.export import build_plan_book, build_template
from exchange.whole_plan.planner import plan_changes
from exchange.whole_plan.tables import PLAN, PLAN_FIELDS, TABLES
from plan.as_of import on_day
from plan.models import Plan
from pmqa_tracker import clock
from pmqa_tracker.tasks.models import ignore_progress
from reports.plan_form.workbook import build_plan_form
from spreadsheets.read import read_workbook
from tests.exchange.site_texts import FLEETING, _cells
from tests.exchange.workbooks import confirm, fingerprint, preview, saved
from tests.factories import (
    ActionItemFactory,
    AssessmentFactory,
    CategoryFactory,
    CriterionFactory,
    FrameworkFactory,
    OrganizationFactory,
    PlanFactory,
    RequirementFactory,
    UnitFactory,
    UserFactory,
    default_organization,
)
from tests.pages import addresses, lists

pytestmark = pytest.mark.django_db

LINES = {field.name: field.heading for field in PLAN_FIELDS}
COLUMNS = {(sheet, field.name): place for sheet in TABLES for place, field in enumerate(TABLES[sheet], start=1)}
NEW_EDITION = {
    "slug": "2566", "title": "แผนปี 2566", "assessment": "การประเมินปี 2565", "framework": "pmqa-2566",
    "edition": "พ.ศ. 2566", "fiscal_year": 2566, "previous_framework": "pmqa-2562",
}  # fmt: skip


@pytest.fixture
def world():
    """A plan with two criteria and an action; another organization with a plan of its own."""
    plan, unit = PlanFactory(slug="2563"), UnitFactory(abbreviation="กพร.")
    category = CategoryFactory(number=1, name="การนำองค์การ")
    for code in ("1.1", "1.2"):
        criterion = CriterionFactory(category=category, code=code, position=int(code[-1]))
        ActionItemFactory(plan=plan, criterion=criterion, ref=f"{code}-A-1", lead=[unit], text=f"จัดทำคู่มือ {code}")
    other = OrganizationFactory(name="กรมที่ไม่ควรรู้จัก", short_name="กมร.")
    PlanFactory(slug="hidden", title="แผนลับ", organization=other)
    return plan


def book_with(plan, head=None, cells=None, *, base=None):
    """The workbook of a plan with other values on the plan sheet, and in cells: (sheet, row, name) → value."""
    book = load_workbook(BytesIO(base or saved(build_plan_book(plan))))
    rows = {cell.value: cell.row for cell in book[PLAN]["A"]}
    for name, value in (head or {}).items():
        book[PLAN].cell(rows[LINES[name]], 2).value = value
    for (sheet, row, name), value in (cells or {}).items():
        book[sheet].cell(row, COLUMNS[sheet, name]).value = value
    return saved(book)


def errors_of(job):
    """(sheet, heading of the column or line) → message and candidates, of each error."""
    found = {}
    names = dict(enumerate(PLAN_FIELDS, start=4))
    for error in job.findings.get("errors", ()):
        heading = names[error["row"]].heading if error["sheet"] == PLAN else error["heading"]
        found[error["sheet"], heading] = " ".join([error["message"], *error["candidates"]])
    return found


@pytest.fixture
def same_clock(monkeypatch):
    """Let every workbook be saved at the same moment."""
    moment = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    stopped = SimpleNamespace(
        datetime=SimpleNamespace(now=lambda tz=None: moment), timezone=datetime.timezone, UTC=datetime.UTC
    )
    monkeypatch.setattr(openpyxl.writer.excel, "datetime", stopped)
    monkeypatch.setattr("zipfile.time", SimpleNamespace(localtime=lambda *_args: moment.timetuple(), time=lambda: 0))
    monkeypatch.setattr(openpyxl.packaging.core, "datetime", stopped)


@pytest.mark.both_databases(only_full=True)
@pytest.mark.usefixtures("same_clock")
def test_next_plan_of_another_edition_leaves_the_old_plan_as_it_is(client, world, coordinator):
    """Every page for a reader, every workbook, and the bytes of the plan form."""
    client.force_login(UserFactory(roles=["staff", "management"]))
    as_of = on_day(world, clock.today(), world.periods.all())

    def read():
        base = f"/plans/{world.slug}"
        asked = {*addresses(world).values(), *(page for page, _file in lists(world).values())}
        asked |= {
            f"{base}/criteria/1.2/",
            f"{base}/plan.xlsx",
            f"{base}/data-sheet.xlsx",
            f"{base}/reports/progress.xlsx",
        }
        found = {}
        for address in sorted(asked):
            response = client.get(address)
            data = b"".join(response.streaming_content) if response.streaming else response.content
            text = _cells(data) if data[:2] == b"PK" else FLEETING.sub("", data.decode())
            found[address] = (response.status_code, text)
        return found

    def read_form():
        return saved(build_plan_form(Plan.objects.get(pk=world.pk), as_of, with_status=True))

    before, form = read(), read_form()
    assert sum(status == 200 for status, _text in before.values()) > 25
    assert read_form() == form
    cells = {("เกณฑ์", 5, "title"): "หลักเกณฑ์ใหม่ทั้งหมด", ("ผลการประเมิน", 5, "text"): "- ข้อกำหนดใหม่"}
    cells |= {("เกณฑ์", row, "change"): kind for row, kind in ((4, "ไม่เปลี่ยนแปลง"), (5, "ปรับปรุง"))}
    cells |= {("เกณฑ์", row, "predecessors"): code for row, code in ((4, "1.1"), (5, "1.2"))}
    job = confirm(preview(book_with(world, NEW_EDITION, cells), None, coordinator), coordinator)
    assert job.state == ImportJobState.WRITTEN, job.findings["errors"]
    made = job.plan
    changed = made.framework.criteria.get(code="1.2")
    assert (made.state, made.framework.slug, changed.title) == ("PREPARATION", "pmqa-2566", "หลักเกณฑ์ใหม่ทั้งหมด")
    assert (changed.change, [str(each) for each in changed.predecessors.all()]) == (
        "CHANGED",
        [str(world.framework.criteria.get(code="1.2"))],
    )
    after = read()
    assert {name for name in before if before[name] != after[name]} == set()
    assert read_form() == form
    again = preview(saved(build_plan_book(made)), None, coordinator)
    assert (again.state, again.findings["errors"]) == (ImportJobState.UNCHANGED, [])


@pytest.mark.both_databases(only_full=True)
def test_organization_line_names_only_the_own_organization(world, coordinator):
    own, base = world.organization, saved(build_plan_book(world))

    def found_in(name, person):
        head = {"slug": "2570", "assessment": "ใหม่", "organization": name}
        return errors_of(preview(book_with(world, head, base=base), None, person))

    for name in (None, " กสร ", own.name.replace("ำ", "ํา")):
        assert found_in(name, coordinator) == {}
    said = set()
    for name in ("กรมที่ไม่ควรรู้จัก", "ไม่มีกรมนี้"):
        found = found_in(name, coordinator)
        assert list(found) == [("แผน", "ส่วนราชการ")]
        said |= set(found.values())
    (message,) = said
    assert own.name in message
    nobody = UserFactory(roles=["coordinator"], organization=None)
    assert list(found_in(None, nobody)) == [("แผน", "ส่วนราชการ")]
    person = UserFactory(is_superuser=True, organization=None)
    for name, errors in (("กมร.", []), ("ไม่มีกรมนี้", ["ส่วนราชการ"]), (None, ["ส่วนราชการ"])):
        assert [heading for _sheet, heading in found_in(name, person)] == errors, name
    assert Organization.objects.count() == 2


@pytest.mark.both_databases(only_full=True)
def test_plan_of_another_organization_stays_unknown(world, coordinator):
    head = {"slug": "HIDDEN", "assessment": "ใหม่", "previous": "hidden"}
    found = errors_of(preview(book_with(world, head), None, coordinator))
    assert list(found) == [("แผน", "รหัสแผน"), ("แผน", "รหัสแผนก่อนหน้า")]
    assert "HIDDEN-2" in found["แผน", "รหัสแผน"]
    assert "2563" in found["แผน", "รหัสแผนก่อนหน้า"]
    assert not any("แผนลับ" in text or "กมร." in text for text in found.values())


NEXT = {"slug": "2564", "title": "แผนปี 2564", "assessment": "การประเมินปี 2563"}
WRONG = [
    ({"framework_name": None, "edition": None, "fiscal_year": None, "basic_points": None}, {}, []),
    ({"framework": "PMQA-๒๕๖๒"}, {}, []),
    ({"edition": "พ.ศ. 2566"}, {}, [("แผน", "ฉบับ")]),
    ({"significance_points": 150}, {}, [("แผน", "คะแนนที่เพิ่มเมื่อผ่าน Significance")]),
    ({"previous_framework": "pmqa-1"}, {}, [("แผน", "รหัสฉบับก่อนหน้า")]),
    ({}, {("หมวด", 4, "name"): "ชื่อใหม่"}, [("หมวด", "ชื่อหมวด")]),
    ({}, {("หมวด", 5, "number"): 2, ("หมวด", 5, "name"): "หมวดใหม่"}, [("หมวด", "เลขหมวด")]),
    ({}, {("เกณฑ์", 4, "title"): "ชื่อใหม่"}, [("เกณฑ์", "ชื่อเกณฑ์")]),
    (
        {},
        {("เกณฑ์", 6, "code"): "1.3", ("เกณฑ์", 6, "category"): 1, ("เกณฑ์", 6, "title"): "ใหม่"},
        [("เกณฑ์", "รหัสเกณฑ์")],
    ),
    ({}, {("ผลการประเมิน", 4, "text"): "- ข้อกำหนดใหม่"}, [("ผลการประเมิน", "ข้อกำหนด")]),
    ({}, {("ผลการประเมิน", 4, "level"): "Basic"}, [("ผลการประเมิน", "ระดับ")]),
    (
        {"framework": "pmqa-2566", "framework_name": None, "edition": None, "fiscal_year": "ปีหน้า"},
        {("เกณฑ์", 4, "category"): 9, ("หน่วยงาน", 4, "is_active"): "อาจจะ", ("รายการ", 5, "lead"): "กองที่ไม่มี"},
        [
            ("แผน", "ชื่อเกณฑ์มาตรฐาน"), ("แผน", "ฉบับ"), ("แผน", "ใช้ตั้งแต่ปีงบประมาณ"), ("หน่วยงาน", "ใช้งานอยู่"),
            ("เกณฑ์", "เลขหมวด"), ("รายการ", "หน่วยงานหลัก"),
        ],
    ),
    (
        {"framework": None, "organization": "ไม่มีกรมนี้", "title": None, "kind": "ใครก็ได้"},
        {("เกณฑ์", 4, "category"): 9, ("รายการ", 5, "lead"): "กองที่ไม่มี"},
        [
            ("แผน", "ชื่อแผน"), ("แผน", "ส่วนราชการ"), ("แผน", "ผู้ประเมิน"), ("แผน", "รหัสฉบับของเกณฑ์"),
            ("เกณฑ์", "เลขหมวด"), ("รายการ", "หน่วยงานหลัก"),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("head", "cells", "places"), WRONG, ids=range(len(WRONG)))
def test_rows_of_an_existing_edition_must_equal_it_and_all_errors_come_at_once(world, coordinator, head, cells, places):
    before = fingerprint()
    job = preview(book_with(world, NEXT | head, cells), None, coordinator)
    found = errors_of(job)
    assert set(found) == set(places)  # and none at the verdicts and actions of a criterion whose row has an error
    assert fingerprint() == before
    shared = {sheet for sheet, _heading in places} & {"หมวด", "เกณฑ์", "ผลการประเมิน"}
    if shared and not head:
        assert "ฉบับใหม่" in next(iter(found.values()))


@pytest.mark.both_databases
def test_edition_without_criteria_takes_all_rows_and_undo_leaves_it(client, world, coordinator):
    """An edition that was made in จัดการข้อมูล, with a category, before the first plan of it."""
    CategoryFactory(framework=FrameworkFactory(slug="pmqa-2566", fiscal_year=2566), number=1, name="การนำองค์การ")
    head = NEXT | {"framework": "pmqa-2566", "framework_name": None, "edition": None, "fiscal_year": None}
    counts = [model.objects.count() for model in (Framework, Category, Criterion, Requirement, Plan)]
    foreign = AssessmentFactory(framework=Framework.objects.get(slug="pmqa-2566"), organization=OrganizationFactory())
    found = errors_of(preview(book_with(world, head), None, coordinator))
    assert list(found) == [("เกณฑ์", "รหัสเกณฑ์")]  # another organization uses the edition
    foreign.delete()
    job = confirm(preview(book_with(world, head), None, coordinator), coordinator)
    assert job.state == ImportJobState.WRITTEN, job.findings["errors"]
    assert job.plan.framework.criteria.count() == 2
    client.force_login(coordinator)
    client.post(f"/new-plan/{job.key}/undo/")
    assert [model.objects.count() for model in (Framework, Category, Criterion, Requirement, Plan)] == counts


@pytest.mark.both_databases
def test_edition_that_another_plan_uses_stays(client, world, coordinator):
    job = confirm(preview(book_with(world, NEW_EDITION), None, coordinator), coordinator)
    later = AssessmentFactory(framework=job.plan.framework, organization=OrganizationFactory())
    client.force_login(coordinator)
    client.post(f"/new-plan/{job.key}/undo/")
    assert Plan.objects.filter(slug="2566").exists()
    later.delete()
    client.post(f"/new-plan/{job.key}/undo/")
    assert not Framework.objects.filter(slug="pmqa-2566").exists()


@pytest.mark.both_databases(only_full=True)
def test_template_has_the_framework_that_is_asked_for(client, world, coordinator):
    """By default that of the organization's latest plan, even if the site has a newer one."""
    new = FrameworkFactory(slug="pmqa-2570", fiscal_year=2570)
    RequirementFactory(criterion=CriterionFactory(category=CategoryFactory(framework=new, number=1), code="9.9"))
    client.force_login(coordinator)
    for query, slug, codes in (("", "pmqa-2562", ["1.1", "1.2"]), ("?framework=pmqa-2570", "pmqa-2570", ["9.9"])):
        response = client.get(f"/new-plan/template.xlsx{query}")
        book = load_workbook(BytesIO(b"".join(response.streaming_content)))
        values = {row[0].value: row[1].value for row in book[PLAN].iter_rows(min_row=4, max_row=30)}
        assert (values[LINES["framework"]], values[LINES["organization"]]) == (slug, default_organization().name)
        assert [cell.value for cell in book["เกณฑ์"]["A"][3:] if cell.value] == codes
    assert client.get("/new-plan/template.xlsx?framework=none").status_code == 404
    assert "framework=pmqa-2570" in client.get("/new-plan/").content.decode()
    empty = load_workbook(BytesIO(saved(build_template(OrganizationFactory()))))
    assert [cell.value for cell in empty["เกณฑ์"]["A"][3:] if cell.value] == ["9.9"]


def test_nothing_of_a_file_with_errors_is_kept(world, coordinator):
    """Not even what stands in for its wrong records; and a preview only reads."""
    data = book_with(world, NEXT | {"framework": None, "organization": "ไม่มีกรมนี้", "title": None})
    job, before, counts = preview(data, None, coordinator), fingerprint(), (Framework.objects.count(), 2)
    book, access = read_workbook(data, "แผน.xlsx"), Access.of(job.by)
    with CaptureQueriesContext(connection) as queries:
        run = ImportRun(job=job, book=book, access=access, at=clock.now(), on_progress=ignore_progress)
        assert len(plan_changes(run).findings.errors) == 3
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}
    assert (fingerprint(), (Framework.objects.count(), Organization.objects.count())) == (before, counts)
