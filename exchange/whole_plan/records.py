"""Plan the records of a whole-plan workbook in memory: check new ones by the rules of their models, compare others."""

import dataclasses
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from assignments.models import Organization, Unit
from criteria.models import Assessment, Category, Criterion, Framework, Requirement, Verdict
from exchange.data_sheet.columns import TEXT
from exchange.findings import NEW, Findings, RowFinding
from exchange.whole_plan.rows import EMPTY, PlanRow, preview_text
from plan.models import ActionItem, Period, Plan
from pmqa_tracker.model_rules import broken_rules
from pmqa_tracker.tasks.models import ProgressCallback
from pmqa_tracker.thai import MARKS

# Model → field → name of its value in the workbook.
FIELDS: Mapping[type[Model], Mapping[str, str]] = {
    Organization: {"name": "organization"},
    Framework: {
        "slug": "framework", "name": "framework_name", "edition": "edition", "fiscal_year": "fiscal_year",
        "previous": "previous_framework", "basic_points": "basic_points", "advance_points": "advance_points",
        "significance_points": "significance_points", "are_points_confirmed": "are_points_confirmed",
    },
    Assessment: {"name": "assessment", "kind": "kind", "assessed_on": "assessed_on"},
    Plan: {name: name for name in ("slug", "title", "starts_on", "ends_on", "previous")},
    Period: {name: name for name in ("number", "starts_on", "ends_on")},
    Unit: {
        name: name
        for name in ("abbreviation", "name_th", "name_en", "is_active", "is_collective", "position", "reading_note")
    },
    Category: {"number": "number", "name": "name"},
    Criterion: {
        name: name for name in ("code", "category", "parent", "title", "position", "change", "reading_note")
    },
    Requirement: {"criterion": "criterion", "level": "level", "text": "text"},
    Verdict: {name: name for name in ("passed", "reason", "printed")},
    ActionItem: {
        "ref": "ref", "criterion": "criterion", "number": "number", "position": "position", "text": "text",
        "first_period": "first", "last_period": "last", "schedule_basis": "basis", "reading_note": "reading_note",
    },
}  # fmt: skip
TITLE = re.compile(rf"(?:[^{MARKS}][{MARKS}]*+|[{MARKS}]++){{89}}")  # a row's text in the preview: letters with marks
PROGRESS_STEP = 100  # rows between two messages on the progress


@dataclass(frozen=True, kw_only=True)
class NewRecord:
    """A record to add.

    Attributes:
        name: its name in the undo data; "" if it is undone with another one.
        token: of an action, see `ActionSheet.token_of`.
        many: many-to-many field → records.
    """

    record: Model
    name: str = ""
    token: str = ""
    many: Mapping[str, Collection[Model]] = dataclasses.field(default_factory=dict)


class PlannedRecords:
    """The records that a workbook adds, each after those it refers to.

    A new record gets a provisional key, so that the rules of the models compare it with others like a stored one. That
    of a row with errors stays, unsound, so that the cells which name it can be checked.
    """

    def __init__(self, findings: Findings, on_progress: ProgressCallback, total: int) -> None:
        self.findings, self.on_progress, self.total = findings, on_progress, total
        self.new: list[NewRecord] = []
        self.unsound: set[int] = set()
        self.kept: list[Model] = []  # an id is only unique while its record exists

    def add(
        self,
        row: PlanRow,
        record: Model,
        name: str,
        title: str = "",
        *,
        given: Mapping[str, Any],
        many: Mapping[str, Any] | None = None,
        nearest: str = "",
    ) -> bool:
        """Check a new record with the values of a row; add an error for each rule it breaks.

        Args:
            row: the row it comes from.
            record: the record without its values.
            name: its name for the undo data.
            title: its text for the preview.
            given: field → value that no cell of the row holds.
            many: many-to-many field → records; None for records that a cell should name and does not.
            nearest: see `RowFinding.nearest`.

        Returns:
            Whether it can be added, if nothing else in the file is wrong.
        """
        fields, errors = FIELDS[type(record)], len(row.errors)
        values, unknown = self._values(row, record, given)
        unsure = {field for field, value in values.items() if self.is_unsound(value)}
        for field, value in values.items():
            if field not in unsure:
                setattr(record, field, value)
        for rule in broken_rules(record, exclude=unknown | unsure):
            at = rule.field or min(rule.about if row.lines else (), default="")
            row.add_error(column_of(row, record, at), rule.message)
        for field in unsure:
            setattr(record, field, values[field])
        self.keep(record)
        related = list((many or {}).values())
        is_sound = not unknown and unsure <= given.keys() and None not in related
        is_sound = is_sound and not any(map(self.is_unsound, related)) and len(row.errors) == errors
        if not is_sound or row.has_error([*fields.values(), *(many or {})]):
            self.unsound.add(id(record))
            return False
        if unsure:
            return False
        self.new.append(NewRecord(record=record, name=name, many=many or {}))
        self._show(row, record, name, title, nearest)
        return True

    def keep(self, record: Model) -> None:
        """Give a new record a provisional key, unless it has one."""
        if record.pk is None:
            self.kept.append(record)
            record.pk = -len(self.kept)

    def _values(self, row: PlanRow, record: Model, given: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """Field → value of a record, and the fields whose cell cannot be read or names nothing."""
        values, unknown = {}, set()
        for field, column in FIELDS[type(record)].items():
            held = row.found if record._meta.get_field(field).is_relation else row.values
            if column in held and field not in given:
                values[field] = held[column]
            elif field not in given:
                unknown.add(field)
        return values | given, unknown

    def is_unsound(self, value: Any) -> bool:
        """Whether a value is a record that cannot be used, or a list with one."""
        if isinstance(value, (list, tuple)):
            return any(id(each) in self.unsound for each in value)
        return id(value) in self.unsound

    def compare(self, row: PlanRow, record: Model, *, given: Mapping[str, Any], leave: Collection[str] = ()) -> bool:
        """Compare an existing record with a row; add an error for each difference.

        Args:
            row: the row of the record.
            record: the stored record.
            given: field → value that no cell of the row holds.
            leave: fields that may differ.

        Returns:
            Whether it equals the row.
        """
        errors = len(row.errors)
        for field, value in self._values(row, record, given)[0].items():
            stored = getattr(record, field)
            if isinstance(stored, str):
                stored = TEXT.stored_value(stored)
            is_new = isinstance(value, Model) and value._state.adding and self.is_unsound(value)
            if stored != value and field not in leave and not is_new:
                label = getattr(record, f"get_{field}_display", lambda value=stored: preview_text(value))
                row.add_difference(record, column_of(row, record, field), label() if stored not in EMPTY else "–")
        if len(row.errors) > errors:
            self.unsound.add(id(record))
        return len(row.errors) == errors

    def _show(self, row: PlanRow, record: Model, name: str, title: str, nearest: str) -> None:
        """Add the finding of a new row, once for a row that adds two records (a requirement and its verdict).

        It also shows the values that the site chose for empty cells, such as a ref or a position.
        """
        for field, column in FIELDS[type(record)].items():
            if column in row.values and row.values[column] in EMPTY:
                row.values[column] = getattr(record, field)
        sheet, rows = row.table.sheet, self.findings.rows
        if len(self.kept) % PROGRESS_STEP == 0:
            self.on_progress(len(self.kept), max(self.total, len(self.kept)))
        if rows and (rows[-1].sheet, rows[-1].row, rows[-1].name) == (sheet, row.number, name):
            return
        start = TITLE.match(title)
        if start and start.end() < len(title):
            title = f"{start[0]}…"
        rows.append(
            RowFinding(
                kind=NEW, sheet=sheet, row=row.number, name=name, title=title, cells=row.changes, nearest=nearest
            )
        )

    def show_found(self, rows: Iterable[PlanRow]) -> None:
        """Show what the cells of new rows name, which was found after their records were added."""
        found = {(row.table.sheet, row.number): row for row in rows}
        self.findings.rows[:] = [
            dataclasses.replace(each, cells=row.changes) if (row := found.get((each.sheet, each.row))) else each
            for each in self.findings.rows
        ]


def column_of(row: PlanRow, record: Model, field: str) -> str:
    """The name of the value that a field of a record comes from; empty if the row has none."""
    name = FIELDS[type(record)].get(field, field)
    return name if name in row.cells else ""
