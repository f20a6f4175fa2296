"""The mark in the version column of a data sheet: version of the action, a check of action and plan, and the unit.

A row pasted into another workbook loses the hidden sheet that identifies the file, but it keeps its mark.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.utils.translation import gettext as _

from assignments.models import Unit
from pmqa_tracker.parsing.values import EDGES

MARK = re.compile(r"(\d{1,9}-[0-9a-f]{10})-([0-9a-f]{6})(?:-(\S.*))?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class RowMark:
    """The parts of a version cell.

    Attributes:
        token: version and hash of the action: "3-1f9a2b3c4d".
        check: hash that binds the token to its action, plan and unit.
        unit: abbreviation of the unit whose sheet was exported; empty for the coordinator's sheet.
    """

    token: str
    check: str
    unit: str

    def is_of(self, plan: str, ref: str) -> bool:
        """Whether the mark was exported for the action with this ref in the plan with this slug."""
        return self.check == _check(self.token, plan, ref, self.unit)


def row_mark(token: str, plan: str, ref: str, unit: Unit | None) -> str:
    """The text of a version cell: "3-1f9a2b3c4d-07bd21", with "-สพม." in the sheet of a unit."""
    name = unit.abbreviation if unit else ""
    return "-".join(filter(None, (token, _check(token, plan, ref, name), name)))


def parse_mark(text: str) -> RowMark | None:
    """The parts of a version cell; None if this site did not write it."""
    match = MARK.fullmatch(text.strip(EDGES).removeprefix("'"))
    return RowMark(token=match[1], check=match[2], unit=match[3] or "") if match else None


def _check(token: str, plan: str, ref: str, unit: str) -> str:
    return sha256("\n".join((token, plan, ref, unit)).encode("utf-8", "surrogatepass")).hexdigest()[:6]


class RowUnits:
    """The unit that each row reports for: the unit in its mark, else the unit of the file, else the coordinator."""

    def __init__(self, marks: Iterable[str], units: Sequence[Unit], unit: Unit | None, *, is_chosen: bool) -> None:
        """Read the units in the marks.

        Args:
            marks: texts of all version cells.
            units: all units.
            unit: the unit of the file; None for the coordinator's sheet.
            is_chosen: whether the user chose the unit; no row may belong to another unit then.
        """
        self.by_name = {each.abbreviation: each for each in units}
        named = {mark.unit for text in marks if (mark := parse_mark(text))}
        only_units = [self.by_name[name] for name in sorted(named) if name in self.by_name] if "" not in named else []
        self.unit, self.is_chosen = unit, is_chosen
        # A row without a mark, among rows of units, belongs to a unit and not to the coordinator.
        self.unit_of_unmarked = unit or next(iter(only_units), None)

    def unit_of(self, mark: RowMark | None) -> Unit | None:
        """The unit that a row with this mark reports for; None for the coordinator."""
        return self.unit_of_unmarked if mark is None else self.by_name.get(mark.unit) or self.unit

    def error_of(self, mark: RowMark | None, plan: str, ref: str) -> str:
        """The error of the mark of a row, for the action with this ref; empty without an error."""
        if mark is None:
            return _("This is not a version from this site. Export the file again and copy it.")
        if not mark.is_of(plan, ref):
            return _("This version belongs to another action, plan or unit. Copy the ref and the version as exported.")
        if mark.unit and mark.unit not in self.by_name:
            sentence = _("The row comes from the sheet of “%(unit)s”, a unit this site does not know.")
            return sentence % {"unit": mark.unit}
        if mark.unit and self.is_chosen and mark.unit != self.unit.abbreviation:
            sentence = _("The row comes from the sheet of %(named)s, but %(unit)s was chosen. Leave the choice empty.")
            return sentence % {"named": mark.unit, "unit": self.unit}
        return ""

    def notes(self, rows: Mapping[Unit | None, Sequence[int]]) -> list[str]:
        """A sentence for each other unit that has rows in the file; `rows` are the row numbers of each unit."""
        text = _(
            "Rows %(rows)s come from the sheet of %(unit)s: only progress changes, and the updates count for that unit."
        )
        return [
            text % {"rows": _shortened(numbers), "unit": unit}
            for unit, numbers in rows.items()
            if unit not in (None, self.unit)
        ]


def _shortened(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows[:20])) + (" …" if len(rows) > 20 else "")
