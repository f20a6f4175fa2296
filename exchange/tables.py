"""Find a table in an uploaded workbook: its sheet, headings and rows; report what is missing or was changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from openpyxl.utils import get_column_letter, range_boundaries

from exchange.findings import CellError, Findings, cell_error
from exchange.workbook import METADATA_SHEET
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import EMPTY_CELL, ReadCell
from pmqa_tracker.parsing.nearest import nearest
from spreadsheets.read import ReadSheet, ReadWorkbook

MAX_HEADING_ROW = 60  # the headings are searched down to this row


@dataclass(frozen=True, kw_only=True)
class ReadTable:
    """The rows of a sheet by heading.

    Attributes:
        sheet: name of the sheet.
        columns: heading → column number, from 1.
        rows: (row number, heading → cell) of each row that is not empty.
    """

    sheet: str
    columns: dict[str, int]
    rows: list[tuple[int, dict[str, ReadCell]]]

    def error(self, row: int, heading: str, cell: ReadCell, message: str, candidates: Sequence[str] = ()) -> CellError:
        """An error at the cell of a row under a heading, or at the row if the heading is empty."""
        return cell_error(self.sheet, row, self.columns.get(heading, 0), heading, cell, message, candidates)


def read_metadata(book: ReadWorkbook) -> dict[str, str]:
    """Name → text from the hidden sheet that identifies the file; empty without that sheet."""
    sheet = book.sheet(METADATA_SHEET)
    rows = [[cell.value for cell in row[:2]] for row in (sheet.rows if sheet else ())]
    return {str(row[0]): str(row[1]) for row in rows if len(row) == 2 and row[0] is not None and row[1] is not None}


def read_table(book: ReadWorkbook, name: str, headings: Sequence[str], found: Findings) -> ReadTable | None:
    """The table of a sheet, or None if it cannot be read. Errors and notes are added to `found`.

    Args:
        book: the workbook.
        name: name of the sheet.
        headings: the required columns.
        found: findings that receive the errors and notes.
    """
    count = len(found.errors)
    sheet = _find_sheet(book, name, headings, found)
    if sheet is None and len(found.errors) == count:
        sheets = ", ".join(f"“{each.name}”" for each in book.sheets if not each.is_hidden)
        text = _("The workbook has no sheet “%(name)s” (its sheets: %(sheets)s). Use the file exported by this site.")
        found.errors.append(CellError(sheet=name, message=text % {"name": name, "sheets": sheets}))
    if sheet is None:
        return None
    name = sheet.name
    top, columns = _find_headings(sheet, headings)
    missing = [heading for heading in headings if heading not in columns]
    others = _unknown(sheet, top, headings)
    if missing:
        found.errors += [
            CellError(sheet=name, row=top, heading=heading, message=_missing(heading, others)) for heading in missing
        ]
        return None
    repeated = _repeated(sheet, top, headings)
    if repeated:
        text = _("The column “%(heading)s” appears twice; remove one of them.")
        found.errors += [
            CellError(sheet=name, row=top, heading=each, message=text % {"heading": each}) for each in repeated
        ]
        return None
    _note_others(sheet, others, found)
    if _report_merged(sheet, top, columns, found):
        return None
    rows = list(_rows(sheet, top, columns))
    _note_hidden(sheet, {number for number, _cells in rows}, columns, found)
    return ReadTable(sheet=name, columns=columns, rows=rows)


def _find_sheet(book: ReadWorkbook, name: str, headings: Sequence[str], found: Findings) -> ReadSheet | None:
    """The sheet of this name; without one, the only visible sheet that has all headings."""
    named = book.sheet(name)
    others = [each for each in book.sheets if not (each is named or each.is_hidden or each.is_broken)]
    alike = [each for each in others if len(_find_headings(each, headings)[1]) == len(headings)]
    names = ", ".join(f"“{each.name}”" for each in alike)
    if named and alike:
        text = _("Only the sheet “%(name)s” was read; the same table is also on %(others)s.")
        found.notes.append(text % {"name": name, "others": names})
    elif len(alike) > 1:
        text = _("The table is on several sheets (%(names)s). Put all rows on one sheet called “%(name)s”.")
        found.errors.append(CellError(sheet=name, message=text % {"name": name, "names": names}))
    elif alike:
        text = _("The sheet %(other)s was read as “%(name)s”: it holds that table.")
        found.notes.append(text % {"name": name, "other": names})
    return named or (alike[0] if len(alike) == 1 else None)


def _find_headings(sheet: ReadSheet, headings: Sequence[str]) -> tuple[int, dict[str, int]]:
    """The row with the most headings, and heading → column in it."""
    wanted = {thai.search_key(heading): heading for heading in headings}
    best: tuple[int, dict[str, int]] = (1, {})
    for number, row in enumerate(sheet.rows[:MAX_HEADING_ROW], start=1):
        columns: dict[str, int] = {}
        for column, cell in enumerate(row, start=1):
            heading = wanted.get(thai.search_key(str(cell.value or "")))
            if heading:
                columns.setdefault(heading, column)
        if len(columns) > len(best[1]):
            best = (number, columns)
    return best


def _headings_of(sheet: ReadSheet, top: int) -> dict[int, str]:
    row = sheet.rows[top - 1] if sheet.rows else []
    texts = {column: str(cell.value or "").strip() for column, cell in enumerate(row, start=1)}
    return {column: text for column, text in texts.items() if text}


def _unknown(sheet: ReadSheet, top: int, headings: Sequence[str]) -> dict[int, str]:
    known = {thai.search_key(heading) for heading in headings}
    return {column: text for column, text in _headings_of(sheet, top).items() if thai.search_key(text) not in known}


def _repeated(sheet: ReadSheet, top: int, headings: Sequence[str]) -> list[str]:
    keys = [thai.search_key(text) for text in _headings_of(sheet, top).values()]
    return [heading for heading in headings if keys.count(thai.search_key(heading)) > 1]


def _missing(heading: str, others: dict[int, str]) -> str:
    similar = nearest(heading, others.values(), least=0.6)
    if similar:
        text = _("The column “%(heading)s” is missing. Was it renamed to “%(similar)s”? Restore its name.")
        return text % {"heading": heading, "similar": similar[0]}
    return _("The column “%(heading)s” is missing. Export the file again, or add the column again.") % {
        "heading": heading
    }


def _note_others(sheet: ReadSheet, others: dict[int, str], found: Findings) -> None:
    """Note the columns that users have added: they are not imported."""
    if others:
        names = ", ".join(f"“{text}” ({get_column_letter(column)})" for column, text in others.items())
        text = _("Sheet “%(sheet)s”: columns that are not part of the form are not imported: %(names)s.")
        found.notes.append(text % {"sheet": sheet.name, "names": names})


def _report_merged(sheet: ReadSheet, top: int, columns: dict[str, int], found: Findings) -> bool:
    """Refuse merged cells in the table: it is unclear which rows the value belongs to."""
    numbers = set(columns.values())
    wrong = []
    for area in sheet.merged:
        left, first, right, last = range_boundaries(area)
        if last > top and any(left <= column <= right for column in numbers) and first > top - 1:
            wrong.append(area)
    text = _("The cells %(area)s are merged. Unmerge them and fill in each row.")
    found.errors += [
        CellError(sheet=sheet.name, row=range_boundaries(area)[1], message=text % {"area": area}) for area in wrong
    ]
    return bool(wrong)


def _rows(sheet: ReadSheet, top: int, columns: dict[str, int]) -> Iterator[tuple[int, dict[str, ReadCell]]]:
    for number, row in enumerate(sheet.rows[top:], start=top + 1):
        cells = {heading: row[column - 1] if column <= len(row) else EMPTY_CELL for heading, column in columns.items()}
        if any(cell.error or str("" if cell.value is None else cell.value).strip() for cell in cells.values()):
            yield number, cells


def _note_hidden(sheet: ReadSheet, filled: set[int], columns: dict[str, int], found: Findings) -> None:
    """Note hidden rows and columns: they are read like the others."""
    rows = sorted(sheet.hidden_rows & filled)
    if rows:
        text = ngettext(
            "Sheet “%(sheet)s”: %(count)s hidden row was read like the others (row %(rows)s).",
            "Sheet “%(sheet)s”: %(count)s hidden rows were read like the others (rows %(rows)s).",
            len(rows),
        )
        shown = ", ".join(map(str, rows[:20])) + (" …" if len(rows) > 20 else "")
        found.notes.append(text % {"sheet": sheet.name, "count": len(rows), "rows": shown})
    hidden = [heading for heading, column in columns.items() if column in sheet.hidden_columns]
    if hidden:
        text = _("Sheet “%(sheet)s”: hidden columns were read like the others: %(names)s.")
        found.notes.append(text % {"sheet": sheet.name, "names": ", ".join(hidden)})
