"""Columns of a table, and writing a table to a sheet with openpyxl.

Every workbook describes its tables with `Column`. `spreadsheets.list_export` writes long lists: it is ten times faster
and writes one plain table. This module writes everything else, such as several tables on a sheet, charts, colours of
single cells, and cells to fill in.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from spreadsheets.styles import (
    HEADER,
    HIGHEST_ROW,
    PADDING,
    SMALLEST,
    Style,
    line_height,
    set_up_page,
    text_height,
    write,
)
from spreadsheets.text import clean_text

FILTER_BUTTON = 3.0  # width of the button in a heading, in characters
LONGEST_HEADING = 255  # characters, of a column of an Excel table


class ColumnKind(Enum):
    """The kind of value a column holds, as `Column.get` returns it."""

    TEXT = "text"  # anything that str() accepts: a string, a translation, a model
    NUMBER = "number"
    PERCENT = "percent"  # 0-100; a list stores it as a fraction, so that Excel can calculate with it
    DAY = "day"  # a date, or a datetime, shown as its day in the site's time zone


# Default style of each kind, for sheets written here.
STYLES = {
    ColumnKind.TEXT: Style(indent=1),
    ColumnKind.NUMBER: Style(horizontal="right", indent=1, number_format="#,##0"),
    ColumnKind.PERCENT: Style(horizontal="right", indent=1, number_format='0"%"'),
    ColumnKind.DAY: Style(horizontal="center", number_format="[$-107041E]d mmm yyyy;@"),
}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: its heading.
        width: in characters.
        kind: kind of its values.
        get: returns the value for a row. If no column of a table has it, each row is a sequence of values in the order
            of the columns.
        style: style of its cells instead of that of its kind.
    """

    heading: str
    width: float
    kind: ColumnKind = ColumnKind.TEXT
    get: Callable[[Any], Any] | None = field(default=None, kw_only=True)
    style: Style | None = field(default=None, kw_only=True)

    @property
    def cell_style(self) -> Style:
        """Style of its cells."""
        return self.style or STYLES[self.kind]

    @property
    def header_style(self) -> Style:
        """Style of its heading."""
        return HEADER


def read_values(columns: Sequence[Column], rows: Iterable[Any]) -> Iterable[Sequence[Any]]:
    """Return the values of each row, in the order of the columns."""
    getters = [column.get for column in columns if column.get]
    return ([get(row) for get in getters] for row in rows) if getters else rows


def set_widths(sheet: Worksheet, widths: Sequence[float]) -> None:
    """Set the widths of a sheet's columns, in characters, and hide the grid."""
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.sheet_view.showGridLines = False


def write_line(sheet: Worksheet, row: int, text: str, style: Style) -> int:
    """Write a line of text above a table; return the number of the next row."""
    write(sheet.cell(row, 1), text, style)
    sheet.row_dimensions[row].height = line_height(style.size) + PADDING
    return row + 1


def write_table(
    sheet: Worksheet, row: int, columns: Sequence[Column], rows: Iterable[Any], *, highest: float = HIGHEST_ROW
) -> tuple[int, int]:
    """Write a table to a sheet.

    Args:
        sheet: the sheet to write to.
        row: the row of the headings.
        columns: the columns of the table.
        rows: objects for `Column.get`, or sequences of values; a value may be (value, style) for a cell with a style of
            its own.
        highest: maximal height of a row, in points. In the highest row of Excel a longer text gets smaller letters; in
            lower ones it is cut off, and can be read in the cell.

    Returns:
        The first and the last row below the headings; without rows, the last is the first minus one.
    """
    for place, column in enumerate(columns, start=1):
        write(sheet.cell(row, place), column.heading, column.header_style)
    sheet.row_dimensions[row].height = (
        max(text_height(each.heading, max(each.width - FILTER_BUTTON, 1)) for each in columns) + PADDING
    )
    shapes = [(column.width, column.cell_style) for column in columns]
    last = row
    for last, values in enumerate(read_values(columns, rows), start=row + 1):
        height = line_height() + PADDING
        for place, ((width, look), value) in enumerate(zip(shapes, values, strict=True), start=1):
            content, style = value if isinstance(value, tuple) else (value, look)
            if isinstance(content, str) and content:
                needed = text_height(content, width, style.size, bold=style.bold)
                if needed > HIGHEST_ROW == highest:
                    style, needed = fit_letters(content, width, style)
                height = max(height, needed)
            write(sheet.cell(last, place), content, style)
        sheet.row_dimensions[last].height = min(height, highest)
    return row + 1, last


def fit_letters(text: str, width: float, style: Style) -> tuple[Style, float]:
    """Return the style with the largest letters in which a text fits the highest row of Excel, and its height.

    A text that fits with no letters gets the smallest ones.
    """
    while True:
        height = text_height(text, width, style.size, bold=style.bold)
        if height <= HIGHEST_ROW or style.size <= SMALLEST:
            return style, height
        style = style.replace(size=style.size - 1)


def finish_sheet(
    sheet: Worksheet,
    header_row: int,
    footer: str,
    *,
    columns: int = 0,
    last: int = 0,
    frozen_columns: int = 0,
    table: str = "Table",
) -> None:
    """Freeze the headings of a sheet, make its table an Excel table, and set it up for printing.

    Args:
        sheet: a sheet with its tables.
        header_row: row that is frozen and repeated on every page.
        footer: text at the right of the page footer.
        columns, last: number of columns and last row of the Excel table; without rows there is none.
        frozen_columns: number of frozen columns.
        table: name of the Excel table, for formulas.
    """
    set_up_page(sheet, header_rows=f"{header_row}:{header_row}", footer=footer)
    sheet.freeze_panes = sheet.cell(header_row + 1, frozen_columns + 1)
    if columns and last > header_row:
        add_excel_table(sheet, table, header_row, last, columns)


def add_excel_table(sheet: Worksheet, name: str, header_row: int, last: int, columns: int, *, first: int = 1) -> str:
    """Make written cells an Excel table: with filters, growing with new rows, and known to formulas by its name.

    The cells keep their own styles. Headings become unique texts, which Excel demands. Call it when the book has its
    other tables, so that no two have the same name.

    Args:
        sheet: the sheet; none of the cells may be merged.
        name: name of the table, of Latin letters ("Actions"); a number is added if the book has it already.
        header_row, last: row of the headings and last row of the table, which has at least one row below the headings.
        columns: number of columns.
        first: number of the first column.

    Returns:
        The name of the table.
    """
    cells = [sheet.cell(header_row, first + place) for place in range(columns)]
    headings = unique_headings(str("" if cell.value is None else cell.value) for cell in cells)
    for cell, heading in zip(cells, headings, strict=True):
        cell.value, cell.data_type = heading, "s"
    name = _unused_name(sheet, name)
    area = f"{get_column_letter(first)}{header_row}:{get_column_letter(first + columns - 1)}{last}"
    sheet.add_table(
        Table(
            displayName=name,
            ref=area,
            autoFilter=AutoFilter(ref=area),
            tableColumns=[TableColumn(id=number, name=each) for number, each in enumerate(headings, start=1)],
            tableStyleInfo=TableStyleInfo(showRowStripes=False, showColumnStripes=False),
        )
    )
    return name


def unique_headings(headings: Iterable[str]) -> list[str]:
    """Return headings as an Excel table needs them: none is empty or too long, and repeated ones get a number."""
    unique: dict[str, str] = {}  # Excel ignores case
    for place, heading in enumerate(headings, start=1):
        text = clean_text(heading)[:LONGEST_HEADING].strip() or f"#{place}"
        number, name = 2, text
        while name.casefold() in unique:
            name, number = f"{text[: LONGEST_HEADING - 6]} ({number})", number + 1
        unique[name.casefold()] = name
    return list(unique.values())


def _unused_name(sheet: Worksheet, name: str) -> str:
    """Return the name, with a number if another table of the book has it."""
    taken = {each.casefold() for other in sheet.parent.worksheets for each in other.tables}
    number, unused = 2, name
    while unused.casefold() in taken:
        unused, number = f"{name}_{number}", number + 1
    return unused
