"""The error of a cell that cannot be understood: its content, what is allowed, what it may mean."""

import re
from collections.abc import Iterable

UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # in a cell of a workbook
LONGEST_SHOWN = 60  # characters of a value in a message


class UnreadableError(ValueError):
    """A cell that cannot be understood, or that can be understood in two ways.

    `message` says what is allowed; `readings` are the values it may mean, written so that they would be understood.
    """

    def __init__(self, message: str, readings: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.readings = list(readings)


def quote(value: object) -> str:
    """A value as a message quotes it: short, on one line, without characters that cannot be shown."""
    try:
        text = value if isinstance(value, str) else str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        text = "…"
    text = " ".join(UNWRITABLE.sub("\ufffd", text).split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
