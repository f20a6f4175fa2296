"""How a workbook that comes back is laid out: open and grey columns, lists to choose from, what it is and whose.

No sheet is protected: in a protected one Excel neither sorts nor takes columns of the reader's own. The import judges
what was changed in grey cells.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from spreadsheets.styles import (
    FONT,
    HEADER,
    HEADING_SIZE,
    HIGHEST_ROW,
    NOTE,
    PADDING,
    SIZE,
    SWISS,
    THAI,
    TITLE,
    Style,
    line_height,
    set_up_page,
    text_height,
    write,
)
from spreadsheets.text import write_text

HEADER_ROW = 3  # the two above it say what the sheet is and how it is filled in
LISTS, ABOUT = "_รายการ", "_ข้อมูลไฟล์"  # hidden: what can be chosen, and what the file is
GUIDE = "คำอธิบาย"
EMPTY_ROWS = 200  # open rows below the table that offer lists, for what is added

HEADER_LOCKED = HEADER.but(fill="E3DDD5")
OPEN = Style(indent=0)
LOCKED = Style(fill="F0ECE7", color="4A443D")
TALLEST = 180.0  # points of a row: what is longer is read in the cell


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column as the sheet shows it.

    Attributes:
        heading: its heading.
        width: in characters.
        note: what the guide says of it.
        is_open: whether people write in it.
        offers: the name of the list its cells are chosen from; empty for none.
        may_differ: whether something else than an offered text may be typed, such as several units.
        number_format: of its cells.
    """

    heading: str
    width: float
    note: str
    is_open: bool = True
    offers: str = ""
    may_differ: bool = False
    number_format: str = "@"


def write_table(
    sheet: Worksheet,
    fields: Sequence[Field],
    rows: Iterable[Sequence[Any]],
    *,
    title: str,
    note: str,
    lists: Mapping[str, str],
    empty_rows: int = 0,
) -> None:
    """Write a table that is filled in and comes back.

    Args:
        sheet: an empty one.
        fields: its columns.
        rows: their values, a text, a number or a day each.
        title, note: the two lines above the table.
        lists: where the texts of each list stand, from `write_lists`.
        empty_rows: how many open rows below it offer lists.
    """
    for place, field in enumerate(fields, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = field.width
    write(sheet["A1"], title, TITLE)
    sheet.row_dimensions[1].height = line_height(TITLE.size) + PADDING
    write(sheet["A2"], note, NOTE)
    sheet.row_dimensions[2].height = line_height() + PADDING
    heights = []
    for place, field in enumerate(fields, start=1):
        write(sheet.cell(HEADER_ROW, place), field.heading, HEADER if field.is_open else HEADER_LOCKED)
        heights.append(text_height(field.heading, field.width))
    sheet.row_dimensions[HEADER_ROW].height = max(heights) + PADDING
    patterns = [_pattern(sheet, field, is_open=field.is_open) for field in fields]
    number = HEADER_ROW
    for number, row in enumerate(rows, start=HEADER_ROW + 1):
        height = line_height() + PADDING
        for place, (field, value) in enumerate(zip(fields, row, strict=True), start=1):
            put(sheet.cell(number, place), value, patterns[place - 1])
            if isinstance(value, str) and value:
                height = max(height, text_height(value, field.width))
        sheet.row_dimensions[number].height = min(height, TALLEST, HIGHEST_ROW)
    if empty_rows:
        _open_below(sheet, fields)
    _offer(sheet, fields, max(number + empty_rows, HEADER_ROW + 1), lists)
    sheet.freeze_panes = sheet.cell(HEADER_ROW + 1, 2)
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{get_column_letter(len(fields))}{max(number, HEADER_ROW + 1)}"
    sheet.sheet_view.showGridLines = False
    sheet.sheet_view.zoomScale = 90
    set_up_page(sheet, header_rows=f"{HEADER_ROW}:{HEADER_ROW}", footer=title)


def put(cell: Cell, value: Any, pattern: Any) -> None:
    """Write a value in the look of a pattern cell; the look is shared, which keeps a long table quick."""
    write_text(cell, value)
    cell._style = copy(pattern)


def _pattern(sheet: Worksheet, field: Field, *, is_open: bool) -> Any:
    """The look of a column's cells, made once on a cell that stays empty."""
    cell = sheet.parent[ABOUT].cell(1, 1)
    style = (OPEN if is_open else LOCKED).but(number_format=field.number_format)
    style.apply(cell)
    cell.protection = Protection(locked=not is_open)
    look = copy(cell._style)
    cell._style = copy(sheet.parent[ABOUT].cell(2, 1)._style)
    return look


def _open_below(sheet: Worksheet, fields: Sequence[Field]) -> None:
    """Let people write below the table: the columns' own look is open, which takes no cells."""
    for place, field in enumerate(fields, start=1):
        column = sheet.column_dimensions[get_column_letter(place)]
        column.protection = Protection(locked=False)
        column.number_format = field.number_format
        column.font = Font(FONT, SIZE, charset=THAI, family=SWISS)
        column.alignment = Alignment("left", "top", wrap_text=True)


def _offer(sheet: Worksheet, fields: Sequence[Field], last: int, lists: Mapping[str, str]) -> None:
    """Let the cells of a column be chosen from a list."""
    for place, field in enumerate(fields, start=1):
        if field.offers not in lists:
            continue
        letter = get_column_letter(place)
        offer_list(sheet, f"{letter}{HEADER_ROW + 1}:{letter}{last}", lists[field.offers], field)


def offer_list(sheet: Worksheet, area: str, formula: str, field: Field) -> None:
    """Let cells be chosen from a list that `write_lists` wrote; something else is refused unless it may differ."""
    rule = DataValidation(type="list", formula1=formula, allow_blank=True)
    rule.showErrorMessage = not field.may_differ
    rule.errorTitle, rule.error = field.heading[:32], "โปรดเลือกจากรายการที่กำหนด"
    rule.add(area)
    sheet.add_data_validation(rule)


def new_book_of(about: Mapping[str, str]) -> Workbook:
    """A workbook with its hidden sheet that says what it is, a name and a text a row; other sheets go before it."""
    book = Workbook()
    book.remove(book.active)
    sheet = book.create_sheet(ABOUT)
    sheet.sheet_state = "hidden"
    for row, (name, text) in enumerate(about.items(), start=3):
        write_text(sheet.cell(row, 1), name)
        write_text(sheet.cell(row, 2), text)
    return book


def write_lists(book: Workbook, lists: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Write what can be chosen on a hidden sheet, a list a column; returns name → where its texts stand."""
    sheet = book.create_sheet(LISTS)
    sheet.sheet_state = "hidden"
    places = {}
    for column, (name, texts) in enumerate(lists.items(), start=1):
        write_text(sheet.cell(1, column), name)
        for row, text in enumerate(texts, start=2):
            write_text(sheet.cell(row, column), text)
        letter = get_column_letter(column)
        if texts:
            places[name] = f"'{LISTS}'!${letter}$2:${letter}${len(texts) + 1}"
    return places


def write_guide(book: Workbook, title: str, lines: Sequence[str], tables: Mapping[str, Sequence[Field]]) -> None:
    """The sheet that explains: how the file is used, then each column of each table."""
    sheet = book.create_sheet(GUIDE)
    widths = (34.0, 12.0, 100.0)
    for letter, width in zip("ABC", widths, strict=True):
        sheet.column_dimensions[letter].width = width
    write(sheet["A1"], title, TITLE)
    sheet.row_dimensions[1].height = line_height(TITLE.size) + PADDING
    row = 2
    for line in lines:
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=3)
        write(sheet.cell(row, 1), line, Style(border=""))
        sheet.row_dimensions[row].height = text_height(line, sum(widths))
        row += 1
    for name, fields in tables.items():
        row += 1
        write(sheet.cell(row, 1), f"แผ่นงาน “{name}”", TITLE.but(size=HEADING_SIZE))
        sheet.row_dimensions[row].height = line_height(HEADING_SIZE) + PADDING
        row += 1
        for column, heading in enumerate(("คอลัมน์", "การกรอก", "คำอธิบาย"), start=1):
            write(sheet.cell(row, column), heading, HEADER)
        for field in fields:
            row += 1
            write(sheet.cell(row, 1), field.heading, Style(bold=True, indent=1))
            write(sheet.cell(row, 2), "กรอกได้" if field.is_open else "ห้ามแก้ไข", OPEN if field.is_open else LOCKED)
            write(sheet.cell(row, 3), field.note, OPEN.but(indent=1))
            sheet.row_dimensions[row].height = max(
                text_height(field.note, widths[2]), text_height(field.heading, widths[0])
            )
    sheet.sheet_view.showGridLines = False
    set_up_page(sheet, header_rows="1:1", footer=title)
