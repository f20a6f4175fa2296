"""Find the records that cells name, and tell mistakes from what only follows from a mistake in another row.

A cell may name a record whose own row has an error. That row is the mistake; the cell is not. If the row has lost its
own name (its code cannot be read), one name that no other record has may be its name.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model

from exchange.whole_plan.rows import PlanRow
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError

Find = Callable[[Any], Any]  # what a cell holds → the record or records that it names; raises UnreadableError
Place = tuple[str, int]  # sheet and row number


class Spellings:
    """Records by name, in any spelling that means only one of them."""

    def __init__(self, records: Mapping[str, Any]) -> None:
        self.by_name, self.by_key = records, defaultdict(list)
        for name, record in records.items():
            self.by_key[thai.search_key(name)].append(record)

    def find(self, name: str) -> Any:
        """The record with this name, or the only one with another spelling of it; None without one."""
        if not name or not self.by_name or name in self.by_name:
            return self.by_name.get(name)
        alike = self.by_key.get(thai.search_key(name), ())
        return alike[0] if len(alike) == 1 else None


@dataclass(kw_only=True, eq=False)
class Register:
    """The records of one kind that cells can name: stored ones, and those of the rows of a sheet.

    Attributes:
        names: the columns that name a record.
        index: makes a function that finds what a cell names among some records.
        unsound: ids of the records that come from rows with errors.
        owner: the plan sheet, and the lines that say whose records are the stored ones.
    """

    names: Sequence[str]
    index: Callable[[Sequence[Any]], Find]
    unsound: set[int]
    owner: tuple[PlanRow, Sequence[str]]
    records: list[Any] = field(default_factory=list)
    forms: list[Any] = field(default_factory=list)
    row_of: dict[int, PlanRow] = field(default_factory=dict)
    new_rows: list[PlanRow] = field(default_factory=list)
    finders: list[Find] = field(default_factory=list)
    known: dict[Hashable, Any] = field(default_factory=dict)
    unresolved: dict[Hashable, list[tuple[PlanRow, str, UnreadableError]]] = field(default_factory=dict)
    uses: dict[Place, set[PlanRow]] = field(default_factory=dict)

    def add(self, record: Model, row: PlanRow | None = None) -> None:
        """Add a stored record, or that of a row; all are added before the first cell is looked up."""
        if row is not None:
            self.row_of[id(record)] = row
            if record._state.adding:
                self.new_rows.append(row)
        if all(getattr(record, name, None) is not None for name in self.names):
            self.records.append(record)

    def add_forms(self, row: PlanRow, forms: Iterable[Any]) -> None:
        """Add what the record of a row with an error may be meant to be."""
        for form in forms:
            self.forms.append(form)
            self.row_of[id(form)] = row
            self.unsound.add(id(form))

    def find(self, row: PlanRow, name: str, wanted: Any) -> Any:
        """Look up what a cell names, and keep it in `row.found`; if there is nothing, `settle` says what is wrong.

        Args:
            row: the row of the cell.
            name: its column.
            wanted: what the cell holds, as `index` takes it.
        """
        key = (type(getattr(wanted, "value", None)), wanted)
        if key not in self.known:
            self.known[key] = self._find(wanted)
        found = self.known[key]
        if isinstance(found, UnreadableError):
            named = str(found) if isinstance(wanted, ReadCell) else wanted
            self.unresolved.setdefault(named, []).append((row, name, found))
            return None
        for record in found if isinstance(found, (list, tuple)) else (found,):
            if id(record) in self.unsound and id(record) in self.row_of:
                self._use(self.row_of[id(record)], row)
        row.found[name] = found
        return found

    def _find(self, wanted: Any) -> Any:
        """Find it among all records, or only the sound ones, or what a row with an error may be meant to be."""
        if not self.finders:
            sound = [each for each in self.records if id(each) not in self.unsound]
            self.finders = [self.index(some) for some in (self.records, sound, *([form] for form in self.forms))]
        errors = []
        for find in self.finders:
            try:
                return find(wanted)
            except UnreadableError as error:
                errors.append(error)
        return errors[0]

    def settle(self) -> None:
        """Add the errors of cells that name nothing, except those that may name a row that has lost its own name."""
        head, lines = self.owner
        is_empty = not self.records and head.has_error(lines)
        nameless = [
            row
            for row in self.new_rows
            if row.has_error(self.names) and not row.is_repeat and (row.table.sheet, row.number) not in self.uses
        ]
        for named, cells in sorted(self.unresolved.items(), key=lambda each: -len(each[1])):
            source = head if is_empty else next((row for row in nameless if self._may_be(row, named)), None)
            if source in nameless:
                nameless.remove(source)
            for row, name, error in cells:
                if source:
                    self._use(source, row)
                else:
                    row.add_error(name, str(error), error.readings)

    def _may_be(self, row: PlanRow, named: Hashable) -> bool:
        """Whether a row may have a name: the parts that can be read agree."""
        parts = zip(self.names, named, strict=True) if isinstance(named, tuple) else ()
        return all(row.has_error([name]) or row.values.get(name) == part for name, part in parts)

    def _use(self, source: PlanRow, row: PlanRow) -> None:
        """Count a row that names the record of another one."""
        numbers = [source.lines[name] for name, _error in source.errors if name in self.owner[1]]
        place = source.table.sheet, numbers[0] if source.lines else source.number
        if source is not row:
            self.uses.setdefault(place, set()).add(row)
