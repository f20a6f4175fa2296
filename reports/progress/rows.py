"""Sheets of the progress report that list actions and verdicts: units, urgent actions, assessment, changes."""

from collections.abc import Iterable

from django.utils import timezone
from openpyxl.worksheet.worksheet import Worksheet

from assignments.models import Role, Unit
from criteria.models import Level
from plan.models import ActionItem, Due, Status
from pmqa_tracker import thai
from reports.figures.maturity import MapCell
from reports.meeting.pack import LISTED_CHANGES
from reports.progress.read import ReportData
from reports.progress.sheets import GroupRow, footer, group_columns, is_urgent
from reports.progress.tables import CENTER, HEADING, status_cell
from spreadsheets.styles import NOTE, TITLE
from spreadsheets.tables import Column, ColumnKind, finish_sheet, set_widths, write_line, write_table


def _lead_units(action: ActionItem) -> str:
    return ", ".join(str(each.unit) for each in action.lead)


def _status(action: ActionItem) -> object:
    return status_cell(action.status_on, action.due)


def _schedule(action: ActionItem) -> str:
    first, last = action.first_period, action.last_period
    if first is None:
        return "ไม่ปรากฏในเอกสาร"
    return first.label if first == last else f"{first.label} ถึง {last.label}"


# Columns of an action as of the day.
ACTION_COLUMNS = (
    Column("รหัส", 13, get=lambda action: action.ref),
    Column("สิ่งที่ต้องดำเนินการ", 52, get=lambda action: action.text),
    Column("หน่วยงานหลัก", 15, get=_lead_units),
    Column("ช่วงเวลา", 24, get=_schedule),
    Column("สถานะ", 20, get=_status),
    Column("ความก้าวหน้า", 13, ColumnKind.PERCENT, get=lambda action: action.progress_on),
    Column("ที่ควรเป็น", 12, ColumnKind.PERCENT, get=lambda action: action.expected_on),
    Column("ผลการดำเนินการล่าสุด", 34, get=lambda action: action.result_on or ""),
    Column("ปัญหาอุปสรรค", 30, get=lambda action: action.problem_on or ""),
    Column("ขั้นตอนต่อไป", 30, get=lambda action: action.next_step_on or ""),
    Column(
        "ปรับปรุงล่าสุด", 15, ColumnKind.DAY,
        get=lambda action: timezone.localdate(action.updated_at) if action.updated_at else None,
    ),
)  # fmt: skip


def write_unit(sheet: Worksheet, data: ReportData, unit: Unit, notes: Iterable[str] = ()) -> None:
    """Write the sheet of a unit: notes, figures, the actions it leads, the actions it supports."""
    set_widths(sheet, [column.width for column in ACTION_COLUMNS])
    row = write_line(sheet, 1, f"{unit.abbreviation} {unit.name_th}", TITLE)
    for note in (footer(data), *notes):
        row = write_line(sheet, row, note, NOTE)
    groups = {Role.LEAD: data.overview.leads, Role.SUPPORT: data.overview.supports}
    labels = {Role.LEAD: "หน่วยงานหลัก", Role.SUPPORT: "หน่วยงานสนับสนุน"}
    figures = [
        GroupRow(labels[role], group) for role in labels for group in groups[role] if group.subject.pk == unit.pk
    ]
    _first, row = write_table(sheet, row, group_columns("ในฐานะ", 13), figures)
    for role, actions in data.actions_by_role(unit):
        row = write_line(sheet, row + 2, f"{labels[role]} ({len(actions)} รายการ)", HEADING)
        _first, row = write_table(sheet, row, ACTION_COLUMNS, actions)
    finish_sheet(sheet, 1, footer(data))


def write_actions(sheet: Worksheet, data: ReportData, title: str, actions: Iterable[ActionItem]) -> None:
    """Write a sheet with a title and a table of actions."""
    set_widths(sheet, [column.width for column in ACTION_COLUMNS])
    row = write_line(sheet, 1, title, TITLE)
    row = write_line(sheet, row, footer(data), NOTE)
    _first, last = write_table(sheet, row, ACTION_COLUMNS, actions)
    if last == row:
        write_line(sheet, row + 1, "ไม่มีรายการ", NOTE)
    finish_sheet(sheet, row, footer(data), columns=len(ACTION_COLUMNS), last=last)


def list_urgent_actions(data: ReportData) -> list[ActionItem]:
    """Return the overdue actions, longest overdue first, then the blocked ones."""
    found = [action for action in data.actions if is_urgent(action)]

    def order(action: ActionItem) -> tuple[int, int]:
        is_late = action.due == Due.OVERDUE
        return (not is_late, -(data.as_of.day - action.last_period.ends_on).days if is_late else 0)

    return sorted(found, key=order)


def write_verdicts(sheet: Worksheet, data: ReportData) -> None:
    """Write ผลการประเมิน: each requirement with its verdict, its actions done, and its state on the map."""
    columns = (
        Column("เกณฑ์", 10, get=lambda row: row[0].code),
        Column("ชื่อเกณฑ์", 52, get=lambda row: row[0].title),
        Column("ระดับ", 15, get=lambda row: Level(row[1].level).short, style=CENTER),
        Column("ผลการประเมิน", 15, get=lambda row: _verdict(row[1]), style=CENTER),
        Column("เหตุผลของผู้ตรวจประเมิน", 52, get=lambda row: row[1].verdict.reason if row[1].verdict else ""),
        Column("รายการที่เสร็จ", 14, ColumnKind.NUMBER, get=lambda row: row[1].done),
        Column("รายการทั้งหมด", 14, ColumnKind.NUMBER, get=lambda row: row[1].total),
        Column("สถานะของระดับ", 30, get=lambda row: str(row[1].state.label), style=CENTER),
    )
    set_widths(sheet, [column.width for column in columns])
    scores = data.map
    row = write_line(sheet, 1, "ผลการประเมินและความพร้อมรับการประเมินใหม่", TITLE)
    now, ready = _points(scores.now.total), _points(scores.if_ready.total)
    total = f"คะแนนรวม{scores.scope} ปัจจุบัน {now} หากผ่านทุกข้อที่พร้อม {ready} จากเต็ม {scores.full}"
    row = write_line(sheet, row, f"{footer(data)} · {total}", NOTE)
    rows = [(line.criterion, cell) for line in scores.rows for cell in line.cells if cell.requirement]
    _first, last = write_table(sheet, row, columns, rows)
    finish_sheet(sheet, row, footer(data), columns=len(columns), last=last)


def _verdict(cell: MapCell) -> str:
    return "–" if cell.verdict is None else "ผ่าน" if cell.verdict.passed else "ไม่ผ่าน"


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def write_changes(sheet: Worksheet, data: ReportData) -> None:
    """Write การเปลี่ยนแปลง: the actions that changed since the earlier day, by kind of change."""
    columns = (
        Column("รหัส", 13, get=lambda action: action.ref),
        Column("สิ่งที่ต้องดำเนินการ", 60, get=lambda action: action.text),
        Column("หน่วยงานหลัก", 16, get=_lead_units),
        Column("สถานะเดิม", 22, get=lambda action: str(Status(action.status_then).label), style=CENTER),
        Column("สถานะ", 22, get=_status),
        Column("ความก้าวหน้าเดิม", 16, ColumnKind.PERCENT, get=lambda action: action.progress_then),
        Column("ความก้าวหน้า", 14, ColumnKind.PERCENT, get=lambda action: action.progress_on),
    )
    set_widths(sheet, [column.width for column in columns])
    since = thai.format_date(data.since.day)
    row = write_line(sheet, 1, f"การเปลี่ยนแปลงตั้งแต่ {since}", TITLE)
    row = write_line(sheet, row, footer(data), NOTE)
    counts = dict(data.overview.changes)
    for change in LISTED_CHANGES:
        actions = [action for action in data.actions if getattr(action, change.field)]
        row = write_line(sheet, row + 1, f"{change.label} ({counts[change].count} รายการ)", HEADING)
        if actions:
            _first, row = write_table(sheet, row, columns, actions)
            row += 1
        else:
            row = write_line(sheet, row, "ไม่มีรายการ", NOTE)
    finish_sheet(sheet, 1, footer(data))
