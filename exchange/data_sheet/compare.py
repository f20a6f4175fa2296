"""Compare the rows of a data sheet with the plan: find the changes, errors and conflicts of each row."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from assignments.models import Role, Unit
from criteria.models import Criterion
from exchange.data_sheet.columns import ACTION_COLUMNS, TEXT_COLUMNS, ColumnGroup, linked_columns
from exchange.data_sheet.edits import Comparison, Edit, RowResult, SheetRow
from exchange.data_sheet.marks import RowUnits, parse_mark
from exchange.data_sheet.others import read_other_changes
from exchange.data_sheet.site import SitePlan
from exchange.findings import CHANGED, CONFLICT, MERGED, NEW
from exchange.matching import content_key
from exchange.tables import ReadTable
from plan.models import ActionItem
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.nearest import nearest

CONTENT_KEY_COLUMNS = ("levels", "number", "text")  # with the criterion, they identify a row without a ref
TYPED_COLUMNS = [name for name, column in ACTION_COLUMNS.items() if column.group != ColumnGroup.SHOWN]
Problem = tuple[str, str]  # column and message


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A data sheet and its plan.

    Attributes:
        site: the plan on the site.
        table: the rows of the file.
        units: the units that the rows report for.
        exported: ref → heading → cell at the export; shows what the user has changed in a row that others have
            changed too.
    """

    site: SitePlan
    table: ReadTable
    units: RowUnits
    exported: Mapping[str, Mapping[str, ReadCell]]


def compare(
    site: SitePlan,
    table: ReadTable,
    *,
    unit: Unit | None,
    exported: Mapping[str, Mapping[str, ReadCell]],
    is_chosen: bool,
) -> Comparison:
    """Compare every row with the plan.

    Args:
        site: the plan on the site.
        table: the rows of the file.
        unit: the unit of the sheet; only progress of its actions may change. A row exported in the sheet of another
            unit reports for that unit.
        exported: ref → heading → cell at the export.
        is_chosen: whether the user chose the unit; no row may belong to another unit then.
    """
    marks = (str(cells[ACTION_COLUMNS["token"].heading].value or "") for _number, cells in table.rows)
    units = RowUnits(marks, site.columns.units, unit, is_chosen=is_chosen)
    sheet = Sheet(site=site, table=table, units=units, exported=exported)
    read: dict[Hashable, Any] = {}
    rows = [_read_row(sheet, number, cells, read) for number, cells in table.rows]
    firsts: dict[Hashable, int] = {}
    results = [_compare_row(row, sheet, firsts) for row in rows]
    of_units = defaultdict(list)
    for row in rows:
        if not row.unread.keys() & {"ref", "token"}:
            of_units[row.unit].append(row.number)
    named = {row.values.get("ref") for row in rows} | {result.same_as for result in results}
    reporting = list(of_units) or [unit]
    return Comparison(
        edits=_with_conflicts([result.edit for result in results if result.edit], site),
        errors=[
            error for row, result in zip(rows, results, strict=True) for error in (*row.unread.values(), *result.errors)
        ],
        notes=[*(result.note for result in results if result.note), *units.notes(of_units)],
        absent=[
            ref
            for ref, action in site.actions.items()
            if ref not in named and any(site.roles_of(action, each) for each in reporting)
        ],
        unchanged=sum(result.is_unchanged for result in results),
    )


def _read_row(sheet: Sheet, number: int, cells: Mapping[str, ReadCell], read: dict[Hashable, Any]) -> SheetRow:
    """Parse the cells of a row.

    Args:
        sheet: the sheet.
        number: row number.
        cells: heading → cell.
        read: values of the cells so far; many cells of a column are equal.
    """
    values, errors = {}, {}
    for name in TYPED_COLUMNS:
        value = _read_cell(sheet.site, name, cells, read)
        if isinstance(value, UnreadableError):
            errors[name] = value
        else:
            values[name] = sheet.site.usual_spelling(name, value) if name in ("ref", "criterion") else value
    mark = parse_mark(values.get("token") or "")
    unit = sheet.units.unit_of(mark)
    row = SheetRow(table=sheet.table, number=number, cells=cells, values=values, unread={}, mark=mark, unit=unit)
    unread = {name: row.error(name, str(error), error.readings) for name, error in errors.items()}
    return replace(row, unread=unread) if unread else row


def _read_cell(site: SitePlan, name: str, cells: Mapping[str, ReadCell], read: dict[Hashable, Any]) -> Any:
    """The value of a cell, or the error why it cannot be parsed."""
    column = site.columns.columns[name]
    cell = cells[column.heading]
    key = (name, type(cell.value), cell)  # 1, 1.0 and TRUE are equal
    if key not in read:
        try:
            read[key] = column.read(cells)
        except UnreadableError as error:
            read[key] = error
    return read[key]


def _compare_row(row: SheetRow, sheet: Sheet, firsts: dict[Hashable, int]) -> RowResult:
    """Compare a row; `firsts` holds the first row about each thing, to find rows about the same."""
    if row.unread.keys() & {"ref", "token"}:
        return RowResult()
    ref, action = row.values["ref"], sheet.site.actions.get(row.values["ref"])
    if ref and (first := firsts.setdefault(("ref", ref, row.unit), row.number)) != row.number:
        return RowResult(errors=[row.error("ref", _repeated(first))])
    if action is None:
        return _compare_new(row, sheet, firsts)
    if not row.values["token"]:
        text = _("The version is missing. Copy it from the exported file; for a new action, leave the ref empty.")
        return RowResult(errors=[row.error("token", text)])
    if wrong := sheet.units.error_of(row.mark, sheet.site.plan.slug, ref):
        return RowResult(errors=[row.error("token", wrong)])
    result = _compare_known(row, action, sheet)
    if result.edit and not result.edit.wrong:
        first = firsts.setdefault(("action", action.pk), row.number)
        if first != row.number:
            text = _("Row %(row)s reports on the same action for another unit. Import the rows of one unit at a time.")
            return RowResult(errors=[row.error("ref", text % {"row": first})])
    return result


def _repeated(first: int) -> str:
    return _("Row %(row)s is about the same action; keep one of the two.") % {"row": first}


# Rows of existing actions.


def _compare_known(row: SheetRow, action: ActionItem, sheet: Sheet) -> RowResult:
    columns, values = sheet.site.columns, row.values
    if values.get("criterion") not in ("", None, action.criterion.code):
        text = _("An action cannot move to another criterion; this one belongs to %(code)s.")
        return RowResult(errors=[row.error("criterion", text % {"code": action.criterion.code})])
    token = row.mark.token if row.mark else ""  # `RowUnits.error_of` refuses a row without one
    base_version = int(token.partition("-")[0])
    if base_version > action.version:
        return RowResult(errors=[row.error("token", _("This version is newer than the plan. Export the file again."))])
    stored = columns.stored(action)
    current = columns.token(action.version, stored)
    is_current = token == current
    exported = stored if is_current else _as_exported(sheet, action.ref, token)
    # A value that equals the site now is not a change.
    changed = [
        name
        for name in columns.stored_columns
        if name not in row.unread
        and _is_changed(sheet.site, name, values[name], (exported or stored)[name])
        and _is_changed(sheet.site, name, values[name], stored[name])
    ]
    # Texts of a file that was already imported are not reported again.
    imported = sheet.site.imported
    if is_current or changed or not imported.contains(action, values, base_version=base_version, unit=row.unit):
        changed += [name for name in TEXT_COLUMNS if values.get(name)]
    problems = _typed_in_readonly(row, action.ref, sheet)
    problems += _check_content(row, action.criterion, changed, sheet.site)
    problems += _not_allowed(row, action, changed, sheet.site) if changed else []
    errors = [row.error(*problem) for problem in problems]
    wrong = frozenset({*row.unread, *(name for name, _message in problems)})
    wrong |= {"result"} if "latest_result" in wrong else set()
    if not changed or "ref" in wrong:
        return RowResult(errors=errors, is_unchanged=not changed and not wrong)
    edit = Edit(
        row=row, kind=CHANGED if is_current else CONFLICT, action=action, stored=stored, token=current, changed=changed,
        wrong=wrong, base_version=base_version, exported=exported,
    )  # fmt: skip
    return RowResult(edit=edit, errors=errors)


def _typed_in_readonly(row: SheetRow, ref: str, sheet: Sheet) -> list[Problem]:
    """The problem of text typed into a read-only column, because it would be lost."""
    exported = sheet.exported.get(ref, {})
    text = _("This column only shows the latest report. Type new text into “%(column)s”.")
    message = text % {"column": ACTION_COLUMNS["result"].heading}
    problems = []
    for name, column in sheet.site.columns.columns.items():
        cell, before = (each.get(column.heading) for each in (row.cells, exported))
        is_edited = column.group == ColumnGroup.SHOWN and cell and before and cell != before
        if is_edited and _text_key(cell) not in ("", _text_key(before)):
            problems.append((name, message))
    return problems


def _as_exported(sheet: Sheet, ref: str, token: str) -> dict[str, Any] | None:
    """Column → value of a row at the export; None if the exported values do not match the token."""
    cells, columns = sheet.exported.get(ref), sheet.site.columns
    if cells is None:
        return None
    try:
        values = {name: column.read(cells) for name, column in columns.stored_columns.items()}
    except (UnreadableError, KeyError):
        return None
    return values if token.endswith(f"-{columns.digest(values)}") else None


def _is_changed(site: SitePlan, name: str, value: Any, stored: Any) -> bool:
    """Whether a cell differs from the stored value; an empty status or progress does not."""
    is_empty = ACTION_COLUMNS[name].group == ColumnGroup.PROGRESS and value is None
    return not is_empty and not site.columns.is_same(name, value, stored)


def _not_allowed(row: SheetRow, action: ActionItem, changed: Iterable[str], site: SitePlan) -> list[Problem]:
    """The changes that the unit of the row may not make. Coordinators may make all."""
    roles = site.roles_of(action, row.unit)
    if row.unit is None:
        return []
    if not roles:
        text = _("This action belongs to %(units)s; the sheet of %(unit)s cannot change it.")
        units = ", ".join(dict.fromkeys(str(each.unit) for each in action.assignments.all())) or "–"
        return [("ref", text % {"units": units, "unit": row.unit})]
    problems = []
    for name in changed:
        column = ACTION_COLUMNS[name]
        if column.group == ColumnGroup.CONTENT:
            text = _("The sheet of a unit cannot change “%(column)s”; only the coordinator can.")
            problems.append((name, text % {"column": column.heading}))
        elif name in ("status", "progress") and Role.LEAD not in roles:
            text = _("%(unit)s supports this action: it adds results, and the lead unit reports status and progress.")
            problems.append((name, text % {"unit": row.unit}))
    return problems


# Rows of new actions.


def _compare_new(row: SheetRow, sheet: Sheet, firsts: dict[Hashable, int]) -> RowResult:
    site, values = sheet.site, row.values
    if values["token"]:
        text = _(
            "This plan has no action with this ref. "
            "A ref cannot be changed; for a new action leave ref and version empty."
        )
        return RowResult(errors=[row.error("ref", text, nearest(values["ref"], site.actions))])
    if row.unit:
        text = _("New actions can only be added with the coordinator's data sheet, not with the sheet of a unit.")
        return RowResult(errors=[row.error("ref", text)])
    code = values.get("criterion", "")
    criterion = site.criteria.get(code)
    errors = []
    if "criterion" not in row.unread and not code:
        errors.append(row.error("criterion", _("A new action needs the code of its criterion, such as 1.1.3.")))
    elif "criterion" not in row.unread and criterion is None:
        text = _("There is no criterion with this code.")
        errors.append(row.error("criterion", text, nearest(code, site.criteria)))
    required = [name for name in ("levels", "text") if name not in row.unread]
    problems = _check_content(row, criterion, required, site)
    errors += [row.error(*problem) for problem in problems]
    if criterion is None:
        return RowResult(errors=errors)
    wrong = frozenset({*row.unread, *(name for name, _message in problems)})
    names = ("criterion", *site.columns.stored_columns, *TEXT_COLUMNS)
    changed = [name for name in names if values.get(name) not in ("", None, ())]
    edit = Edit(row=row, kind=NEW, action=None, stored={}, token="", changed=changed, wrong=wrong, criterion=criterion)
    if wrong or values["ref"]:
        return RowResult(edit=edit, errors=errors)
    return _compare_content(edit, site, firsts)


def _compare_content(edit: Edit, site: SitePlan, firsts: dict[Hashable, int]) -> RowResult:
    """Compare a row without a ref with the actions and the other new rows: its content may exist already."""
    row, values = edit.row, edit.values
    key = content_key(*(values[name] for name in ("criterion", "levels", "number", "text")))
    if (first := firsts.setdefault(("content", key), row.number)) != row.number:
        return RowResult(errors=[row.error("text", _repeated(first))])
    known = site.by_content.find(key)
    if known is None:
        return RowResult(edit=edit)
    stored = site.columns.stored(known)
    names = [name for name in site.columns.stored_columns if name not in CONTENT_KEY_COLUMNS]
    changed = [
        name
        for name in names
        if values[name] not in ("", None, ()) and _is_changed(site, name, values[name], stored[name])
    ]
    if site.imported.contains(known, values, base_version=0, unit=None):
        changed = [name for name in changed if ACTION_COLUMNS[name].group == ColumnGroup.CONTENT]
    else:
        changed += [name for name in TEXT_COLUMNS if values[name]]
    if changed:
        text = _("This action already exists as %(ref)s. Export the sheet again and make the change in its row.")
        return RowResult(errors=[row.error(changed[0], text % {"ref": known.ref})], same_as=known.ref)
    text = _("Row %(row)s already exists as %(ref)s; it is not added again.")
    return RowResult(note=text % {"row": row.number, "ref": known.ref}, is_unchanged=True, same_as=known.ref)


def _check_content(row: SheetRow, criterion: Criterion | None, changed: Sequence[str], site: SitePlan) -> list[Problem]:
    """The problems of the changed text, levels and number of a row."""
    values, problems = row.values, []
    if "text" in changed and not values["text"]:
        problems.append(("text", _("Enter the text of the action.")))
    if "levels" in changed and not values["levels"]:
        problems.append(("levels", _("Name the level the action answers: Basic, Advance or Significance.")))
    for level in values["levels"] if "levels" in changed else ():
        if criterion and (criterion.code, int(level)) not in site.requirements:
            text = _("Criterion %(code)s has no requirement at the level %(level)s.")
            problems.append(("levels", text % {"code": criterion.code, "level": level.short}))
    if "number" in changed and len(values["number"]) > ActionItem._meta.get_field("number").max_length:
        problems.append(("number", _("The printed number has at most 10 characters.")))
    return problems


# Rows that other users have changed too.


def _with_conflicts(edits: Sequence[Edit], site: SitePlan) -> list[Edit]:
    """Decide for each row that was edited after the export whether it is a plain change, merged or a conflict."""
    stale = [edit for edit in edits if edit.kind == CONFLICT]
    others = read_other_changes(site.columns, [(edit.action, edit.base_version, edit.exported) for edit in stale])
    return [
        replace(edit, **_resolved(edit, others[edit.action.pk])) if edit.kind == CONFLICT else edit for edit in edits
    ]


def _resolved(edit: Edit, others: Any) -> dict[str, Any]:
    if edit.exported is None:
        return {"others": others}
    is_shared = linked_columns(edit.changed) & linked_columns(others.cells)
    return {"others": others, "kind": CONFLICT if is_shared else MERGED if others.cells else CHANGED}


def _text_key(cell: ReadCell) -> str:
    """A key that cells with the same text share, whatever their spacing and spelling."""
    return thai.search_key(str("" if cell.value is None else cell.value))
