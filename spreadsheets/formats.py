"""File formats of the admin tables: Excel and CSV. Text stays text, and the size of a table is limited."""

import csv
import re
from collections.abc import Iterable
from datetime import date, time
from io import StringIO
from typing import Any

import tablib
from django.utils.translation import gettext as _
from import_export.formats import base_formats
from openpyxl.utils import get_column_letter

from pmqa_tracker.parsing.cell import ReadCell
from spreadsheets.downloads import workbook_file
from spreadsheets.properties import set_author
from spreadsheets.read import read_workbook
from spreadsheets.styles import BOLD_WIDTH, MARGINS, POINTS_PER_CHARACTER, Style, new_book, text_width
from spreadsheets.tables import FILTER_BUTTON, Column, finish_sheet, set_widths, unique_headings, write_table
from spreadsheets.text import clean_text

MAX_TABLE_BYTES = 5 * 1024 * 1024
MAX_TABLE_ROWS = 5_000
MAX_TABLE_COLUMNS = 50
# Texts that a spreadsheet program takes for a formula, or turns into a number or a day: 7.10, 007, 1/2, 1-2. Leading
# apostrophes belong to the pattern, so that escaping and unescaping give the same text.
LIKE_FORMULA = re.compile("'*(?:[=+\\-@\t\r＝＋－＠]|0\\d+\\Z|\\d+[./-]\\d+\\Z)")
CELL = Style(indent=1)
WIDEST = 60.0  # of a column of an exported table, in characters
BARE_NUMBER = re.compile(r"\d+\.\d")


class NumberText(str):
    """The text of a cell with a number or a day, which may have been a code before the spreadsheet changed it.

    `value` is the number or the day.
    """

    __slots__ = ("value",)

    def __new__(cls, value: Any) -> "NumberText":
        """Convert a number or a day to text."""
        text = super().__new__(cls, value)
        text.value = value
        return text


SEPARATORS = (",", ";", "\t", "|")  # the one that gives the most headings is used
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;]*', re.IGNORECASE)
NO_TEXT = re.compile("[\x00\ufffd]|^PK\x03\x04")


class Excel(base_formats.XLSX):
    """A workbook with one sheet; texts never become formulas."""

    def get_title(self) -> str:
        return "Excel (.xlsx)"

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """Read the first sheet as a table.

        Raises:
            ValueError: the file is no workbook or too large, or a cell holds a formula without a stored value.
        """
        sheet = read_workbook(in_stream, "table.xlsx").first
        return build_dataset(
            [
                [_value(cell, f"{get_column_letter(column)}{number}") for column, cell in enumerate(row, start=1)]
                for number, row in enumerate(sheet.rows, start=1)
            ]
        )

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        book = new_book()
        sheet = book.create_sheet("Sheet")
        headings = unique_headings(dataset.headers or ())
        columns = [
            Column(heading, _fitting_width(heading, values), style=CELL)
            for heading, *values in zip(headings, *dataset, strict=True)
        ]
        set_widths(sheet, [column.width for column in columns])
        if columns:
            _first, last = write_table(sheet, 1, columns, dataset)
            finish_sheet(sheet, 1, "", columns=len(columns), last=last)
        for cell in (cell for row in sheet.iter_rows(min_row=2) for cell in row):
            if isinstance(cell.value, str) and LIKE_FORMULA.match(cell.value):
                cell.quotePrefix = True  # it stays text when the user edits the cell in Excel
        return set_author(workbook_file(book)).getvalue()


def _fitting_width(heading: str, values: Iterable[Any]) -> float:
    """Return the width of a column for its heading and its texts, in characters; longer texts are wrapped."""
    lines = [line for value in values for line in str("" if value is None else value).split("\n")]
    longest = max(map(text_width, lines), default=0.0)
    points = max(longest, text_width(heading) * BOLD_WIDTH + FILTER_BUTTON * POINTS_PER_CHARACTER) + MARGINS
    return min(points / POINTS_PER_CHARACTER, WIDEST)


class Csv(base_formats.CSV):
    """Comma-separated text that Excel opens in Thai; an apostrophe marks texts that look like formulas."""

    def get_title(self) -> str:
        return "CSV (.csv)"

    def is_binary(self) -> bool:
        return True  # a Thai Excel may write TIS-620, so this class decodes the bytes

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> tablib.Dataset:
        """Read the file as a table; the first line decides the separator.

        Raises:
            ValueError: the file is no text or no table.
        """
        text, separator = _find_separator(decode_text(in_stream))
        return build_dataset(
            [
                [unescape_formula(value) for value in row]
                for row in csv.reader(StringIO(text, newline=""), delimiter=separator)
            ]
        )

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        file = StringIO()
        writer = csv.writer(file)
        writer.writerow(dataset.headers)
        for row in dataset:
            writer.writerow([escape_formula(clean_text(str(value))) if value is not None else "" for value in row])
        return file.getvalue().encode("utf-8-sig")


def decode_text(data: bytes) -> str:
    """Decode a text file as Excel writes it: UTF-8, UTF-16 (“Unicode Text”) or the Thai code page.

    Raises:
        ValueError: the file is no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp874", "replace")
    if NO_TEXT.search(text):
        raise ValueError(_("it is not a text file; save it in Excel as “CSV UTF-8”, or as Excel Workbook (.xlsx)"))
    return text if "\n" in text else text.replace("\r", "\n")  # Excel for Mac ends lines with CR


def _find_separator(text: str) -> tuple[str, str]:
    """Return the text without a first line such as "sep=;", and the separator."""
    first = text.split("\n", 1)[0].rstrip("\r")
    if named := SEPARATOR_LINE.fullmatch(first):
        return text.partition("\n")[2], named.group(1)
    return text, max(SEPARATORS, key=lambda each: len(next(csv.reader([first], delimiter=each), ())))


def escape_formula(value: str) -> str:
    """Return a text with an apostrophe in front if a spreadsheet program would take it for a formula."""
    return f"'{value}" if LIKE_FORMULA.match(value) else value


def unescape_formula(value: str) -> str:
    """Return the text without that apostrophe; a bare 7.1 becomes a NumberText, as it may have been 7.10."""
    if BARE_NUMBER.fullmatch(value):
        return NumberText(float(value))
    return value[1:] if value.startswith("'") and LIKE_FORMULA.match(value) else value


def build_dataset(rows: list[list[Any]]) -> tablib.Dataset:
    """Build a table of texts from rows, the first of which holds the headings; drop empty rows at the end.

    Raises:
        ValueError: a column has no heading, a row is longer than the headings, or the table is too large.
    """
    while rows and not any(rows[-1]):
        rows = rows[:-1]
    headers = [_text(header).strip() for header in (rows[0] if rows else ())]
    while headers and not headers[-1]:
        headers.pop()
    if not headers or not all(headers):
        raise ValueError(_("the first row must name every column, as in the export"))
    if len(headers) > MAX_TABLE_COLUMNS:
        raise ValueError(_("more than %(columns)s columns") % {"columns": MAX_TABLE_COLUMNS})
    if len(rows) > MAX_TABLE_ROWS + 1:
        raise ValueError(_("more than %(rows)s rows; split the file") % {"rows": MAX_TABLE_ROWS})
    table = tablib.Dataset(headers=headers)
    for number, row in enumerate(rows[1:], start=2):
        cells = [_text(value) for value in row]
        if any(cells[len(headers) :]):
            raise ValueError(_("row %(row)s has more cells than there are columns") % {"row": number})
        table.append((cells + [""] * len(headers))[: len(headers)])
    return table


def _value(cell: ReadCell, address: str) -> Any:
    """Return the value of the cell at an address such as "B7"; raise ValueError for a formula or an error."""
    if cell.error == "FORMULA":
        raise ValueError(_("cell %(cell)s holds a formula; copy it and paste it as a value") % {"cell": address})
    if cell.error:
        raise ValueError(_("cell %(cell)s holds the error %(value)s") % {"cell": address, "value": cell.value})
    return cell.value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (NumberText, float, date, time)):
        return value if isinstance(value, NumberText) else NumberText(value)
    return clean_text(str(value))
