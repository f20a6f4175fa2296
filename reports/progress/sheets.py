"""Sheets of the progress report with figures: cover, summary, categories, units."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from openpyxl.chart._chart import ChartBase
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from plan.models import Due
from pmqa_tracker import thai
from reports.figures.groups import BAR_ORDER
from reports.progress import charts
from reports.progress.read import ReportData
from reports.progress.tables import (
    HEADING,
    NUMBER,
    ONE_DECIMAL,
    SENTENCE,
    SIGNED,
    SIGNED_POINTS,
    TEXT,
    finish,
    fit_to_a_page,
    footer,
    link_cell,
    write_link,
)
from reports.progress.totals import DataRanges, Totals
from spreadsheets.formulas import Formula
from spreadsheets.styles import (
    HEADER,
    NOTE,
    PADDING,
    QUIET,
    TITLE,
    Style,
    line_height,
    text_height,
    write,
    write_box,
)
from spreadsheets.tables import Column, set_widths, write_line, write_table

COVER_WIDTHS = (32.0, 108.0)
MAX_ROWS_ON_A_PAGE = 18  # most rows of a table of figures that shares a page with its chart
SUMMARY_WIDTHS = (34, 15, 15, 12, 3)  # the table and a gap
CHART_COLUMN = len(SUMMARY_WIDTHS) + 1
CHART_WIDTHS = (13,) * 8
CURVE_COLUMN = CHART_COLUMN + len(CHART_WIDTHS) + 1
CURVE_WIDTHS = (3, 14, 11, 11, 11)
LINKED = TEXT.replace(color="4644A3")
CHART_WIDTH, UPPER_HEIGHT, LOWER_HEIGHT = 19.0, 7.8, 9.8  # centimetres


class GroupRow(NamedTuple):
    """Name and totals of a part of the plan."""

    name: str
    totals: Totals


def group_columns(first: str, width: float, links: Mapping[str, str]) -> list[Column]:
    """Return the columns of a table of `GroupRow`s.

    Args:
        first: heading of the first column, which names the rows.
        width: width of the first column.
        links: name of a row → sheet that its name links to.
    """
    return [
        Column(first, width, get=lambda row: (row.name, LINKED) if row.name in links else row.name),
        Column("ทั้งหมด", 10, style=NUMBER, get=lambda row: row.totals.total),
        *(
            Column(str(each.label), 15, style=NUMBER, get=lambda row, status=each: row.totals.status(status))
            for each in BAR_ORDER
        ),
        Column("ล่าช้า", 10, style=NUMBER, get=lambda row: row.totals.overdue),
        Column("ยังไม่รายงานในงวดนี้", 16, style=NUMBER, get=lambda row: row.totals.silent),
        Column("ความก้าวหน้า (%)", 15, get=lambda row: row.totals.progress, style=ONE_DECIMAL),
        Column("ตามแผน (%)", 14, get=lambda row: row.totals.expected, style=ONE_DECIMAL),
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
    set_widths(sheet, COVER_WIDTHS)
    width = sum(COVER_WIDTHS)
    row = write_line(sheet, 2, "รายงานความก้าวหน้าแผนพัฒนาองค์การ", TITLE.replace(size=26, color="2B2A6C"))
    write_box(sheet, (row, 1, row, 2), data.plan.title, TITLE.replace(wrap=True))
    sheet.row_dimensions[row].height = text_height(data.plan.title, width, TITLE.size, bold=True)
    facts = (
        ("ส่วนราชการ", data.plan.organization.name),
        ("ข้อมูล ณ วันที่", thai.format_date(data.as_of.day, short=False)),
        ("เปรียบเทียบกับวันที่", thai.format_date(data.since.day, short=False)),
        ("ผู้จัดทำรายงาน", made_by),
        ("จัดทำเมื่อ", thai.format_datetime(made_at)),
        ("การประเมินที่แผนนี้ตอบ", data.map.assessment.name),
        *(("โปรดทราบ", note) for note in notes),
    )
    row += 2
    for label, value in facts:
        write(sheet.cell(row, 1), label, Style(bold=True, fill="F3F2FA", indent=1))
        write(sheet.cell(row, 2), value, TEXT)
        sheet.row_dimensions[row].height = max(text_height(value, COVER_WIDTHS[1]), line_height() + PADDING)
        row += 1
    row = write_line(sheet, row + 1, "สรุปสำหรับผู้บริหาร", HEADING)
    for sentence in data.sentences:
        text = f"• {sentence}"
        write_box(sheet, (row, 1, row, 2), text, SENTENCE)
        sheet.row_dimensions[row].height = text_height(text, width)
        row += 1
    row = write_line(sheet, row + 1, "สารบัญ", HEADING)
    for name, description in contents:
        write_link(sheet, row, name, name)
        write(sheet.cell(row, 2), description, Style(border="", color=QUIET))
        sheet.row_dimensions[row].height = max(text_height(description, COVER_WIDTHS[1]), line_height() + PADDING)
        row += 1
    fit_to_a_page(sheet, data)


def write_summary(sheet: Worksheet, data: ReportData, ranges: DataRanges) -> None:
    """Write สรุป (summary) on one page: figures on both days and overdue actions by age, with charts.

    The figures of the day are formulas over the data sheet; those of the earlier day are fixed. The table of the curve
    stands to the right and is not printed.
    """
    set_widths(sheet, (*SUMMARY_WIDTHS, *CHART_WIDTHS, *CURVE_WIDTHS))
    totals = Totals(ranges, data.overview.whole)
    row = write_line(sheet, 1, "สรุปภาพรวม", TITLE)
    row = top = write_line(sheet, row, f"{footer(data)} เทียบกับ {thai.format_date(data.since.day)}", NOTE)
    figures = _write_figures(sheet, data, totals, row)
    row = write_line(sheet, figures[1] + 2, "ล่าช้ามานานเท่าใด", HEADING)
    ages = _write_ages(sheet, data, totals, row)
    curve = _write_curve(sheet, data, top)
    if curve:
        line = charts.build_curve_chart(sheet, "แผนเทียบกับผลการดำเนินการ (%)", top, curve, CURVE_COLUMN)
        _place_chart(sheet, line, (CHART_COLUMN, top), CHART_WIDTH, UPPER_HEIGHT)
    half, below = len(CHART_WIDTHS) // 2, figures[0] + 8
    counts = (figures[0] + 1, figures[0] + len(BAR_ORDER) + 2)  # each status, overdue, silent
    days = charts.build_days_chart(sheet, "จำนวนรายการเทียบสองวัน", top, counts)
    _place_chart(sheet, days, (CHART_COLUMN, below), CHART_WIDTH / 2 - 0.2, LOWER_HEIGHT)
    late = charts.build_column_chart(sheet, "รายการที่ล่าช้า แยกตามระยะเวลา", row, ages, 2, Due.OVERDUE.look.colours.chart)
    _place_chart(sheet, late, (CHART_COLUMN + half, below), CHART_WIDTH / 2 - 0.2, LOWER_HEIGHT)
    fit_to_a_page(sheet, data)
    sheet.print_area = f"A1:{get_column_letter(CURVE_COLUMN - 2)}{ages[1] + 6}"
    sheet.freeze_panes = "A3"


def _place_chart(sheet: Worksheet, chart: ChartBase, place: tuple[int, int], width: float, height: float) -> None:
    """Put a chart on a sheet; `place` is the column and the row of its corner, the size is in centimetres."""
    chart.width, chart.height = width, height
    sheet.add_chart(chart, f"{get_column_letter(place[0])}{place[1]}")


def _write_figures(sheet: Worksheet, data: ReportData, totals: Totals, row: int) -> tuple[int, int]:
    """Write the figures on both days, with their differences; return the first and the last row."""
    then, now = data.overview.then, totals
    counts = [
        ("รายการทั้งหมด", then.total.count, now.total),
        *((str(each.label), then.by_status[each].count, now.status(each)) for each in BAR_ORDER),
        (str(Due.OVERDUE.label), then.overdue.count, now.overdue),
        ("ยังไม่รายงานในงวดนี้", then.silent.count, now.silent),
    ]
    means = [
        ("ความก้าวหน้าเฉลี่ย (%)", then.progress, now.progress),
        ("ที่ควรเป็นตามแผน (%)", then.expected, now.expected),
    ]
    rows = [
        (name, (before, style), (current, style), (_difference(place, before, current), signed))
        for place, (name, before, current, style, signed) in enumerate(
            [(*each, NUMBER, SIGNED) for each in counts] + [(*each, ONE_DECIMAL, SIGNED_POINTS) for each in means],
            start=row + 1,
        )
    ]
    columns = [
        Column("ตัวเลข", SUMMARY_WIDTHS[0]),
        *(
            Column(heading, 12)
            for heading in (thai.format_date(data.since.day), thai.format_date(data.as_of.day), "ผลต่าง")
        ),
    ]
    written = write_table(sheet, row, columns, rows)
    sheet.row_dimensions[row].height = max(text_height(each.heading, each.width, bold=True) for each in columns)
    return written


def _difference(row: int, before: float | None, current: Formula) -> Formula | None:
    """Return the difference between the third and the second column; None if either is missing."""
    if before is None or isinstance(current.result, str):
        return None
    return Formula(f"C{row}-B{row}", current.result - before)


def _write_ages(sheet: Worksheet, data: ReportData, totals: Totals, row: int) -> tuple[int, int]:
    """Write how many actions are overdue for how long; return the first and the last row."""
    columns = [Column("ล่าช้ามาแล้ว", SUMMARY_WIDTHS[0]), Column("รายการ", SUMMARY_WIDTHS[1], style=NUMBER)]
    ages = [(str(age.label), totals.age(age, figure.count)) for age, figure in data.overview.ages]
    return write_table(sheet, row, columns, ages)


def _write_curve(sheet: Worksheet, data: ReportData, row: int) -> tuple[int, int] | None:
    """Write the points of the curve; return the first and the last row, or None without points."""
    points = data.overview.curve.points
    for place, heading in enumerate(("สิ้นเดือน", "ตามแผน", "ผลจริง", "คาดการณ์"), start=CURVE_COLUMN):
        write(sheet.cell(row, place), heading, HEADER)
    for number, point in enumerate(points, start=row + 1):
        is_today = point.day == data.as_of.day
        month = thai.format_date(point.day) if is_today else thai.format_month(point.day)
        write(sheet.cell(number, CURVE_COLUMN), month, TEXT)
        for place, value in enumerate((point.expected, point.actual, point.forecast), start=CURVE_COLUMN + 1):
            write(sheet.cell(number, place), value, ONE_DECIMAL)
    return (row + 1, row + len(points)) if points else None


def write_groups(
    sheet: Worksheet,
    data: ReportData,
    title: str,
    first: str,
    groups: Sequence[GroupRow],
    links: Mapping[str, str] | None = None,
) -> None:
    """Write a table of totals with a row per category or unit, and a chart below it.

    Args:
        sheet: the sheet to write.
        data: data of the report.
        title: title of the sheet and its chart.
        first: heading of the first column.
        groups: the rows.
        links: name of a row → sheet that its name links to.
    """
    links = links or {}
    columns = group_columns(first, 44, links)
    set_widths(sheet, [column.width for column in columns])
    row = write_line(sheet, 1, title, TITLE)
    row = write_line(sheet, row, footer(data), NOTE)
    rows = write_table(sheet, row, columns, groups)
    for number, group in enumerate(groups, start=rows[0]):
        if group.name in links:
            link_cell(sheet.cell(number, 1), links[group.name])
    finish(sheet, data, row, columns=len(columns), last=rows[1], table="Totals")
    if groups:
        chart = charts.build_bar_chart(
            sheet, title, row, rows, range(3, 3 + len(BAR_ORDER)), [each.look.colours.chart for each in BAR_ORDER]
        )
        sheet.add_chart(chart, f"A{rows[1] + 3}")
    if len(groups) <= MAX_ROWS_ON_A_PAGE:
        sheet.page_setup.fitToHeight = 1
