"""The sheets of the progress report that hold rows: a unit's actions, what is late or blocked, verdicts, changes."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from openpyxl.worksheet.worksheet import Worksheet

from assignments.models import Role, Unit
from criteria.models import Level
from plan.models import ActionItem, Due, Status
from pmqa_tracker import thai
from pmqa_tracker.sheets import NOTE, TITLE
from reports.meeting import LISTED
from reports.report_read import Reading
from reports.report_sheets import figure_columns, figure_row, footer, overdue_or_blocked
from reports.report_tables import (
    CENTER,
    COUNT,
    DAY,
    HEADING,
    PERCENT,
    Column,
    finish,
    set_widths,
    status_cell,
    write_line,
    write_table,
)

WHOLE_PERCENT = PERCENT.but(number_format='0"%"')
ACTION = (
    Column(heading="รหัส", width=13),
    Column(heading="สิ่งที่ต้องดำเนินการ", width=52),
    Column(heading="หน่วยงานหลัก", width=15),
    Column(heading="ช่วงเวลา", width=24),
    Column(heading="สถานะ", width=20, style=CENTER),
    Column(heading="ความก้าวหน้า", width=13, style=WHOLE_PERCENT),
    Column(heading="ที่ควรเป็น", width=12, style=WHOLE_PERCENT),
    Column(heading="ผลการดำเนินการล่าสุด", width=34),
    Column(heading="ปัญหาอุปสรรค", width=30),
    Column(heading="ขั้นตอนต่อไป", width=30),
    Column(heading="ปรับปรุงล่าสุด", width=15, style=DAY),
)


def action_row(action: ActionItem) -> list[Any]:
    """The cells of an action as it stood on the day."""
    first, last = action.first_period, action.last_period
    when = "ไม่ปรากฏในเอกสาร" if first is None else first.label if first == last else f"{first.label} ถึง {last.label}"
    return [
        action.ref,
        action.text,
        ", ".join(str(each.unit) for each in action.lead),
        when,
        status_cell(action.status_on, action.due),
        action.progress_on,
        action.expected_on,
        action.result_on or "",
        action.problem_on or "",
        action.next_step_on or "",
        timezone.localdate(action.updated_at) if action.updated_at else None,
    ]


def write_unit(sheet: Worksheet, reading: Reading, unit: Unit, notes: Iterable[str] = ()) -> None:
    """A unit: its figures, then what it leads and what it supports; `notes` stand above them."""
    set_widths(sheet, [column.width for column in ACTION])
    row = write_line(sheet, 1, f"{unit.abbreviation} {unit.name_th}", TITLE)
    for note in (footer(reading), *notes):
        row = write_line(sheet, row, note, NOTE)
    groups = {Role.LEAD: reading.overview.leads, Role.SUPPORT: reading.overview.supports}
    labels = {Role.LEAD: "หน่วยงานหลัก", Role.SUPPORT: "หน่วยงานสนับสนุน"}
    figures = [
        figure_row(labels[role], group) for role in labels for group in groups[role] if group.subject.pk == unit.pk
    ]
    _first, row = write_table(
        sheet, row, figure_columns("ในฐานะ", 13)[: len(ACTION)], [each[: len(ACTION)] for each in figures]
    )
    for role, actions in reading.parts_of(unit):
        row = write_line(sheet, row + 2, f"{labels[role]} ({len(actions)} รายการ)", HEADING)
        _first, row = write_table(sheet, row, ACTION, [action_row(action) for action in actions])
    finish(sheet, 1, footer(reading))


def write_actions(sheet: Worksheet, reading: Reading, title: str, actions: Iterable[ActionItem]) -> None:
    """A sheet of actions under one heading."""
    set_widths(sheet, [column.width for column in ACTION])
    row = write_line(sheet, 1, title, TITLE)
    row = write_line(sheet, row, footer(reading), NOTE)
    _first, last = write_table(sheet, row, ACTION, [action_row(action) for action in actions])
    if last == row:
        write_line(sheet, row + 1, "ไม่มีรายการ", NOTE)
    finish(sheet, row, footer(reading), columns=len(ACTION), last=last)


def pressing(reading: Reading) -> list[ActionItem]:
    """What is overdue or blocked: the longest overdue first, then what is blocked."""
    found = [action for action in reading.actions if overdue_or_blocked(action)]

    def order(action: ActionItem) -> tuple[int, int]:
        is_late = action.due == Due.OVERDUE
        return (not is_late, -(reading.as_of.day - action.last_period.ends_on).days if is_late else 0)

    return sorted(found, key=order)


def write_verdicts(sheet: Worksheet, reading: Reading) -> None:
    """ผลการประเมิน: each requirement with its verdict, how much of it is done, and whether it is ready."""
    columns = (
        Column(heading="เกณฑ์", width=10),
        Column(heading="ชื่อเกณฑ์", width=52),
        Column(heading="ระดับ", width=15, style=CENTER),
        Column(heading="ผลการประเมิน", width=15, style=CENTER),
        Column(heading="เหตุผลของผู้ตรวจประเมิน", width=52),
        Column(heading="รายการที่เสร็จ", width=14, style=COUNT),
        Column(heading="รายการทั้งหมด", width=14, style=COUNT),
        Column(heading="สถานะของระดับ", width=30, style=CENTER),
    )
    set_widths(sheet, [column.width for column in columns])
    scores = reading.map
    row = write_line(sheet, 1, "ผลการประเมินและความพร้อมรับการประเมินใหม่", TITLE)
    now, ready = _points(scores.now.total), _points(scores.if_ready.total)
    total = f"คะแนนรวม{scores.scope} ปัจจุบัน {now} หากผ่านทุกข้อที่พร้อม {ready} จากเต็ม {scores.full}"
    row = write_line(sheet, row, f"{footer(reading)} · {total}", NOTE)
    rows = [
        [
            line.criterion.code,
            line.criterion.title,
            Level(cell.level).short,
            "–" if cell.verdict is None else "ผ่าน" if cell.verdict.passed else "ไม่ผ่าน",
            cell.verdict.reason if cell.verdict else "",
            cell.done,
            cell.total,
            str(cell.state.label),
        ]
        for line in scores.rows
        for cell in line.cells
        if cell.requirement
    ]
    _first, last = write_table(sheet, row, columns, rows)
    finish(sheet, row, footer(reading), columns=len(columns), last=last)


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def write_changes(sheet: Worksheet, reading: Reading) -> None:
    """การเปลี่ยนแปลง: what became of the actions since the earlier day, a kind after the other."""
    columns = (
        Column(heading="รหัส", width=13),
        Column(heading="สิ่งที่ต้องดำเนินการ", width=60),
        Column(heading="หน่วยงานหลัก", width=16),
        Column(heading="สถานะเดิม", width=22, style=CENTER),
        Column(heading="สถานะ", width=22, style=CENTER),
        Column(heading="ความก้าวหน้าเดิม", width=16, style=WHOLE_PERCENT),
        Column(heading="ความก้าวหน้า", width=14, style=WHOLE_PERCENT),
    )
    set_widths(sheet, [column.width for column in columns])
    since = thai.format_date(reading.since.day)
    row = write_line(sheet, 1, f"การเปลี่ยนแปลงตั้งแต่ {since}", TITLE)
    row = write_line(sheet, row, footer(reading), NOTE)
    counts = dict(reading.overview.changes)
    for change in LISTED:
        actions = [action for action in reading.actions if getattr(action, change.field)]
        row = write_line(sheet, row + 1, f"{change.label} ({counts[change].count} รายการ)", HEADING)
        if actions:
            _first, row = write_table(sheet, row, columns, [_change_row(action) for action in actions])
            row += 1
        else:
            row = write_line(sheet, row, "ไม่มีรายการ", NOTE)
    finish(sheet, 1, footer(reading))


def _change_row(action: ActionItem) -> list[Any]:
    return [
        action.ref,
        action.text,
        ", ".join(str(each.unit) for each in action.lead),
        str(Status(action.status_then).label),
        status_cell(action.status_on, action.due),
        action.progress_then,
        action.progress_on,
    ]
