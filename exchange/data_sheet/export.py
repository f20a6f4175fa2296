"""Export of the data sheet (ข้อมูลแผน): the plan, or one unit's rows, as a table to edit in Excel and import again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from openpyxl import Workbook

from assignments.models import Unit
from criteria.models import Level
from exchange.data_sheet.columns import ActionColumn, ActionSheet, ColumnGroup, format_period, in_thai
from exchange.data_sheet.marks import row_mark
from exchange.workbook import EMPTY_ROWS, new_book_with_metadata, write_guide, write_input_sheet, write_lists
from plan.as_of import on_day
from plan.models import ActionItem, Plan, Status
from plan.titles import title_of
from pmqa_tracker import thai
from spreadsheets.text import write_text

SHEET = "ข้อมูลแผน"
EXPORTED = "_ค่าเมื่อส่งออก"  # hidden sheet
DATA_SHEET_FORMAT = "pmqa-data-sheet-1"  # identifies the file; count up when the columns change

DATA_SHEET_GUIDE = (
    "1. แก้ไขเฉพาะช่องสีขาวของแผ่นงาน “ข้อมูลแผน” ช่องสีเทาใช้จับคู่กับข้อมูลในระบบหรือแสดงให้ทราบเท่านั้น "
    "หากแก้ไขช่องสีเทา ระบบจะแจ้งเมื่อนำเข้าและไม่บันทึก",
    "2. คอลัมน์ผลการดำเนินการ ปัญหาอุปสรรค ขั้นตอนต่อไป และเหตุผล คือรายงานครั้งใหม่ เว้นว่างไว้หากไม่มีสิ่งที่จะรายงาน",
    "3. ทั้งใน Excel และ LibreOffice เรียงลำดับและกรองด้วยปุ่มที่หัวตาราง ซ่อนแถว ย้ายคอลัมน์ "
    "และเพิ่มคอลัมน์หรือแผ่นงานของตนเองได้ ส่วนที่เพิ่มเองจะไม่ถูกนำเข้า "
    "ห้ามเปลี่ยนชื่อหรือลบคอลัมน์เดิม ห้ามผสานช่อง และไม่ใช้สูตร",
    "4. แถวที่ลบออกจากไฟล์จะไม่ถูกลบออกจากระบบ",
    "5. บันทึกเป็น Excel Workbook (.xlsx) แล้วส่งให้ผู้ประสานงาน PMQA นำเข้า ระบบจะแสดงทุกจุดที่จะเปลี่ยนให้ตรวจก่อนบันทึกเสมอ",
)
DATA_SHEET_GUIDE_ADD = "6. เพิ่มรายการใหม่ในแถวว่างท้ายตาราง โดยเว้นรหัสรายการและรุ่นข้อมูลไว้ และระบุเกณฑ์ ระดับ และสิ่งที่ต้องดำเนินการ"


def build_data_sheet(plan: Plan, at: datetime, *, unit: Unit | None = None) -> Workbook:
    """The data sheet of a plan, in a fixed number of queries.

    Args:
        plan: the plan, with its periods prefetched.
        at: the moment of the export.
        unit: export the sheet of this unit: the actions it leads or supports, with only the progress columns open.
    """
    as_of = on_day(plan, timezone.localdate(at), plan.periods.all(), cutoff=at)
    action_sheet = ActionSheet(as_of.periods, plan.organization.units.in_order())
    actions = plan.actions.for_units([unit]) if unit else plan.actions.all()
    actions = actions.annotate_latest("result", as_of).with_details().in_order()
    book = new_book_with_metadata(data_sheet_metadata(plan, at, unit))
    lists = write_lists(book, offers(action_sheet, _codes(plan)))
    columns = [_for_reader(column, is_unit=unit is not None) for column in action_sheet.columns.values()]
    sheet = book.create_sheet(SHEET, 0)
    title = title_of(plan)
    name = f"{unit.abbreviation} · {title}" if unit else title
    write_input_sheet(
        sheet,
        columns,
        _rows(action_sheet, actions, book, plan, unit),
        title=f"ข้อมูลแผน {name}",
        note=f"ส่งออกเมื่อ {_moment(at)} · แก้ไขได้เฉพาะช่องสีขาว วิธีกรอกอยู่ในแผ่นงาน “คำอธิบาย”",
        lists=lists,
        empty_rows=0 if unit else EMPTY_ROWS,
        table="Actions",
    )
    how_to = DATA_SHEET_GUIDE if unit else (*DATA_SHEET_GUIDE, DATA_SHEET_GUIDE_ADD)
    write_guide(book, "คำอธิบายการกรอกข้อมูลแผน", how_to, {SHEET: columns})
    book.move_sheet(book["คำอธิบาย"], -(len(book.sheetnames) - 2))
    book.active = 0
    book.properties.title = title
    return book


def data_sheet_name(plan: Plan, at: datetime, *, unit: Unit | None = None) -> str:
    """The file name of a data sheet, without the extension and in the language of the user."""
    params = {"unit": unit, "plan": plan.slug, "day": thai.format_date(timezone.localdate(at))}
    text = _("data sheet %(unit)s %(plan)s %(day)s") if unit else _("data sheet %(plan)s %(day)s")
    return text % params


def _rows(
    action_sheet: ActionSheet, actions: Iterable[ActionItem], book: Workbook, plan: Plan, unit: Unit | None
) -> Iterator[list[Any]]:
    """The cells of each action. A hidden sheet keeps a copy, to find the changes made in Excel at the import."""
    exported = book.create_sheet(EXPORTED)
    exported.sheet_state = "hidden"
    shown = [name for name, column in action_sheet.columns.items() if column.group == ColumnGroup.SHOWN]
    names = ["ref", *action_sheet.stored_columns, *shown]
    exported.append([action_sheet.columns[name].heading for name in names])
    places = [list(action_sheet.columns).index(name) for name in names]
    for number, action in enumerate(actions, start=2):
        cells = row_of(action_sheet, action, plan, unit)
        for column, place in enumerate(places, start=1):
            write_text(exported.cell(number, column), cells[place])
        yield cells


def data_sheet_metadata(plan: Plan, at: datetime, unit: Unit | None) -> dict[str, str]:
    """The texts of the hidden sheet that identifies the file."""
    return {
        "form": DATA_SHEET_FORMAT,
        "plan": plan.slug,
        "unit": unit.abbreviation if unit else "",
        "exported_at": at.isoformat(timespec="seconds"),
    }


def row_of(action_sheet: ActionSheet, action: ActionItem, plan: Plan, unit: Unit | None) -> list[Any]:
    """The cells of an action."""
    cells = []
    for name, column in action_sheet.columns.items():
        if name == "token":
            cells.append(row_mark(action_sheet.token_of(action), plan.slug, action.ref, unit))
        else:
            cells.append(column.cell(action) if column.attribute else None)
    return cells


def _for_reader(column: ActionColumn, *, is_unit: bool) -> ActionColumn:
    """A column, open if the reader may change it: units change progress, coordinators also content."""
    is_content = column.group == ColumnGroup.CONTENT
    return replace(column, is_open=column.group == ColumnGroup.PROGRESS or (is_content and not is_unit))


def offers(action_sheet: ActionSheet, codes: Sequence[str]) -> dict[str, list[str]]:
    """List name → texts of its choices."""
    return {
        "สถานะ": [in_thai(status.label) for status in Status],
        "ที่มา": [in_thai(basis.label) for basis in ActionItem.Basis],
        "ช่วงเวลา": [format_period(period) for period in action_sheet.periods],
        "หน่วยงาน": [unit.abbreviation for unit in action_sheet.units if unit.is_active],
        "ระดับ": [level.short for level in Level],
        "เกณฑ์": list(codes),
    }


def _codes(plan: Plan) -> list[str]:
    return list(plan.framework.criteria.leaves().in_order().values_list("code", flat=True))


def _moment(at: datetime) -> str:
    """A moment in Thai."""
    with override("th"):
        return thai.format_datetime(at)
