"""Edits of a data sheet: the result of the comparison, the input of the writer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from assignments.models import Unit
from criteria.models import Criterion
from exchange.data_sheet.columns import ActionSheet
from exchange.findings import Findings
from exchange.tables import ReadTable
from plan.models import ActionItem
from pmqa_tracker.parsing.cell import ReadCell


@dataclass(kw_only=True)
class Edit:
    """The changes that one row makes.

    Attributes:
        row: row number.
        cells: heading → cell, for errors found while writing.
        kind: NEW, CHANGED, MERGED or CONFLICT.
        action: the action; None for a new one.
        values: column → value in the file.
        changed: names of the columns whose value differs from the action, and of filled text columns.
        criterion: the criterion of a new action.
        base_version: version of the action at the export.
        exported: column → value at the export; None if the file no longer has them.
        unit: the unit that the row reports for; None for the coordinator.
    """

    row: int
    cells: Mapping[str, ReadCell]
    kind: str
    action: ActionItem | None
    values: dict[str, Any]
    changed: list[str]
    criterion: Criterion | None = None
    base_version: int = 0
    exported: dict[str, Any] | None = None
    unit: Unit | None = None

    @property
    def name(self) -> str:
        """The ref, or the row number of a new action without one."""
        if self.action:
            return self.action.ref
        return self.values.get("ref") or _("row %(row)s") % {"row": self.row}


@dataclass(kw_only=True)
class Comparison:
    """A sheet compared with a plan; `finding_index` maps a row to its index in `findings.rows`."""

    table: ReadTable
    columns: ActionSheet
    findings: Findings
    edits: list[Edit] = field(default_factory=list)
    finding_index: dict[int, int] = field(default_factory=dict)
