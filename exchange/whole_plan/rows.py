"""The rows of a whole plan's workbook: read cell by cell, told of where they are wrong, added where they are new."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from criteria.models import Level
from exchange.data_sheet.columns import TextWidget
from exchange.data_sheet.write import ChangeNote
from exchange.findings import NEW, CellChange, Findings, RowFinding
from exchange.models import ImportJob
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
from pmqa_tracker.tasks import ProgressCallback
from spreadsheets.read import ReadWorkbook

CellParser = Callable[[ReadCell], Any]
# Field of a model → name of its value in the workbook.
ALIASES = {"first_period": "first", "last_period": "last", "schedule_basis": "basis", "requirements": "levels"}


@dataclass(kw_only=True)
class PlanRow:
    """A row of a table, or the first sheet as one.

    Attributes:
        number: its row; of the first sheet, where each value stands is in `rows`.
        values: name → what was read; names that could not be read are missing.
        cells: name → cell.
    """

    table: ReadTable
    number: int
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    cells: dict[str, ReadCell] = dataclasses.field(default_factory=dict)
    rows: dict[str, int] = dataclasses.field(default_factory=dict)

    def take_spelling(self, names: Collection[str], *columns: str) -> None:
        """Write the values of `columns` as `names` has them, where they are another spelling of one."""
        for column in columns:
            if value := self.values.get(column):
                self.values[column] = thai.match_spelling(value, names)


class RecordReader:
    """Reads the sheets of a workbook, and adds records for what they say."""

    def __init__(self, book: ReadWorkbook, job: ImportJob, on_progress: ProgressCallback) -> None:
        self.findings = Findings()
        self.made: list[dict[str, Any]] = []
        self.mark = ChangeNote(job.by, _("Import of %(file)s") % {"file": job.file_name})
        self.on_progress = on_progress
        self.tables = {
            name: read_table(book, name, [field.heading for field in fields], self.findings)
            for name, fields in TABLES.items()
        }
        self.first = read_table(book, PLAN, [LABEL_HEADING, VALUE_HEADING, NOTE_HEADING], self.findings)
        self.is_readable = self.first is not None and all(self.tables.values())
        self.total = sum(len(table.rows) for table in self.tables.values() if table)

    # Reading.

    def read_first(self) -> PlanRow:
        row = PlanRow(table=self.first, number=0)
        by_label = {
            str(cells[LABEL_HEADING].value or "").strip(): (number, cells[VALUE_HEADING])
            for number, cells in self.first.rows
        }
        for field in PLAN_FIELDS:
            number, cell = by_label.get(field.heading, (0, ReadCell()))
            row.rows[field.name], row.cells[field.name] = number, cell
            if not number:
                text = _("The line “%(label)s” is missing. Take the template and fill it in.")
                self.findings.errors.append(self.first.error(0, "", ReadCell(), text % {"label": field.heading}))
                continue
            self._read_cell(row, field, field.read)
        return row

    def read_rows(self, name: str, readers: Mapping[str, CellParser] | None = None) -> list[PlanRow]:
        table = self.tables[name]
        rows = []
        for number, cells in table.rows:
            row = PlanRow(table=table, number=number)
            for field in TABLES[name]:
                row.cells[field.name] = cells[field.heading]
                self._read_cell(row, field, field.read or (readers or {})[field.name])
            rows.append(row)
        return rows

    def _read_cell(self, row: PlanRow, field: PlanField, read: CellParser) -> None:
        try:
            value = read(row.cells[field.name])
        except UnreadableError as error:
            self.add_error(row, field.name, str(error), error.readings)
            return
        if field.needs and value in (None, "", ()):
            self.add_error(row, field.name, _("This may not be empty."))
            return
        row.values[field.name] = DEFAULTS.get(field.name) if value is None else value

    def add_error(self, row: PlanRow, name: str, message: str, readings: Iterable[Any] = ()) -> None:
        cell = row.cells.get(name, ReadCell())
        if row.rows:
            number, heading = row.rows.get(name, 0), VALUE_HEADING
        else:
            headings = {field.name: field.heading for field in TABLES[row.table.sheet]}
            number, heading = row.number, headings.get(name, "")
        self.findings.errors.append(row.table.error(number, heading, cell, message, [str(each) for each in readings]))

    # Adding.

    def is_whole(self, row: PlanRow) -> bool:
        return len(row.values) == len(row.cells)

    def add(self, row: PlanRow, record: models.Model, name: str, many: Mapping[str, Any] | None = None) -> Any:
        """Add a record, unless the one there is the same.

        Returns:
            The record; None where it breaks a rule, or is there and differs.
        """
        try:
            record.full_clean()
        except ValidationError as error:
            for key, messages in error.message_dict.items():
                for message in messages:
                    self.add_error(row, self._ask_of(row, key), message)
            return None
        self.mark.on(record).save()
        for key, values in (many or {}).items():
            getattr(record, key).set(values)
        for key in row.cells:
            # What the site decides where a cell is empty, such as a ref or a position, is shown like the rest.
            if row.values[key] in (None, "") and key in {each.name for each in record._meta.concrete_fields}:
                row.values[key] = getattr(record, key)
        self.made.append({"model": record._meta.label_lower, "pk": record.pk, "ref": name, "version": record.version})
        self.on_progress(len(self.made), self.total)
        return record

    def _ask_of(self, row: PlanRow, key: str) -> str:
        name = ALIASES.get(key, key)
        return name if name in row.cells else ""

    def found(self, row: PlanRow, record: models.Model, values: Mapping[str, Any]) -> bool:
        """Whether a record that is there says what the row says; every difference is told."""
        same = True
        for name, value in values.items():
            stored = getattr(record, name)
            if isinstance(stored, str):
                stored = TextWidget().take(stored)
            if stored != value:
                same = False
                self.tell_differs(row, self._ask_of(row, name), str(stored if stored not in (None, "") else "–"))
        return same

    def tell_differs(self, row: PlanRow, name: str, stored: str) -> None:
        """Tell that what is there says something else."""
        text = _("It is there already and says “%(stored)s”. Write the same, or change it on the site.")
        self.add_error(row, name, text % {"stored": Truncator(stored).chars(120)})

    def read_with(self, row: PlanRow, name: str, read: CellParser) -> Any:
        """A cell that only makes sense once other rows were read; None where it cannot be read, which is told."""
        try:
            return read(row.cells[name])
        except UnreadableError as error:
            self.add_error(row, name, str(error), error.readings)
            return None

    def note_new(self, row: PlanRow, name: str, title: str = "", nearest: str = "") -> None:
        """Say that a row adds something; a row that adds two records (a requirement and its verdict) is said once."""
        sheet = row.table.sheet
        last = self.findings.rows[-1] if self.findings.rows else None
        if last and (last.sheet, last.row, last.name) == (sheet, row.number, name):
            return
        fields = PLAN_FIELDS if row.rows else TABLES[sheet]
        cells = [
            CellChange(heading=field.heading, before="", after=words(row.values.get(field.name)))
            for field in fields
            if row.values.get(field.name) not in (None, "", ())
        ]
        self.findings.rows.append(
            RowFinding(
                kind=NEW,
                sheet=sheet,
                row=row.number,
                name=name,
                title=Truncator(title).chars(90),
                cells=cells,
                nearest=nearest,
            )
        )


def words(value: Any) -> str:
    """A value as the preview shows it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (tuple, list)):
        return ", ".join(words(each) for each in value)
    if isinstance(value, Level):
        return value.short
    if isinstance(value, models.Choices):
        return str(value.label)
    if isinstance(value, date):
        return thai.format_date(value)
    return str(value)
