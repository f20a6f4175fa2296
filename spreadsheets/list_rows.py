"""Rows of a list as XML, added to the sheet that openpyxl has written down to the headings.

Equal values of a column share their XML and the height of their text, so a row costs little more than joining its
cells.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from xml.sax.saxutils import escape

from django.utils import timezone
from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from spreadsheets.styles import HIGHEST_ROW, PADDING, Style, line_height, text_height
from spreadsheets.tables import Column, ColumnKind
from spreadsheets.text import clean_text, escape_codes

CHUNK = 1_000  # rows in memory as XML
FIRST_DAY = date(1899, 12, 30)  # day 0 of Excel
FIRST_YEAR = 1900  # Excel has no earlier days; their cells stay empty
PLAIN_TYPES = {str, tuple, type(None)}  # of values in a column of texts; others are converted to texts
DIMENSION = re.compile(rb'<dimension ref="[^"]*" ?/>')


class RowWriter:
    """Converts the rows of a list, and adds them to its sheet.

    Make it before the workbook is saved, because the styles of the cells go into the workbook.

    Args:
        sheet: the only sheet of a workbook.
        columns: the columns of the list.
        styles: for each column, the style of the cells without a style of their own.
        rows: as in `spreadsheets.list_export.Table`.
    """

    def __init__(self, sheet: Worksheet, columns: Sequence[Column], styles: Sequence[Style], rows: Sequence[Any]):
        self.columns = columns
        self.count = len(rows)
        shared = [_Cells(sheet, *each) for each in zip(columns, styles, strict=True)]
        values = _values_by_column(columns, rows)
        # (XML after the address, height) of each cell, column by column, which is a third faster than row by row.
        self.cells = [list(map(cells.__getitem__, each)) for cells, each in zip(shared, values, strict=True)]

    def add_to(self, sheet_xml: bytes, first: int) -> Iterator[bytes]:
        """Yield the XML of the sheet with the rows; the first one has the number `first`."""
        start, end = sheet_xml.split(b"</sheetData>")
        last = first + max(self.count, 1) - 1
        area = f'<dimension ref="A1:{get_column_letter(len(self.columns))}{last}"/>'
        yield DIMENSION.sub(area.encode(), start)
        for done in range(0, self.count, CHUNK):
            yield self._chunk(done, first).encode()
        yield b"</sheetData>" + end.replace(b"<tableParts", self._ignored_errors(first, last) + b"<tableParts")

    def _chunk(self, done: int, first: int) -> str:
        """Return the XML of the next rows after `done` of them."""
        numbers = range(first + done, first + min(done + CHUNK, self.count))
        parts, heights = [], []
        for place, column in enumerate(self.cells, start=1):
            start = f'<c r="{get_column_letter(place)}'
            cells = column[done : done + CHUNK]
            parts.append([f"{start}{number}{xml}" for number, (xml, _height) in zip(numbers, cells, strict=True)])
            heights.append([height for _xml, height in cells])
        return "".join(
            f'<row r="{number}" ht="{height:g}" customHeight="1">{"".join(cells)}</row>'
            for number, height, cells in zip(
                numbers, map(max, zip(*heights, strict=True)), zip(*parts, strict=True), strict=True
            )
        )

    def _ignored_errors(self, first: int, last: int) -> bytes:
        """Return XML by which Excel does not warn of numbers in cells of text."""
        letters = [get_column_letter(n) for n, each in enumerate(self.columns, start=1) if each.kind is ColumnKind.TEXT]
        areas = " ".join(f"{letter}{first}:{letter}{last}" for letter in letters)
        text = f'<ignoredErrors><ignoredError sqref="{areas}" numberStoredAsText="1"/></ignoredErrors>'
        return text.encode() if areas else b""


class _Cells(dict[Any, tuple[str, float]]):
    """Value of a column → (XML of its cell after the address, height of its text in points)."""

    def __init__(self, sheet: Worksheet, column: Column, style: Style) -> None:
        super().__init__()
        self.sheet, self.column = sheet, column
        self.styles: dict[Style, tuple[str, Style]] = {}
        self.usual = self._known(style)

    def __missing__(self, value: Any) -> tuple[str, float]:
        """Build and keep the cell of a value, which may be (value, style)."""
        content, (start, style) = value, self.usual
        if isinstance(value, tuple):
            content, (start, style) = value[0], self._known(value[1])
        height = line_height(style.size) + PADDING
        if isinstance(content, str):
            content = clean_text(content)
        if content is None or content == "":
            cell = f"{start}/>"
        elif isinstance(content, str):
            keep = ' xml:space="preserve"' if content != content.strip() else ""
            cell = f'{start} t="inlineStr"><is><t{keep}>{escape(escape_codes(content))}</t></is></c>'
            height = min(max(text_height(content, self.column.width, style.size), height), HIGHEST_ROW)
        else:
            cell = f"{start}><v>{content}</v></c>"
        self[value] = cell, height
        return self[value]

    def _known(self, style: Style) -> tuple[str, Style]:
        """Return the XML that begins a cell with a style, and the style."""
        if style not in self.styles:
            cell = Cell(self.sheet)
            style.apply(cell)
            self.styles[style] = f'" s="{cell.style_id}"', style
        return self.styles[style]


def _values_by_column(columns: Sequence[Column], rows: Sequence[Any]) -> list[Iterable[Any]]:
    """Return the values of each column, as its cells hold them: texts, numbers, and days as numbers."""
    if any(column.get for column in columns):
        values: list[Sequence[Any]] = [[column.get(row) for row in rows] for column in columns]
    else:
        values = list(zip(*rows, strict=True)) or [() for _column in columns]
    return [_convert(column.kind, each) for column, each in zip(columns, values, strict=True)]


def _convert(kind: ColumnKind, values: Sequence[Any]) -> Iterable[Any]:
    """Convert the values of a column to the contents of its cells."""
    if kind is ColumnKind.TEXT:
        if set(map(type, values)) <= PLAIN_TYPES:
            return values
        return [value if type(value) in PLAIN_TYPES else str(value) for value in values]
    if kind is ColumnKind.PERCENT:
        return (None if value is None else value / 100 for value in values)
    if kind is ColumnKind.DAY:
        zone = timezone.get_current_timezone()
        days = (value.astimezone(zone).date() if isinstance(value, datetime) else value for value in values)
        return (None if day is None or day.year < FIRST_YEAR else (day - FIRST_DAY).days for day in days)
    return values
