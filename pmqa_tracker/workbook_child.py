"""What reads a workbook, in a process of its own that may be killed: it knows nothing of the site.

It answers with JSON, so that nothing a workbook holds becomes code in the process that asked.
"""

import json
import re
import resource
import warnings
import zipfile
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

import openpyxl
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

# openpyxl reads XML by defusedxml where that is installed; without it a few lines of XML could fill the memory.
if not openpyxl.DEFUSEDXML:
    raise ImportError("defusedxml is not installed: workbooks must not be read without it; run make venv.")

# A cell's formula; the lists that cells are chosen from (<formula1>) are none, and every sheet of ours has them.
FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


class TooLargeError(Exception):
    """A cell lies beyond what is read."""


def answer(connection: Any, data: bytes, limits: dict[str, int]) -> None:
    """Read a workbook within its limits and send what it holds; {"error": …} where it cannot be read."""
    memory = limits["memory_megabytes"] * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"], limits["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        told = read(data, limits)
    except TooLargeError as error:
        told = {"error": "LARGE", "place": str(error)}
    except MemoryError:
        told = {"error": "MEMORY"}
    except RecursionError:
        told = {"error": "DAMAGED"}
    except Exception as error:
        told = {"error": "DAMAGED", "reason": type(error).__name__}
    connection.send_bytes(json.dumps(told).encode())
    connection.close()


def read(data: bytes, limits: dict[str, int]) -> dict[str, Any]:
    """The sheets of a workbook as JSON takes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(BytesIO(data), data_only=True, keep_links=False)
        has_formulas = any(FORMULA.search(part) for part in _sheet_parts(data))
        formulas = load_workbook(BytesIO(data), keep_links=False) if has_formulas else None
        return {
            "sheets": [_sheet(sheet, formulas[sheet.title] if formulas else None, limits) for sheet in book.worksheets]
        }


def _sheet_parts(data: bytes) -> Any:
    with zipfile.ZipFile(BytesIO(data)) as parts:
        for name in parts.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                yield parts.read(name)


def _sheet(sheet: Worksheet, formulas: Worksheet | None, limits: dict[str, int]) -> dict[str, Any]:
    rows: dict[int, dict[int, Any]] = {}
    for (row, column), cell in sheet._cells.items():
        told = _cell(cell)
        if told is None and formulas is not None and (row, column) in formulas._cells:
            told = {"f": 1} if formulas._cells[row, column].data_type == "f" else None
        if told is None:
            continue
        if row > limits["rows"] or column > limits["columns"]:
            raise TooLargeError(f"{sheet.title}!{get_column_letter(column)}{row}")
        rows.setdefault(row, {})[column] = told
    last = max(rows, default=0)
    return {
        "name": decode(sheet.title),
        "hidden": sheet.sheet_state != "visible",
        "rows": [
            [rows[row].get(column) for column in range(1, max(rows[row]) + 1)] if row in rows else []
            for row in range(1, last + 1)
        ],
        "merged": [str(area) for area in sheet.merged_cells.ranges],
        "hidden_rows": [row for row, look in sheet.row_dimensions.items() if look.hidden and row <= last],
        "hidden_columns": _hidden_columns(sheet, limits["columns"]),
    }


def _hidden_columns(sheet: Worksheet, most: int) -> list[int]:
    hidden: set[int] = set()
    for look in sheet.column_dimensions.values():
        if look.hidden:
            look.reindex()
            hidden |= set(range(look.min or 1, min(look.max or 1, most) + 1))
    return sorted(hidden)


def _cell(cell: Any) -> Any:
    """The value of a cell: a text, number or truth as it is, others under a letter that says what they are."""
    value = cell.value
    if value is None:
        return None
    if cell.data_type == "e":
        return {"e": str(value)}
    if isinstance(value, bool):
        return {"b": value}
    if isinstance(value, (int, float)):
        if (isinstance(value, float) and value != value) or value in (float("inf"), float("-inf")):
            return {"e": "#NUM!"}
        return {"p": value} if "%" in QUOTED.sub("", cell.number_format or "") else value
    if isinstance(value, datetime):
        return {"d": value.isoformat()} if value.time() != time() else {"d": value.date().isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, time):
        return {"t": value.isoformat()}
    if isinstance(value, timedelta):
        return str(value)
    return decode(str(value))


def decode(text: str) -> str:
    """A text whose odd characters Excel has written as _x000B_."""
    return ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text)
