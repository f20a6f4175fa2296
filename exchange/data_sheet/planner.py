"""Plan the import of a data sheet: find the changes of its rows."""

from collections.abc import Collection
from datetime import datetime

from assignments.models import Unit
from exchange.data_sheet.columns import ActionSheet
from exchange.data_sheet.compare import Comparer
from exchange.data_sheet.edits import Comparison
from exchange.data_sheet.export import EXPORTED, SHEET
from exchange.data_sheet.write import Writer
from exchange.findings import CONFLICT, Findings
from exchange.run import Applied, ChangedMeanwhileError, ImportRun, PlannedImport
from exchange.tables import read_metadata, read_table
from plan.as_of import on_day
from plan.models import Plan
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.transactions import write_transaction
from spreadsheets.read import ReadWorkbook


class DryRunRollback(Exception):  # noqa: N818 - it ends a dry run, it is not an error
    """Roll back the transaction of a dry run."""


def plan_changes(run: ImportRun) -> PlannedImport:
    """Find the changes of each row, with its errors and conflicts.

    Raises:
        ChangedMeanwhileError: another user wrote at the same time.
    """
    planned = Findings(), 0, []
    try:
        with write_transaction():
            planned = _write(run, None)
            raise DryRunRollback
    except DryRunRollback:
        findings, count, _written = planned

    def apply(file_rows: Collection[int]) -> Applied:
        found, _count, written = _write(run, file_rows)
        kept = [row for row in findings.rows if row.kind != CONFLICT or row.row in file_rows]
        if [row for row in found.rows if row.kind != CONFLICT or row.row in file_rows] != kept:
            raise ChangedMeanwhileError(run.job.file_name)
        return Applied(changes=written, plan=run.job.plan)

    return PlannedImport(findings=findings, count=count, apply=apply)


def _write(run: ImportRun, file_rows: Collection[int] | None) -> tuple[Findings, int, list]:
    comparison = read_data_sheet(run.job.plan, run.job.unit, run.book, run.at)
    if comparison.table is None:
        return comparison.findings, 0, []
    writer = Writer(run.job.plan, comparison, access=run.access, at=run.at, job=run.job, on_progress=run.on_progress)
    written = writer.write(lambda edit: file_rows is None or edit.kind != CONFLICT or edit.row in file_rows)
    comparison.findings.sort([sheet.name for sheet in run.book.sheets])
    return comparison.findings, len(comparison.edits), written


def read_data_sheet(plan: Plan, unit: Unit | None, book: ReadWorkbook, at: datetime) -> Comparison:
    """Compare a data sheet with its plan."""
    findings = Findings()
    as_of = on_day(plan, at.date(), plan.periods.all(), cutoff=at)
    columns = ActionSheet(as_of.periods, plan.organization.units.in_order())
    table = read_table(book, SHEET, [column.heading for column in columns.columns.values()], findings)
    if table is None:
        return Comparison(table=None, columns=columns, findings=findings)
    is_chosen = unit is not None and read_metadata(book).get("unit") != unit.abbreviation
    exported = _exported(book, columns)
    return Comparer(plan, as_of, table, findings, unit=unit, exported=exported, is_chosen=is_chosen).compare()


def _exported(book: ReadWorkbook, columns: ActionSheet) -> dict[str, dict[str, ReadCell]]:
    """Ref → heading → cell at the export, from the hidden sheet; empty if that sheet is missing or damaged."""
    sheet = book.sheet(EXPORTED)
    if sheet is None or not sheet.rows:
        return {}
    headings = [str(cell.value) for cell in sheet.rows[0]]
    ref = columns.columns["ref"].heading
    empty = [ReadCell()] * len(headings)  # a row ends with its last filled cell
    rows = (dict(zip(headings, [*row, *empty], strict=False)) for row in sheet.rows[1:])
    return {str(row[ref].value): row for row in rows if ref in row}
