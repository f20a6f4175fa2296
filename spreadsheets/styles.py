"""Styles of cells, and sizes of texts in them: the Thai font, borders, widths and heights.

Excel does not fit merged cells to their text, so heights are computed from the widths of its letters. Widths of columns
are in characters, as in Excel; heights and font sizes are in points.
"""

import math
import re
import unicodedata
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.worksheet.worksheet import Worksheet

from spreadsheets.formulas import Formula, write_formula
from spreadsheets.letter_widths import LETTERS_BY_WIDTH
from spreadsheets.text import clean_text, escape_codes, write_text

# The usual font of Thai offices. Its letters are small and its lines far apart. Where it is not installed, programs
# use a font with wider letters and closer lines. The heights below leave room for both.
FONT = "TH Sarabun New"
SIZE = 14
SMALL = 12
SMALLEST = 7  # of the letters of a text that is too long for a row
TITLE_SIZE, HEADING_SIZE = 20, 17
HIGHEST_ROW = 409.0  # points
PADDING = 3.0  # points above and below the text of a cell
MARGINS = 12.0  # points left and right of it, including an indent
POINTS_PER_CHARACTER = 5.25  # of a column's width
THAI, SWISS = 222, 2  # charset and family, by which a program without the font chooses another one
INK = "26231F"
QUIET = "6B645B"

FORBIDDEN_IN_TITLE = re.compile(r"[\\/*?:\[\]\n\t]+")
WORD = re.compile(r"\S+\s*|\s+")
UNBROKEN = re.compile(r"[A-Za-z0-9/]")
PIECE = re.compile(
    "[^ \n]{1,200}(?![\u0e31\u0e33-\u0e3a\u0e47-\u0e4e])[ \n]?|.", re.DOTALL
)  # no mark without its letter

# Sizes relative to the size of the font.
LINE = 1.5  # height of a line of the font, with room for marks above and below
STAND_IN_LINE = 1.3  # height of a line of a stand-in
FONT_WIDTH = 0.66  # width of a letter of the font, relative to the stand-in
BOLD_WIDTH = 1.1  # width of a bold letter, relative to a plain one
UNKNOWN_LETTER = 1.0
LOST_BY_BREAK = 1.8  # width that a line broken between Thai words leaves empty: a long word
FULLEST_BREAK = 0.7  # but a line is at least so full, since longer words are broken inside


def new_book() -> Workbook:
    """Return a workbook without sheets. Its default font, whose digits define column widths, is on every computer."""
    book = Workbook()
    book.remove(book.active)
    book._named_styles["Normal"].font = Font("Arial", 10)  # openpyxl has no public name for it
    return book


@dataclass(frozen=True, kw_only=True)
class Style:
    """The look of a cell. Colours are RRGGBB; `top` and `bottom` are border styles that differ from `border`."""

    size: float = SIZE
    font: str = FONT
    bold: bool = False
    italic: bool = False
    color: str = INK
    fill: str = ""
    pattern: str = "solid"
    horizontal: str = "left"
    vertical: str = "top"
    indent: int = 0
    wrap: bool = True
    border: str = "thin"
    top: str = ""
    bottom: str = ""
    border_color: str = QUIET
    number_format: str = "General"
    locked: bool = True

    def replace(self, **changes: Any) -> "Style":
        """A copy with `changes`."""
        return replace(self, **changes)

    def apply(self, cell: Cell) -> None:
        """Apply this style to `cell`. Each style is built once for a workbook, because building it is slow."""
        looks = cell.parent.parent.__dict__.setdefault("_looks", {})
        if self not in looks:
            self._build(cell)
            looks[self] = cell._style
        cell._style = copy(looks[self])

    def _build(self, cell: Cell) -> None:
        side = Side(self.border, color=self.border_color) if self.border else Side()
        cell.font = Font(
            self.font, self.size, bold=self.bold, italic=self.italic, color=self.color, charset=THAI, family=SWISS
        )
        cell.alignment = Alignment(self.horizontal, self.vertical, wrap_text=self.wrap, indent=self.indent)
        cell.border = Border(
            left=side,
            right=side,
            top=Side(self.top, color=self.border_color) if self.top else side,
            bottom=Side(self.bottom, color=self.border_color) if self.bottom else side,
        )
        cell.number_format = self.number_format
        cell.protection = Protection(locked=self.locked)
        if self.fill:
            ground = "FFFFFF" if self.pattern != "solid" else self.fill
            cell.fill = PatternFill(self.pattern, fgColor=self.fill, bgColor=ground)


# Lines above tables, and headings. The plan form has its own styles, like the printed document.
TITLE = Style(bold=True, size=TITLE_SIZE, border="", vertical="center", wrap=False)
NOTE = Style(border="", vertical="center", color="6B645B", wrap=False)
HEADER = Style(bold=True, horizontal="center", vertical="center", fill="E6E5F4")


def write(cell: Cell, value: Any, style: Style) -> Cell:
    """Write a value with a style; only a `Formula` becomes a formula, text never does."""
    if isinstance(value, Formula):
        write_formula(cell, value)
    else:
        write_text(cell, value)
    style.apply(cell)
    return cell


def write_box(sheet: Worksheet, box: tuple[int, int, int, int], value: Any, style: Style) -> Cell:
    """Write into merged cells; `box` is first row, first column, last row, last column."""
    row, column, last_row, last_column = box
    cell = write(sheet.cell(row, column), value, style)
    if (row, column) != (last_row, last_column):
        sheet.merge_cells(start_row=row, start_column=column, end_row=last_row, end_column=last_column)
    return cell


def rich(*parts: tuple[str, bool]) -> CellRichText:
    """Return rich text of (text, is bold) parts for one cell."""
    return CellRichText(
        [
            TextBlock(
                InlineFont(rFont=FONT, sz=SIZE, b=bold, color=INK, charset=THAI, family=SWISS),
                escape_codes(clean_text(text)),
            )
            for text, bold in parts
            if text
        ]
    )


class LetterWidths(dict[str, float]):
    """Letter → its width in a stand-in of the font, relative to the size; marks above and below letters have none."""

    def __missing__(self, letter: str) -> float:
        self[letter] = 0.0 if unicodedata.category(letter) in ("Mn", "Cf") else UNKNOWN_LETTER
        return self[letter]


LETTER_WIDTHS = LetterWidths((letter, width) for width, letters in LETTERS_BY_WIDTH.items() for letter in letters)


def text_width(text: str, size: float = SIZE) -> float:
    """Return the width of a line of text in points, in the stand-in of the font, which is wider."""
    return sum(map(LETTER_WIDTHS.__getitem__, text)) * size


@lru_cache(maxsize=4_096)  # most columns repeat a few texts
def count_lines(text: str, width: float, size: float = SIZE, *, bold: bool = False, letters: float = 1.0) -> int:
    """Return the highest number of lines that a text takes in a column `width` characters wide.

    Programs break Thai text between words, which they look up in a dictionary of their own. So a line counts as broken
    anywhere, but with the room of a long word left empty. Latin words and texts with slashes do not break.

    Args:
        text: the text, with its own line breaks.
        width: in characters.
        size: of the font, in points.
        bold: whether the letters are bold.
        letters: width of the letters, relative to the stand-in of the font.
    """
    points = size * letters * (BOLD_WIDTH if bold else 1)
    room = max(width * POINTS_PER_CHARACTER - MARGINS, 2 * points) / points
    room_before_break = max(room - LOST_BY_BREAK, FULLEST_BREAK * room)
    return sum(_count_lines(line, room, room_before_break) for line in text.split("\n"))


def _count_lines(line: str, room: float, room_before_break: float) -> int:
    """Return the number of lines of a line of text; the rooms are relative to the size of its letters."""
    if text_width(line, 1) <= room:
        return 1
    lines, used = 1, 0.0
    for word in WORD.findall(line):
        letters = word.rstrip()
        visible = text_width(letters, 1)
        if used and used + visible > room and UNBROKEN.search(word):
            lines, used = lines + 1, 0.0
        if used + visible > room:
            left = visible - max(room_before_break - used, 0)
            further = max(math.ceil((left - room) / room_before_break), 0)
            lines, used = lines + 1 + further, left - further * room_before_break - visible
        used += visible + (len(word) - len(letters)) * LETTER_WIDTHS[" "]
    return lines


def text_height(text: str, width: float, size: float = SIZE, *, bold: bool = False) -> float:
    """Return the height in points that a text needs in a column `width` characters wide, in the font or its stand-in.

    It may be more than the highest row; see `row_heights`.
    """
    in_stand_in = count_lines(text, width, size, bold=bold)
    in_font = count_lines(text, width, size, bold=bold, letters=FONT_WIDTH) if in_stand_in > 1 else 1
    return max(in_font * LINE, in_stand_in * STAND_IN_LINE) * size + PADDING


def row_heights(height: float) -> list[float]:
    """Return the heights of the rows, to be merged, for a text of this height: one row, or several of equal height."""
    count = max(math.ceil(height / HIGHEST_ROW), 1)
    return [height / count] * count


def split_text(text: str, width: float, highest: float) -> list[str]:
    """Return the parts of a text, none higher than `highest` points; broken at line breaks and spaces if possible."""
    if text_height(text, width) <= highest:
        return [text]
    parts = [""]
    for piece in PIECE.findall(text):
        if parts[-1] and text_height((parts[-1] + piece).rstrip(), width) > highest:
            parts.append("")
        parts[-1] += piece
    return [part.rstrip() for part in parts]


def line_height(size: float = SIZE) -> float:
    """Return the height of a line of the font, in points, with room for marks above and below."""
    return size * LINE


def sheet_title(text: str, taken: Iterable[str]) -> str:
    """Return a valid sheet name: at most 31 characters, none that Excel forbids, and not in `taken`."""
    name = FORBIDDEN_IN_TITLE.sub(" ", clean_text(text)).strip(" '")[:31].strip(" '") or "-"
    known, number, title = {each.casefold() for each in taken}, 1, name
    while title.casefold() in known:
        number += 1
        title = f"{name[: 31 - len(str(number)) - 1]} {number}"
    return title


def set_up_page(sheet: Worksheet, *, header_rows: str, footer: str) -> None:
    """Set up A4 landscape, one page wide, with repeated header rows, page numbers, and `footer` at the right."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.print_title_rows = header_rows
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left = margins.right = 0.4
    margins.top, margins.bottom = 0.45, 0.6
    margins.header = margins.footer = 0.25
    # Not in the centre, where a long footer covers it.
    for part, text in ((sheet.oddFooter.left, "หน้า &P / &N"), (sheet.oddFooter.right, footer.replace("&", "&&"))):
        part.text, part.font, part.size = text, f"{FONT},Regular", SMALL
