"""Text in workbook cells: without forbidden characters, and never a formula."""

import re
from typing import Any

from django.utils.functional import Promise
from openpyxl.cell import Cell

from pmqa_tracker.parsing.errors import UNWRITABLE

LONGEST_TEXT = 32_767  # characters, of a cell

LIKE_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def clean_text(text: str) -> str:
    """Return `text` with LF line ends, without control characters, and cut to the length of a cell."""
    return UNWRITABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:LONGEST_TEXT]


def escape_codes(text: str) -> str:
    """Escape text that looks like Excel's escape of a character ("_x000D_"), so that Excel shows it as typed."""
    return LIKE_ESCAPE.sub("_x005F_", text)


def write_text(cell: Cell, value: Any) -> None:
    """Write a value to a cell; text never becomes a formula, and is read back unchanged."""
    if isinstance(value, Promise):
        value = str(value)
    if isinstance(value, str):
        cell.value = escape_codes(clean_text(value))
        cell.data_type = "s"
    else:
        cell.value = value
