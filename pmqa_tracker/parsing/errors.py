"""The error of a cell that cannot be parsed, and how its message quotes a value."""

import re
from collections.abc import Iterable

UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # a workbook cannot hold these
LONGEST_SHOWN = 60  # characters of a quoted value


class UnreadableError(ValueError):
    """A cell that cannot be parsed, or that has several meanings.

    `message` says what is allowed; `readings` are the possible meanings, written so that they can be parsed.
    """

    def __init__(self, message: str, readings: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.readings = list(readings)


def quote(value: object) -> str:
    """Return a value as messages quote it: short, on one line, without control characters."""
    try:
        text = value if isinstance(value, str) else str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        text = "…"
    text = " ".join(UNWRITABLE.sub("\ufffd", text).split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
