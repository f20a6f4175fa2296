"""แบบแผน (plan form) as a workbook: layout of the document, every action once, status of each."""

import re
from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from openpyxl import load_workbook

from criteria.models import Level
from plan.as_of import on_day
from plan.models import ActionItem, Plan, Status
from reports.plan_form.layout import Layout
from reports.plan_form.workbook import build_plan_form
from spreadsheets.styles import HIGHEST_ROW
from tests.factories import (
    ActionItemFactory,
    CategoryFactory,
    CriterionFactory,
    PlanFactory,
    ProgressUpdateFactory,
    RequirementFactory,
    UnitFactory,
    VerdictFactory,
)

pytestmark = pytest.mark.django_db
DAY = date(2020, 5, 15)


def build(plan, *, day=DAY, with_status=True):
    """Build the form, save it and open it again."""
    file = BytesIO()
    build_plan_form(plan, on_day(plan, day, plan.periods.all()), with_status=with_status).save(file)
    return load_workbook(file)


def row_of(sheet, text, column=3):
    """Return the number of the only row with this text in a column."""
    (row,) = [cell.row for (cell,) in sheet.iter_rows(min_col=column, max_col=column) if cell.value == text]
    return row


def merges(sheet):
    return {str(each) for each in sheet.merged_cells.ranges}


def texts(sheet, row, first, last):
    return [sheet.cell(row, column).value for column in range(first, last + 1)]


def filled(sheet, row, periods=4):
    """Return the numbers of the periods with filled cells, and the patterns of the fills."""
    fills = [sheet.cell(row, 3 + number).fill.patternType for number in range(1, periods + 1)]
    return [number for number, fill in enumerate(fills, start=1) if fill], {fill for fill in fills if fill}


@pytest.fixture
def plan():
    return PlanFactory(title="แผนการพัฒนาองค์การ กรมสวัสดิการและคุ้มครองแรงงาน พ.ศ. 2563")


@pytest.fixture
def criterion():
    return CriterionFactory(code="1.1", title="การนำองค์การ", category=CategoryFactory(number=1, name="การนำองค์การ"))


@pytest.fixture
def action(plan, criterion):
    return ActionItemFactory(plan=plan, criterion=criterion, number="1", text="จัดทำแผน", runs=(2, 3))


# Layout of the document.


def test_title_and_header_match_the_document(plan, action):
    sheet = build(plan, with_status=False)["หมวด ๑"]
    assert (sheet["A1"].value, sheet["A2"].value) == (plan.title, "หมวด ๑ การนำองค์การ")
    assert texts(sheet, 3, 1, 3) == ["ระดับดำเนินการ", "ความเห็น\nผู้ตรวจประเมิน", "สิ่งที่ต้องดำเนินการเพิ่มเติม"]
    assert (sheet["D3"].value, sheet["H3"].value) == ("ปี พ.ศ. 2563", "ผู้รับผิดชอบ")
    assert texts(sheet, 4, 4, 9) == ["ต.ค.–ธ.ค.", "ม.ค.–มี.ค.", "เม.ย.–มิ.ย.", "ก.ค.–ก.ย.", "หลัก", "สนับสนุน"]
    assert {"A1:I1", "A3:A4", "B3:B4", "C3:C4", "D3:G3", "H3:I3"} <= merges(sheet)
    assert (sheet.print_title_rows, sheet.freeze_panes) == ("$3:$4", "A5")


def test_organization_has_a_line_if_the_title_does_not_name_it(action):
    action.plan.organization.name = "กรมอื่น"
    action.plan.organization.save()
    assert build(action.plan)["หมวด ๑"]["A2"].value == "กรมอื่น"


def test_periods_are_grouped_by_fiscal_year(criterion):
    quarters = [(date(2019, 8, 1), date(2019, 9, 30)), (date(2019, 10, 1), date(2019, 12, 31))]
    plan = PlanFactory(starts_on=date(2019, 8, 1), periods=quarters)
    ActionItemFactory(plan=plan, criterion=criterion, runs=(1, 2))
    sheet = build(plan, with_status=False)["หมวด ๑"]
    row = row_of(sheet, "ระดับดำเนินการ", 1)
    assert texts(sheet, row, 4, 5) == ["ปี พ.ศ.\n2562", "ปี พ.ศ.\n2563"]
    assert texts(sheet, row + 1, 4, 5) == ["ส.ค.–ก.ย.", "ต.ค.–ธ.ค."]


def test_level_is_merged_beside_its_actions(plan, criterion, action):
    requirement = action.requirements.get()
    ActionItemFactory(plan=plan, criterion=criterion, number="", text="ติดตามผล", requirements=[requirement])
    sheet = build(plan)["หมวด ๑"]
    first, second = row_of(sheet, "1. จัดทำแผน"), row_of(sheet, "ติดตามผล")
    assert second == first + 1
    assert sheet.cell(first - 1, 1).value == "1.1 การนำองค์การ"
    assert sheet.cell(first, 1).value == f"Advance (Alignment)\n{requirement.text}"
    assert sheet.cell(first, 2).value == "- Advance\nX ไม่ผ่าน\nเหตุผล : ยังไม่ครอบคลุม"
    assert {f"A{first}:A{second}", f"B{first}:B{second}", f"A{first - 1}:M{first - 1}"} <= merges(sheet)


def test_symbol_font_bullet_becomes_a_plain_bullet(plan, criterion, action):
    action.requirements.update(text="\uf0b7 Single Window")
    sheet = build(plan)["หมวด ๑"]
    assert sheet.cell(row_of(sheet, "1. จัดทำแผน"), 1).value == "Advance (Alignment)\n• Single Window"


def test_levels_with_shared_actions_share_cells(plan, criterion):
    levels = [
        RequirementFactory(criterion=criterion, level=level, text=f"- {level.short}")
        for level in (Level.ADVANCE, Level.SIGNIFICANCE)
    ]
    for requirement in levels:
        VerdictFactory(assessment=plan.assessment, requirement=requirement, reason="")
    ActionItemFactory(plan=plan, criterion=criterion, number="1", text="สื่อสาร", requirements=levels)
    sheet = build(plan)["หมวด ๑"]
    row = row_of(sheet, "1. สื่อสาร")
    assert sheet.cell(row, 1).value == "Advance (Alignment)\n- Advance\n\nSignificance (Integration)\n- Significance"
    assert sheet.cell(row, 2).value == "- Advance\nX ไม่ผ่าน\n\n- Significance\nX ไม่ผ่าน"


def test_passed_criterion_is_only_a_heading(plan, action):
    passed = CriterionFactory(code="1.2", title="ความโปร่งใส", category=action.criterion.category)
    VerdictFactory(assessment=plan.assessment, requirement=RequirementFactory(criterion=passed), passed=True)
    sheet = build(plan)["หมวด ๑"]
    assert row_of(sheet, "1.2 ความโปร่งใส  (ผ่าน)", 1) == sheet.max_row


def test_an_arrow_runs_from_the_first_period_to_the_last(plan, criterion, action):
    for text, basis, runs in (("ระบุ", "STATED", (1, 1)), ("อนุมาน", "INFERRED", (1, 4)), ("ไม่มี", "STATED", None)):
        ActionItemFactory(
            plan=plan,
            criterion=criterion,
            number="",
            text=text,
            schedule_basis=basis,
            runs=runs,
            requirements=action.requirements.all(),
        )
    sheet = build(plan)["หมวด ๑"]
    row = row_of(sheet, "1. จัดทำแผน")
    assert filled(sheet, row) == ([2, 3], {"solid"})
    assert [str(each or "")[-1:] for each in texts(sheet, row, 4, 7)] == ["", "─", "►", ""]
    assert filled(sheet, row_of(sheet, "ระบุ")) == ([1], {"solid"})
    assert filled(sheet, row_of(sheet, "อนุมาน")) == ([1, 2, 3, 4], {"lightUp"})
    unscheduled = row_of(sheet, "ไม่มี")
    assert (filled(sheet, unscheduled), sheet.cell(unscheduled, 4).value) == (([], set()), "ไม่ปรากฏในเอกสาร")
    assert f"D{unscheduled}:G{unscheduled}" in merges(sheet)


def test_legend_explains_inferred_arrows(plan, criterion, action):
    legend = "ช่วงเวลาอนุมานจากรูปแบบตารางของเอกสาร รอผู้ประสานงานยืนยัน"
    assert legend not in texts(build(plan)["หมวด ๑"], 2, 1, 9)
    ActionItem.objects.update(schedule_basis="INFERRED")
    assert legend in texts(build(plan)["หมวด ๑"], 2, 1, 9)


def test_adjacent_actions_share_the_cell_of_their_units(plan, criterion):
    one, two = UnitFactory(abbreviation="กจ."), UnitFactory(abbreviation="กค.")
    shared = {"plan": plan, "criterion": criterion, "number": ""}
    ActionItemFactory(**shared, text="ก", position=1, lead=[one, two], support=[one])
    ActionItemFactory(**shared, text="ข", position=2, lead=[one, two], support=[two])
    sheet = build(plan)["หมวด ๑"]
    row = row_of(sheet, "ก")
    assert texts(sheet, row, 8, 9) == ["กจ. กค.", "กจ."]
    assert texts(sheet, row + 1, 8, 9) == [None, "กค."]
    assert f"H{row}:H{row + 1}" in merges(sheet)


def test_reading_notes_are_on_a_last_sheet(plan, criterion, action):
    ActionItem.objects.update(reading_note="เลขข้อข้าม", ref="1.1-A-1")
    criterion.reading_note = "ชื่อเกณฑ์อ่านไม่ชัด\nคงไว้ตามต้นฉบับ"
    criterion.save()
    book = build(plan)
    assert book.sheetnames == ["หมวด ๑", "หมายเหตุ"]
    notes = [tuple(cell.value for cell in row) for row in book["หมายเหตุ"].iter_rows(min_row=3)]
    assert notes == [("1.1", criterion.reading_note), ("1.1-A-1", "เลขข้อข้าม")]


# Status columns.


def test_status_columns_show_the_status_on_the_day(plan, action):
    common = {"action": action, "status_from": Status.NOT_STARTED}
    ProgressUpdateFactory(**common, version=2, at=datetime(2020, 2, 10, tzinfo=UTC), progress_to=40, result="ร่างแล้ว")
    ProgressUpdateFactory(**common, version=3, at=datetime(2020, 4, 20, tzinfo=UTC), progress_to=60, result="")
    ProgressUpdateFactory(
        **common,
        version=4,
        at=datetime(2020, 5, 2, tzinfo=UTC),
        status_to=Status.BLOCKED,
        progress_to=60,
        result="",
        problem="รองบประมาณ",
    )

    def status_cells(day):
        sheet = build(plan, day=day)["หมวด ๑"]
        assert sheet.cell(3, 10).value == f"สถานะ ณ วันที่ {thai_day[day]}"
        return texts(sheet, row_of(sheet, "1. จัดทำแผน"), 10, 13)

    thai_day = {
        date(2020, 1, 31): "31 ม.ค. 2563",
        date(2020, 2, 10): "10 ก.พ. 2563",
        date(2020, 4, 30): "30 เม.ย. 2563",
        date(2020, 5, 15): "15 พ.ค. 2563",
        date(2020, 7, 1): "1 ก.ค. 2563",
    }
    with translation.override("th"):
        label = {status: str(status.label) for status in Status}
    assert status_cells(date(2020, 1, 31)) == [label[Status.NOT_STARTED], 0, None, "–"]
    assert status_cells(date(2020, 2, 10)) == [label[Status.IN_PROGRESS], 40, "ร่างแล้ว", "10 ก.พ. 2563"]
    assert status_cells(date(2020, 4, 30)) == [label[Status.IN_PROGRESS], 60, "ร่างแล้ว", "20 เม.ย. 2563"]
    assert status_cells(DAY) == [label[Status.BLOCKED], 60, "ร่างแล้ว\nปัญหา : รองบประมาณ", "2 พ.ค. 2563"]
    status, *_rest = status_cells(date(2020, 7, 1))
    assert status.split("\n")[0] == label[Status.BLOCKED]
    assert len(status.split("\n")) == 2  # the second line says that it is overdue


def test_form_without_status_has_no_status_columns(plan, action):
    ProgressUpdateFactory(action=action, result="ร่างแล้ว")
    sheet = build(plan, with_status=False)["หมวด ๑"]
    assert sheet.max_column == 9
    assert "ร่างแล้ว" not in [cell.value for row in sheet for cell in row]


def test_form_is_thai_in_every_language(plan, action):
    with translation.override("en"):
        sheet = build(plan)["หมวด ๑"]
    assert (sheet["D4"].value, sheet["J3"].value) == ("ต.ค.–ธ.ค.", "สถานะ ณ วันที่ 15 พ.ค. 2563")


# Unusual content.


def test_text_that_looks_like_a_formula_stays_text(plan, criterion, action):
    ActionItem.objects.update(number="", text="=HYPERLINK(1)\x0b")
    ProgressUpdateFactory(action=action, result="@cmd\x0b")
    sheet = build(plan)["หมวด ๑"]
    row = row_of(sheet, "=HYPERLINK(1)")
    assert (sheet.cell(row, 3).data_type, sheet.cell(row, 12).value) == ("s", "@cmd")


def test_text_higher_than_the_highest_row_spans_several_rows(plan, action):
    ActionItem.objects.update(text="ดำเนินการตามแผน " * 400)
    sheet = build(plan)["หมวด ๑"]
    heights = [each.height for each in sheet.row_dimensions.values()]
    assert max(heights) <= HIGHEST_ROW
    assert any(re.fullmatch(r"C\d+:C\d+", each) for each in merges(sheet) if each != "C3:C4")


def test_text_higher_than_a_page_goes_on_on_the_next(plan, action):
    text = "ดำเนินการตามแผน " * 400
    ActionItem.objects.update(text=text)
    ProgressUpdateFactory(action=action, result="ร่างแล้ว")
    sheet = build(plan)["หมวด ๑"]
    parts = [cell.value for (cell,) in sheet.iter_rows(min_row=6, min_col=3, max_col=3) if cell.value]
    assert len(parts) > 2
    assert " ".join(parts) == f"1. {text.strip()}"
    assert len(sheet.row_breaks.brk) >= len(parts) - 1
    assert [cell.value for (cell,) in sheet.iter_rows(min_row=6, min_col=12, max_col=12) if cell.value] == ["ร่างแล้ว"]


def test_empty_plan_has_a_form(plan):
    assert build(plan).sheetnames == ["แบบแผน"]


@pytest.mark.parametrize("with_status", [True, False])
def test_the_queries_do_not_grow_with_the_plan(plan, criterion, action, with_status):
    as_of = on_day(plan, DAY, list(plan.periods.all()))

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            build_plan_form(Plan.objects.get(pk=plan.pk), as_of, with_status=with_status)
        return len(queries)

    once = count()
    for _each in range(2):
        other = ActionItemFactory(plan=plan, lead=[UnitFactory()], support=[UnitFactory()])
        ProgressUpdateFactory(action=other)
    assert count() == once


# The plan of the department.


@pytest.fixture
def own(seeded):
    return Plan.objects.get(slug="2562-2563")


@pytest.mark.parametrize("with_status", [True, False])
def test_form_has_every_action_once(own, with_status):
    book = build(own, with_status=with_status)
    assert book.sheetnames == [*(f"หมวด {digit}" for digit in "๑๒๓๔๕๖"), "หมายเหตุ"]
    assert book.properties.title == own.title
    written = [
        (sheet.title, cell.value, filled(sheet, cell.row, 5)[0])
        for sheet in book.worksheets[:6]
        for (cell,) in sheet.iter_rows(min_row=5, min_col=3, max_col=3)
        if cell.value
    ]
    expected = [
        (
            f"หมวด {'๑๒๓๔๕๖'[action.criterion.category.number - 1]}",
            f"{action.number}. {action.text}" if action.number else action.text,
            list(range(action.first_period.number, action.last_period.number + 1)) if action.first_period else [],
        )
        for action in own.actions.with_details().in_order()
    ]
    assert len(expected) == 141
    assert sorted(written) == sorted(expected)


def test_form_has_units_and_verdicts(own):
    sheet = build(own)["หมวด ๑"]
    row = next(cell.row for (cell,) in sheet.iter_rows(min_col=3, max_col=3) if "Line Official" in str(cell.value))
    assert texts(sheet, row, 9, 10) == ["สพม.", "กพร. กคร. กคน. กน. กสว. สรส. กภ. กจ."]
    assert sheet.cell(row, 2).value.startswith("- Advance\nX ไม่ผ่าน\nเหตุผล : ควรนำเสนอเทคโนโลยีที่โดดเด่น\n\n- Signif")


@pytest.mark.parametrize("with_status", [True, False])
def test_every_sheet_prints_a4_landscape_with_its_header(own, with_status):
    layout = Layout.of(5, with_status=with_status)
    *sheets, _notes = build(own, with_status=with_status)
    for sheet in sheets:
        assert (sheet.page_setup.orientation, sheet.print_title_rows) == ("landscape", "$3:$4")
        assert max(each.height for each in sheet.row_dimensions.values()) <= HIGHEST_ROW
        page, header = 0.0, sheet.row_dimensions[3].height + sheet.row_dimensions[4].height
        breaks = {each.id for each in sheet.row_breaks.brk}
        for row in range(1, sheet.max_row + 1):
            page += sheet.row_dimensions[row].height
            assert page <= layout.page_height * 1.05
            page = header if row in breaks else page
