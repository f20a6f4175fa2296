"""Hypothesis strategy for cells of every kind, and a check for every parser."""

from datetime import date, time

from hypothesis import strategies as st

from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**4_299, max_value=10**4_301),  # Python writes none so long
    st.floats(),
    st.floats(min_value=0, max_value=101),
    st.integers(min_value=0, max_value=101),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.text(st.characters(codec=None)),  # lone surrogates and control characters too
    st.text("0123456789๐๑๒๙%./-–:,; \n\u00a0กคตธพรย.ที่และQ", max_size=20),
)
CELLS = st.builds(ReadCell, VALUES, st.booleans(), st.sampled_from(["", "", "", "FORMULA", "ERROR"]))
ODD = [
    ReadCell(value)
    for value in (
        float("nan"), float("inf"), -float("inf"), 10**5_000, -1, True, "\ud800", "\x00", "=1+1", " ", "\u200b",
        date.min, date.max, time.max, "9" * 5_000, "1" + " " * 30_000 + "x", "และ" * 5_000, "ก," * 9_000,
    )
]  # fmt: skip


def refusal(read, cell):
    """Return the error for a cell, or None if it can be parsed."""
    try:
        read(cell)
    except UnreadableError as error:
        return error
    return None


def check(read, cell):
    """Check that a cell is parsed, or refused with a writable message and readings that can be parsed."""
    error = refusal(read, cell)
    if error:
        assert len(error.message.encode()) in range(1, 4_000)
        assert [reading for reading in error.readings if refusal(read, ReadCell(reading))] == []
