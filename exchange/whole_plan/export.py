"""Export of a whole plan: criteria, verdicts, actions, schedule and units, without progress; and the empty template."""

from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from django.db.models import Q
from openpyxl import Workbook

from assignments.models import Unit
from criteria.models import Assessment, Criterion, Framework, Level, Requirement, Verdict
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
    criteria = list(_criteria_of(plan))
    periods = sorted(plan.periods.all(), key=lambda each: each.number)
    rows = {
        PERIODS: periods,
        **_shared_rows(criteria),
        VERDICTS: _verdict_rows(criteria, plan.assessment),
        ACTIONS: plan.actions.with_details().in_order(),
    }
    return _build(plan, rows, title=plan.title, periods=[format_period(each) for each in periods])


def build_template() -> Workbook:
    """An empty workbook with the units, criteria and requirements of the site."""
    framework = Framework.objects.in_order().first()
    criteria = list(framework.criteria.select_related("category", "parent").in_order()) if framework else []
    rows = {PERIODS: (), **_shared_rows(criteria), VERDICTS: _verdict_rows(criteria, None), ACTIONS: ()}
    known = {"framework": framework} if framework else {}
    return _build(None, rows, title="แผนพัฒนาองค์การ (แบบสำหรับแผนใหม่)", periods=(), known=known)


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
        "ที่มา": [in_thai(basis.label) for basis in ActionItem.Basis],
        "ผู้ประเมิน": [in_thai(kind.label) for kind in Assessment.Kind],
        "ช่วงเวลา": periods,
        "หน่วยงาน": [unit.abbreviation for unit in units],
    }


def _criteria_of(plan: Plan) -> Iterable[Criterion]:
    """The criteria with a verdict or an action of the plan, and their parents."""
    own = Q(requirements__verdicts__assessment=plan.assessment) | Q(actions__plan=plan)
    found = Criterion.objects.filter(own)
    parents = found.filter(parent__isnull=False).values("parent")
    everything = Criterion.objects.filter(Q(pk__in=found.values("pk")) | Q(pk__in=parents))
    return everything.select_related("category", "parent").in_order()


def _shared_rows(criteria: Sequence[Criterion]) -> Rows:
    """The records that plans share: units, categories and criteria."""
    categories = {each.category.number: each.category for each in criteria}
    return {
        UNITS: list(Unit.objects.prefetch_related("members").in_order()),
        CATEGORIES: [category for _number, category in sorted(categories.items())],
        CRITERIA: criteria,
    }


def _verdict_rows(criteria: Sequence[Criterion], assessment: Assessment | None) -> list[VerdictRow]:
    verdicts = Verdict.objects.filter(assessment=assessment) if assessment else Verdict.objects.none()
    by_requirement = {verdict.requirement_id: verdict for verdict in verdicts}
    requirements = Requirement.objects.filter(criterion__in=[each.pk for each in criteria]).select_related("criterion")
    return [VerdictRow(each, by_requirement.get(each.pk)) for each in requirements.in_order()]
