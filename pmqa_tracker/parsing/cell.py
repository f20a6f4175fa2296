"""The raw content of a workbook cell; `pmqa_tracker.parsing.values` parses it."""

from dataclasses import dataclass
from datetime import date, datetime, time


@dataclass(frozen=True, slots=True)
class ReadCell:
    """The content of a cell.

    `error` is "", "FORMULA" (a formula without a stored value) or "ERROR" (`value` is its text, such as "#VALUE!").
    """

    value: str | int | float | bool | date | datetime | time | None = None
    is_percent: bool = False  # the cell is formatted as %
    error: str = ""


EMPTY_CELL = ReadCell()
