"""Findings of an import: the changes of a workbook, its errors, and notes for the person who confirms it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from pmqa_tracker.parsing.cell import ReadCell

NEW, CHANGED, MERGED, CONFLICT = "NEW", "CHANGED", "MERGED", "CONFLICT"
MAX_VALUE_LENGTH = 300  # characters of a wrong value in the error table; the file has the rest


@dataclass(frozen=True, kw_only=True)
class CellError:
    """An error at a cell, a row or a sheet.

    Attributes:
        sheet: name of the sheet.
        row: row number; 0 for the whole sheet.
        column: column letter; empty for the whole row.
        heading: heading of the column.
        value: content of the cell.
        message: the error, and the values that are allowed.
        candidates: values the user may have meant.
    """

    sheet: str
    row: int = 0
    column: str = ""
    heading: str = ""
    value: str = ""
    message: str = ""
    candidates: Sequence[str] = ()

    @property
    def cell_address(self) -> str:
        """Address of the cell: "D7"."""
        return f"{self.column}{self.row or ''}"


@dataclass(frozen=True, kw_only=True)
class CellChange:
    """A cell that the import would change, or that other users have changed.

    Attributes:
        by: author and time of the value on the site; empty if not needed.
        by_id: the pk of that author, if known.
    """

    heading: str
    before: str
    after: str
    by: str = ""
    by_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class RowFinding:
    """A row that changes the plan.

    Attributes:
        kind: NEW, CHANGED, MERGED (others changed other columns) or CONFLICT (others changed the same columns).
        name: ref or code of the record.
        title: shortened text of the record.
        cells: the changed cells; in a conflict, the value on the site and the value in the file.
        others: changes of other users since the export, with author and time. They stay.
        error: in a conflict, why the file's values cannot be used.
        uses_file: in an imported conflict, whether the user chose the file's values.
        nearest: for a new row, the existing action with the most similar text.
    """

    kind: str
    sheet: str
    row: int
    name: str
    title: str = ""
    cells: Sequence[CellChange] = ()
    others: Sequence[CellChange] = ()
    error: str = ""
    uses_file: bool = False
    nearest: str = ""


@dataclass(kw_only=True)
class Findings:
    """Everything found in a workbook.

    Attributes:
        rows: rows that change the plan.
        errors: with one error, nothing is written.
        notes: sentences on what the import ignored.
        absent: refs of actions that are not in the file. They stay as they are.
        unchanged: number of rows that equal the site.
        existing_plan: for a whole plan, a sentence that names the plan if it exists; empty for a new plan.
    """

    rows: list[RowFinding] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unchanged: int = 0
    existing_plan: str = ""

    def sort(self, sheets: Sequence[str]) -> None:
        """Sort rows and errors by their place in the file.

        Args:
            sheets: names of the sheets, in the order of the file.
        """
        places = {name: place for place, name in enumerate(map(str.strip, sheets), start=1)}
        self.rows.sort(key=lambda each: (places.get(each.sheet, 0), each.row))
        self.errors.sort(key=lambda each: (places.get(each.sheet, 0), each.row, len(each.column), each.column))

    def as_json(self) -> dict[str, Any]:
        """The findings as `ImportJob.findings` stores them and the templates read them."""
        return {
            **vars(self),
            "rows": [
                {
                    **vars(row),
                    "cells": [*map(dict, map(vars, row.cells))],
                    "others": [*map(dict, map(vars, row.others))],
                }
                for row in self.rows
            ],
            "errors": [vars(error) | {"cell_address": error.cell_address} for error in self.errors],
        }


def rows_of_kind(findings: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The rows of one kind, from the output of `Findings.as_json`."""
    return [row for row in findings.get("rows", ()) if row["kind"] == kind]


def cell_error(
    sheet: str, row: int, column: int, heading: str, cell: ReadCell, message: str, candidates: Iterable[str] = ()
) -> CellError:
    """An error at a cell; `column` counts from 1, 0 means the whole row."""
    return CellError(
        sheet=sheet,
        row=row,
        column=get_column_letter(column) if column else "",
        heading=heading,
        value=text_of(cell),
        message=message,
        candidates=tuple(str(candidate) for candidate in candidates),
    )


def text_of(cell: ReadCell) -> str:
    """The content of a cell for an error message, shortened."""
    if cell.error == "FORMULA":
        return _("(a formula without a value)")
    text = "" if cell.value is None else str(cell.value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"
