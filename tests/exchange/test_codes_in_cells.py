"""Codes that a spreadsheet turned into numbers or dates, the choices of the templates, and the order of errors."""

import csv
from datetime import date
from io import BytesIO, StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter, range_boundaries

from assignments.models import Unit
from assignments.unit_names import UnitNames, parse_units
from criteria.models import Criterion, Requirement, Verdict
from exchange.data_sheet.columns import ActionSheet
from exchange.data_sheet.export import build_data_sheet
from exchange.models import ImportJobState
from exchange.parse import parse_basis, parse_period
from exchange.whole_plan.export import build_plan_book, build_template
from exchange.whole_plan.tables import PLAN, PLAN_FIELDS, TABLES, parse_kind
from plan.models import ActionItem, Plan
from pmqa_tracker import clock
from pmqa_tracker.parsing.cell import ReadCell
from tests.exchange.workbooks import edited, exported, fingerprint, first_empty, opened, preview, saved
from tests.factories import (
    ActionItemFactory,
    CategoryFactory,
    CriterionFactory,
    RequirementFactory,
    UnitFactory,
    UserFactory,
    VerdictFactory,
    default_organization,
)

pytestmark = pytest.mark.django_db
CHANGED = {7.1: ("7.1", "7.10"), 1.2: ("1.2", "1.20"), date(2026, 2, 1): ("1.2", "2.1"), 7.15: ("7.15",)}


@pytest.fixture(scope="module")
def made(rolled_back):
    """A plan whose criteria have the codes 7.1 and 7.10, which a number cell cannot tell apart."""
    unit = UnitFactory(abbreviation="กพร.")
    UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True, members=[unit])
    category = CategoryFactory(number=7)
    for code in ("7.1", "7.10"):
        criterion = CriterionFactory(code=code, category=category)
        requirement = RequirementFactory(criterion=criterion, level=2)
        action = ActionItemFactory(
            **({"plan": Plan.objects.get()} if Plan.objects.exists() else {"plan__slug": "2563"}),
            criterion=criterion, requirements=[requirement], ref=f"{code}-A-1", lead=[unit], runs=(1, 2),
        )  # fmt: skip
        VerdictFactory(requirement=requirement, assessment=action.plan.assessment)
    return action


@pytest.fixture
def world(made):
    """The last action of the plan."""
    return ActionItem.objects.get(pk=made.pk)


# The workbook of a whole plan, the data sheet.


PLACES = (
    ("เกณฑ์", "รหัสเกณฑ์"), ("เกณฑ์", "เกณฑ์หลัก"), ("ผลการประเมิน", "รหัสเกณฑ์"), ("รายการ", "รหัสเกณฑ์"),
    ("รายการ", "รหัสรายการ"), ("รายการ", "ข้อที่"), ("หน่วยงาน", "อักษรย่อ"),
)  # fmt: skip


def expect_readings(error, value):
    """The error lists what the cell may have meant, also in its message."""
    assert [each for each in CHANGED[value] if each not in error["candidates"] or each not in error["message"]] == []


@pytest.mark.parametrize("value", CHANGED)
def test_new_plan_refuses_number_as_code(world, coordinator, value):
    book = load_workbook(BytesIO(saved(build_plan_book(Plan.objects.get()))))
    cells = set()
    for sheet, heading in PLACES:
        column = next(cell.column_letter for cell in book[sheet][3] if cell.value == heading)
        book[sheet][f"{column}4"].value = value
        cells.add((sheet, f"{column}4"))
    job = preview(saved(book), None, coordinator)
    assert job.state == ImportJobState.REFUSED
    found = {(each["sheet"], each["cell_address"]): each for each in job.findings["errors"]}
    assert cells <= found.keys()
    for cell in cells:
        expect_readings(found[cell], value)


@pytest.mark.parametrize("value", CHANGED)
@pytest.mark.parametrize("is_new", [True, False])
def test_data_sheet_refuses_number_as_code(world, coordinator, value, is_new):
    data = exported(world.plan)
    _book, _sheet, columns = opened(data)
    first = first_empty(data) if is_new else 4
    new = {"criterion": "7.1", "levels": "Advance", "text": "จัดทำคู่มือ"} if is_new else {}
    names = ("ref", "criterion", "number") if is_new else ("ref", "number")
    rows = {name: first + place for place, name in enumerate(names)}
    changes = {(row, column): each for name, row in rows.items() for column, each in (new | {name: value}).items()}
    job = preview(edited(data, changes), world.plan, coordinator)
    assert job.state == ImportJobState.REFUSED
    found = {each["cell_address"]: each for each in job.findings["errors"]}
    assert found.keys() == {f"{get_column_letter(columns[name])}{row}" for name, row in rows.items()}
    for error in found.values():
        expect_readings(error, value)


@pytest.mark.parametrize("value", CHANGED)
def test_criterion_of_row_refuses_number(world, coordinator, value):
    job = preview(edited(exported(world.plan), {(4, "criterion"): value}), world.plan, coordinator)
    assert job.state == ImportJobState.REFUSED
    [error] = job.findings["errors"]
    expect_readings(error, value)


# The admin's tables.


def label(model):
    return f"{model._meta.app_label}_{model._meta.model_name}"


def table(client, model):
    """The rows of the exported workbook, the headings first."""
    content = client.post(reverse(f"admin:{label(model)}_export"), {"format": "0", "resource": "0"}).content
    return [list(row) for row in load_workbook(BytesIO(content)).active.iter_rows(values_only=True)]


def upload(client, model, rows, *, ending=".xlsx"):
    if ending == ".csv":
        file = StringIO()
        csv.writer(file).writerows(rows)
        content = file.getvalue().encode()
    else:
        book = Workbook()
        for row in rows:
            book.active.append(row)
        content = saved(book)
    file = SimpleUploadedFile(f"table{ending}", content)
    response = client.post(reverse(f"admin:{label(model)}_import"), {"resource": "0", "import_file": file})
    assert "result" in response.context, response.context["form"].errors
    return response


COLUMNS = [
    (Criterion, "code"), (Criterion, "parent"), (Requirement, "criterion"), (Verdict, "criterion"),
    (Unit, "abbreviation"), (Unit, "members"), (Verdict, "assessment"),
]  # fmt: skip


@pytest.fixture
def keeper(client):
    person = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(person)
    return person


@pytest.mark.parametrize("value", CHANGED)
@pytest.mark.parametrize(("model", "column"), COLUMNS)
def test_admin_import_refuses_number_as_code(client, keeper, world, model, column, value):
    rows = table(client, model)
    rows[-1][rows[0].index(column)] = value
    before = fingerprint()
    response = upload(client, model, rows)
    [row] = response.context["result"].invalid_rows
    [message] = row.error.message_dict[column]
    assert all(reading in message for reading in CHANGED[value])
    assert message in response.content.decode().replace("&#x27;", "'")
    assert fingerprint() == before


@pytest.mark.parametrize(("model", "column"), [(Criterion, "code"), (Verdict, "criterion")])
def test_csv_of_spreadsheet_refuses_number_as_code(client, keeper, world, model, column):
    rows = table(client, model)
    rows = [rows[0], *([each if each != "7.10" else "7.1" for each in row] for row in rows[2:])]
    response = upload(client, model, rows, ending=".csv")
    [row] = response.context["result"].invalid_rows
    [message] = row.error.message_dict[column]
    assert "7.1" in message
    assert "7.10" in message


@pytest.mark.parametrize("model", [Criterion, Requirement, Verdict])
def test_exported_csv_survives_spreadsheet(client, keeper, world, model):
    """A spreadsheet turns every text that looks like a number into one and writes it in its own format."""
    content = client.post(reverse(f"admin:{label(model)}_export"), {"format": "1", "resource": "0"}).content

    def as_number(text):
        try:
            return f"{float(text):g}"
        except ValueError:
            return text

    rows = [[as_number(text) for text in row] for row in csv.reader(StringIO(content.decode("utf-8-sig"), newline=""))]
    result = upload(client, model, rows, ending=".csv").context["result"]
    assert [row.error for row in result.invalid_rows] == []
    assert (result.totals["skip"], result.totals["update"], result.totals["new"]) == (model.objects.count(), 0, 0)


def test_whole_numbers_are_parsed(client, keeper, world):
    rows = table(client, Criterion)
    for row in rows[1:]:
        row[rows[0].index("category")] = 7.0
        row[rows[0].index("position")] = float(row[rows[0].index("position")])
    result = upload(client, Criterion, rows).context["result"]
    assert (len(result.invalid_rows), result.totals["skip"]) == (0, 2)


# Words that the templates offer.


def offered(book):
    """(sheet, column, row, text) of every choice of every list in a workbook."""
    for sheet in book.worksheets:
        for rule in sheet.data_validations.dataValidation:
            if rule.type != "list":
                continue
            name, _mark, area = rule.formula1.lstrip("=").rpartition("!")
            if name:
                source = book[name.strip("'")]
                left, top, right, bottom = range_boundaries(area.replace("$", ""))
                cells = source.iter_rows(top, bottom, left, right, values_only=True)
                texts = [value for row in cells for value in row if value is not None]
            else:
                texts = rule.formula1.strip('"').split(",")
            for part in rule.sqref.ranges:
                for text in texts:
                    yield sheet.title, part.min_col, part.min_row, text


def names_in(sheet, book):
    return {cell.column: cell.value for cell in book[sheet][3]}


@pytest.mark.parametrize("which", ["template", "plan"])
def test_every_choice_of_a_plans_workbook_is_read(world, which):
    plan = Plan.objects.get()
    book = build_template(default_organization()) if which == "template" else build_plan_book(plan)
    periods, names = list(plan.periods.order_by("number")), UnitNames.of(Unit.objects.all())
    later = {
        "first": lambda cell: parse_period(cell, periods), "last": lambda cell: parse_period(cell, periods),
        "lead": lambda cell: parse_units(cell, names), "support": lambda cell: parse_units(cell, names),
    }  # fmt: skip
    seen = set()
    for sheet, column, row, text in offered(book):
        if sheet == PLAN:
            ask = next(each for each in PLAN_FIELDS if each.heading == book[PLAN].cell(row, 1).value)
        else:
            ask = next(each for each in TABLES[sheet] if each.heading == names_in(sheet, book)[column])
        value = (ask.read or later[ask.name])(ReadCell(text))
        assert value not in (None, "", [], ()), (sheet, ask.name, text)
        seen.add((sheet, ask.name))
    wanted = {(sheet, ask.name) for sheet, asks in TABLES.items() for ask in asks if ask.offers}
    wanted |= {(PLAN, ask.name) for ask in PLAN_FIELDS if ask.offers}
    if which == "template":
        wanted -= {("รายการ", "first"), ("รายการ", "last")}  # it has no periods yet
    assert seen == wanted


@pytest.mark.parametrize("is_unit", [True, False])
def test_every_choice_of_a_data_sheet_is_read(world, is_unit):
    plan = Plan.objects.get()
    book = build_data_sheet(plan, clock.now(), unit=Unit.objects.get(abbreviation="กพร.") if is_unit else None)
    columns = ActionSheet(list(plan.periods.order_by("number")), Unit.objects.in_order())
    by_heading = {each.heading: each for each in columns.columns.values()}
    seen = set()
    for sheet, column, _row, text in offered(book):
        field = by_heading[names_in(sheet, book)[column]]
        assert field.read({field.heading: ReadCell(text)}) not in (None, "", ()), text
        seen.add(field.heading)
    assert {"สถานะ"} <= seen
    assert is_unit or len(seen) == 8
    rules = book.worksheets[0].data_validations.dataValidation
    refused = {names_in(book.worksheets[0].title, book)[next(iter(each.sqref.ranges)).min_col] for each in rules
               if each.type == "list" and each.showErrorMessage}  # fmt: skip
    assert "สถานะ" not in refused  # a person may type a word for a status that the site understands


@pytest.mark.parametrize(
    ("word", "kind"),
    {"ผู้ตรวจประเมิน": "ASSESSOR", "ประเมินตนเอง": "SELF", "โดยผู้ตรวจประเมิน": "ASSESSOR", "SELF": "SELF"}.items(),
)
def test_terms_for_assessor_are_parsed(word, kind):
    assert parse_kind(ReadCell(word)) == kind


@pytest.mark.parametrize(
    ("word", "basis"),
    {
        "ช่วงเวลาตามเอกสาร": "STATED",
        "ตามเอกสาร": "STATED",
        "อนุมานจากเอกสาร": "INFERRED",
        "ผู้ประสานงานยืนยันแล้ว": "CONFIRMED",
    }.items(),
)
def test_terms_for_schedule_basis_are_parsed(word, basis):
    assert parse_basis(ReadCell(word)) == basis


def test_template_accepts_terms_of_its_guide(world, coordinator):
    book = load_workbook(BytesIO(saved(build_template(default_organization()))))
    values = {cell.value: book[PLAN].cell(cell.row, 2) for cell in book[PLAN]["A"]}
    for heading, value in {
        "รหัสแผน": "2564-2565", "ชื่อแผน": "แผน", "ส่วนราชการ": "กสร", "วันเริ่มแผน": "1 ต.ค. 2563",
        "วันสิ้นสุดแผน": "30 ก.ย. 2565", "ชื่อการประเมิน": "ครั้งใหม่", "ผู้ประเมิน": "ผู้ตรวจประเมิน",
    }.items():  # fmt: skip
        values[heading].value = value
    job = preview(saved(book), None, coordinator)
    assert (job.state, job.findings["errors"]) == (ImportJobState.PREVIEW, [])


# The order of errors.


def test_new_plan_errors_are_sorted_by_sheet_and_row(world, coordinator):
    book = load_workbook(BytesIO(saved(build_plan_book(world.plan))))
    book["รายการ"]["G5"].value = "ปีหน้า"
    book["รายการ"]["J4"].value = "ไม่มีหน่วยงานนี้"
    book["รายการ"]["B5"].value = "9.9"
    book["เกณฑ์"]["D5"].value = None
    book["เกณฑ์"]["B4"].value = 9
    book["หน่วยงาน"]["F4"].value = "ไม่มี"
    book["หน่วยงาน"]["B5"].value = "ชื่ออื่น"
    book["แผน"]["B7"].value = "วันหนึ่ง"
    job = preview(saved(book), None, coordinator)
    order = [sheet.title for sheet in book.worksheets]
    places = [(order.index(each["sheet"]), each["row"]) for each in job.findings["errors"]]
    assert len(places) >= 7
    assert places == sorted(places)


def test_data_sheet_errors_are_sorted_by_row(world, coordinator):
    """Errors found while writing are sorted among those found while reading."""
    data = exported(world.plan)
    row = first_empty(data)
    changes = {
        (4, "progress"): 150, (4, "text"): "", (5, "status"): "ดำเนินการแล้วเสร็จ", (row, "criterion"): "9.9",
        (row, "levels"): "Advance", (row, "text"): "ก", (row + 1, "criterion"): "7.1", (row + 1, "levels"): "Advance",
        (row + 1, "text"): "ข", (row + 1, "first"): 2, (row + 1, "last"): 1, (row + 2, "ref"): 7.1,
    }  # fmt: skip
    job = preview(edited(data, changes), world.plan, coordinator)
    _book, _sheet, columns = opened(data)
    places = [error["cell_address"] for error in job.findings["errors"]]
    assert places == [
        f"{get_column_letter(columns[name])}{number}" for number, name in (
            (4, "text"), (4, "progress"), (5, "result"), (row, "criterion"), (row + 1, "last"), (row + 2, "ref"),
        )
    ]  # fmt: skip


def test_admin_import_errors_are_sorted_by_row(client, keeper, world):
    """A row with an unknown key is sorted among those that break a rule."""
    rows = table(client, Verdict)
    head, row = rows[0], rows[1]
    wrong = [list(row) for _ in range(3)]
    wrong[0][head.index("reason")], wrong[0][head.index("version")] = "อื่น", 99
    wrong[1][head.index("criterion")] = "9.9"
    wrong[2][head.index("passed")], wrong[2][head.index("criterion")], wrong[2][head.index("version")] = "", "7.10", 99
    result = upload(client, Verdict, [head, *wrong]).context["result"]
    assert [each.number for each in result.invalid_rows] == [1, 2, 3]
    assert not list(result.row_errors())
