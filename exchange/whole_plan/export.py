"""Export of a whole plan: criteria, verdicts, actions, schedule and units, without progress; and the empty template."""

from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from openpyxl import Workbook

from assignments.models import Organization, Unit
from criteria.models import Assessment, Criterion, Framework, Level, Requirement
from exchange.data_sheet.columns import format_period, in_thai
from exchange.whole_plan.tables import (
    ACTIONS,
    CATEGORIES,
    CRITERIA,
    FAILED,
    LABEL_HEADING,
    NO,
    NOTE_HEADING,
    PASSED,
    PERIODS,
    PLAN,
    PLAN_FIELDS,
    TABLES,
    UNITS,
    VALUE_HEADING,
    VERDICTS,
    WHOLE_PLAN_FORMAT,
    YES,
    PlanField,
    VerdictRow,
)
from exchange.workbook import (
    GUIDE,
    HEADER_ROW,
    InputColumn,
    new_book_with_metadata,
    offer_list,
    write_guide,
    write_input_sheet,
    write_lists,
)
from plan.models import ActionItem, Plan

EMPTY_ROWS_OF_SHEET = {PERIODS: 12, UNITS: 40, CATEGORIES: 7, CRITERIA: 80, VERDICTS: 240, ACTIONS: 300}
WHOLE_PLAN_GUIDE = (
    "1. กรอกทีละแผ่นงานจากซ้ายไปขวา แผ่นงาน “แผน” บอกว่าแผนชื่ออะไรและตอบการประเมินครั้งใด แผ่นงานอื่นกรอกหนึ่งแถวต่อหนึ่งรายการ",
    "2. เกณฑ์ ข้อกำหนด และหน่วยงานที่มีอยู่ในระบบแล้วไม่ต้องพิมพ์ใหม่ หากมีอยู่ในไฟล์ต้องตรงกับในระบบ",
    "3. วันที่พิมพ์เป็น พ.ศ. ได้ เช่น 1 ต.ค. 2563 หรือ 1/10/2563 ช่วงเวลาพิมพ์ เช่น ต.ค.-ธ.ค. 2563 หรือ ไตรมาส 1/2564",
    "4. ไฟล์นี้ไม่มีความก้าวหน้า ทุกรายการของแผนใหม่เริ่มจากยังไม่ดำเนินการ",
    "5. ห้ามเปลี่ยนชื่อแผ่นงานหรือคอลัมน์ ห้ามผสานช่อง และไม่ใช้สูตร บันทึกเป็น Excel Workbook (.xlsx)",
    "6. นำเข้าที่หน้า “แผนใหม่จาก Excel” ระบบจะแสดงทุกแถวและทุกจุดที่ผิดให้ตรวจก่อนสร้างแผนเสมอ",
    "7. แถวที่เว้นรหัสรายการไว้และตรงกับรายการเดิมของแผน จะถือเป็นรายการเดิมและไม่ถูกเพิ่มซ้ำ",
)
Rows = Mapping[str, Iterable[Any]]  # sheet → the records of its rows


def build_plan_book(plan: Plan) -> Workbook:
    """The workbook of a plan, in a fixed number of queries. Imported into an empty site, it makes the same plan."""
    periods = sorted(plan.periods.all(), key=lambda each: each.number)
    rows = {
        PERIODS: periods,
        UNITS: _units_of(plan.organization),
        **_standard_rows(plan.framework),
        VERDICTS: _verdict_rows(plan.framework, plan.assessment),
        ACTIONS: plan.actions.with_details().in_order(),
    }
    return _build(plan, rows, title=plan.title, periods=[format_period(each) for each in periods])


def build_template(organization: Organization | None, framework: Framework | None = None) -> Workbook:
    """An empty workbook with the units of an organization, and the criteria and requirements of a framework.

    Without a framework it takes the one of `default_framework`; without any, the sheets of the standard are empty.
    """
    framework = framework or default_framework(organization)
    rows = {
        PERIODS: (),
        UNITS: _units_of(organization) if organization else (),
        **(_standard_rows(framework) if framework else {CATEGORIES: (), CRITERIA: ()}),
        VERDICTS: _verdict_rows(framework, None) if framework else (),
        ACTIONS: (),
    }
    known = {"organization": organization, "framework": framework}
    return _build(None, rows, title="แผนพัฒนาองค์การ (แบบสำหรับแผนใหม่)", periods=(), known=known)


def default_framework(organization: Organization | None) -> Framework | None:
    """The latest framework of the organization's plans, or else the latest of all."""
    answered = Assessment.objects.filter(organization=organization, plans__isnull=False)
    own = Framework.objects.filter(pk__in=answered.values("framework"))
    return own.in_order().first() or Framework.objects.in_order().first()


def _build(
    plan: Plan | None, rows: Rows, *, title: str, periods: Sequence[str], known: Mapping[str, Any] | None = None
) -> Workbook:
    book = new_book_with_metadata({"form": WHOLE_PLAN_FORMAT})
    lists = write_lists(book, _offers(periods, rows[UNITS]))
    _write_plan(book, plan or SimpleNamespace(**(known or {})), lists, title)
    for place, (name, fields) in enumerate(TABLES.items(), start=1):
        write_input_sheet(
            book.create_sheet(name, place), fields, rows[name], title=f"{name} · {title}",
            note="กรอกหนึ่งแถวต่อหนึ่งรายการ วิธีกรอกอยู่ในแผ่นงาน “คำอธิบาย”", lists=lists, empty_rows=EMPTY_ROWS_OF_SHEET[name],
        )  # fmt: skip
    write_guide(book, "คำอธิบายการกรอกแผนใหม่", WHOLE_PLAN_GUIDE, TABLES)
    book.move_sheet(book[GUIDE], -(len(book.sheetnames) - 1))
    book.active = 0
    book.properties.title = title
    return book


def _write_plan(book: Workbook, plan: Any, lists: Mapping[str, str], title: str) -> None:
    """Write the plan sheet, with one value per line; what `plan` does not have stays empty."""
    sheet = book.create_sheet(PLAN, 0)
    columns = (
        InputColumn(LABEL_HEADING, 34, get=lambda field: field.heading, is_open=False),
        InputColumn(VALUE_HEADING, 60, get=lambda field: (_value(field, plan), field.cell_style)),
        InputColumn(NOTE_HEADING, 70, get=_note, is_open=False),
    )
    write_input_sheet(sheet, columns, PLAN_FIELDS, title=title, note="กรอกในคอลัมน์ “ค่าที่กรอก”", lists=lists)
    for row, field in enumerate(PLAN_FIELDS, start=HEADER_ROW + 1):
        if field.offers:
            offer_list(sheet, f"B{row}", lists[field.offers], field)


def _value(field: PlanField, plan: Any) -> Any:
    try:
        return field.get(plan)
    except AttributeError:
        return None


def _note(field: PlanField) -> str:
    return f"ต้องกรอก · {field.note}" if field.is_required else field.note


def _offers(periods: Sequence[str], units: Iterable[Unit]) -> dict[str, Sequence[str]]:
    return {
        "ใช่หรือไม่": (YES, NO),
        "ผล": (PASSED, FAILED),
        "ระดับ": [level.short for level in Level],
        "การเปลี่ยนแปลง": [in_thai(change.label) for change in Criterion.Change],
        "ที่มา": [in_thai(basis.label) for basis in ActionItem.Basis],
        "ผู้ประเมิน": [in_thai(kind.label) for kind in Assessment.Kind],
        "ช่วงเวลา": periods,
        "หน่วยงาน": [unit.abbreviation for unit in units],
    }


def _units_of(organization: Organization) -> list[Unit]:
    return list(organization.units.prefetch_related("members").in_order())


def _standard_rows(framework: Framework) -> Rows:
    """The categories and criteria of a framework."""
    criteria = framework.criteria.select_related("category", "parent").with_predecessors().in_order()
    return {CATEGORIES: framework.categories.in_order(), CRITERIA: criteria}


def _verdict_rows(framework: Framework, assessment: Assessment | None) -> list[VerdictRow]:
    """The requirements of a framework, each with its verdict in the assessment."""
    verdicts = {verdict.requirement_id: verdict for verdict in assessment.verdicts.all()} if assessment else {}
    requirements = Requirement.objects.filter(criterion__framework=framework).select_related("criterion")
    return [VerdictRow(each, verdicts.get(each.pk)) for each in requirements.in_order()]
