"""Sheet รายการทั้งหมด of the progress report: every action with a column per unit; the totals count its rows."""

from datetime import date
from typing import NamedTuple

from django.utils import timezone
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from criteria.models import Level
from plan.models import STATUSES, ActionItem, Due, Status
from plan.models.looks import Look
from plan.models.status import CLOSED
from reports.figures.standings import Standing
from reports.progress.attention import days_late, lead_units, support_units
from reports.progress.read import ReportData
from reports.progress.tables import CENTER, PERCENT, SMALL_TEXT, finish, footer, latest_report, schedule
from reports.progress.totals import (
    NOT_ASKED,
    OWING_MARK,
    REPORTED,
    ROLE_MARKS,
    SILENT,
    DataRanges,
    label,
    quoted,
)
from spreadsheets.formulas import Formula
from spreadsheets.styles import NOTE, SMALL, TITLE
from spreadsheets.tables import STYLES, Column, ColumnKind, set_widths, write_line, write_table

HEADER_ROW = 4
NOTES = (
    "เมื่อแก้ไขสถานะหรือความก้าวหน้าในแผ่นงานนี้ ตัวเลขสรุปในแผ่นงานอื่นจะคำนวณใหม่ตาม",
    "คอลัมน์ของแต่ละหน่วยงานอยู่ทางขวา (ไม่พิมพ์): ห = หน่วยงานหลัก ส = หน่วยงานสนับสนุน ค้าง = ยังไม่รายงานในงวดนี้",
)
COLUMNS = (
    "ref", "category", "text", "lead", "schedule", "status", "progress", "expected", "late", "latest",
    "report", "updated", "levels", "support", "ends_on",
)  # fmt: skip
LAST_PRINTED = "latest"
UNIT_WIDTH = 9.0
# The table is long, so its letters are smaller than those of other sheets.
DATA = SMALL_TEXT
DATA_CENTER, DATA_PERCENT = CENTER.replace(size=SMALL), PERCENT.replace(size=SMALL)
DATA_DAY = STYLES[ColumnKind.DAY].replace(size=SMALL)


class DataRow(NamedTuple):
    """An action, its state, and the number of its row."""

    number: int
    action: ActionItem
    standing: Standing
    days_late: int


def data_ranges(data: ReportData) -> DataRanges:
    """Return where the data sheet keeps its columns; it is known before the sheet is written."""
    keys = [*COLUMNS, *(unit.pk for unit in data.units)]
    first = HEADER_ROW + 1
    last = max(HEADER_ROW + len(data.actions), first)
    return DataRanges(first, last, {key: place for place, key in enumerate(keys, start=1)})


def write_all_actions(sheet: Worksheet, data: ReportData, ranges: DataRanges) -> None:
    """Write every action of the report, in the plan's order."""
    named = _columns(data, ranges)
    units = [
        Column(unit.abbreviation, UNIT_WIDTH, get=lambda row, pk=unit.pk: _mark(row.standing, pk), style=DATA_CENTER)
        for unit in data.units
    ]
    columns = [*(named[name] for name in COLUMNS), *units]
    set_widths(sheet, [column.width for column in columns])
    row = write_line(sheet, 1, f"รายการทั้งหมด ({len(data.actions)} รายการ)", TITLE)
    for note in (f"{footer(data)} · {NOTES[0]}", NOTES[1]):
        row = write_line(sheet, row, note, NOTE)
    rows = (
        DataRow(number, action, data.standing(action), days_late(data, action))
        for number, action in enumerate(data.actions, start=ranges.first)
    )
    _first, last = write_table(sheet, HEADER_ROW, columns, rows)
    finish(sheet, data, HEADER_ROW, columns=len(columns), last=last, table="Actions")
    printed = get_column_letter(ranges.places[LAST_PRINTED])
    sheet.print_area = f"A1:{printed}{max(last, ranges.first)}"
    _offer_statuses(sheet, ranges)
    _color_statuses(sheet, ranges)


def _columns(data: ReportData, ranges: DataRanges) -> dict[str, Column]:
    """Return the columns that are not of units, by name."""
    day = data.as_of.day
    return {
        "ref": Column("รหัส", 12, get=lambda row: row.action.ref, style=DATA),
        "category": Column("หมวด", 8, get=lambda row: row.standing.category, style=DATA_CENTER),
        "text": Column("สิ่งที่ต้องดำเนินการ", 66, get=lambda row: row.action.text, style=DATA),
        "lead": Column("หน่วยงานหลัก", 14, get=lambda row: lead_units(row.action), style=DATA),
        "schedule": Column("ช่วงเวลา", 16, get=lambda row: schedule(row.action), style=DATA_CENTER),
        "status": Column("สถานะ", 17, get=lambda row: label(Status(row.action.status_on)), style=DATA_CENTER),
        "progress": Column("คืบหน้า", 9.5, get=lambda row: row.action.progress_on, style=DATA_PERCENT),
        "expected": Column("ตามแผน", 9.5, get=lambda row: row.action.expected_on, style=DATA_PERCENT),
        "late": Column(
            "ล่าช้า (วัน)", 9, get=lambda row: _late(row, ranges, day), style=DATA_CENTER.replace(number_format="#,##0;;"),
        ),
        "report": Column("รายงานงวดนี้", 14, get=lambda row: _report(row.standing), style=DATA_CENTER),
        "latest": Column("รายงานล่าสุด", 66, get=lambda row: latest_report(row.action), style=DATA),
        "updated": Column("ปรับปรุงล่าสุด", 12, get=lambda row: _local_day(row.action), style=DATA_DAY),
        "levels": Column("ระดับ", 14, get=lambda row: _levels(row.action), style=DATA),
        "support": Column("หน่วยงานสนับสนุน", 18, get=lambda row: support_units(row.action), style=DATA),
        "ends_on": Column("สิ้นสุด", 12, get=lambda row: _last_day(row.action), style=DATA_DAY),
    }  # fmt: skip


def _late(row: DataRow, ranges: DataRanges, day: date) -> Formula:
    """Return the days that an action is overdue: its last day is past, and it is not closed."""
    status, ends_on = (f"{get_column_letter(ranges.places[name])}{row.number}" for name in ("status", "ends_on"))
    today = f"DATE({day.year},{day.month},{day.day})"
    still_open = ",".join(f"{status}<>{quoted(label(each))}" for each in CLOSED)
    text = f'IF(AND({ends_on}<>"",{ends_on}<{today},{still_open}),{today}-{ends_on},0)'
    return Formula(text, row.days_late)


def _report(standing: Standing) -> str:
    return SILENT if standing.is_silent else REPORTED if standing.is_at_work else NOT_ASKED


def _local_day(action: ActionItem) -> date | None:
    return timezone.localdate(action.updated_at) if action.updated_at else None


def _last_day(action: ActionItem) -> date | None:
    return action.last_period.ends_on if action.last_period else None


def _levels(action: ActionItem) -> str:
    return ", ".join(Level(each.level).short for each in action.requirements.all())


def _mark(standing: Standing, unit: int) -> str:
    """Return the roles of a unit in an action, and whether its report is missing."""
    units = zip(ROLE_MARKS.values(), (standing.lead, standing.support), strict=True)
    roles = "".join(mark for mark, pks in units if unit in pks)
    return f"{roles}{OWING_MARK}" if unit in standing.owing else roles


def _offer_statuses(sheet: Worksheet, ranges: DataRanges) -> None:
    """Offer the five statuses in the cells of the column, so that a typing error does not leave the totals."""
    offered = DataValidation(type="list", formula1=quoted(",".join(map(label, STATUSES))), allow_blank=False)
    offered.add(_cells(ranges, "status"))
    sheet.add_data_validation(offered)


def _color_statuses(sheet: Worksheet, ranges: DataRanges) -> None:
    """Colour the statuses by rules, so that the colours follow when the user changes a cell; overdue comes first."""
    status, late = (f"${get_column_letter(ranges.places[name])}{ranges.first}" for name in ("status", "late"))
    rules = [(f"{late}>0", Due.OVERDUE.look), *((f"{status}={quoted(label(each))}", each.look) for each in STATUSES)]
    for formula, look in rules:
        sheet.conditional_formatting.add(_cells(ranges, "status"), _rule(formula, look))


def _rule(formula: str, look: Look) -> FormulaRule:
    fill = PatternFill(bgColor=look.colours.background, fill_type="solid")
    return FormulaRule(formula=[formula], font=Font(bold=True, color=look.colours.text), fill=fill, stopIfTrue=True)


def _cells(ranges: DataRanges, name: str) -> str:
    letter = get_column_letter(ranges.places[name])
    return f"{letter}{ranges.first}:{letter}{ranges.last}"
