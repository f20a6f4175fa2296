"""What was found in a workbook: what it would change, what is wrong, what people should know before they confirm."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from pmqa_tracker.parsing.cell import ReadCell

NEW, CHANGED, MERGED, CONFLICT = "NEW", "CHANGED", "MERGED", "CONFLICT"
SHOWN = 300  # characters of a wrong value: who looks for it finds it in his file


@dataclass(frozen=True, kw_only=True)
class CellError:
    """One thing that is wrong.

    Attributes:
        sheet: its sheet.
        row: its row; 0 where the whole sheet is meant.
        column: its letter; empty where the whole row is meant.
        heading: of the column.
        value: what stands there.
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
        by: who wrote the value that is on the site, and when; empty where it does not matter.
        by_id: the pk of that user, if known.
    """

    heading: str
    before: str
    after: str
    by: str = ""
    by_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class RowFinding:
    """A row that would write something.

    Attributes:
        kind: NEW, CHANGED, MERGED (others changed other columns) or CONFLICT (others changed the same).
        name: what the row is about: a ref, a code.
        title: its text, in short.
        cells: what would change; of a conflict, the site's value and the file's.
        others: what others changed since the export, each with who and when; it stays.
        error: of a conflict, why the file's side cannot be taken.
        is_taken: of a conflict that was imported, whether the file's side was taken.
        nearest: of a new row, the action there already that reads most like it.
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
    """All that was found.

    Attributes:
        rows: what would be written.
        errors: everything wrong; with one of them nothing is written.
        notes: sentences that say what was passed over.
        absent: refs that the file does not hold; they are left alone.
        unchanged: how many rows say what the site says.
        adds_to: of a whole plan's workbook, a sentence that says which plan is there already; empty for a new one.
    """

    rows: list[RowFinding] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unchanged: int = 0
    adds_to: str = ""

    def put_in_order(self, sheets: Sequence[str]) -> None:
        """Sort the rows and the errors as a reader of the file meets them.

        Args:
            sheets: the names of the file's sheets, in its order.
        """
        places = {name: place for place, name in enumerate(map(str.strip, sheets), start=1)}
        self.rows.sort(key=lambda each: (places.get(each.sheet, 0), each.row))
        self.errors.sort(key=lambda each: (places.get(each.sheet, 0), each.row, len(each.column), each.column))

    def as_json(self) -> dict[str, Any]:
        """For the database; a page reads it as it is."""
        told = asdict(self)
        for row, found in zip(told["errors"], self.errors, strict=True):
            row["place"] = found.place
        return told


def of_kind(found: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The rows of a kind, of what `as_json` kept."""
    return [row for row in found.get("rows", ()) if row["kind"] == kind]


def error_at(
    sheet: str, row: int, column: int, heading: str, cell: ReadCell, message: str, readings: Iterable[str] = ()
) -> CellError:
    """An error at a cell; `column` counts from 1, 0 means the row."""
    return CellError(
        sheet=sheet,
        row=row,
        column=get_column_letter(column) if column else "",
        heading=heading,
        value=cell_text(cell),
        message=message,
        readings=tuple(str(reading) for reading in readings),
    )


def near(text: str, names: Iterable[str]) -> list[str]:
    """The names written most like a text, the nearest first."""
    return get_close_matches(text, list(names), n=3, cutoff=0.5)


def cell_text(cell: ReadCell) -> str:
    """What stands in a cell, as a person finds it there."""
    if cell.error == "FORMULA":
        return _("(a formula without a value)")
    text = "" if cell.value is None else str(cell.value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
