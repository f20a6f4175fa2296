"""Parse the sheets of a workbook into values for JSON; the other content of the file is ignored.

Elements are matched by name without prefix or namespace, so that Strict Open XML (ISO 29500) works too. openpyxl's
functions decide about dates and number formats.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.sax.handler import ContentHandler

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel, from_ISO8601

from spreadsheets.parts import Elements, Parts, PartsError

ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
CELL_ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})", re.IGNORECASE)
# Formats that a Thai Excel stores only by number.
THAI_FORMATS = {
    67: "0%", 68: "0.00%", 71: "d/m/yyyy", 72: "d-mmm-yy", 73: "d-mmm", 74: "mmm-yy", 75: "h:mm", 76: "h:mm:ss",
    77: "d/m/yyyy h:mm", 78: "mm:ss", 79: "[h]:mm:ss", 80: "mm:ss.0", 81: "d/m/yy",
}  # fmt: skip
TRUE = ("1", "true", "on")


class TooLargeError(Exception):
    """A cell is beyond the limits; the message is its address."""


def read_sheets(parts: Parts, limits: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the sheets of a workbook in order; a sheet that cannot be read is "broken" and has no rows.

    Raises:
        PartsError: the workbook, its shared texts or all of its sheets cannot be read.
        TooLargeError: a cell is beyond the limits.
    """
    listed, is_1904 = list_sheets(parts)
    strings, formats = _read_strings(parts), _read_formats(parts)
    sheets = []
    for number, (name, state, relation) in enumerate(listed, start=1):
        result = {
            "name": name, "hidden": state in ("hidden", "veryhidden"), "broken": False, "rows": [], "merged": [],
            "hidden_rows": [], "hidden_columns": [],
        }  # fmt: skip
        try:
            part = parts.worksheet(relation, number)
            if part is None:
                continue
            sheet = _Sheet(name, strings, formats, MAC_EPOCH if is_1904 else WINDOWS_EPOCH, limits)
            parts.parse(part, sheet)
            result |= sheet.as_json()
        except PartsError:
            result["broken"] = True
        sheets.append(result)
    if all(sheet["broken"] for sheet in sheets):
        raise PartsError("no sheet can be read")
    return sheets


def list_sheets(parts: Parts) -> tuple[list[tuple[str, str, str]], bool]:
    """Return (name, state, relation) of each sheet, and whether days are counted from 1904."""
    sheets: list[tuple[str, str, str]] = []
    dates = []

    def start(path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
        if path == ("workbook", "sheets", "sheet"):
            relation = next((value for name, value in attributes.items() if name.endswith(":id")), "")
            state = attributes.get("state", "").lower()
            sheets.append((decode(attributes.get("name", "")), state, relation))
        elif path == ("workbook", "workbookPr"):
            dates.append(attributes.get("date1904", "").lower() in TRUE)

    if parts.main_part is None:
        raise PartsError("no workbook")
    parts.parse(parts.main_part, Elements(start))
    return sheets, any(dates)


class _Strings(ContentHandler):
    """Collect the shared texts of cells, without phonetic hints."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.path: list[str] = []
        self.pieces: list[str] = []

    def startElement(self, tag: str, _attributes: Mapping[str, str]) -> None:  # noqa: N802
        self.path.append(tag.rpartition(":")[2])

    def characters(self, content: str) -> None:
        if self.path[-1] == "t" and "rPh" not in self.path:
            self.pieces.append(content)

    def endElement(self, _tag: str) -> None:  # noqa: N802
        if self.path.pop() == "si":
            self.texts.append("".join(self.pieces))
            self.pieces.clear()


def _read_strings(parts: Parts) -> list[str]:
    strings = _Strings()
    if parts.strings:
        parts.parse(parts.strings, strings)
    return strings.texts


def _read_formats(parts: Parts) -> list[str]:
    """Return the kind of number of each style: "p" percentage, "d" day, "s" span of time, "" plain number.

    If the part is broken, the styles before the break are returned.
    """
    codes: dict[str, str] = {}
    formats: list[str] = []

    def start(path: tuple[str, ...], attributes: Mapping[str, str]) -> None:
        number = attributes.get("numFmtId", "")
        if path == ("styleSheet", "numFmts", "numFmt"):
            codes[number] = attributes.get("formatCode", "")
        elif path == ("styleSheet", "cellXfs", "xf"):
            known = int(number) if number.isdecimal() and len(number) < 6 else 0
            formats.append(_kind(codes.get(number) or BUILTIN_FORMATS.get(known) or THAI_FORMATS.get(known, "")))

    if parts.styles:
        try:
            parts.parse(parts.styles, Elements(start))
        except PartsError:
            return formats
    return formats


def _kind(code: str) -> str:
    """Return the kind of number of a format code, see `_read_formats`."""
    if "%" in QUOTED.sub("", code):
        return "p"
    if is_date_format(code):
        return "s" if is_timedelta_format(code) else "d"
    return ""


class _Sheet(ContentHandler):
    """Collect the cells of a sheet, its hidden rows and columns, and its merged areas."""

    def __init__(
        self, name: str, strings: Sequence[str], formats: Sequence[str], epoch: datetime, limits: Mapping[str, int]
    ) -> None:
        super().__init__()
        self.name, self.strings, self.formats, self.epoch, self.limits = name, strings, formats, epoch, limits
        self.rows: dict[int, dict[int, Any]] = {}
        self.merged: list[str] = []
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.path: list[str] = []
        self.row = self.column = 0
        self.pieces: list[str] | None = None  # of the value or text being read
        self._begin_cell({})

    def startElement(self, tag: str, attributes: Mapping[str, str]) -> None:  # noqa: N802
        name = tag.rpartition(":")[2]
        path = self.path
        path.append(name)
        depth = len(path)
        if depth < 3:
            return
        if path[1] == "sheetData":
            if depth == 3 and name == "row":
                self._begin_row(attributes)
            elif depth == 4 and name == "c":
                self._go_to(attributes.get("r", ""))
                self._begin_cell(attributes)
            elif depth == 5:
                self.has_formula |= name == "f"
                self.has_value |= name == "v"
                self.pieces = self.value if name == "v" else None
            elif depth > 5:
                self.pieces = self.text if path[4] == "is" and name == "t" and "rPh" not in path else None
        elif depth == 3 and path[1] == "mergeCells" and name == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif depth == 3 and path[1] == "cols" and attributes.get("hidden", "").lower() in TRUE:
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if first.isdecimal() and last.isdecimal():
                self.hidden_columns |= set(range(int(first), min(int(last), self.limits["columns"]) + 1))

    def characters(self, content: str) -> None:
        if self.pieces is not None:
            self.pieces.append(content)

    def endElement(self, tag: str) -> None:  # noqa: N802
        depth = len(self.path)
        self.path.pop()
        self.pieces = None
        if depth == 4 and self.path[1] == "sheetData" and tag.rpartition(":")[2] == "c":
            value = self._cell_value()
            if value is None or value == "":
                return
            if self.row > self.limits["rows"] or self.column > self.limits["columns"]:
                raise TooLargeError(f"{self.name}!{get_column_letter(self.column)}{self.row}")
            self.rows.setdefault(self.row, {})[self.column] = value

    def _begin_row(self, attributes: Mapping[str, str]) -> None:
        number = attributes.get("r", "")
        if number and not (number.isdecimal() and 0 < int(number) <= 1_048_576):
            raise ValueError(number)
        self.row = int(number) if number else self.row + 1
        self.column = 0
        if attributes.get("hidden", "").lower() in TRUE:
            self.hidden_rows.add(self.row)

    def _go_to(self, address: str) -> None:
        """Set the current column; a cell without an address follows the previous one."""
        if not address:
            self.column += 1
            return
        match = CELL_ADDRESS.fullmatch(address)
        if match is None or int(match.group(2)) != self.row:
            raise ValueError(address)
        self.column = 0
        for letter in match.group(1).upper():
            self.column = self.column * 26 + ord(letter) - 64
        if self.column > 16_384:
            raise ValueError(address)

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        self.type, self.style = attributes.get("t", "n"), attributes.get("s", "")
        self.has_formula = self.has_value = False
        self.value: list[str] = []
        self.text: list[str] = []

    def _merge(self, area: str) -> None:
        ends = area.split(":")
        if all(CELL_ADDRESS.fullmatch(end) for end in ends) and len(ends) == 2:
            self.merged.append(area.replace("$", "").upper())

    def _cell_value(self) -> Any:
        """Return the value of a cell: a text or number as it is, others as {letter of the kind: value}."""
        value = "".join(self.value)
        if self.type == "inlineStr":
            return decode("".join(self.text))
        if self.type == "str" and self.has_value:
            return decode(value)
        value = value.strip()
        if not value:
            return {"f": 1} if self.has_formula else None
        if self.type == "s":
            return decode(self.strings[int(value)])
        if self.type == "b":
            return {"b": value.lower() in TRUE}
        if self.type == "e":
            return {"e": value}
        try:
            return _moment(from_ISO8601(value)) if self.type == "d" else self._number(value)
        except (ValueError, OverflowError):
            return {"e": decode(value)}

    def _number(self, text: str) -> Any:
        number = float(text)
        if not math.isfinite(number):
            return {"e": "#NUM!"}
        if not any(letter in text for letter in ".eE"):
            number = int(text)
        style = int(self.style) if self.style.isdecimal() else 0
        kind = self.formats[style] if style < len(self.formats) else ""
        if kind in ("d", "s"):
            return _moment(from_excel(number, self.epoch, timedelta=kind == "s"))
        return {"p": number} if kind == "p" else number

    def as_json(self) -> dict[str, Any]:
        """Return the sheet as a dict for JSON."""
        last = max(self.rows, default=0)
        return {
            "rows": [
                [self.rows[row].get(column) for column in range(1, max(self.rows[row]) + 1)] if row in self.rows else []
                for row in range(1, last + 1)
            ],
            "merged": self.merged,
            "hidden_rows": sorted(row for row in self.hidden_rows if row <= last),
            "hidden_columns": sorted(self.hidden_columns),
        }


def _moment(value: Any) -> Any:
    """Return a day, a time or a span of time as a value for JSON."""
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, date):
        return {"d": value.isoformat()}
    return str(value) if isinstance(value, timedelta) else {"t": value.isoformat()}


def decode(text: str) -> str:
    """Unescape Excel's codes such as "_x000B_" in a text; NUL, which PostgreSQL refuses, becomes U+FFFD."""
    return ESCAPED.sub(lambda match: chr(int(match.group(1), 16) or 0xFFFD), text)
