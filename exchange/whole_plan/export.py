"""A whole plan as a workbook: what is asked, how it was judged, what is to be done, when and by whom.

It carries no progress: a plan that begins has none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q
from openpyxl import Workbook

from assignments.models import Unit
from criteria.models import Assessment, Category, Criterion, Level, Requirement, Verdict
from exchange.data_sheet.columns import in_thai, period_words
from exchange.whole_plan.tables import (
    ACTIONS,
    CATEGORIES,
    CRITERIA,
    FAILED,
    FORM,
    LABEL,
    NO,
    NOTE,
    PASSED,
    PERIODS,
    PLAN,
    PLAN_ASKS,
    TABLES,
    UNITS,
    VALUE,
    VERDICTS,
    YES,
    Ask,
)
from exchange.workbook import GUIDE, Field, new_book_of, offer_list, write_guide, write_lists, write_table
from plan.models import ActionItem, Plan

EMPTY_ROWS = {PERIODS: 12, UNITS: 40, CATEGORIES: 7, CRITERIA: 80, VERDICTS: 240, ACTIONS: 300}
HOW_TO = (
    "1. กรอกทีละแผ่นงานจากซ้ายไปขวา แผ่นงาน “แผน” บอกว่าแผนชื่ออะไรและตอบการประเมินครั้งใด แผ่นงานอื่นกรอกหนึ่งแถวต่อหนึ่งรายการ",
    "2. เกณฑ์ ข้อกำหนด และหน่วยงานที่มีอยู่ในระบบแล้วไม่ต้องพิมพ์ใหม่ หากมีอยู่ในไฟล์ต้องตรงกับในระบบ",
    "3. วันที่พิมพ์เป็น พ.ศ. ได้ เช่น 1 ต.ค. 2563 หรือ 1/10/2563 ช่วงเวลาพิมพ์ เช่น ต.ค.-ธ.ค. 2563 หรือ ไตรมาส 1/2564",
    "4. ไฟล์นี้ไม่มีความก้าวหน้า ทุกรายการของแผนใหม่เริ่มจากยังไม่ดำเนินการ",
    "5. ห้ามเปลี่ยนชื่อแผ่นงานหรือคอลัมน์ ห้ามผสานช่อง และไม่ใช้สูตร บันทึกเป็น Excel Workbook (.xlsx)",
    "6. นำเข้าที่หน้า “แผนใหม่จาก Excel” ระบบจะแสดงทุกแถวและทุกจุดที่ผิดให้ตรวจก่อนสร้างแผนเสมอ",
    "7. แถวที่เว้นรหัสรายการไว้และตรงกับรายการเดิมของแผน จะถือเป็นรายการเดิมและไม่ถูกเพิ่มซ้ำ",
)
Rows = Mapping[str, Sequence[Sequence[Any]]]


def build_plan_book(plan: Plan) -> Workbook:
    """The workbook of a plan, in a fixed number of queries; brought into an empty site it makes the same plan."""
    criteria = list(_criteria_of(plan))
    return _build(
        _plan_values(plan),
        {
            PERIODS: [(each.number, each.starts_on, each.ends_on) for each in _periods(plan)],
            UNITS: _unit_rows(),
            CATEGORIES: _category_rows(criteria),
            CRITERIA: _criterion_rows(criteria),
            VERDICTS: _verdict_rows(criteria, plan.assessment),
            ACTIONS: _action_rows(plan),
        },
        title=plan.title,
        periods=[period_words(each) for each in _periods(plan)],
    )


def build_template() -> Workbook:
    """An empty one, with the units, criteria and requirements that are there already."""
    criteria = list(Criterion.objects.select_related("category", "parent").in_order())
    return _build(
        {},
        {
            PERIODS: [],
            UNITS: _unit_rows(),
            CATEGORIES: _category_rows(criteria),
            CRITERIA: _criterion_rows(criteria),
            VERDICTS: _verdict_rows(criteria, None),
            ACTIONS: [],
        },
        title="แผนพัฒนาองค์การ (แบบสำหรับแผนใหม่)",
        periods=[],
    )


def _build(values: Mapping[str, Any], rows: Rows, *, title: str, periods: Sequence[str]) -> Workbook:
    book = new_book_of({"form": FORM})
    lists = write_lists(book, _offers(periods, rows[UNITS]))
    tables: dict[str, Sequence[Field]] = {PLAN: _plan_fields()}
    _write_plan(book, values, lists, title)
    for place, (name, asks) in enumerate(TABLES.items(), start=1):
        tables[name] = [ask.field for ask in asks]
        sheet = book.create_sheet(name, place)
        write_table(
            sheet, tables[name], rows[name], title=f"{name} · {title}",
            note="กรอกหนึ่งแถวต่อหนึ่งรายการ วิธีกรอกอยู่ในแผ่นงาน “คำอธิบาย”", lists=lists, empty_rows=EMPTY_ROWS[name],
        )  # fmt: skip
    write_guide(book, "คำอธิบายการกรอกแผนใหม่", HOW_TO, {name: fields for name, fields in tables.items() if name != PLAN})
    book.move_sheet(book[GUIDE], -(len(book.sheetnames) - 1))
    book.active = 0
    book.properties.title = title
    return book


def _plan_fields() -> list[Field]:
    return [
        Field(heading=LABEL, width=34, note="", is_open=False),
        Field(heading=VALUE, width=60, note=""),
        Field(heading=NOTE, width=70, note="", is_open=False),
    ]


def _write_plan(book: Workbook, values: Mapping[str, Any], lists: Mapping[str, str], title: str) -> None:
    """The first sheet: one value under the other."""
    sheet = book.create_sheet(PLAN, 0)
    rows = [(ask.heading, values.get(ask.name), _needed(ask)) for ask in PLAN_ASKS]
    write_table(sheet, _plan_fields(), rows, title=title, note="กรอกในคอลัมน์ “ค่าที่กรอก”", lists=lists)
    for row, ask in enumerate(PLAN_ASKS, start=4):
        sheet.cell(row, 2).number_format = ask.number_format
        if ask.offers:
            offer_list(sheet, f"B{row}", lists[ask.offers], ask.field)


def _needed(ask: Ask) -> str:
    return f"ต้องกรอก · {ask.note}" if ask.needs else ask.note


def _offers(periods: Sequence[str], units: Sequence[Sequence[Any]]) -> dict[str, Sequence[str]]:
    return {
        "ใช่หรือไม่": (YES, NO),
        "ผล": (PASSED, FAILED),
        "ระดับ": [level.short for level in Level],
        "ที่มา": [in_thai(basis.label) for basis in ActionItem.Basis],
        "ผู้ประเมิน": [in_thai(kind.label) for kind in Assessment.Kind],
        "ช่วงเวลา": periods,
        "หน่วยงาน": [row[0] for row in units],
    }


def _yes_no(value: bool) -> str:
    return YES if value else NO


def _periods(plan: Plan) -> list[Any]:
    return sorted(plan.periods.all(), key=lambda each: each.number)


def _plan_values(plan: Plan) -> dict[str, Any]:
    judged = plan.assessment
    return {
        "slug": plan.slug,
        "title": plan.title,
        "organization": plan.organization,
        "starts_on": plan.starts_on,
        "ends_on": plan.ends_on,
        "previous": plan.previous.slug if plan.previous else None,
        "assessment": judged.name,
        "kind": in_thai(Assessment.Kind(judged.kind).label),
        "assessed_on": judged.assessed_on,
        "basic_points": judged.basic_points,
        "advance_points": judged.advance_points,
        "significance_points": judged.significance_points,
        "are_points_confirmed": _yes_no(judged.are_points_confirmed),
    }


def _unit_rows() -> list[tuple[Any, ...]]:
    return [
        (
            each.abbreviation, each.name_th, each.name_en, _yes_no(each.is_active), _yes_no(each.is_collective),
            ", ".join(member.abbreviation for member in each.members.all()), each.position, each.reading_note,
        )
        for each in Unit.objects.prefetch_related("members").in_order()
    ]  # fmt: skip


def _criteria_of(plan: Plan) -> Iterable[Criterion]:
    """Those the assessment judged or the plan acts on, and the headings they stand under."""
    own = Q(requirements__verdicts__assessment=plan.assessment) | Q(actions__plan=plan)
    found = Criterion.objects.filter(own)
    parents = found.filter(parent__isnull=False).values("parent")
    everything = Criterion.objects.filter(Q(pk__in=found.values("pk")) | Q(pk__in=parents))
    return everything.select_related("category", "parent").in_order()


def _category_rows(criteria: Sequence[Criterion]) -> list[tuple[Any, ...]]:
    categories: dict[int, Category] = {each.category.number: each.category for each in criteria}
    return [(number, category.name) for number, category in sorted(categories.items())]


def _criterion_rows(criteria: Sequence[Criterion]) -> list[tuple[Any, ...]]:
    return [
        (
            each.code, each.category.number, each.parent.code if each.parent else None, each.title, each.position,
            each.reading_note,
        )
        for each in criteria
    ]  # fmt: skip


def _verdict_rows(criteria: Sequence[Criterion], assessment: Assessment | None) -> list[tuple[Any, ...]]:
    """A row a requirement, with its verdict where the assessment has one."""
    verdicts = Verdict.objects.filter(assessment=assessment) if assessment else Verdict.objects.none()
    by_requirement = {verdict.requirement_id: verdict for verdict in verdicts}
    requirements = Requirement.objects.filter(criterion__in=[each.pk for each in criteria]).select_related("criterion")
    rows = []
    for each in requirements.in_order():
        verdict = by_requirement.get(each.pk)
        told = (None, None, None)
        if verdict:
            told = (PASSED if verdict.passed else FAILED, verdict.reason, _yes_no(verdict.printed))
        rows.append((each.criterion.code, Level(each.level).short, each.text, *told))
    return rows


def _action_rows(plan: Plan) -> list[tuple[Any, ...]]:
    return [
        (
            each.ref, each.criterion.code, ", ".join(Level(one.level).short for one in each.requirements.all()),
            each.number, each.position, each.text,
            period_words(each.first_period) if each.first_period else None,
            period_words(each.last_period) if each.last_period else None,
            in_thai(ActionItem.Basis(each.schedule_basis).label),
            ", ".join(str(one.unit) for one in each.lead), ", ".join(str(one.unit) for one in each.support),
            each.reading_note,
        )
        for each in plan.actions.with_details().in_order()
    ]  # fmt: skip
