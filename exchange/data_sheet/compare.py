"""The rows of a data sheet held against the plan: what each would change, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from assignments.models import Role, Unit
from criteria.models import Criterion, Requirement
from exchange.data_sheet.columns import WORDS, ActionSheet, ColumnGroup
from exchange.data_sheet.edits import Comparison, Edit
from exchange.data_sheet.export import SHEET
from exchange.data_sheet.marks import RowUnits, read_mark
from exchange.data_sheet.others import read_other_changes
from exchange.findings import CHANGED, CONFLICT, MERGED, NEW, CellChange, Findings, RowFinding, similar
from exchange.matching import ActionsByContent, ContentKey, ImportedReports, content_key
from exchange.tables import ReadTable
from plan.as_of import AsOf
from plan.models import ActionItem, Plan
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError

SAID_BY_KEY = ("levels", "number", "text")  # columns whose content tells what a row without a ref is about
TITLE = 90  # characters of an action's text that name it in a list


class Comparer:
    """Holds the rows of a table against the actions of a plan, read once."""

    def __init__(
        self,
        plan: Plan,
        as_of: AsOf,
        table: ReadTable,
        findings: Findings,
        *,
        unit: Unit | None = None,
        exported: Mapping[str, Mapping[str, ReadCell]] | None = None,
        is_chosen: bool = False,
    ) -> None:
        """Set up.

        Args:
            plan: whose rows these are.
            as_of: now; its periods are those of the plan.
            table: the rows.
            findings: takes what is found.
            unit: whose own sheet it is; then only its actions, and only progress, may change. A row that another
                unit's sheet was exported with speaks for that one.
            exported: ref → heading → cell, as the file was exported; it tells what its author changed of a row that
                others changed too.
            is_chosen: whether a person said whose sheet it is; then no row may be another unit's.
        """
        self.plan, self.table, self.findings = plan, table, findings
        self.unit = unit  # for whom the row speaks that is looked at
        self.exported = exported or {}
        self.columns = ActionSheet(as_of.periods, Unit.objects.in_order())
        self.headings = {name: column.heading for name, column in self.columns.columns.items()}
        actions = plan.actions.with_details().in_order()
        self.actions = {action.ref: action for action in actions}
        self.criteria = {criterion.code: criterion for criterion in Criterion.objects.leaves()}
        self.names = {
            "ref": {thai.search_key(ref): ref for ref in self.actions},
            "criterion": {thai.search_key(code): code for code in self.criteria},
        }
        self.asked = set(Requirement.objects.values_list("criterion__code", "level"))
        version = self.headings["token"]
        marks = [str(cells[version].value or "") for _number, cells in table.rows]
        self.speakers = RowUnits(marks, self.columns.units, unit, is_chosen=is_chosen)
        self.met: dict[str, dict[Unit | None, int]] = {}  # ref → for whom → row
        self.edited: dict[int, int] = {}  # action → row
        self.by_content = ActionsByContent(self.actions.values())
        self.new: dict[ContentKey, int] = {}  # content of rows without a ref → their number
        self.matched: set[str] = set()  # refs of actions that such a row is about
        self.imported = ImportedReports(plan)
        self.edits: list[Edit] = []
        self.places: dict[int, int] = {}  # row → place among the findings

    def compare(self) -> Comparison:
        """Look at every row; all that is wrong with any of them is in the findings."""
        for number, cells in self.table.rows:
            self._compare_row(number, cells)
        self.findings.notes += self.speakers.notes()
        speaking = list(self.speakers.rows) or [self.speakers.unit]
        ours = [ref for ref, action in self.actions.items() if any(self._parts(action, unit) for unit in speaking)]
        self.findings.absent = [ref for ref in ours if ref not in self.met and ref not in self.matched]
        self._find_conflicts()
        return Comparison(
            table=self.table, columns=self.columns, findings=self.findings, edits=self.edits, places=self.places
        )

    def _add_error(self, row: int, name: str, cells: Mapping[str, ReadCell], message: str, readings: Any = ()) -> None:
        heading = self.headings.get(name, "")
        self.findings.errors.append(self.table.error(row, heading, cells.get(heading, ReadCell()), message, readings))

    def _read(self, row: int, cells: Mapping[str, ReadCell]) -> tuple[dict[str, Any], set[str]]:
        """The values of a row by column, and the columns that could not be read."""
        values, unread = {}, set()
        for name, column in self.columns.columns.items():
            if column.group == ColumnGroup.SHOWN:
                continue
            try:
                value = column.read(cells)
                values[name] = self.names[name].get(thai.search_key(value), value) if name in self.names else value
            except UnreadableError as error:
                unread.add(name)
                self._add_error(row, name, cells, str(error), error.readings)
        return values, unread

    def _compare_row(self, row: int, cells: Mapping[str, ReadCell]) -> None:
        values, unread = self._read(row, cells)
        if unread & {"ref", "token"}:
            return
        values |= {"criterion": thai.match_spelling(values.get("criterion") or "", self.criteria)}
        values["ref"] = thai.match_spelling(values["ref"], self.actions)
        ref, token = values["ref"], values["token"]
        action = self.actions.get(ref)
        self.unit = self.speakers.of(row, token)
        if ref and self.unit in self.met.get(ref, {}):
            text = _("Row %(row)s is about the same action; leave one of the two.")
            self._add_error(row, "ref", cells, text % {"row": self.met[ref][self.unit]})
            return
        if ref:
            self.met.setdefault(ref, {})[self.unit] = row
        if action is None:
            self._compare_new(row, cells, values, unread)
        elif not token:
            text = _("The version is missing. Copy it from the exported file; for a new action, leave the ref empty.")
            self._add_error(row, "token", cells, text)
        elif wrong := self.speakers.error_of(token, self.plan.slug, ref):
            self._add_error(row, "token", cells, wrong)
        else:
            values["token"] = read_mark(token).token
            self._compare_known(row, cells, values, unread, action)

    # A row about an action that is there.

    def _compare_known(
        self, row: int, cells: Mapping[str, ReadCell], values: dict[str, Any], unread: set[str], action: ActionItem
    ) -> None:
        if values.get("criterion") not in ("", None, action.criterion.code):
            text = _("An action stays with its criterion (%(code)s).")
            self._add_error(row, "criterion", cells, text % {"code": action.criterion.code})
            return
        seen = int(values["token"].partition("-")[0])
        if seen > action.version:
            self._add_error(row, "token", cells, _("The plan has not come to this version yet. Export the file again."))
            return
        stored = self.columns.stored(action)
        is_current = values["token"] == self.columns.token_of(action)
        exported = stored if is_current else self._as_exported(action.ref, values["token"])
        before = exported or stored
        changed = [
            name
            for name, column in self.columns.stored_columns.items()
            if name not in unread and not self._is_same(column, values[name], before[name])
        ]
        # What others changed to the very same says nothing new.
        changed = [
            name for name in changed if not self._is_same(self.columns.columns[name], values[name], stored[name])
        ]
        # The words of a file that was imported already are not reported again.
        if is_current or changed or not self.imported.contains(action, values, seen=seen, unit=self.unit):
            changed += [name for name in WORDS if values.get(name)]
        if self._tell_shown(row, cells, action.ref):
            return
        is_whole = self._look_at_content(row, cells, action.criterion, values, changed)
        if unread or not is_whole:
            return
        if not changed:
            self.findings.unchanged += 1
        elif action.pk in self.edited:
            text = _("Row %(row)s reports on the same action for another unit. Import the rows of one unit at a time.")
            self._add_error(row, "ref", cells, text % {"row": self.edited[action.pk]})
        elif self._may(row, cells, action, changed):
            kind = CHANGED if is_current else CONFLICT
            edit = Edit(row=row, cells=cells, kind=kind, action=action, values=values, changed=changed)
            edit.seen, edit.exported, edit.unit = seen, exported, self.unit
            self.edited[action.pk] = row
            self._add(edit, stored)

    def _tell_shown(self, row: int, cells: Mapping[str, ReadCell], ref: str) -> bool:
        """Tell of words typed where the sheet only shows what was reported: they would be lost."""
        exported = self.exported.get(ref, {})
        wrong = []
        for name, column in self.columns.columns.items():
            there, before = (each.get(column.heading) for each in (cells, exported))
            if column.group == ColumnGroup.SHOWN and there and before and _words(there) not in ("", _words(before)):
                wrong.append(name)
        text = _("This column only shows what was reported. Type what is new into “%(column)s”.")
        for name in wrong:
            self._add_error(row, name, cells, text % {"column": self.headings["result"]})
        return bool(wrong)

    def _as_exported(self, ref: str, token: str) -> dict[str, Any] | None:
        """The values a row was exported with, where the file still has them as its token says."""
        cells = self.exported.get(ref)
        if cells is None:
            return None
        try:
            values = {name: column.read(cells) for name, column in self.columns.stored_columns.items()}
        except (UnreadableError, KeyError):
            return None
        return values if token.endswith(f"-{self.columns.digest(values)}") else None

    @staticmethod
    def _is_same(column: Any, value: Any, stored: Any) -> bool:
        """Whether a cell says what is stored; an empty status or progress says nothing."""
        is_silent = column.group == ColumnGroup.PROGRESS and value is None
        return is_silent or column.widget.key(value) == column.widget.key(stored)

    def _may(self, row: int, cells: Mapping[str, ReadCell], action: ActionItem, changed: list[str]) -> bool:
        """Whether a unit's own sheet may change this; a coordinator's may."""
        if self.unit is None:
            return True
        roles = self._parts(action, self.unit)
        told = []
        if not roles:
            text = _("This action belongs to %(units)s; the sheet of %(unit)s does not change it.")
            units = ", ".join(dict.fromkeys(str(each.unit) for each in action.assignments.all())) or "–"
            told.append(("ref", text % {"units": units, "unit": self.unit}))
        for name in changed if roles else ():
            column = self.columns.columns[name]
            if column.group == ColumnGroup.CONTENT:
                text = _("A unit's own sheet does not change “%(column)s”; only the coordinator does.")
                told.append((name, text % {"column": column.heading}))
            elif name in ("status", "progress") and Role.LEAD not in roles:
                text = _(
                    "%(unit)s supports this action: it adds results, and the lead unit reports status and progress."
                )
                told.append((name, text % {"unit": self.unit}))
        for name, message in told:
            self._add_error(row, name, cells, message)
        return not told

    def _parts(self, action: ActionItem, unit: Unit | None) -> set[str]:
        """The roles a unit has in an action, itself or through a collective; the coordinator has all."""
        carriers = self.speakers.with_collectives(unit) if unit else ()
        return set(Role) if unit is None else {e.role for e in action.assignments.all() if e.unit_id in carriers}

    # A row about a new action.

    def _compare_new(self, row: int, cells: Mapping[str, ReadCell], values: dict[str, Any], unread: set[str]) -> None:
        ref, token = values["ref"], values["token"]
        if token:
            text = _(
                "This plan has no action with this ref. "
                "A ref is never changed; for a new action leave ref and version empty."
            )
            self._add_error(row, "ref", cells, text, similar(ref, self.actions))
            return
        if self.unit:
            self._add_error(
                row, "ref", cells, _("New actions come in with the coordinator's data sheet, not with a unit's own.")
            )
            return
        if "criterion" in unread:
            return
        code = values["criterion"]
        criterion = self.criteria.get(code)
        is_whole = not unread
        if not code:
            self._add_error(row, "criterion", cells, _("A new action needs the code of its criterion, such as 1.1.3."))
        elif criterion is None:
            self._add_error(
                row, "criterion", cells, _("There is no criterion with this code."), similar(code, self.criteria)
            )
        asked = [name for name in ("levels", "text") if name not in unread]
        is_whole = self._look_at_content(row, cells, criterion, values, asked) and is_whole
        if is_whole and criterion and (ref or self._is_new(row, cells, values)):
            changed = [
                name
                for name in ("criterion", *self.columns.stored_columns, *WORDS)
                if values[name] not in ("", None, ())
            ]
            self._add(
                Edit(row=row, cells=cells, kind=NEW, action=None, values=values, changed=changed, criterion=criterion),
                {},
            )

    def _is_new(self, row: int, cells: Mapping[str, ReadCell], values: dict[str, Any]) -> bool:
        """Whether neither an action nor an earlier row says the same as a row without a ref; told where one does."""
        key = content_key(*(values[name] for name in ("criterion", "levels", "number", "text")))
        if key in self.new:
            text = _("Row %(row)s is about the same action; leave one of the two.")
            self._add_error(row, "text", cells, text % {"row": self.new[key]})
            return False
        self.new[key] = row
        known = self.by_content.find(key)
        if known is None:
            return True
        self.matched.add(known.ref)
        stored = self.columns.stored(known)
        others = {name: each for name, each in self.columns.stored_columns.items() if name not in SAID_BY_KEY}
        changed = [
            name
            for name, column in others.items()
            if values[name] not in ("", None, ()) and not self._is_same(column, values[name], stored[name])
        ]
        if self.imported.contains(known, values, seen=0, unit=None):
            changed = [name for name in changed if others[name].group == ColumnGroup.CONTENT]
        else:
            changed += [name for name in WORDS if values[name]]
        if changed:
            text = _("This action is there already as %(ref)s. Export the sheet again and make the change in its row.")
            self._add_error(row, changed[0], cells, text % {"ref": known.ref})
        else:
            text = _("Row %(row)s is there already as %(ref)s; it is not added again.")
            self.findings.notes.append(text % {"row": row, "ref": known.ref})
            self.findings.unchanged += 1
        return False

    def _look_at_content(
        self, row: int, cells: Mapping[str, ReadCell], criterion: Criterion | None, values: dict[str, Any], changed: Any
    ) -> bool:
        """Tell what is missing of what the row would change; whether nothing is."""
        count = len(self.findings.errors)
        if "text" in changed and not values["text"]:
            self._add_error(row, "text", cells, _("Say what is to be done."))
        if "levels" in changed and not values["levels"]:
            self._add_error(
                row, "levels", cells, _("Name the level the action answers: Basic, Advance or Significance.")
            )
        for level in values["levels"] if "levels" in changed else ():
            if criterion and (criterion.code, int(level)) not in self.asked:
                text = _("Criterion %(code)s has no requirement at the level %(level)s.")
                self._add_error(row, "levels", cells, text % {"code": criterion.code, "level": level.short})
        if "number" in changed and len(values["number"]) > ActionItem._meta.get_field("number").max_length:
            self._add_error(row, "number", cells, _("The printed number has at most 10 characters."))
        return len(self.findings.errors) == count

    def _add(self, edit: Edit, stored: Mapping[str, Any]) -> None:
        self.edits.append(edit)
        columns = self.columns.columns
        cells = [
            CellChange(
                heading=columns[name].heading,
                before=columns[name].words(stored[name]) if name in stored else "",
                after=columns[name].words(edit.values[name]),
            )
            for name in columns
            if name in edit.changed
        ]
        text = edit.action.text if edit.action else edit.values["text"]
        self.places[edit.row] = len(self.findings.rows)
        self.findings.rows.append(
            RowFinding(
                kind=edit.kind,
                sheet=SHEET,
                row=edit.row,
                name=edit.name,
                title=Truncator(text).chars(TITLE),
                cells=cells,
                nearest="" if edit.action else self.by_content.describe_nearest(edit.criterion.code, text),
            )
        )

    def _find_conflicts(self) -> None:
        """Decide for each row that others changed since the export: nothing of ours touched, merged, or a conflict."""
        stale = [edit for edit in self.edits if edit.kind == CONFLICT]
        others = read_other_changes(self.columns, [(edit.action, edit.seen, edit.exported) for edit in stale])
        for edit in stale:
            theirs = others[edit.action.pk]
            if edit.exported is not None:
                is_shared = _together(edit.changed) & _together(theirs.cells)
                edit.kind = CONFLICT if is_shared else MERGED if theirs.cells else CHANGED
            place = self.places[edit.row]
            finding = replace(self.findings.rows[place], kind=edit.kind)
            if edit.kind != CHANGED:
                left = [cell for name, cell in theirs.cells.items() if edit.kind == MERGED or name not in edit.changed]
                finding = replace(finding, others=left)
            if edit.kind == CONFLICT:
                names = [name for name in self.columns.columns if name in edit.changed]
                cells = [
                    replace(cell, before=cell.before or theirs.words.get(name, ""), **theirs.authors.get(name, {}))
                    for name, cell in zip(names, finding.cells, strict=True)
                ]
                finding = replace(finding, cells=cells)
            self.findings.rows[place] = finding


def _together(names: Iterable[str]) -> set[str]:
    """Columns, where some only mean anything together: a status and its progress, both ends of a schedule."""
    return {{"progress": "status", "last": "first"}.get(name, name) for name in names}


def _words(cell: ReadCell) -> str:
    """What two cells share that say the same, however it is spaced and spelled."""
    return thai.search_key(str("" if cell.value is None else cell.value))
