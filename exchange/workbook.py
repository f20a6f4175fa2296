"""Layout of workbooks to fill in and import: open and grey columns, choices, guide, hidden sheets.

Sheets are not protected, since a protected sheet in Excel cannot be sorted or get extra columns. The import checks
changes in grey cells instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from spreadsheets.styles import (
    FONT,
    HEADER,
    HEADING_SIZE,
    NOTE,
    SIZE,
    SWISS,
    THAI,
    TITLE,
    Style,
    set_up_page,
    text_height,
    write_box,
)
from spreadsheets.tables import Column, finish_sheet, set_widths, write_line, write_table
from spreadsheets.text import write_text

HEADER_ROW = 3  # below the title and a note on how to fill in the sheet
LISTS_SHEET, METADATA_SHEET = "_รายการ", "_ข้อมูลไฟล์"  # hidden sheets: the choices, and what identifies the file
GUIDE = "คำอธิบาย"
EMPTY_ROWS = 200  # rows below the table that offer choices for added rows

HEADER_LOCKED = HEADER.replace(fill="E3DDD5")
OPEN = Style(indent=0)
LOCKED = Style(fill="F0ECE7", color="4A443D")
WIDEST_ON_A4 = 300.0  # width of the columns, in characters, that is still legible on A4


@dataclass(frozen=True, kw_only=True)
class InputColumn(Column):
    """A column of a sheet to fill in.

    Attributes:
        note: explanation in the guide.
        is_open: whether users may edit the column.
        offers: name of the list with its choices; empty for none.
        allows_other_text: whether other texts than the choices are allowed, such as several units.
        number_format: number format of its cells.
    """

    note: str = ""
    is_open: bool = True
    offers: str = ""
    allows_other_text: bool = False
    number_format: str = "@"

    @property
    def cell_style(self) -> Style:
        look = OPEN if self.is_open else LOCKED
        return look.replace(number_format=self.number_format, locked=not self.is_open)

    @property
    def header_style(self) -> Style:
        return HEADER if self.is_open else HEADER_LOCKED


def write_input_sheet(
    sheet: Worksheet,
    columns: Sequence[InputColumn],
    rows: Iterable[Any],
    *,
    title: str,
    note: str,
    lists: Mapping[str, str],
    empty_rows: int = 0,
    table: str = "Table",
) -> None:
    """Write a table to fill in.

    Args:
        sheet: an empty sheet.
        columns: the columns of the table.
        rows: the rows, as `spreadsheets.tables.write_table` takes them.
        title, note: the two lines above the table.
        lists: list name → formula of its cells, from `write_lists`.
        empty_rows: number of rows below the table that offer choices.
        table: name of the Excel table.
    """
    set_widths(sheet, [column.width for column in columns])
    write_line(sheet, 1, title, TITLE)
    write_line(sheet, 2, note, NOTE)
    first, last = write_table(sheet, HEADER_ROW, columns, rows)
    if empty_rows:
        _open_below(sheet, columns)
    for place, column in enumerate(columns, start=1):
        if column.offers in lists:
            letter = get_column_letter(place)
            area = f"{letter}{first}:{letter}{max(last + empty_rows, first)}"
            offer_list(sheet, area, lists[column.offers], column)
    finish_sheet(sheet, HEADER_ROW, title, columns=len(columns), last=max(last, first), frozen_columns=1, table=table)
    sheet.sheet_view.zoomScale = 90
    if sum(column.width for column in columns) > WIDEST_ON_A4:
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A3


def _open_below(sheet: Worksheet, columns: Sequence[InputColumn]) -> None:
    """Unlock the rows below the table through the default style of the columns, without writing cells."""
    for place, column in enumerate(columns, start=1):
        dimension = sheet.column_dimensions[get_column_letter(place)]
        dimension.protection = Protection(locked=False)
        dimension.number_format = column.number_format
        dimension.font = Font(FONT, SIZE, charset=THAI, family=SWISS)
        dimension.alignment = Alignment("left", "top", wrap_text=True)


def offer_list(sheet: Worksheet, area: str, formula: str, column: InputColumn) -> None:
    """Offer a list that `write_lists` wrote; Excel refuses other texts unless the column `allows_other_text`."""
    rule = DataValidation(type="list", formula1=formula, allow_blank=True)
    rule.showErrorMessage = not column.allows_other_text
    rule.errorTitle, rule.error = column.heading[:32], "โปรดเลือกจากรายการที่กำหนด"
    rule.add(area)
    sheet.add_data_validation(rule)


def new_book_with_metadata(metadata: Mapping[str, str]) -> Workbook:
    """A workbook with a hidden sheet of (name, text) rows that identify the file; insert other sheets before it."""
    book = Workbook()
    book.remove(book.active)
    sheet = book.create_sheet(METADATA_SHEET)
    sheet.sheet_state = "hidden"
    for row, texts in enumerate(metadata.items(), start=1):
        for place, text in enumerate(texts, start=1):
            write_text(sheet.cell(row, place), text)
    return book


def write_lists(book: Workbook, lists: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Write lists of choices to a hidden sheet, one per column; return name → formula of the cells with its texts."""
    sheet = book.create_sheet(LISTS_SHEET)
    sheet.sheet_state = "hidden"
    places = {}
    for column, (name, texts) in enumerate(lists.items(), start=1):
        write_text(sheet.cell(1, column), name)
        for row, text in enumerate(texts, start=2):
            write_text(sheet.cell(row, column), text)
        letter = get_column_letter(column)
        if texts:
            places[name] = f"'{LISTS_SHEET}'!${letter}$2:${letter}${len(texts) + 1}"
    return places


def write_guide(book: Workbook, title: str, lines: Sequence[str], tables: Mapping[str, Sequence[InputColumn]]) -> None:
    """Write the guide: how to use the file, then each column of each table."""
    sheet = book.create_sheet(GUIDE)
    columns = (
        Column("คอลัมน์", 34, get=lambda each: each.heading, style=Style(bold=True, indent=1)),
        Column("การกรอก", 14, get=lambda each: ("กรอกได้", OPEN) if each.is_open else ("ห้ามแก้ไข", LOCKED)),
        Column("คำอธิบาย", 100, get=lambda each: each.note, style=OPEN.replace(indent=1)),
    )
    widths = [column.width for column in columns]
    set_widths(sheet, widths)
    row = write_line(sheet, 1, title, TITLE)
    for line in lines:
        write_box(sheet, (row, 1, row, len(columns)), line, Style(border=""))
        sheet.row_dimensions[row].height = text_height(line, sum(widths))
        row += 1
    for name, fields in tables.items():
        row = write_line(sheet, row + 1, f"แผ่นงาน “{name}”", TITLE.replace(size=HEADING_SIZE))
        _first, row = write_table(sheet, row, columns, fields)
    set_up_page(sheet, header_rows="1:1", footer=title)
