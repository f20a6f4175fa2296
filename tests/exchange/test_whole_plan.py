"""The department's plan as a whole-plan workbook: unchanged, as the base of the next plan, and with errors."""

from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook

from assignments.models import Assignment
from criteria.models import Criterion
from exchange.models import ImportJobState
from exchange.whole_plan.export import build_plan_book, build_template
from plan.models import Plan
from tests.exchange.workbooks import confirm, fingerprint, preview, saved
from tests.factories import default_organization

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded"), pytest.mark.both_databases(only_full=True)]


def test_existing_plan_is_not_created_twice(coordinator):
    plan = Plan.objects.get()
    data = saved(build_plan_book(plan))
    before = fingerprint()
    job = preview(data, None, coordinator)
    assert (job.state, job.findings["rows"]) == (ImportJobState.UNCHANGED, [])
    assert fingerprint() == before


@pytest.mark.both_databases
def test_workbook_of_plan_creates_next_plan(coordinator):
    """Other dates, another name and fewer actions; criteria and units stay the same."""
    plan = Plan.objects.get()
    book = load_workbook(BytesIO(saved(build_plan_book(plan))))
    values = {cell.value: book["แผน"].cell(cell.row, 2) for cell in book["แผน"]["A"]}
    values["รหัสแผน"].value, values["ชื่อแผน"].value = "2564", "แผนพัฒนาองค์การ ปีงบประมาณ พ.ศ. 2564"
    values["รหัสแผนก่อนหน้า"].value, values["ชื่อการประเมิน"].value = plan.slug, "การประเมินปี 2563"
    values["วันเริ่มแผน"].value, values["วันสิ้นสุดแผน"].value = "1 ต.ค. 63", date(2021, 9, 30)
    periods = book["ช่วงเวลา"]
    periods.delete_rows(4, 5)
    for number, (first, last) in enumerate((("1/10/2563", "31/3/2564"), ("2021-04-01", "๓๐ กันยายน ๒๕๖๔")), start=1):
        for column, value in enumerate((number, first, last), start=1):
            periods.cell(3 + number, column).value = value
    actions = book["รายการ"]
    columns = {cell.value: cell.column for cell in actions[3]}
    actions.delete_rows(6, 200)
    for row in (4, 5):
        actions.cell(row, columns["เริ่มช่วงเวลา"]).value, actions.cell(row, columns["ถึงช่วงเวลา"]).value = (
            1,
            "เม.ย.-ก.ย. 2564",
        )
    job = preview(saved(book), None, coordinator)
    assert (job.state, job.findings["errors"]) == (ImportJobState.PREVIEW, [])
    job = confirm(job, coordinator)
    made = job.plan
    assert (made.slug, made.previous, made.starts_on, made.actions.count()) == ("2564", plan, date(2020, 10, 1), 2)
    assert [each.label for each in made.periods.order_by("number")] == ["ต.ค. 2563–มี.ค. 2564", "เม.ย.–ก.ย. 2564"]
    assert Criterion.objects.count() == 34
    assert made.assessment.verdicts.count() == plan.assessment.verdicts.count()
    assert Assignment.objects.filter(action__plan=made).count() > 4
    for action in made.actions.all():
        entry = action.history.get()
        found = entry.history_type, entry.history_user, entry.history_date, entry.plan, entry.text, entry.first_period
        assert found == ("+", coordinator, job.written_at, made, action.text, action.first_period)
        assert {each.requirement for each in entry.requirements.all()} == set(action.requirements.all()) != set()
        assert all(each.history.get().unit == each.unit for each in action.assignments.all())


def test_all_errors_of_new_plan_have_sheet_and_cell(coordinator):
    plan = Plan.objects.get()
    book = load_workbook(BytesIO(saved(build_plan_book(plan))))
    values = {cell.value: book["แผน"].cell(cell.row, 2) for cell in book["แผน"]["A"]}
    values["รหัสแผน"].value, values["วันเริ่มแผน"].value = "2564", "วันหนึ่ง"
    book["หน่วยงาน"]["B4"].value = "ชื่ออื่น"
    book["เกณฑ์"]["B5"].value = 9
    book["ผลการประเมิน"]["D4"].value = "เกือบผ่าน"
    book["รายการ"]["J4"].value = "ไม่มีหน่วยงานนี้"
    before = fingerprint()
    job = preview(saved(book), None, coordinator)
    places = {(error["sheet"], error["cell_address"]) for error in job.findings["errors"]}
    day = values["วันเริ่มแผน"].coordinate
    assert places >= {("แผน", day), ("หน่วยงาน", "B4"), ("เกณฑ์", "B5"), ("ผลการประเมิน", "D4"), ("รายการ", "J4")}
    assert fingerprint() == before


def test_template_has_units_and_asks_for_plan(coordinator):
    book = load_workbook(BytesIO(saved(build_template(default_organization()))))
    assert [row[0].value for row in book["หน่วยงาน"].iter_rows(min_row=4, max_row=16)][:2] == ["สพม.", "สลก."]
    assert book["รายการ"]["A4"].value is None
    job = preview(saved(book), None, coordinator)
    assert job.state == ImportJobState.REFUSED
    assert {error["sheet"] for error in job.findings["errors"]} == {"แผน"}
