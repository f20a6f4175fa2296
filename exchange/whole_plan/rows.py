"""Rows of a whole-plan workbook: the values of their cells, and their errors."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import models
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from criteria.models import Category, Criterion, Framework, Level, Requirement
from exchange.findings import CellChange, CellError, Findings
from exchange.tables import ReadTable, read_table
from exchange.whole_plan.tables import (
    DEFAULTS,
    LABEL_HEADING,
    NOTE_HEADING,
    PLAN,
    PLAN_FIELDS,
    TABLES,
    VALUE_HEADING,
    PlanField,
)
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError
from spreadsheets.read import ReadWorkbook

EMPTY = (None, "", ())
SHARED_MODELS = (Framework, Category, Criterion, Requirement)  # records of the standard, which all plans share


@dataclass(kw_only=True, eq=False)
class PlanRow:
    """A row of a table; the plan sheet, with one value per line, is one row too.

    Attributes:
        number: row number; 0 for the plan sheet.
        fields: name → field of its cells.
        lines: name → row number in the plan sheet; empty for the other sheets.
        cells: name → cell.
        values: name → value; without names whose cell cannot be parsed, or needs other rows.
        found: name → the records that a cell names.
        errors: (name, error), with "" for an error of the whole row.
        is_repeat: whether an earlier row has all its values.
    """

    table: ReadTable
    number: int
    fields: Mapping[str, PlanField]
    lines: dict[str, int] = field(default_factory=dict)
    cells: dict[str, ReadCell] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    errors: list[tuple[str, CellError]] = field(default_factory=list)
    is_repeat: bool = False

    def add_error(self, name: str, message: str, candidates: Iterable[Any] = ()) -> None:
        """Add an error at the cell of a field, or at the row if the name is empty."""
        heading = self.fields[name].heading if name and not self.lines else VALUE_HEADING if self.lines else ""
        number = self.lines.get(name, 0) if self.lines else self.number
        cell = self.cells.get(name, ReadCell())
        error = self.table.error(number, heading, cell, message, [str(each) for each in candidates])
        self.errors.append((name, error))

    def add_difference(self, record: models.Model, name: str, stored: str) -> None:
        """Add an error for a value that differs from the stored one."""
        text = _("It already exists with “%(stored)s”. Enter the same value, or change it on the site.")
        if isinstance(record, SHARED_MODELS):
            text = _(
                "This edition of the standard has “%(stored)s” here. Enter the same value; if the standard has "
                "changed, enter the code of a new edition on the plan sheet."
            )
        self.add_error(name, text % {"stored": Truncator(stored).chars(120)})

    def has_error(self, names: Collection[str] = ()) -> bool:
        """Whether there is an error at one of these cells or at the whole row; without names, at any cell."""
        return any(not names or not name or name in names for name, _error in self.errors)

    def is_first(self, seen: dict[Hashable, "PlanRow"], key: Hashable, name: str) -> bool:
        """Whether no earlier row has this key; add an error otherwise. `seen` maps key → row."""
        first = seen.setdefault(key, self)
        if first is not self:
            text = _("Row %(row)s is about the same record; keep one of the two.")
            self.add_error(name, text % {"row": first.number})
            self.is_repeat = self.values == first.values
        return first is self

    @property
    def changes(self) -> list[CellChange]:
        """Its values as the preview shows them."""
        shown = {name: self.values.get(name, self.found.get(name)) for name in self.fields}
        return [
            CellChange(heading=self.fields[name].heading, before="", after=preview_text(value))
            for name, value in shown.items()
            if value not in EMPTY
        ]


@dataclass(frozen=True, kw_only=True)
class PlanSheets:
    """The sheets of a workbook.

    Attributes:
        findings: what is wrong with the tables, and notes on them.
        head: the plan sheet; None if a sheet cannot be read.
        rows: sheet → its rows.
    """

    findings: Findings
    head: PlanRow | None
    rows: Mapping[str, list[PlanRow]]


def read_sheets(book: ReadWorkbook) -> PlanSheets:
    """Read the sheets of a workbook; every cell that cannot be parsed is an error of its row."""
    findings = Findings()
    tables = {
        name: read_table(book, name, [each.heading for each in fields], findings) for name, fields in TABLES.items()
    }
    head = read_table(book, PLAN, [LABEL_HEADING, VALUE_HEADING, NOTE_HEADING], findings)
    if head is None or not all(tables.values()):
        return PlanSheets(findings=findings, head=None, rows={})
    rows = {name: list(_read_rows(table, TABLES[name])) for name, table in tables.items()}
    return PlanSheets(findings=findings, head=_read_plan_sheet(head, findings), rows=rows)


def _read_plan_sheet(table: ReadTable, findings: Findings) -> PlanRow:
    """Parse the plan sheet, which has one value per line."""
    row = PlanRow(table=table, number=0, fields={each.name: each for each in PLAN_FIELDS})
    by_label = {
        str(cells[LABEL_HEADING].value or "").strip(): (number, cells[VALUE_HEADING]) for number, cells in table.rows
    }
    for each in PLAN_FIELDS:
        row.lines[each.name], row.cells[each.name] = by_label.get(each.heading, (0, ReadCell()))
        if row.lines[each.name]:
            _read_cell(row, each, {})
        else:
            text = _("The line “%(label)s” is missing. Download the template and fill it in.")
            error = table.error(0, "", ReadCell(), text % {"label": each.heading})
            row.errors.append((each.name, error))
    return row


def _read_rows(table: ReadTable, fields: Iterable[PlanField]) -> Iterator[PlanRow]:
    """Parse the rows of a table, except the columns whose field has no `read`: these name records of other rows."""
    by_name = {each.name: each for each in fields}
    known: dict[Hashable, Any] = {}
    for number, cells in table.rows:
        row = PlanRow(table=table, number=number, fields=by_name)
        for name, each in by_name.items():
            row.cells[name] = cells[each.heading]
            if each.read:
                _read_cell(row, each, known)
        yield row


def _read_cell(row: PlanRow, each: PlanField, known: dict[Hashable, Any]) -> None:
    """Parse a cell; `known` holds the results for equal cells, because most columns have few different ones."""
    cell = row.cells[each.name]
    key = (each.name, type(cell.value), cell.value, cell.is_percent, cell.error)
    if key not in known:
        try:
            known[key] = each.read(cell)
        except UnreadableError as error:
            known[key] = error
    value = known[key]
    if isinstance(value, UnreadableError):
        row.add_error(each.name, str(value), value.readings)
    elif each.is_required and value in EMPTY:
        row.add_error(each.name, _("This cell must not be empty."))
    else:
        row.values[each.name] = DEFAULTS.get(each.name) if value is None else value


def preview_text(value: Any) -> str:
    """A value as the preview shows it."""
    if type(value) is str:
        return value
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (tuple, list)):
        return ", ".join(preview_text(each) for each in value)
    if isinstance(value, Level):
        return value.short
    if isinstance(value, models.Choices):
        return str(value.label)
    if isinstance(value, date):
        return thai.format_date(value)
    return str(value)
