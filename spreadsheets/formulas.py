"""Formulas in workbooks: written by the site only, and stored with their results.

Programs that do not calculate (the protected view of Excel, previews of mails and phones) show the stored result.
openpyxl stores none, so `result_changes` puts them into the saved file. Excel calculates again on opening.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.cell import Cell

WRITTEN = re.compile(r'<c r="([A-Z]+\d+)"([^>]*)><f>([^<]*)</f><v ?/?>(?:</v>)?</c>')


@dataclass(frozen=True)
class Formula:
    """A formula and its result.

    Attributes:
        text: without the equals sign, with English function names and commas. It contains no text of users.
        result: the result for the cells as they are written.
    """

    text: str
    result: float | str


def write_formula(cell: Cell, formula: Formula) -> None:
    """Write a formula to a cell; its result reaches the file by `result_changes`."""
    cell.value = f"={formula.text}"
    _results(cell.parent.parent).setdefault(cell.parent.title, {})[cell.coordinate] = formula.result


def result_changes(book: Workbook) -> dict[str, Callable[[bytes], Iterable[bytes]]]:
    """Return the changes, for `set_author`, that store the results of the formulas in the saved workbook."""
    results = _results(book)
    return {
        f"xl/worksheets/sheet{number}.xml": partial(_with_results, results=results[sheet.title])
        for number, sheet in enumerate(book.worksheets, start=1)
        if sheet.title in results
    }


def _results(book: Workbook) -> dict[str, dict[str, float | str]]:
    """Return the results of a workbook: title of the sheet → address of the cell → result."""
    return book.__dict__.setdefault("_results", {})


def _with_results(part: bytes, results: Mapping[str, float | str]) -> Iterator[bytes]:
    """Yield the XML of a sheet with the results of its formulas."""

    def cell(match: re.Match[str]) -> str:
        address, attributes, text = match.groups()
        result = results[address]
        kind = ' t="str"' if isinstance(result, str) else ""
        return f'<c r="{address}"{attributes}{kind}><f>{text}</f><v>{escape(str(result))}</v></c>'

    yield WRITTEN.sub(cell, part.decode()).encode()
