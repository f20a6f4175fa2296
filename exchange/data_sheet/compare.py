"""Compare the rows of a data sheet with the plan: find the changes, errors and conflicts of each row."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from assignments.models import Role, Unit
from assignments.unit_names import former_names
from criteria.models import Criterion, Requirement
from exchange.data_sheet.columns import TEXT_COLUMNS, ActionSheet, ColumnGroup
from exchange.data_sheet.edits import Comparison, Edit
from exchange.data_sheet.export import SHEET
from exchange.data_sheet.marks import RowUnits, parse_mark
from exchange.data_sheet.others import read_other_changes
from exchange.findings import CHANGED, CONFLICT, MERGED, NEW, CellChange, Findings, RowFinding, similar
from exchange.matching import ActionsByContent, ContentKey, ImportedReports, content_key
from exchange.tables import ReadTable
from plan.as_of import AsOf
from plan.models import ActionItem, Plan
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError

CONTENT_KEY_COLUMNS = ("levels", "number", "text")  # with the criterion, they identify a row without a ref
MAX_TITLE = 90  # characters of an action's text in the list of rows


class Comparer:
    """Compares the rows of a table with the actions of a plan, read once."""

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
        """Read the plan.

        Args:
            plan: the plan of the sheet.
            as_of: the current day, with the periods of the plan.
            table: the rows.
            findings: findings that receive rows, errors and notes.
            unit: the unit of the sheet; only progress of its actions may change. A row exported in the sheet of
                another unit reports for that unit.
            exported: ref → heading → cell at the export; shows what the user has changed in a row that others
                have changed too.
            is_chosen: whether the user chose the unit; no row may belong to another unit then.
        """
        self.plan, self.table, self.findings = plan, table, findings
        self.unit = unit  # unit of the row being compared
        self.exported = exported or {}
        units = list(plan.organization.units.in_order())
        self.columns = ActionSheet(as_of.periods, units, former_names(units))
        self.headings = {name: column.heading for name, column in self.columns.columns.items()}
        actions = plan.actions.with_details().in_order()
        self.actions = {action.ref: action for action in actions}
        self.criteria = {criterion.code: criterion for criterion in plan.framework.criteria.leaves()}
        self.names = {
            "ref": {thai.search_key(ref): ref for ref in self.actions},
            "criterion": {thai.search_key(code): code for code in self.criteria},
        }
        requirements = Requirement.objects.filter(criterion__framework=plan.framework)
        self.requirements = set(requirements.values_list("criterion__code", "level"))
        version = self.headings["token"]
        marks = [str(cells[version].value or "") for _number, cells in table.rows]
        self.row_units = RowUnits(marks, self.columns.units, unit, is_chosen=is_chosen)
        self.rows_of_ref: dict[str, dict[Unit | None, int]] = {}  # ref → unit → row
        self.edited: dict[int, int] = {}  # action pk → row
        self.by_content = ActionsByContent(self.actions.values())
        self.new: dict[ContentKey, int] = {}  # content of a row without a ref → row
        self.matched: set[str] = set()  # refs of actions found by such content
        self.imported = ImportedReports(plan)
        self.edits: list[Edit] = []
        self.finding_index: dict[int, int] = {}  # row → index in `findings.rows`

    def compare(self) -> Comparison:
        """Compare every row and collect all errors in the findings."""
        for number, cells in self.table.rows:
            self._compare_row(number, cells)
        self.findings.notes += self.row_units.notes()
        units = list(self.row_units.rows) or [self.row_units.unit]
        expected = [ref for ref, action in self.actions.items() if any(self._roles_of(action, unit) for unit in units)]
        self.findings.absent = [ref for ref in expected if ref not in self.rows_of_ref and ref not in self.matched]
        self._find_conflicts()
        return Comparison(
            table=self.table,
            columns=self.columns,
            findings=self.findings,
            edits=self.edits,
            finding_index=self.finding_index,
        )

    def _add_error(
        self, row: int, name: str, cells: Mapping[str, ReadCell], message: str, candidates: Any = ()
    ) -> None:
        heading = self.headings.get(name, "")
        self.findings.errors.append(self.table.error(row, heading, cells.get(heading, ReadCell()), message, candidates))

    def _read(self, row: int, cells: Mapping[str, ReadCell]) -> tuple[dict[str, Any], set[str]]:
        """Column → value of a row, and the columns that cannot be parsed."""
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
        self.unit = self.row_units.unit_of(row, token)
        if ref and self.unit in self.rows_of_ref.get(ref, {}):
            text = _("Row %(row)s is about the same action; keep one of the two.")
            self._add_error(row, "ref", cells, text % {"row": self.rows_of_ref[ref][self.unit]})
            return
        if ref:
            self.rows_of_ref.setdefault(ref, {})[self.unit] = row
        if action is None:
            self._compare_new(row, cells, values, unread)
        elif not token:
            text = _("The version is missing. Copy it from the exported file; for a new action, leave the ref empty.")
            self._add_error(row, "token", cells, text)
        elif wrong := self.row_units.error_of(token, self.plan.slug, ref):
            self._add_error(row, "token", cells, wrong)
        else:
            values["token"] = parse_mark(token).token
            self._compare_known(row, cells, values, unread, action)

    # Rows of existing actions.

    def _compare_known(
        self, row: int, cells: Mapping[str, ReadCell], values: dict[str, Any], unread: set[str], action: ActionItem
    ) -> None:
        if values.get("criterion") not in ("", None, action.criterion.code):
            text = _("An action cannot move to another criterion; this one belongs to %(code)s.")
            self._add_error(row, "criterion", cells, text % {"code": action.criterion.code})
            return
        base_version = int(values["token"].partition("-")[0])
        if base_version > action.version:
            self._add_error(row, "token", cells, _("This version is newer than the plan. Export the file again."))
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
        # A value that equals the site now is not a change.
        changed = [
            name for name in changed if not self._is_same(self.columns.columns[name], values[name], stored[name])
        ]
        # Texts of a file that was already imported are not reported again.
        if (
            is_current
            or changed
            or not self.imported.contains(action, values, base_version=base_version, unit=self.unit)
        ):
            changed += [name for name in TEXT_COLUMNS if values.get(name)]
        if self._report_text_in_readonly(row, cells, action.ref):
            return
        is_whole = self._check_content(row, cells, action.criterion, values, changed)
        if unread or not is_whole:
            return
        if not changed:
            self.findings.unchanged += 1
        elif action.pk in self.edited:
            text = _("Row %(row)s reports on the same action for another unit. Import the rows of one unit at a time.")
            self._add_error(row, "ref", cells, text % {"row": self.edited[action.pk]})
        elif self._is_allowed(row, cells, action, changed):
            kind = CHANGED if is_current else CONFLICT
            edit = Edit(row=row, cells=cells, kind=kind, action=action, values=values, changed=changed)
            edit.base_version, edit.exported, edit.unit = base_version, exported, self.unit
            self.edited[action.pk] = row
            self._add(edit, stored)

    def _report_text_in_readonly(self, row: int, cells: Mapping[str, ReadCell], ref: str) -> bool:
        """Add an error for text typed into a read-only column, because it would be lost."""
        exported = self.exported.get(ref, {})
        typed = []
        for name, column in self.columns.columns.items():
            cell, before = (each.get(column.heading) for each in (cells, exported))
            if column.group == ColumnGroup.SHOWN and cell and before and _text_key(cell) not in ("", _text_key(before)):
                typed.append(name)
        text = _("This column only shows the latest report. Type new text into “%(column)s”.")
        for name in typed:
            self._add_error(row, name, cells, text % {"column": self.headings["result"]})
        return bool(typed)

    def _as_exported(self, ref: str, token: str) -> dict[str, Any] | None:
        """Column → value of a row at the export; None if the exported values do not match the token."""
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
        """Whether a cell equals the stored value; an empty status or progress counts as equal."""
        is_empty = column.group == ColumnGroup.PROGRESS and value is None
        return is_empty or column.widget.comparison_key(value) == column.widget.comparison_key(stored)

    def _is_allowed(self, row: int, cells: Mapping[str, ReadCell], action: ActionItem, changed: list[str]) -> bool:
        """Whether the unit of the row may make these changes; add an error otherwise. Coordinators may make all."""
        if self.unit is None:
            return True
        roles = self._roles_of(action, self.unit)
        errors = []
        if not roles:
            text = _("This action belongs to %(units)s; the sheet of %(unit)s cannot change it.")
            units = ", ".join(dict.fromkeys(str(each.unit) for each in action.assignments.all())) or "–"
            errors.append(("ref", text % {"units": units, "unit": self.unit}))
        for name in changed if roles else ():
            column = self.columns.columns[name]
            if column.group == ColumnGroup.CONTENT:
                text = _("The sheet of a unit cannot change “%(column)s”; only the coordinator can.")
                errors.append((name, text % {"column": column.heading}))
            elif name in ("status", "progress") and Role.LEAD not in roles:
                text = _(
                    "%(unit)s supports this action: it adds results, and the lead unit reports status and progress."
                )
                errors.append((name, text % {"unit": self.unit}))
        for name, message in errors:
            self._add_error(row, name, cells, message)
        return not errors

    def _roles_of(self, action: ActionItem, unit: Unit | None) -> set[str]:
        """The roles of a unit in an action, its own or through a collective; all roles for the coordinator (None)."""
        if unit is None:
            return set(Role)
        pks = self.row_units.with_collectives(unit)
        return {each.role for each in action.assignments.all() if each.unit_id in pks}

    # Rows of new actions.

    def _compare_new(self, row: int, cells: Mapping[str, ReadCell], values: dict[str, Any], unread: set[str]) -> None:
        ref, token = values["ref"], values["token"]
        if token:
            text = _(
                "This plan has no action with this ref. "
                "A ref cannot be changed; for a new action leave ref and version empty."
            )
            self._add_error(row, "ref", cells, text, similar(ref, self.actions))
            return
        if self.unit:
            text = _("New actions can only be added with the coordinator's data sheet, not with the sheet of a unit.")
            self._add_error(row, "ref", cells, text)
            return
        if "criterion" in unread:
            return
        code = values["criterion"]
        criterion = self.criteria.get(code)
        is_whole = not unread
        if not code:
            self._add_error(row, "criterion", cells, _("A new action needs the code of its criterion, such as 1.1.3."))
        elif criterion is None:
            text = _("There is no criterion with this code.")
            self._add_error(row, "criterion", cells, text, similar(code, self.criteria))
        required = [name for name in ("levels", "text") if name not in unread]
        is_whole = self._check_content(row, cells, criterion, values, required) and is_whole
        if is_whole and criterion and (ref or self._is_new(row, cells, values)):
            names = ("criterion", *self.columns.stored_columns, *TEXT_COLUMNS)
            changed = [name for name in names if values[name] not in ("", None, ())]
            edit = Edit(row=row, cells=cells, kind=NEW, action=None, values=values, changed=changed)
            edit.criterion = criterion
            self._add(edit, {})

    def _is_new(self, row: int, cells: Mapping[str, ReadCell], values: dict[str, Any]) -> bool:
        """Whether a row without a ref is a new action; add an error or note if its content exists already."""
        key = content_key(*(values[name] for name in ("criterion", "levels", "number", "text")))
        if key in self.new:
            text = _("Row %(row)s is about the same action; keep one of the two.")
            self._add_error(row, "text", cells, text % {"row": self.new[key]})
            return False
        self.new[key] = row
        known = self.by_content.find(key)
        if known is None:
            return True
        self.matched.add(known.ref)
        stored = self.columns.stored(known)
        others = {name: each for name, each in self.columns.stored_columns.items() if name not in CONTENT_KEY_COLUMNS}
        changed = [
            name
            for name, column in others.items()
            if values[name] not in ("", None, ()) and not self._is_same(column, values[name], stored[name])
        ]
        if self.imported.contains(known, values, base_version=0, unit=None):
            changed = [name for name in changed if others[name].group == ColumnGroup.CONTENT]
        else:
            changed += [name for name in TEXT_COLUMNS if values[name]]
        if changed:
            text = _("This action already exists as %(ref)s. Export the sheet again and make the change in its row.")
            self._add_error(row, changed[0], cells, text % {"ref": known.ref})
        else:
            text = _("Row %(row)s already exists as %(ref)s; it is not added again.")
            self.findings.notes.append(text % {"row": row, "ref": known.ref})
            self.findings.unchanged += 1
        return False

    def _check_content(
        self, row: int, cells: Mapping[str, ReadCell], criterion: Criterion | None, values: dict[str, Any], changed: Any
    ) -> bool:
        """Check the changed text, levels and number of a row; add an error for each problem. True without errors."""
        count = len(self.findings.errors)
        if "text" in changed and not values["text"]:
            self._add_error(row, "text", cells, _("Enter the text of the action."))
        if "levels" in changed and not values["levels"]:
            text = _("Name the level the action answers: Basic, Advance or Significance.")
            self._add_error(row, "levels", cells, text)
        for level in values["levels"] if "levels" in changed else ():
            if criterion and (criterion.code, int(level)) not in self.requirements:
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
                before=columns[name].display(stored[name]) if name in stored else "",
                after=columns[name].display(edit.values[name]),
            )
            for name in columns
            if name in edit.changed
        ]
        text = edit.action.text if edit.action else edit.values["text"]
        self.finding_index[edit.row] = len(self.findings.rows)
        self.findings.rows.append(
            RowFinding(
                kind=edit.kind,
                sheet=SHEET,
                row=edit.row,
                name=edit.name,
                title=Truncator(text).chars(MAX_TITLE),
                cells=cells,
                nearest="" if edit.action else self.by_content.describe_nearest(edit.criterion.code, text),
            )
        )

    def _find_conflicts(self) -> None:
        """Decide for each row that was edited after the export whether it is a plain change, merged or a conflict."""
        stale = [edit for edit in self.edits if edit.kind == CONFLICT]
        others = read_other_changes(self.columns, [(edit.action, edit.base_version, edit.exported) for edit in stale])
        for edit in stale:
            theirs = others[edit.action.pk]
            if edit.exported is not None:
                is_shared = _linked_columns(edit.changed) & _linked_columns(theirs.cells)
                edit.kind = CONFLICT if is_shared else MERGED if theirs.cells else CHANGED
            index = self.finding_index[edit.row]
            finding = replace(self.findings.rows[index], kind=edit.kind)
            if edit.kind != CHANGED:
                kept = [cell for name, cell in theirs.cells.items() if edit.kind == MERGED or name not in edit.changed]
                finding = replace(finding, others=kept)
            if edit.kind == CONFLICT:
                names = [name for name in self.columns.columns if name in edit.changed]
                cells = [
                    replace(cell, before=cell.before or theirs.texts.get(name, ""), **theirs.authors.get(name, {}))
                    for name, cell in zip(names, finding.cells, strict=True)
                ]
                finding = replace(finding, cells=cells)
            self.findings.rows[index] = finding


def _linked_columns(names: Iterable[str]) -> set[str]:
    """Columns, with linked ones under one name: status and progress, first and last period."""
    return {{"progress": "status", "last": "first"}.get(name, name) for name in names}


def _text_key(cell: ReadCell) -> str:
    """A key that cells with the same text share, whatever their spacing and spelling."""
    return thai.search_key(str("" if cell.value is None else cell.value))
