"""Note sheets of the plan form: reading notes of the document, and notes on the request."""

from collections.abc import Iterable

from openpyxl.worksheet.worksheet import Worksheet

from reports.plan_form.cells import CELL, FORM_HEADER, FORM_TITLE
from reports.plan_form.rows import FormCriterion
from spreadsheets.styles import (
    HIGHEST_ROW,
    PADDING,
    line_height,
    set_up_page,
    split_text,
    text_height,
    write,
    write_box,
)

WIDTHS = (21.0, 132.0)


def reading_notes(entries: Iterable[FormCriterion]) -> list[tuple[str, str]]:
    """Return (code or ref, note) of the criteria and actions with a reading note, in the order of the document."""
    notes = []
    for entry in entries:
        actions = [action for block in entry.blocks for action in block.actions]
        notes += [(entry.criterion.code, entry.criterion.reading_note)]
        notes += [(action.ref, action.reading_note) for action in actions]
    return [(name, note) for name, note in notes if note]


def write_notes(sheet: Worksheet, notes: Iterable[tuple[str, str]], *, footer: str) -> None:
    """Write the sheet of reading notes; Excel breaks its pages."""
    for letter, width in zip("AB", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    write_box(sheet, (1, 1, 1, 2), "หมายเหตุจากการอ่านเอกสาร", FORM_TITLE)
    sheet.row_dimensions[1].height = line_height(FORM_TITLE.size) + PADDING
    write(sheet["A2"], "เกณฑ์ / รายการ", FORM_HEADER)
    write(sheet["B2"], "หมายเหตุ", FORM_HEADER)
    sheet.row_dimensions[2].height = line_height() + 6
    parts = ((name, part) for name, note in notes for part in split_text(note, WIDTHS[1], HIGHEST_ROW))
    for row, (name, part) in enumerate(parts, start=3):
        write(sheet.cell(row, 1), name, CELL)
        write(sheet.cell(row, 2), part, CELL)
        sheet.row_dimensions[row].height = max(text_height(part, WIDTHS[1]), text_height(name, WIDTHS[0]))
    sheet.freeze_panes = "A3"
    sheet.sheet_view.showGridLines = False
    set_up_page(sheet, header_rows="2:2", footer=footer)


def write_request_notes(sheet: Worksheet, notes: Iterable[str], *, footer: str) -> None:
    """Write the sheet that lists what the request asked for and the workbook does not show."""
    sheet.column_dimensions["A"].width = sum(WIDTHS)
    for row, note in enumerate(notes, start=1):
        write(sheet.cell(row, 1), note, CELL)
        sheet.row_dimensions[row].height = text_height(note, sum(WIDTHS)) + PADDING
    sheet.sheet_view.showGridLines = False
    set_up_page(sheet, header_rows="1:1", footer=footer)
