"""Sheets of the progress report that list actions and verdicts: units, urgent actions, assessment, changes."""

from collections.abc import Mapping, Sequence

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from assignments.models import Role, Unit
from criteria.models import Level
from plan.models import ActionItem, Change, Status
from pmqa_tracker import thai
from reports.figures.maturity import MapCell
from reports.meeting.pack import LISTED_CHANGES
from reports.progress.attention import (
    Attention,
    lead_units,
    list_shared_attention,
    list_unit_attention,
    list_urgent,
)
from reports.progress.read import ReportData
from reports.progress.tables import (
    CENTER,
    HEADING,
    LINE,
    NUMBER,
    PERCENT,
    SENTENCE,
    SMALL_TEXT,
    finish,
    footer,
    latest_report,
    schedule,
    status_cell,
    write_link,
)
from reports.progress.totals import DATA_SHEET, DataRanges, of_unit
from spreadsheets.formulas import Formula
from spreadsheets.styles import NOTE, TITLE, text_height, write_box
from spreadsheets.tables import Column, set_widths, write_line, write_table

ROLE_NAMES = {Role.LEAD: "หน่วยงานหลัก", Role.SUPPORT: "หน่วยงานสนับสนุน"}
NOTHING = f"ไม่มีรายการที่ต้องติดตามในงวดนี้ ดูทุกรายการได้ในแผ่นงาน “{DATA_SHEET}”"
NOTHING_OWN = f"ไม่มีรายการของหน่วยงานโดยตรงที่ต้องติดตามในงวดนี้ ดูทุกรายการได้ในแผ่นงาน “{DATA_SHEET}”"


def attention_columns(part: str) -> list[Column]:
    """Return the columns of actions that need attention; `part` is the heading of `Attention.part`."""
    return [
        Column("รหัส", 13, get=lambda row: row.action.ref),
        Column("สิ่งที่ต้องดำเนินการ", 60, get=lambda row: row.action.text),
        Column(part, 16, get=lambda row: row.part, style=SMALL_TEXT),
        Column("ต้องติดตามเพราะ", 34, get=lambda row: "\n".join(row.reasons)),
        Column("ช่วงเวลา", 16, get=lambda row: schedule(row.action), style=SMALL_TEXT.replace(horizontal="center")),
        Column("สถานะ", 18, get=lambda row: status_cell(row.action.status_on, row.action.due)),
        Column("คืบหน้า", 11, get=lambda row: row.action.progress_on, style=PERCENT),
        Column("ตามแผน", 12, get=lambda row: row.action.expected_on, style=PERCENT),
        Column("รายงานล่าสุด", 52, get=lambda row: latest_report(row.action), style=SMALL_TEXT),
    ]


def write_unit(
    sheet: Worksheet,
    data: ReportData,
    unit: Unit,
    ranges: DataRanges,
    sheets: Mapping[Unit, Worksheet],
    notes: Sequence[str] = (),
) -> None:
    """Write the sheet of a unit: its figures, its actions that need attention, and what it owes together with others.

    Args:
        sheet: the sheet to write.
        data: data of the report.
        unit: the unit.
        ranges: the columns of the data sheet.
        sheets: the sheets of the collectives, and of the other units.
        notes: lines on what the request asked for and the report does not show.
    """
    columns = attention_columns("บทบาท")
    set_widths(sheet, [column.width for column in columns])
    row = write_line(sheet, 1, unit_name(unit), TITLE)
    for note in (footer(data), *notes):
        row = write_line(sheet, row, note, NOTE)
    for role, groups in ((Role.LEAD, data.overview.leads), (Role.SUPPORT, data.overview.supports)):
        for group in (each for each in groups if each.subject.pk == unit.pk):
            row = _write_sentence(sheet, row, of_unit(ranges, group, role).sentence(ROLE_NAMES[role]), len(columns))
    row = _write_attention(sheet, row, data, columns, list_unit_attention(data, unit), NOTHING_OWN)
    for collective in data.collectives:
        if shared := data.shared_actions(unit, collective):
            row = _write_shared(sheet, row + 1, data, unit, shared, unit_name(collective), sheets[collective].title)


def write_collective(sheet: Worksheet, data: ReportData, collective: Unit) -> None:
    """Write the sheet of a collective: its actions that need attention, each with the units that owe a report."""
    columns = attention_columns("หน่วยงานที่ยังไม่รายงาน")
    set_widths(sheet, [column.width for column in columns])
    found, total = list_shared_attention(data, collective), len(data.actions_led_by(collective))
    row = write_line(sheet, 1, f"รายการที่{unit_name(collective)}รับผิดชอบร่วมกัน", TITLE)
    row = write_line(sheet, row, f"{footer(data)} · ต้องติดตาม {len(found)} จาก {total} รายการ", NOTE)
    _write_attention(sheet, row, data, columns, found)


def write_urgent(sheet: Worksheet, data: ReportData) -> None:
    """Write the overdue and blocked actions."""
    columns = attention_columns("หน่วยงานหลัก")
    set_widths(sheet, [column.width for column in columns])
    found = list_urgent(data)
    row = write_line(sheet, 1, "รายการที่ล่าช้าและติดปัญหา", TITLE)
    row = write_line(sheet, row, f"{footer(data)} · {len(found)} รายการ", NOTE)
    _write_attention(sheet, row, data, columns, found)


def unit_name(unit: Unit) -> str:
    """Return the abbreviation and the name of a unit, once if they are the same."""
    return unit.abbreviation if unit.name_th == unit.abbreviation else f"{unit.abbreviation} {unit.name_th}"


def _write_attention(
    sheet: Worksheet,
    row: int,
    data: ReportData,
    columns: Sequence[Column],
    found: Sequence[Attention],
    nothing: str = NOTHING,
) -> int:
    """Write the table of actions, or a sentence if there are none; return the number of the next row."""
    if found:
        _first, last = write_table(sheet, row, columns, found)
        finish(sheet, data, row, columns=len(columns), last=last, table="Attention")
    else:
        last = write_line(sheet, row, nothing, LINE) - 1
        finish(sheet, data)
    return last + 1


def _write_shared(
    sheet: Worksheet, row: int, data: ReportData, unit: Unit, shared: Sequence[ActionItem], name: str, target: str
) -> int:
    """Write which actions of a collective a unit still has to report on; return the number of the next row."""
    owing = [action.ref for action in shared if unit.pk in data.standing(action).owing]
    text = f"ยังไม่รายงานในงวดนี้ {len(owing)} รายการ ได้แก่ {', '.join(owing)}" if owing else "รายงานในงวดนี้ครบทุกรายการแล้ว"
    row = write_line(sheet, row, f"รับผิดชอบร่วมกับ{name} {len(shared)} รายการ", HEADING)
    row = _write_sentence(sheet, row, text, len(attention_columns("")))
    return write_link(sheet, row, f"รายละเอียดอยู่ในแผ่นงาน “{target}”", target)


def _write_sentence(sheet: Worksheet, row: int, text: str | Formula, columns: int) -> int:
    """Write a sentence across the columns of a table; return the number of the next row."""
    width = sum(sheet.column_dimensions[get_column_letter(place)].width for place in range(1, columns + 1))
    write_box(sheet, (row, 1, row, columns), text, SENTENCE)
    shown = str(text.result) if isinstance(text, Formula) else text
    sheet.row_dimensions[row].height = text_height(shown, width)
    return row + 1


def write_verdicts(sheet: Worksheet, data: ReportData) -> None:
    """Write ผลการประเมิน: each requirement with its verdict, its actions done, and its state on the map."""
    columns = (
        Column("เกณฑ์", 10, get=lambda row: row[0].code),
        Column("ชื่อเกณฑ์", 66, get=lambda row: row[0].title),
        Column("ระดับ", 17, get=lambda row: Level(row[1].level).short, style=CENTER),
        Column("ผลการประเมิน", 14, get=lambda row: _verdict(row[1]), style=CENTER),
        Column("เหตุผลของผู้ตรวจประเมิน", 66, get=lambda row: row[1].verdict.reason if row[1].verdict else ""),
        Column("รายการที่เสร็จ", 12, get=lambda row: row[1].done, style=NUMBER),
        Column("รายการทั้งหมด", 12, get=lambda row: row[1].total, style=NUMBER),
        Column("สถานะของระดับ", 28, get=lambda row: str(row[1].state.label), style=CENTER),
    )
    set_widths(sheet, [column.width for column in columns])
    scores = data.map
    row = write_line(sheet, 1, "ผลการประเมินและความพร้อมรับการประเมินใหม่", TITLE)
    now, ready = _points(scores.now.total), _points(scores.if_ready.total)
    total = f"คะแนนรวม{scores.scope} ปัจจุบัน {now} หากผ่านทุกข้อที่พร้อม {ready} จากเต็ม {scores.full}"
    row = write_line(sheet, row, f"{footer(data)} · {total}", NOTE)
    rows = [(line.criterion, cell) for line in scores.rows for cell in line.cells if cell.requirement]
    _first, last = write_table(sheet, row, columns, rows)
    finish(sheet, data, row, columns=len(columns), last=last)


def _verdict(cell: MapCell) -> str:
    return "–" if cell.verdict is None else "ผ่าน" if cell.verdict.passed else "ไม่ผ่าน"


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def write_changes(sheet: Worksheet, data: ReportData) -> None:
    """Write การเปลี่ยนแปลง: the actions that changed since the earlier day, each with its kinds of change."""
    columns = (
        Column("รหัส", 13, get=lambda row: row[0].ref),
        Column("สิ่งที่ต้องดำเนินการ", 64, get=lambda row: row[0].text),
        Column("หน่วยงานหลัก", 14, get=lambda row: lead_units(row[0])),
        Column("การเปลี่ยนแปลง", 20, get=lambda row: ", ".join(str(change.label) for change in row[1])),
        Column("สถานะเดิม", 18, get=lambda row: str(Status(row[0].status_then).label), style=CENTER),
        Column("สถานะ", 18, get=lambda row: status_cell(row[0].status_on, row[0].due)),
        Column("คืบหน้าเดิม", 11, get=lambda row: row[0].progress_then, style=PERCENT),
        Column("คืบหน้า", 11, get=lambda row: row[0].progress_on, style=PERCENT),
        Column("รายงานล่าสุด", 50, get=lambda row: latest_report(row[0]), style=SMALL_TEXT),
    )
    set_widths(sheet, [column.width for column in columns])
    row = write_line(sheet, 1, f"การเปลี่ยนแปลงตั้งแต่ {thai.format_date(data.since.day)}", TITLE)
    counts = dict(data.overview.changes)
    kinds = " · ".join(f"{change.label} {counts[change].count}" for change in LISTED_CHANGES)
    row = write_line(sheet, row, f"{footer(data)} · {kinds} รายการ", NOTE)
    changed = ((action, _changes(action)) for action in data.actions)
    rows = sorted((each for each in changed if each[1]), key=lambda each: LISTED_CHANGES.index(each[1][0]))
    if not rows:
        write_line(sheet, row, "ไม่มีรายการที่เปลี่ยนแปลงในช่วงเวลานี้", LINE)
        finish(sheet, data)
        return
    _first, last = write_table(sheet, row, columns, rows)
    finish(sheet, data, row, columns=len(columns), last=last, table="Changes")


def _changes(action: ActionItem) -> list[Change]:
    return [change for change in LISTED_CHANGES if getattr(action, change.field)]
