"""Text in the cell of a workbook: never a formula, and nothing in it that breaks the file."""

import re
from typing import Any

from openpyxl.cell import Cell

LONGEST_TEXT = 32_767  # characters, of a cell
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def clean_text(text: str) -> str:
    """`text` without what a workbook cannot hold: control characters, and what is beyond a cell's length."""
    return UNWRITABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:LONGEST_TEXT]


def write_text(cell: Cell, value: Any) -> None:
    """Write a value; a text is a text, whatever it begins with."""
    if isinstance(value, str):
        cell.value = clean_text(value)
        cell.data_type = "s"
    else:
        cell.value = value
