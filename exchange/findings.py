"""Findings of an import: what the workbook would change, its errors, and notes to read before confirming."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from pmqa_tracker.parsing.cell import ReadCell

NEW, CHANGED, MERGED, CONFLICT = "NEW", "CHANGED", "MERGED", "CONFLICT"
LONGEST_VALUE = 300  # characters of a wrong value in a list of errors


@dataclass(frozen=True, kw_only=True)
class CellError:
    """One error of a workbook.

    Attributes:
        sheet: the name of the sheet.
        row: the number of the row; 0 for an error of the whole sheet.
        column: the letter of the column; empty for an error of the whole row.
        heading: the heading of the column.
        value: the content of the cell.
        message: what is wrong and what is allowed.
        readings: what may have been meant.
    """

    sheet: str
    row: int = 0
    column: str = ""
    heading: str = ""
    value: str = ""
    message: str = ""
    readings: Sequence[str] = ()

    @property
    def place(self) -> str:
        """The cell's address: "D7"."""
        return f"{self.column}{self.row or ''}"


@dataclass(frozen=True, kw_only=True)
class CellChange:
    """A cell that would change, or that others have changed.

    Attributes:
        by: the author of the value on the site and the time; empty if it does not matter.
        by_id: the pk of that user, if known.
    """

    heading: str
    before: str
    after: str
    by: str = ""
    by_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class RowFinding:
    """A row that would change something.

    Attributes:
        kind: NEW, CHANGED, MERGED (others changed other columns) or CONFLICT (others changed the same).
        name: the ref or code of the row.
        title: its text, shortened.
        cells: what would change; of a conflict, the site's value and the file's.
        others: what others changed since the export, with author and time; it is kept.
        error: of a conflict, why the file's side cannot be taken.
        is_taken: of an imported conflict, whether the file's side was taken.
        nearest: of a new row, the existing action with the most similar text.
    """

    kind: str
    sheet: str
    row: int
    name: str
    title: str = ""
    cells: Sequence[CellChange] = ()
    others: Sequence[CellChange] = ()
    error: str = ""
    is_taken: bool = False
    nearest: str = ""


@dataclass(kw_only=True)
class Findings:
    """All findings of an import.

    Attributes:
        rows: the rows that would change something.
        errors: all errors; nothing is written if there is one.
        notes: sentences about what was left out.
        absent: refs that are not in the file; they stay unchanged.
        unchanged: the number of rows that equal the site's.
        adds_to: for the workbook of a whole plan, a sentence that names the existing plan; empty for a new plan.
    """

    rows: list[RowFinding] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unchanged: int = 0
    adds_to: str = ""

    def put_in_order(self, sheets: Sequence[str]) -> None:
        """Sort the rows and the errors in the order of the file.

        Args:
            sheets: the names of the file's sheets, in order.
        """
        places = {name: place for place, name in enumerate(map(str.strip, sheets), start=1)}
        self.rows.sort(key=lambda each: (places.get(each.sheet, 0), each.row))
        self.errors.sort(key=lambda each: (places.get(each.sheet, 0), each.row, len(each.column), each.column))

    def as_json(self) -> dict[str, Any]:
        """The findings as the database stores them and pages read them."""
        data = asdict(self)
        for row, error in zip(data["errors"], self.errors, strict=True):
            row["place"] = error.place
        return data


def of_kind(found: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The rows of a kind in findings stored by `as_json`."""
    return [row for row in found.get("rows", ()) if row["kind"] == kind]


def error_at(
    sheet: str, row: int, column: int, heading: str, cell: ReadCell, message: str, readings: Iterable[str] = ()
) -> CellError:
    """An error at a cell; `column` counts from 1, and 0 is the whole row."""
    return CellError(
        sheet=sheet,
        row=row,
        column=get_column_letter(column) if column else "",
        heading=heading,
        value=text_of(cell),
        message=message,
        readings=tuple(str(reading) for reading in readings),
    )


def similar(text: str, names: Iterable[str]) -> list[str]:
    """The names most similar to a text, the nearest first."""
    return get_close_matches(text, list(names), n=3, cutoff=0.5)


def text_of(cell: ReadCell) -> str:
    """The content of a cell as a text, to find it in the file."""
    if cell.error == "FORMULA":
        return _("(a formula without a value)")
    text = "" if cell.value is None else str(cell.value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
