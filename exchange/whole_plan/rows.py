"""Read the rows of a whole-plan workbook, collect their errors and add new records."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assignments.models import Organization
from criteria.models import Assessment, Category, Criterion, Framework, Level, Requirement
from exchange.data_sheet.changes import ChangeNote
from exchange.data_sheet.columns import TextWidget
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
from plan.models import ActionItem, Plan
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.tasks import ProgressCallback
from spreadsheets.read import ReadWorkbook

CellParser = Callable[[ReadCell], Any]
# Model → field → name of its value in the workbook.
ALIASES: Mapping[type[models.Model], Mapping[str, str]] = {
    ActionItem: {"first_period": "first", "last_period": "last", "schedule_basis": "basis", "requirements": "levels"},
    Assessment: {"name": "assessment"},
    Framework: {"slug": "framework", "name": "framework_name", "previous": "previous_framework"},
    Organization: {"name": "organization", "short_name": "organization"},
}
SHARED_MODELS = (Framework, Category, Criterion, Requirement)  # records of the standard, which all plans share


@dataclass(kw_only=True)
class PlanRow:
    """A row of a table; the plan sheet, with one value per line, is one row too.

    Attributes:
        number: row number; 0 for the plan sheet.
        values: name → value; without names whose cell cannot be parsed.
        cells: name → cell.
        rows: name → row number in the plan sheet; empty for the other sheets.
    """

    table: ReadTable
    number: int
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    cells: dict[str, ReadCell] = dataclasses.field(default_factory=dict)
    rows: dict[str, int] = dataclasses.field(default_factory=dict)

    def use_stored_spelling(self, names: Collection[str], *columns: str) -> None:
        """Replace the values of `columns` that are another spelling of one of `names`."""
        for column in columns:
            if value := self.values.get(column):
                self.values[column] = thai.match_spelling(value, names)


class RecordReader:
    """Reads the sheets of a workbook and adds their records."""

    def __init__(self, book: ReadWorkbook, job: ImportJob, on_progress: ProgressCallback) -> None:
        self.findings = Findings()
        self.made: list[dict[str, Any]] = []
        self.note = ChangeNote(job.by, _("Import of %(file)s") % {"file": job.file_name})
        self.on_progress = on_progress
        self.tables = {
            name: read_table(book, name, [field.heading for field in fields], self.findings)
            for name, fields in TABLES.items()
        }
        self.plan_table = read_table(book, PLAN, [LABEL_HEADING, VALUE_HEADING, NOTE_HEADING], self.findings)
        self.is_readable = self.plan_table is not None and all(self.tables.values())
        self.total = sum(len(table.rows) for table in self.tables.values() if table)

    # Reading.

    def read_plan_sheet(self) -> PlanRow:
        """Parse the plan sheet, which has one value per line."""
        row = PlanRow(table=self.plan_table, number=0)
        by_label = {
            str(cells[LABEL_HEADING].value or "").strip(): (number, cells[VALUE_HEADING])
            for number, cells in self.plan_table.rows
        }
        for field in PLAN_FIELDS:
            number, cell = by_label.get(field.heading, (0, ReadCell()))
            row.rows[field.name], row.cells[field.name] = number, cell
            if not number:
                text = _("The line “%(label)s” is missing. Download the template and fill it in.")
                self.findings.errors.append(self.plan_table.error(0, "", ReadCell(), text % {"label": field.heading}))
                continue
            self._read_cell(row, field, field.read)
        return row

    def read_rows(self, name: str, parsers: Mapping[str, CellParser] | None = None) -> list[PlanRow]:
        """Parse the rows of a sheet; `parsers` are for the columns whose field has no `read`."""
        table = self.tables[name]
        rows = []
        for number, cells in table.rows:
            row = PlanRow(table=table, number=number)
            for field in TABLES[name]:
                row.cells[field.name] = cells[field.heading]
                self._read_cell(row, field, field.read or (parsers or {})[field.name])
            rows.append(row)
        return rows

    def _read_cell(self, row: PlanRow, field: PlanField, read: CellParser) -> None:
        try:
            value = read(row.cells[field.name])
        except UnreadableError as error:
            self.add_error(row, field.name, str(error), error.readings)
            return
        if field.is_required and value in (None, "", ()):
            self.add_error(row, field.name, _("This cell must not be empty."))
            return
        row.values[field.name] = DEFAULTS.get(field.name) if value is None else value

    def add_error(self, row: PlanRow, name: str, message: str, candidates: Iterable[Any] = ()) -> None:
        """Add an error at the cell of a field, or at the row if the name is empty."""
        cell = row.cells.get(name, ReadCell())
        if row.rows:
            number, heading = row.rows.get(name, 0), VALUE_HEADING
        else:
            headings = {field.name: field.heading for field in TABLES[row.table.sheet]}
            number, heading = row.number, headings.get(name, "")
        self.findings.errors.append(row.table.error(number, heading, cell, message, [str(each) for each in candidates]))

    # Adding.

    def is_complete(self, row: PlanRow, names: Collection[str] = ()) -> bool:
        """Whether every cell of the row, or each of those with these names, was parsed."""
        return row.values.keys() >= (set(names) or row.cells.keys())

    def is_first(self, row: PlanRow, seen: dict[Any, int], key: Any, name: str) -> bool:
        """Whether no earlier row has this key; add an error otherwise. `seen` maps key → row number."""
        if key in seen:
            text = _("Row %(row)s is about the same record; keep one of the two.")
            self.add_error(row, name, text % {"row": seen[key]})
            return False
        seen[key] = row.number
        return True

    def find_or_add(
        self,
        row: PlanRow,
        record: Any,
        values: Mapping[str, Any],
        name: str,
        title: str = "",
        *,
        nearest: str = "",
        **many: Any,
    ) -> Any:
        """The record of a row: the existing one if it equals the row, or a new one; None with errors."""
        if record.pk is not None:
            if not self.is_unchanged(row, record, values):
                return None
            self.findings.unchanged += 1
            return record
        for key, value in values.items():
            setattr(record, key, value)
        made = self.add(row, record, name, many)
        if made:
            self.add_new_finding(row, name, title, nearest)
        return made

    def stand_in(self, record: Any) -> Any:
        """Save a record in place of a wrong one, so that the rows below it can be checked.

        The file has an error, so nothing of it is kept.
        """
        record.skip_history_when_saving = True
        record.save()
        return record

    def add(self, row: PlanRow, record: models.Model, name: str, many: Mapping[str, Any] | None = None) -> Any:
        """Save a new record; add an error for each rule it breaks.

        Args:
            row: the row it comes from.
            record: the record, not saved.
            name: its name for the undo data.
            many: many-to-many field → records.

        Returns:
            The record; None if it breaks a rule.
        """
        try:
            record.full_clean()
        except ValidationError as error:
            self.add_broken_rules(row, record, error)
            return None
        self.note.set_on(record).save()
        for key, values in (many or {}).items():
            getattr(record, key).set(values)
        for field in record._meta.concrete_fields:
            # The preview also shows the values that the site chose for empty cells, such as a ref or a position.
            key = _field_name(row, record, field.name)
            if key and row.values.get(key, field) in (None, ""):
                row.values[key] = getattr(record, field.name)
        self.made.append({"model": record._meta.label_lower, "pk": record.pk, "ref": name, "version": record.version})
        self.on_progress(len(self.made), self.total)
        return record

    def add_broken_rules(self, row: PlanRow, record: models.Model, error: ValidationError) -> None:
        """Add an error for each rule of the models that a record breaks."""
        for key, messages in error.message_dict.items():
            for message in dict.fromkeys(messages):
                self.add_error(row, _field_name(row, record, key), message)

    def is_unchanged(self, row: PlanRow, record: models.Model, values: Mapping[str, Any]) -> bool:
        """Whether an existing record has these values; add an error for each difference."""
        same = True
        for name, value in values.items():
            stored = getattr(record, name)
            if isinstance(stored, str):
                stored = TextWidget().stored_value(stored)
            if stored != value:
                same = False
                label = getattr(record, f"get_{name}_display", lambda value=stored: preview_text(value))
                shown = label() if stored not in (None, "") else "–"
                self.add_difference(row, record, _field_name(row, record, name), shown)
        return same

    def add_difference(self, row: PlanRow, record: models.Model, name: str, stored: str) -> None:
        """Add an error for a value that differs from the stored one."""
        text = _("It already exists with “%(stored)s”. Enter the same value, or change it on the site.")
        if isinstance(record, SHARED_MODELS):
            text = _(
                "This edition of the standard has “%(stored)s” here. Enter the same value; if the standard has "
                "changed, enter the code of a new edition on the plan sheet."
            )
        self.add_error(row, name, text % {"stored": Truncator(stored).chars(120)})

    def parse_later(self, row: PlanRow, name: str, read: CellParser) -> Any:
        """Parse a cell that needs other rows first; None with an added error if it cannot be parsed."""
        try:
            return read(row.cells[name])
        except UnreadableError as error:
            self.add_error(row, name, str(error), error.readings)
            return None

    def add_new_finding(self, row: PlanRow, name: str, title: str = "", nearest: str = "") -> None:
        """Add a finding for a new row, once for a row that adds two records (a requirement and its verdict)."""
        sheet = row.table.sheet
        last = self.findings.rows[-1] if self.findings.rows else None
        if last and (last.sheet, last.row, last.name) == (sheet, row.number, name):
            return
        fields = PLAN_FIELDS if row.rows else TABLES[sheet]
        cells = [
            CellChange(heading=field.heading, before="", after=preview_text(row.values.get(field.name)))
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


def _field_name(row: PlanRow, record: models.Model, key: str) -> str:
    """The name of the value that a field of a record comes from; empty if the row has none."""
    name = ALIASES.get(type(record), {}).get(key, key)
    return name if name in row.cells else ""


def preview_text(value: Any) -> str:
    """A value as the preview shows it."""
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


def existing_plan_note(plan: Plan) -> str:
    """The sentence for a workbook whose plan already exists."""
    count = plan.actions.count()
    text = ngettext(
        "The plan “%(title)s” (%(slug)s) already exists, with %(count)s action. This file creates no new plan; new "
        "content is added to the existing plan.",
        "The plan “%(title)s” (%(slug)s) already exists, with %(count)s actions. This file creates no new plan; new "
        "content is added to the existing plan.",
        count,
    )
    return text % {"title": plan.title, "slug": plan.slug, "count": count}
