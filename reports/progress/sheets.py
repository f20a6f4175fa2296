"""Sheets of the progress report with figures: cover, summary, categories, units."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from plan.models import Due, Status
from pmqa_tracker import thai
from reports.figures.groups import BAR_ORDER, Group
from reports.progress import charts
from reports.progress.read import ReportData
from reports.progress.tables import HEADING, ONE_DECIMAL, SIGNED, TEXT
from spreadsheets.styles import NOTE, PADDING, TITLE, Style, line_height, set_up_page, text_height, write
from spreadsheets.tables import STYLES, Column, ColumnKind, finish_sheet, set_widths, write_line, write_table

CHART_ROWS = 12  # rows of normal height that a chart covers
MAX_ROWS_WITH_CHART = 7  # most rows of a table that shares its page with its chart
CHART_COLUMN = "F"  # column of a chart to the right of a table with four columns


class GroupRow(NamedTuple):
    """Name and figures of a part of the plan."""

    name: str
    group: Group


def group_columns(first: str, width: float) -> list[Column]:
    """Return the columns of a table of `GroupRow`s; the first column, with the heading `first`, names the rows."""
    return [
        Column(first, width, get=lambda row: row.name),
        Column("ทั้งหมด", 10, ColumnKind.NUMBER, get=lambda row: row.group.total.count),
        *(
            Column(
                str(each.label), 15, ColumnKind.NUMBER, get=lambda row, status=each: row.group.by_status[status].count
            )
            for each in BAR_ORDER
        ),
        Column("ล่าช้า", 10, ColumnKind.NUMBER, get=lambda row: row.group.overdue.count),
        Column("ไม่รายงานในงวดนี้", 16, ColumnKind.NUMBER, get=lambda row: row.group.silent.count),
        Column("ความก้าวหน้า (%)", 14, get=lambda row: row.group.progress, style=ONE_DECIMAL),
        Column("ที่ควรเป็น (%)", 14, get=lambda row: row.group.expected, style=ONE_DECIMAL),
    ]


def write_cover(
    sheet: Worksheet,
    data: ReportData,
    made_by: str,
    made_at: datetime,
    contents: Sequence[tuple[str, str]],
    notes: Sequence[str] = (),
) -> None:
    """Write ปก (cover): plan, days, author, summary, and the list of sheets.

    Args:
        sheet: the sheet to write.
        data: data of the report.
        made_by: name of the author.
        made_at: moment of creation.
        contents: (name, description) of each sheet.
        notes: lines on what the request asked for and the report does not show.
    """
    widths = (32.0, 130.0)
    set_widths(sheet, widths)
    day = thai.format_date(data.as_of.day, short=False)
    row = write_line(sheet, 2, "รายงานความก้าวหน้าแผนพัฒนาองค์การ", TITLE.replace(size=26, color="2B2A6C"))
    write(sheet.cell(row, 1), data.plan.title, TITLE.replace(wrap=True))
    sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=2)
    sheet.row_dimensions[row].height = text_height(data.plan.title, sum(widths), TITLE.size)
    facts = (
        ("ส่วนราชการ", data.plan.organization.name),
        ("ข้อมูล ณ วันที่", day),
        ("เปรียบเทียบกับวันที่", thai.format_date(data.since.day, short=False)),
        ("ผู้จัดทำรายงาน", made_by),
        ("จัดทำเมื่อ", thai.format_datetime(made_at)),
        ("การประเมินที่แผนนี้ตอบ", data.map.assessment.name),
        *(("โปรดทราบ", note) for note in notes),
    )
    row += 2
    for label, value in facts:
        write(sheet.cell(row, 1), label, Style(bold=True, fill="F3F2FA"))
        write(sheet.cell(row, 2), value, TEXT)
        sheet.row_dimensions[row].height = max(text_height(value, widths[1]), line_height() + PADDING)
        row += 1
    row = write_line(sheet, row + 1, "สรุปสำหรับผู้บริหาร", HEADING)
    for sentence in data.sentences:
        write(sheet.cell(row, 1), f"• {sentence}", Style(border=""))
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=2)
        sheet.row_dimensions[row].height = text_height(sentence, sum(widths) - 4)
        row += 1
    row = write_line(sheet, row + 1, "สารบัญ", HEADING)
    for name, description in contents:
        cell = write(sheet.cell(row, 1), name, Style(border="", color="4644A3", wrap=False))
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{name}'!A1", display=name)
        write(sheet.cell(row, 2), description, Style(border="", color="6B645B"))
        sheet.row_dimensions[row].height = max(text_height(description, widths[1]), line_height() + PADDING)
        row += 1
    set_up_page(sheet, header_rows="1:1", footer=footer(data))
    sheet.print_title_rows = None
    sheet.page_setup.fitToHeight = 1


def footer(data: ReportData) -> str:
    """Return the footer of every printed page."""
    return f"ข้อมูล ณ วันที่ {thai.format_date(data.as_of.day)}"


def write_summary(sheet: Worksheet, data: ReportData) -> None:
    """Write สรุป (summary): figures on both days, the curve and the overdue actions by age, with charts."""
    overview = data.overview
    set_widths(sheet, (34, 16, 16, 16, 3, *[14] * 8))
    row = write_line(sheet, 1, "สรุปภาพรวม", TITLE)
    row = write_line(sheet, row, footer(data), NOTE)
    then, now = thai.format_date(data.since.day), thai.format_date(data.as_of.day)
    columns = [
        Column("ตัวเลข", 34),
        Column(then, 16, ColumnKind.NUMBER),
        Column(now, 16, ColumnKind.NUMBER),
        Column("ผลต่าง", 16, style=SIGNED),
    ]
    rows: list[list[Any]] = [["รายการทั้งหมด", overview.then.total.count, overview.whole.total.count, None]]
    rows += [[each.label, each.then.count, each.now.count, each.difference] for each in overview.compared]
    whole, before = overview.whole, overview.then
    rows += [
        ["ความก้าวหน้าเฉลี่ย (%)", (before.progress, ONE_DECIMAL), (whole.progress, ONE_DECIMAL), None],
        ["ที่ควรเป็นตามแผน (%)", (before.expected, ONE_DECIMAL), (whole.expected, ONE_DECIMAL), None],
    ]
    _first, row = write_table(sheet, row + 1, columns, rows)
    for section in (_curve, _ages):
        row += 1
        sheet.row_breaks.append(Break(id=row - 1))
        row = section(sheet, data, row)
    set_up_page(sheet, header_rows="1:2", footer=footer(data))


def _curve(sheet: Worksheet, data: ReportData, row: int) -> int:
    row = write_line(sheet, row, "แผนเทียบกับผลการดำเนินการ", HEADING)
    columns = [
        Column(
            "วันที่",
            34,
            get=lambda point: thai.format_date(point.day),
            style=STYLES[ColumnKind.DAY].replace(horizontal="left"),
        ),
        Column("ตามแผน", 16, get=lambda point: point.expected, style=ONE_DECIMAL),
        Column("ผลจริง", 16, get=lambda point: point.actual, style=ONE_DECIMAL),
        Column("คาดการณ์", 16, get=lambda point: point.forecast, style=ONE_DECIMAL),
    ]
    points = data.overview.curve.points
    rows = write_table(sheet, row, columns, points)
    if points:
        sheet.add_chart(
            charts.build_curve_chart(sheet, "แผนเทียบกับผลการดำเนินการ (%)", row, rows), f"{CHART_COLUMN}{row}"
        )
    return max(rows[1], row + CHART_ROWS) + 1


def _ages(sheet: Worksheet, data: ReportData, row: int) -> int:
    row = write_line(sheet, row, "ล่าช้ามานานเท่าใด", HEADING)
    columns = [Column("ล่าช้ามาแล้ว", 34), Column("จำนวนรายการ", 16, ColumnKind.NUMBER)]
    rows = write_table(sheet, row, columns, [(str(age.label), figure.count) for age, figure in data.overview.ages])
    chart = charts.build_column_chart(sheet, "รายการที่ล่าช้า แยกตามระยะเวลา", row, rows, 2, Due.OVERDUE.look.colours.chart)
    sheet.add_chart(chart, f"{CHART_COLUMN}{row}")
    return max(rows[1], row + CHART_ROWS) + 1


def write_groups(sheet: Worksheet, data: ReportData, title: str, first: str, groups: Sequence[GroupRow]) -> None:
    """Write a table of figures with a row per category or unit, and a chart below it."""
    columns = group_columns(first, 44)
    set_widths(sheet, [column.width for column in columns])
    row = write_line(sheet, 1, title, TITLE)
    row = write_line(sheet, row, footer(data), NOTE)
    rows = write_table(sheet, row, columns, groups)
    if groups:
        chart = charts.build_bar_chart(
            sheet, title, row, rows, range(3, 3 + len(BAR_ORDER)), [each.look.colours.chart for each in BAR_ORDER]
        )
        if len(groups) > MAX_ROWS_WITH_CHART:
            sheet.row_breaks.append(Break(id=rows[1] + 1))
        sheet.add_chart(chart, f"A{rows[1] + 3}")
    finish_sheet(sheet, row, footer(data), columns=len(columns), last=rows[1])


def is_urgent(action: Any) -> bool:
    """Whether an action is overdue or blocked."""
    return action.due == Due.OVERDUE or action.status_on == Status.BLOCKED
