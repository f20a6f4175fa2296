"""Text in the cell of a workbook: never a formula, and nothing in it that breaks the file."""

import re
from typing import Any

from django.utils.functional import Promise
from openpyxl.cell import Cell

from pmqa_tracker.parsing.errors import UNWRITABLE

LONGEST_TEXT = 32_767  # characters, of a cell

LIKE_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def clean_text(text: str) -> str:
    """`text` without what a workbook cannot hold: control characters, and what is beyond a cell's length."""
    return UNWRITABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:LONGEST_TEXT]


def escape_codes(text: str) -> str:
    """`text` so that what looks like Excel's way of writing odd characters ("_x000D_") is shown as it is."""
    return LIKE_ESCAPE.sub("_x005F_", text)


def write_text(cell: Cell, value: Any) -> None:
    """Write a value; a text is a text, whatever it begins with, and comes back as it was written."""
    if isinstance(value, Promise):
        value = str(value)
    if isinstance(value, str):
        cell.value = escape_codes(clean_text(value))
        cell.data_type = "s"
    else:
        cell.value = value
