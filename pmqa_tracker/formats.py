"""The two files a table is written to and read from: an Excel workbook, and comma-separated text."""

import csv
import zipfile
from io import BytesIO, StringIO
from typing import Any

import tablib
from django.utils.translation import gettext as _
from import_export.formats import base_formats
from openpyxl import Workbook

from pmqa_tracker.cells import clean_text, write_text

MOST_UNPACKED_BYTES = 60 * 1024 * 1024
MOST_ROWS = 5_000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Excel(base_formats.XLSX):
    """A workbook with one sheet; every text in it is text."""

    def get_title(self) -> str:
        return "Excel (.xlsx)"

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        with zipfile.ZipFile(BytesIO(in_stream)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST_UNPACKED_BYTES:
                raise ValueError(_("the workbook holds too much; leave only the table in it"))
        return _tidy(super().create_dataset(in_stream))

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        book = Workbook(write_only=False)
        sheet = book.active
        for row_number, row in enumerate([dataset.headers, *dataset], start=1):
            for column, value in enumerate(row, start=1):
                write_text(sheet.cell(row_number, column), value)
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
        rows = list(csv.reader(StringIO(text)))
        dataset = tablib.Dataset(headers=rows[0] if rows else None)
        width = len(rows[0]) if rows else 0
        for row in rows[1:]:
            if any(row):
                dataset.append([_unmarked(value) for value in (row + [""] * width)[:width]])
        return _tidy(dataset)

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        file = StringIO()
        writer = csv.writer(file)
        writer.writerow(dataset.headers)
        for row in dataset:
            writer.writerow([_marked(clean_text(str(value))) if value is not None else "" for value in row])
        return file.getvalue().encode("utf-8-sig")


def _marked(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def _unmarked(value: str) -> str:
    return value[1:] if value.startswith("'") and value[1:].startswith(FORMULA_STARTS) else value


def _tidy(dataset: tablib.Dataset) -> tablib.Dataset:
    """Cells as text, as they read; empty rows and columns left out.

    Raises:
        ValueError: a column has no heading, or there are too many rows.
    """
    headers = [str(header).strip() if header is not None else "" for header in dataset.headers or []]
    while headers and not headers[-1]:
        headers.pop()
    if not headers or not all(headers):
        raise ValueError(_("the first row must name every column, as in the export"))
    if len(dataset) > MOST_ROWS:
        raise ValueError(_("more than %(rows)s rows; split the file") % {"rows": MOST_ROWS})
    tidy = tablib.Dataset(headers=headers)
    for row in dataset:
        cells = [_text(value) for value in row[: len(headers)]]
        if any(cells):
            tidy.append(cells)
    return tidy


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
