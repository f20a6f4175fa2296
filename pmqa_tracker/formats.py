"""The two kinds of file a table goes out and comes in as: text stays text, and a small file stays small."""

import csv
import re
from datetime import date, time
from io import BytesIO, StringIO
from typing import Any

import tablib
from django.utils.translation import gettext as _
from import_export.formats import base_formats
from openpyxl import Workbook, load_workbook

from pmqa_tracker.cells import clean_text, write_text
from pmqa_tracker.workbook_gate import LIMITS, check

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 5_000
MOST_COLUMNS = 50
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


class Excel(base_formats.XLSX):
    """A workbook with one sheet; every text in it is text."""

    def get_title(self) -> str:
        return "Excel (.xlsx)"

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """The first sheet as a table.

        A cell in Excel's last row or column takes a few bytes, the empty ones before it take gigabytes: no more of
        them is read than a table may have.

        Raises:
            ValueError: it is too large, or a cell holds a formula, whose value only Excel knows.
        """
        check(in_stream, "table.xlsx", LIMITS)
        sheet = load_workbook(BytesIO(in_stream), read_only=True, keep_links=False).worksheets[0]
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS + 1)
        return tidy([[_value(cell) for cell in row] for row in rows])

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
        file = BytesIO()
        book.save(file)
        return file.getvalue()


class Csv(base_formats.CSV):
    """Comma-separated text that Excel opens in Thai; a text that looks like a formula is marked with an apostrophe."""

    def get_title(self) -> str:
        return "CSV (.csv)"

    def is_binary(self) -> bool:
        return True  # the bytes are read here: a Thai Excel may write TIS-620

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> tablib.Dataset:
        try:
            text = in_stream.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = in_stream.decode("cp874")
        return tidy([[unmarked(value) for value in row] for row in csv.reader(StringIO(text, newline=""))])

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        file = StringIO()
        writer = csv.writer(file)
        writer.writerow(dataset.headers)
        for row in dataset:
            writer.writerow([marked(clean_text(str(value))) if value is not None else "" for value in row])
        return file.getvalue().encode("utf-8-sig")


def marked(value: str) -> str:
    """A text that no spreadsheet program takes for a formula."""
    return f"'{value}" if LIKE_FORMULA.match(value) else value


def unmarked(value: str) -> str:
    """The text that was marked; a bare 7.1 may have been a 7.10 before a spreadsheet wrote the file."""
    if BARE_NUMBER.fullmatch(value):
        return NumberText(float(value))
    return value[1:] if value.startswith("'") and LIKE_FORMULA.match(value) else value


def tidy(rows: list[list[Any]]) -> tablib.Dataset:
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
    if len(headers) > MOST_COLUMNS:
        raise ValueError(_("more than %(columns)s columns") % {"columns": MOST_COLUMNS})
    if len(rows) > MOST_ROWS + 1:
        raise ValueError(_("more than %(rows)s rows; split the file") % {"rows": MOST_ROWS})
    table = tablib.Dataset(headers=headers)
    for number, row in enumerate(rows[1:], start=2):
        cells = [_text(value) for value in row]
        if any(cells[len(headers) :]):
            raise ValueError(_("row %(row)s has more cells than there are columns") % {"row": number})
        table.append((cells + [""] * len(headers))[: len(headers)])
    return table


def _value(cell: Any) -> Any:
    if cell.value is not None and cell.data_type == "f":
        raise ValueError(
            _("cell %(cell)s holds a formula; copy it and paste it as a value") % {"cell": cell.coordinate}
        )
    return cell.value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (NumberText, float, date, time)):
        return value if isinstance(value, NumberText) else NumberText(value)
    return clean_text(str(value))
