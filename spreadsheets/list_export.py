"""Export a list as a workbook: one Excel table with all rows, to sort and filter.

openpyxl writes the sheet down to the headings, with every style. `spreadsheets.list_rows` adds the rows, which takes a
tenth of the time that openpyxl needs for them (`make bench`). Texts never become formulas or links.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.http import FileResponse
from django.utils.translation import get_language
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.worksheet.worksheet import Worksheet

from pmqa_tracker.long_names import download_name
from spreadsheets.downloads import XLSX, workbook_file
from spreadsheets.list_rows import RowWriter
from spreadsheets.properties import set_author
from spreadsheets.styles import (
    FONT,
    HEADER,
    NOTE,
    PADDING,
    SIZE,
    SMALL,
    SWISS,
    THAI,
    TITLE,
    Style,
    line_height,
    new_book,
    set_up_page,
    sheet_title,
    text_height,
    write,
    write_box,
)
from spreadsheets.tables import FILTER_BUTTON, STYLES, Column, ColumnKind, add_excel_table, set_widths, unique_headings
from spreadsheets.text import clean_text

# Excel shows the year of the Buddhist era (calendar 07) in the language of the page; the cell holds the real day.
DAY_FORMATS = {"th": "[$-107041E]d mmm yyyy", "en": "[$-1070409]d mmm yyyy"}
SHEET = "xl/worksheets/sheet1.xml"
LINE_WIDTH = 130.0  # characters: what a screen shows of the lines above the table
HIGHEST_FROZEN = 280.0  # points: higher lines above the table would leave no room for its rows
LIST_TITLE = TITLE.replace(size=SIZE + 3, wrap=True)
LIST_NOTE = NOTE.replace(size=SMALL + 1, vertical="top", wrap=True)
LIST_HEADING = HEADER.replace(horizontal="left", vertical="top", indent=1, border="", bottom="thin")
PLAIN = {"border": "", "bottom": "thin", "border_color": "DDD8D0"}
NUMBERS = (ColumnKind.NUMBER, ColumnKind.PERCENT)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A list to export.

    Attributes:
        title: name of the list and of the sheet.
        name: name of the Excel table, of Latin letters.
        notes: lines under the title: the plan, the day, the active filters.
        legend: (text, colour) parts of the last line above the headings; "" for the colour of a note.
        columns: at least two, in order; a repeated heading gets a number.
        rows: objects for `Column.get`, or sequences of values; None leaves a cell empty, and (value, style) gives it a
            style of its own.
        empty: sentence below the headings if there are no rows.
    """

    title: str
    name: str
    notes: Sequence[str]
    legend: Sequence[tuple[str, str]] = ()
    columns: Sequence[Column]
    rows: Iterable[Any]
    empty: str


def write_list(table: Table) -> BytesIO:
    """Write the list as a workbook of one sheet: title, notes, frozen headings, and the rows as an Excel table."""
    book, rows = new_book(), list(table.rows)
    sheet = book.create_sheet(sheet_title(str(table.title), ()))
    set_widths(sheet, [column.width for column in table.columns])
    head = _write_lines(sheet, table) + 1
    _write_headings(sheet, table.columns, head)
    if rows:
        add_excel_table(sheet, table.name, head, head + len(rows), len(table.columns))
    else:
        _write_line(sheet, head + 1, table.columns, str(table.empty), STYLES[ColumnKind.TEXT].replace(border=""))
    writer = RowWriter(sheet, table.columns, [_style_of(column) for column in table.columns], rows)
    return set_author(workbook_file(book), {SHEET: lambda xml: writer.add_to(xml, head + 1)})


def list_response(table: Table, name: str) -> FileResponse:
    """Return the list as a download with the file name `name`."""
    return FileResponse(write_list(table), as_attachment=True, filename=download_name(name), content_type=XLSX)


def _write_lines(sheet: Worksheet, table: Table) -> int:
    """Write the title, the notes and the legend; return the number of their rows."""
    lines: list[tuple[Any, str, Style]] = [(table.title, str(table.title), LIST_TITLE)]
    lines += [(note, str(note), LIST_NOTE) for note in table.notes if note]
    if table.legend:
        text = "".join(part for part, _color in table.legend)
        lines.append((CellRichText([_colored(*part) for part in table.legend]), text, LIST_NOTE))
    for row, (content, text, style) in enumerate(lines, start=1):
        _write_line(sheet, row, table.columns, content, style, text)
    return len(lines)


def _write_line(
    sheet: Worksheet, row: int, columns: Sequence[Column], content: Any, style: Style, text: str = ""
) -> None:
    """Write a line into the merged cells of the first columns, with the height that its text needs."""
    width, count = 0.0, 0
    while count < len(columns) and width < LINE_WIDTH:
        width, count = width + columns[count].width, count + 1
    write_box(sheet, (row, 1, row, count), content, style)
    sheet.row_dimensions[row].height = text_height(clean_text(text or content), width, style.size) + PADDING


def _colored(text: str, color: str) -> TextBlock:
    """Return a part of rich text in a colour."""
    font = InlineFont(rFont=FONT, sz=LIST_NOTE.size, color=color or LIST_NOTE.color, charset=THAI, family=SWISS)
    return TextBlock(font, clean_text(text))


def _write_headings(sheet: Worksheet, columns: Sequence[Column], head: int) -> None:
    """Write the headings, freeze them, and repeat them on every page."""
    headings = unique_headings(str(column.heading) for column in columns)
    heights = [2 * line_height()]  # the filter button covers the end of the lower line
    for place, (heading, column) in enumerate(zip(headings, columns, strict=True), start=1):
        style = LIST_HEADING.replace(horizontal="right" if column.kind in NUMBERS else "left")
        write(sheet.cell(head, place), heading, style)
        heights.append(text_height(heading, max(column.width - FILTER_BUTTON, 1), bold=True))
    sheet.row_dimensions[head].height = max(heights) + PADDING
    height = sum(sheet.row_dimensions[row].height for row in range(1, head + 1))
    sheet.freeze_panes = f"B{head + 1 if height <= HIGHEST_FROZEN else 1}"
    set_up_page(sheet, header_rows=f"{head}:{head}", footer=sheet.title)
    sheet.oddFooter.left.text = "&P / &N"  # the list may be in English


def _style_of(column: Column) -> Style:
    """Return the style of the cells of a column."""
    if column.style:
        return column.style
    if column.kind is ColumnKind.DAY:
        language = "en" if (get_language() or "th").startswith("en") else "th"
        return STYLES[column.kind].replace(**PLAIN, horizontal="left", indent=1, number_format=DAY_FORMATS[language])
    if column.kind is ColumnKind.PERCENT:
        return STYLES[column.kind].replace(**PLAIN, number_format="0%")
    return STYLES[column.kind].replace(**PLAIN)
