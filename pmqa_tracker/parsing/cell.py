"""A cell as it was read from a workbook, before anybody asks what is meant by it (`pmqa_tracker.parsing.values`)."""

from dataclasses import dataclass
from datetime import date, datetime, time


@dataclass(frozen=True, slots=True)
class ReadCell:
    """What stands in a cell.

    `error` is "", "FORMULA" (a formula without a stored value) or "ERROR" (#VALUE! and such; `value` is its text).
    """

    value: str | int | float | bool | date | datetime | time | None = None
    is_percent: bool = False  # the number stands in a cell formatted as %
    error: str = ""


EMPTY_CELL = ReadCell()
