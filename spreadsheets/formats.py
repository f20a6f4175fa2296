"""The two kinds of file a table goes out and comes in as: text stays text, and a small file stays small."""

import csv
import re
from datetime import date, time
from io import StringIO
from typing import Any

import tablib
from django.utils.translation import gettext as _
from import_export.formats import base_formats
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from pmqa_tracker.parsing.cell import ReadCell
from spreadsheets.downloads import workbook_file
from spreadsheets.properties import set_author
from spreadsheets.read import read_workbook
from spreadsheets.text import clean_text, write_text

MAX_TABLE_BYTES = 5 * 1024 * 1024
MAX_TABLE_ROWS = 5_000
MAX_TABLE_COLUMNS = 50
# What a spreadsheet program takes for a formula; with the apostrophes a text may have of its own, so that taking the
# mark off again gives the very text.
# Or makes a number or a day of: 7.10, 007, 1/2, 1-2.
LIKE_FORMULA = re.compile("'*(?:[=+\\-@\t\r＝＋－＠]|0\\d+\\Z|\\d+[./-]\\d+\\Z)")
BARE_NUMBER = re.compile(r"\d+\.\d")


class NumberText(str):
    """The text of a cell that may have been another one before a spreadsheet made a number or a day of it.

    `value` is what the spreadsheet holds.
    """

    __slots__ = ("value",)

    def __new__(cls, value: Any) -> "NumberText":
        """Write a number or a day as a text."""
        text = super().__new__(cls, value)
        text.value = value
        return text


SEPARATORS = (",", ";", "\t", "|")  # the first that makes the most columns of the headings
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;]*', re.IGNORECASE)
NO_TEXT = re.compile("[\x00\ufffd]|^PK\x03\x04")


class Excel(base_formats.XLSX):
    """A workbook with one sheet; every text in it is text."""

    def get_title(self) -> str:
        return "Excel (.xlsx)"

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """The first sheet as a table.

        Raises:
            ValueError: it is no workbook, or too large, or a cell holds a formula whose value only Excel knows.
        """
        sheet = read_workbook(in_stream, "table.xlsx").first
        return build_dataset(
            [
                [_value(cell, f"{get_column_letter(column)}{number}") for column, cell in enumerate(row, start=1)]
                for number, row in enumerate(sheet.rows, start=1)
            ]
        )

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        book = Workbook(write_only=False)
        sheet = book.active
        for row_number, row in enumerate([dataset.headers, *dataset], start=1):
            for column, value in enumerate(row, start=1):
                cell = sheet.cell(row_number, column)
                write_text(cell, value)
                if isinstance(value, str) and LIKE_FORMULA.match(value):
                    cell.quotePrefix = True  # it stays text when a person edits the cell in Excel
        sheet.freeze_panes = "A2"
        return set_author(workbook_file(book)).getvalue()


class Csv(base_formats.CSV):
    """Comma-separated text that Excel opens in Thai; a text that looks like a formula is marked with an apostrophe."""

    def get_title(self) -> str:
        return "CSV (.csv)"

    def is_binary(self) -> bool:
        return True  # the bytes are read here: a Thai Excel may write TIS-620

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> tablib.Dataset:
        """The file as a table; its first line says what stands between the cells.

        Raises:
            ValueError: it is no text, or no table.
        """
        text, mark = _separator(decode_text(in_stream))
        return build_dataset(
            [
                [unescape_formula(value) for value in row]
                for row in csv.reader(StringIO(text, newline=""), delimiter=mark)
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
    """A text file as Excel writes it: UTF-8, UTF-16 (“Unicode Text”) or the Thai code page.

    Raises:
        ValueError: it is no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp874", "replace")
    if NO_TEXT.search(text):
        raise ValueError(_("it is no text; save it in Excel as “CSV UTF-8”, or as Excel Workbook (.xlsx)"))
    return text if "\n" in text else text.replace("\r", "\n")  # lines as Excel for Mac ends them


def _separator(text: str) -> tuple[str, str]:
    """A table as text without a line that only names its separator, and the separator."""
    first = text.split("\n", 1)[0].rstrip("\r")
    if named := SEPARATOR_LINE.fullmatch(first):
        return text.partition("\n")[2], named.group(1)
    return text, max(SEPARATORS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), ())))


def escape_formula(value: str) -> str:
    """A text that no spreadsheet program takes for a formula."""
    return f"'{value}" if LIKE_FORMULA.match(value) else value


def unescape_formula(value: str) -> str:
    """The text that was marked; a bare 7.1 may have been a 7.10 before a spreadsheet wrote the file."""
    if BARE_NUMBER.fullmatch(value):
        return NumberText(float(value))
    return value[1:] if value.startswith("'") and LIKE_FORMULA.match(value) else value


def build_dataset(rows: list[list[Any]]) -> tablib.Dataset:
    """A table of texts, from rows of which the first names the columns; empty rows below it are left out.

    Raises:
        ValueError: a column has no heading, or there is too much of the table.
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


def _value(cell: ReadCell, place: str) -> Any:
    if cell.error == "FORMULA":
        raise ValueError(_("cell %(cell)s holds a formula; copy it and paste it as a value") % {"cell": place})
    if cell.error:
        raise ValueError(_("cell %(cell)s holds the error %(value)s") % {"cell": place, "value": cell.value})
    return cell.value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (NumberText, float, date, time)):
        return value if isinstance(value, NumberText) else NumberText(value)
    return clean_text(str(value))
