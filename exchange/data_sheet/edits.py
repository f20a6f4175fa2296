"""Edits of a data sheet: the result of the comparison with the site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from assignments.models import Unit
from criteria.models import Criterion
from exchange.data_sheet.columns import ACTION_COLUMNS
from exchange.data_sheet.marks import RowMark
from exchange.data_sheet.others import OtherChanges
from exchange.findings import CellError
from exchange.tables import ReadTable
from plan.models import ActionItem
from pmqa_tracker.parsing.cell import EMPTY_CELL, ReadCell


@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """A row of the file with its values.

    Attributes:
        table: the table it is in.
        number: row number.
        cells: heading → cell.
        values: column → value of each cell that can be parsed.
        unread: column → error of each cell that cannot.
        mark: the mark in the version column; None without a valid one.
        unit: the unit that the row reports for; None for the coordinator.
    """

    table: ReadTable
    number: int
    cells: Mapping[str, ReadCell]
    values: dict[str, Any]
    unread: Mapping[str, CellError]
    mark: RowMark | None
    unit: Unit | None

    def error(self, name: str, message: str, candidates: Sequence[str] = ()) -> CellError:
        """An error at the cell of a column, or at the row if there is no such column."""
        heading = ACTION_COLUMNS[name].heading if name in ACTION_COLUMNS else ""
        return self.table.error(self.number, heading, self.cells.get(heading, EMPTY_CELL), message, candidates)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """The changes that one row makes.

    Attributes:
        row: the row.
        kind: NEW, CHANGED, MERGED or CONFLICT.
        action: the action as it is on the site; None for a new one.
        stored: column → value on the site.
        token: the action's token on the site; empty for a new one.
        changed: names of the columns whose value differs from the action, and of filled text columns.
        wrong: columns that have an error already; the edit is only checked then, for the errors of other columns.
        criterion: the criterion of a new action.
        base_version: version of the action at the export.
        exported: column → value at the export; None if the file no longer has them.
        others: changes of other users since the export.
    """

    row: SheetRow
    kind: str
    action: ActionItem | None
    stored: Mapping[str, Any]
    token: str
    changed: Sequence[str]
    wrong: frozenset[str] = frozenset()
    criterion: Criterion | None = None
    base_version: int = 0
    exported: Mapping[str, Any] | None = None
    others: OtherChanges = field(default_factory=OtherChanges)

    @property
    def values(self) -> Mapping[str, Any]:
        """Column → value in the file."""
        return self.row.values

    @property
    def name(self) -> str:
        """The ref, or the row number of a new action without one."""
        if self.action:
            return self.action.ref
        return self.values.get("ref") or _("row %(row)s") % {"row": self.row.number}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A sheet compared with its plan.

    Attributes:
        edits: the changes of the rows, in the order of the file.
        errors: errors of the rows.
        notes: sentences on what the import ignores.
        absent: refs of actions that are not in the file.
        unchanged: number of rows that equal the site.
    """

    edits: Sequence[Edit]
    errors: Sequence[CellError]
    notes: Sequence[str] = ()
    absent: Sequence[str] = ()
    unchanged: int = 0


@dataclass(frozen=True, kw_only=True)
class RowResult:
    """What one row says: an edit, errors, or that it equals the site.

    Attributes:
        edit: the changes.
        errors: the errors.
        note: a sentence for the user.
        is_unchanged: whether the row equals the site.
        same_as: ref of the action with the content of a row without a ref.
    """

    edit: Edit | None = None
    errors: Sequence[CellError] = field(default_factory=tuple)
    note: str = ""
    is_unchanged: bool = False
    same_as: str = ""
