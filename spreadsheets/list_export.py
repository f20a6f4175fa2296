"""Export a list as a workbook: one plain table with all rows, to sort and filter in Excel.

It uses rustpy-xlsxwriter, which writes 20,000 rows in a tenth of the time that openpyxl needs (`make bench`). Texts
never become formulas or links.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import get_language
from rustpy_xlsxwriter import FastExcel, Format

from pmqa_tracker.long_names import download_name
from spreadsheets.downloads import XLSX
from spreadsheets.properties import set_author
from spreadsheets.styles import (
    FONT,
    HIGHEST_ROW,
    INK,
    MARGINS,
    POINTS_PER_CHARACTER,
    QUIET,
    SIZE,
    SMALL,
    line_height,
    sheet_title,
)
from spreadsheets.tables import Column, ColumnKind
from spreadsheets.text import LONGEST_TEXT, clean_text

# Excel shows the year of the Buddhist era (calendar 07) in the language of the page; the cell holds the real day.
DAY_FORMATS = {"th": "[$-107041E]d mmm yyyy", "en": "[$-1070409]d mmm yyyy"}
FIRST_YEAR = 1900  # Excel has no earlier days; their cells stay empty
HEAD_FILL = "E9E8F4"
A4 = 9
LETTER_WIDTH = 0.55 * SIZE  # average, in points
BREAK_LOSS = 0.8 * SIZE  # points that a broken line leaves empty: half a word
MARKS_OF_THAI = "ัิีึืฺุู็่้๊๋์ํ๎"  # above or below a letter; they take no width


@dataclass(frozen=True, kw_only=True)
class Table:
    """A list to export.

    Attributes:
        title: name of the list and of the sheet.
        notes: lines under the title: the plan, the day, the active filters.
        columns: at least two, in order; a repeated heading gets a number.
        rows: objects for `Column.get`, or sequences of values; None leaves a cell empty.
        empty: sentence below the headings if there are no rows.
    """

    title: str
    notes: Sequence[str]
    columns: Sequence[Column]
    rows: Iterable[Any]
    empty: str


def write_list(table: Table) -> BytesIO:
    """Write the list as a workbook of one sheet: title, notes, frozen headings with a filter, and the rows."""
    headings = _number_repeats([clean_text(str(column.heading)) for column in table.columns])
    notes = [clean_text(str(note)) for note in table.notes if note]
    head = len(notes) + 1  # row of the headings, from 0
    cells = _read_columns(table)
    named = dict(zip(headings, table.columns, strict=True))
    file = BytesIO()
    FastExcel(file).sheet(
        sheet_title(str(table.title), ()),
        (dict(zip(headings, row, strict=True)) for row in zip(*cells, strict=True)),
        header_row=head,
        merge_ranges=_banner(clean_text(str(table.title)), notes, len(headings)),
        row_heights=_heights(table.columns, headings, cells, head),
        column_widths=[column.width for column in table.columns],
        column_formats=[_look(column.kind) for column in table.columns],
        header_format=_text_look().set_bold().set_background_color(HEAD_FILL).set_border_bottom("thin"),
        autofilter=True,
        conditional_formats={heading: _rules(column.marks) for heading, column in named.items() if column.marks},
        ignore_errors=[heading for heading, column in named.items() if column.kind is ColumnKind.TEXT],
        page_setup={
            "landscape": True,
            "paper_size": A4,
            "fit_to_pages": (1, 0),
            "repeat_rows": head,
            "margins": {"left": 0.4, "right": 0.4, "top": 0.45, "bottom": 0.6, "header": 0.25, "footer": 0.25},
            "footer": "&C&P / &N",
        },
    ).freeze(row=head + 1, col=1).save()
    return set_author(file)


def list_response(table: Table, name: str) -> FileResponse:
    """Return the list as a download with the file name `name`."""
    return FileResponse(write_list(table), as_attachment=True, filename=download_name(name), content_type=XLSX)


def _read_columns(table: Table) -> list[list[Any]]:
    """Return the cells of each column, which is a third faster than row by row.

    Without rows, the first column holds the sentence `Table.empty`.
    """
    rows = list(table.rows)
    if not rows:
        return [[_as_text(table.empty)], *([None] for _column in table.columns[1:])]
    if any(column.get for column in table.columns):
        columns = [[column.get(row) for row in rows] for column in table.columns]
    else:
        columns = list(zip(*rows, strict=True))
    return [_cells(column.kind, values) for column, values in zip(table.columns, columns, strict=True)]


def _cells(kind: ColumnKind, values: Sequence[Any]) -> list[Any]:
    """Convert the values of a column to the contents of its cells."""
    if kind is ColumnKind.TEXT:
        # A printable text needs no cleaning; this check is much faster.
        return [
            value if type(value) is str and value.isprintable() and 0 < len(value) <= LONGEST_TEXT else _as_text(value)
            for value in values
        ]
    if kind is ColumnKind.NUMBER:  # the writer uses the type of the first number for the whole column
        return [None if value is None else float(value) for value in values]
    if kind is ColumnKind.PERCENT:
        return [None if value is None else value / 100 for value in values]
    zone = timezone.get_current_timezone()
    days = (value.astimezone(zone).date() if isinstance(value, datetime) else value for value in values)
    return [None if day is None or day.year < FIRST_YEAR else day for day in days]


def _as_text(value: Any) -> str | None:
    """Return a text without characters that a cell cannot hold; None if it is empty."""
    return None if value is None else clean_text(str(value)) or None


def _number_repeats(headings: Sequence[str]) -> list[str]:
    """Number repeated headings, because the writer finds the cells of a row by heading."""
    seen: list[str] = []
    for heading in headings:
        number, name = 2, heading
        while name in seen:
            name, number = f"{heading} ({number})", number + 1
        seen.append(name)
    return seen


def _plain_look() -> Format:
    """Return a format with the site's font, aligned to the top."""
    return Format().set_font_name(FONT).set_font_size(SIZE).set_font_color(INK).set_align("top")


def _text_look() -> Format:
    """Return the same format with wrapped text."""
    return _plain_look().set_text_wrap()


def _look(kind: ColumnKind) -> Format:
    """Return the format of the cells of a column."""
    if kind is ColumnKind.TEXT:
        return _text_look()
    if kind is ColumnKind.DAY:
        language = "en" if (get_language() or "th").startswith("en") else "th"
        return _plain_look().set_align("left").set_num_format(DAY_FORMATS[language])
    look = _plain_look().set_align("right").set_indent(1)
    return look.set_num_format("0%") if kind is ColumnKind.PERCENT else look


def _banner(title: str, notes: Sequence[str], columns: int) -> list[tuple[Any, ...]]:
    """Return the title and the notes as merged cells: one line each, as wide as the table."""
    name = Format().set_font_name(FONT).set_font_size(SIZE + 1).set_bold().set_align("vcenter")
    quiet = Format().set_font_name(FONT).set_font_size(SMALL + 1).set_font_color(QUIET)
    lines = [(title, name), *((note, quiet) for note in notes)]
    return [(row, 0, row, columns - 1, text, look) for row, (text, look) in enumerate(lines)]


def _heights(
    columns: Sequence[Column], headings: Sequence[str], cells: Sequence[Sequence[Any]], head: int
) -> dict[int, float]:
    """Return the height in points of the headings and of each row; LibreOffice does not fit rows to their texts.

    The height is estimated from the number of letters, which is fast; `spreadsheets.styles` measures each letter.
    """
    pitch = line_height(SIZE)
    points = [column.width * POINTS_PER_CHARACTER - MARGINS for column in columns]
    broken = [max(int((width - BREAK_LOSS) / LETTER_WIDTH), 1) for width in points]  # letters in a line of several
    most = max(map(_lines, headings, (max(room - 1, 1) for room in broken)))  # the filter button takes room too
    lines = [[1] * len(cells[0])]
    for column, values, width, room in zip(columns, cells, points, broken, strict=True):
        whole = width / LETTER_WIDTH
        if column.kind is ColumnKind.TEXT:
            lines.append([_lines(text, room) if text and (len(text) > whole or "\n" in text) else 1 for text in values])
    highest = map(max, zip(*lines, strict=True))
    heights = {number: min(count * pitch + 2, HIGHEST_ROW) for number, count in enumerate(highest, start=head + 1)}
    return heights | {head: most * pitch + 2}


@lru_cache(maxsize=4_096)  # most columns repeat a few texts
def _lines(text: str, room: int) -> int:
    """Estimate the number of lines of a text; `room` letters fit into a line."""
    return sum(max(-(-(len(line) - sum(map(line.count, MARKS_OF_THAI))) // room), 1) for line in text.split("\n"))


def _rules(marks: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return conditional formats that fill cells beginning with a mark."""
    return [
        {
            "type": "text",
            "criteria": "begins_with",
            "value": text,
            "format": Format().set_background_color(color).set_font_color(color),
        }
        for text, color in marks.items()
    ]
