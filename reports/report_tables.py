"""How the progress report writes its tables: a heading, rows that show all their text, figures as numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from plan.models import Due, Status
from plan.models.status import status_look
from pmqa_tracker.sheets import (
    HEADER,
    HEADING_SIZE,
    HIGHEST_ROW,
    PADDING,
    Style,
    line_height,
    set_up_page,
    text_height,
    write,
)

HEADING = Style(bold=True, size=HEADING_SIZE, border="", vertical="center", color="2B2A6C", wrap=False)
TEXT = Style(indent=1)
CENTER = Style(horizontal="center")
COUNT = Style(horizontal="right", indent=1, number_format="#,##0")
PERCENT = Style(horizontal="right", indent=1, number_format='0.0"%"')
SIGNED = Style(horizontal="right", indent=1, number_format="+0;-0;0")
DAY = Style(horizontal="center", number_format="[$-107041E]d mmm yyyy;@")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table: its heading, its width in characters, how its cells look."""

    heading: str
    width: float
    style: Style = TEXT


def set_widths(sheet: Worksheet, widths: Sequence[float]) -> None:
    """Give a sheet its columns, once."""
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.sheet_view.showGridLines = False


def write_line(sheet: Worksheet, row: int, text: str, style: Style) -> int:
    """A line of text over the table; the next row."""
    write(sheet.cell(row, 1), text, style)
    sheet.row_dimensions[row].height = line_height(style.size) + PADDING
    return row + 1


def write_table(
    sheet: Worksheet, row: int, columns: Sequence[Column], rows: Iterable[Sequence[Any]]
) -> tuple[int, int]:
    """A table from a row down.

    Args:
        sheet: where.
        row: of its headings.
        columns: its columns.
        rows: a value a cell, or (value, style) where a cell looks otherwise than its column.

    Returns:
        The first and the last row under the headings; the last is the first minus one where there is none.
    """
    for place, column in enumerate(columns, start=1):
        write(sheet.cell(row, place), column.heading, HEADER)
    sheet.row_dimensions[row].height = max(text_height(each.heading, each.width + 2) for each in columns) + PADDING
    last = row
    for last, values in enumerate(rows, start=row + 1):
        height = line_height() + PADDING
        for place, (column, value) in enumerate(zip(columns, values, strict=True), start=1):
            told, style = value if isinstance(value, tuple) else (value, column.style)
            write(sheet.cell(last, place), told, style)
            if isinstance(told, str) and told:
                height = max(height, text_height(told, column.width, style.size))
        sheet.row_dimensions[last].height = min(height, HIGHEST_ROW)
    return row + 1, last


def finish(sheet: Worksheet, header_row: int, footer: str, *, columns: int = 0, last: int = 0) -> None:
    """Set a sheet up to be read and printed; with `columns` its table, down to `last`, can be filtered."""
    set_up_page(sheet, header_rows=f"{header_row}:{header_row}", footer=footer)
    sheet.freeze_panes = f"A{header_row + 1}"
    if columns and last > header_row:
        sheet.auto_filter.ref = f"A{header_row}:{get_column_letter(columns)}{last}"


def status_cell(status: str, due: str) -> tuple[str, Style]:
    """A status in its colour and its word; what is overdue says so."""
    colours = status_look(status, due).colours
    label = str(Status(status).label)
    words = f"{label} ({Due.OVERDUE.label})" if due == Due.OVERDUE else label
    return words, CENTER.but(bold=True, color=colours.text, fill=colours.background)
