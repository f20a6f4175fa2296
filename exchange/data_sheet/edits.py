"""What the rows of a data sheet ask to write, as the comparison with the plan hands them to the writing."""

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
    """What a row asks to write.

    Attributes:
        row: its number.
        cells: heading → cell, for errors that are found while writing.
        kind: NEW, CHANGED, MERGED or CONFLICT.
        action: the action; None for a new one.
        values: what the row says, by column.
        changed: the names of the columns that say something else than the action; words that are told count.
        criterion: of a new one.
        seen: the version of the action that was exported.
        exported: what the action held then, by column; None where the file no longer says so.
        unit: for whom the row speaks; None for the coordinator.
    """

    row: int
    cells: Mapping[str, ReadCell]
    kind: str
    action: ActionItem | None
    values: dict[str, Any]
    changed: list[str]
    criterion: Criterion | None = None
    seen: int = 0
    exported: dict[str, Any] | None = None
    unit: Unit | None = None

    @property
    def name(self) -> str:
        """The ref, or for a new one the row."""
        if self.action:
            return self.action.ref
        return self.values.get("ref") or _("row %(row)s") % {"row": self.row}


@dataclass(kw_only=True)
class Comparison:
    """A sheet held against a plan; `places` leads from a row to its finding."""

    table: ReadTable
    columns: ActionSheet
    findings: Findings
    edits: list[Edit] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)
