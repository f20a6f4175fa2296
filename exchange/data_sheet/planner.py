"""Plan the import of a data sheet: read the plan once, compare the rows with it, and decide what they write."""

from collections.abc import Collection

from exchange.data_sheet.columns import ACTION_COLUMNS
from exchange.data_sheet.compare import compare
from exchange.data_sheet.decide import change_note, decide
from exchange.data_sheet.export import EXPORTED, SHEET
from exchange.data_sheet.site import read_site_plan
from exchange.data_sheet.write import write_changes
from exchange.findings import CONFLICT, Findings
from exchange.run import Applied, ImportRun, PlannedImport
from exchange.tables import read_metadata, read_table
from pmqa_tracker.parsing.cell import ReadCell
from spreadsheets.read import ReadWorkbook


def plan_changes(run: ImportRun) -> PlannedImport:
    """Find the changes of each row, with its errors and conflicts."""
    findings = Findings()
    site = read_site_plan(run.job.plan_id, run.access.user)
    table = read_table(run.book, SHEET, [column.heading for column in ACTION_COLUMNS.values()], findings)
    if table is None:
        return PlannedImport(findings=findings, count=0, apply=lambda _rows: Applied(changes=[], plan=site.plan))
    unit = run.job.unit
    is_chosen = unit is not None and read_metadata(run.book).get("unit") != unit.abbreviation
    compared = compare(site, table, unit=unit, exported=_exported(run.book), is_chosen=is_chosen)
    decisions = decide(compared.edits, site, run)
    shown = [decision for decision in decisions if not decision.edit.wrong]
    findings.rows = [decision.finding for decision in shown]
    findings.errors += [*compared.errors, *(error for decision in decisions for error in decision.errors)]
    findings.notes += compared.notes
    findings.absent, findings.unchanged = list(compared.absent), compared.unchanged
    findings.sort([sheet.name for sheet in run.book.sheets])

    def apply(file_rows: Collection[int]) -> Applied:
        chosen = [
            decision
            for decision in shown
            if decision.change and (decision.finding.kind != CONFLICT or decision.finding.row in file_rows)
        ]
        write_changes(site.plan, [decision.change for decision in chosen], change_note(run))
        changes = [{"pk": decision.change.action.pk, **decision.undo} for decision in chosen]
        return Applied(changes=changes, plan=site.plan)

    return PlannedImport(findings=findings, count=len(shown), apply=apply)


def _exported(book: ReadWorkbook) -> dict[str, dict[str, ReadCell]]:
    """Ref → heading → cell at the export, from the hidden sheet; empty if that sheet is missing or damaged."""
    sheet = book.sheet(EXPORTED)
    if sheet is None or not sheet.rows:
        return {}
    headings = [str(cell.value) for cell in sheet.rows[0]]
    ref = ACTION_COLUMNS["ref"].heading
    empty = [ReadCell()] * len(headings)  # a row ends with its last filled cell
    rows = (dict(zip(headings, [*row, *empty], strict=False)) for row in sheet.rows[1:])
    return {str(row[ref].value): row for row in rows if ref in row}
