"""Export, edit, preview and confirm workbooks in tests, and hash the content of the database."""

from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import Any

from django.db import connection
from openpyxl import Workbook, load_workbook

from assignments.access import Access
from assignments.models import Assignment, Unit, User
from criteria.models import Assessment, Category, Criterion, Requirement, Verdict
from exchange import jobs
from exchange.data_sheet.columns import ACTION_COLUMNS
from exchange.data_sheet.export import SHEET, build_data_sheet
from exchange.models import ImportJob
from exchange.run import ImportRun
from plan.models import ActionItem, Period, Plan, ProgressUpdate
from plan.models.plan import REVISIONS
from pmqa_tracker import clock
from pmqa_tracker.tasks.models import ignore_progress
from spreadsheets.read import ReadWorkbook

HEADINGS = {name: column.heading for name, column in ACTION_COLUMNS.items()}
KEPT = (
    Category,
    Criterion,
    Requirement,
    Assessment,
    Verdict,
    Unit,
    Plan,
    Period,
    ActionItem,
    Assignment,
    ProgressUpdate,
)


def saved(book: Workbook) -> bytes:
    """A workbook as a file."""
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def exported(plan: Plan, unit: Unit | None = None) -> bytes:
    """The data sheet of a plan as a file."""
    return saved(build_data_sheet(plan, clock.now(), unit=unit))


def opened(data: bytes) -> tuple[Workbook, Any, dict[str, int]]:
    """A data sheet as Excel opens it: the workbook, its sheet, and the column of each name."""
    book = load_workbook(BytesIO(data))
    sheet = book[SHEET]
    columns = {cell.value: cell.column for cell in sheet[3]}
    return book, sheet, {name: columns[heading] for name, heading in HEADINGS.items()}


@lru_cache(maxsize=1)
def kept_open(data: bytes) -> tuple[Workbook, Any, dict[str, int]]:
    """A data sheet that stays open for the next edit of the same file; nobody may change it."""
    return opened(data)


def row_of(sheet: Any, ref: str) -> int:
    """The row of an action."""
    return next(row for row in range(4, sheet.max_row + 1) if sheet.cell(row, 1).value == ref)


def edited(data: bytes, changes: Mapping[tuple[str | int, str], Any]) -> bytes:
    """A data sheet with changed cells: (ref or row, column) → value."""
    book, sheet, columns = kept_open(data)
    before = dict(sheet._cells)
    try:
        for (ref, name), value in changes.items():
            place = ref if isinstance(ref, int) else row_of(sheet, ref), columns[name]
            cell = sheet._cells[place] = copy(sheet.cell(*place))
            cell._style = copy(cell._style)
            cell.value = value
            if isinstance(value, str) and value.startswith("="):
                cell.data_type = "s"
        return saved(book)
    finally:
        sheet._cells = before


def first_empty(data: bytes) -> int:
    """The first open row below the table."""
    _book, sheet, columns = opened(data)
    return next(row for row in range(4, sheet.max_row + 3) if not sheet.cell(row, columns["text"]).value)


def preview(
    data: bytes, plan: Plan | None, person: User, *, unit: Unit | None = None, name: str = "ข้อมูล.xlsx"
) -> ImportJob:
    """Upload a workbook and preview it."""
    return jobs.receive_workbook(
        data=data, file_name=name, plan=plan, unit=unit, access=Access.of(person), at=clock.now()
    )


def run_of(job: ImportJob, book: ReadWorkbook) -> ImportRun:
    """The run of a job by the user who uploaded the workbook, as a planner gets it."""
    return ImportRun(job=job, book=book, access=Access.of(job.by), at=clock.now(), on_progress=ignore_progress)


def confirm(job: ImportJob, person: User, *, file_rows: Any = ()) -> ImportJob:
    """Confirm a preview."""
    return jobs.confirm_job(job=job, file_rows=file_rows, access=Access.of(person), at=clock.now())


def places(job: ImportJob) -> list[str]:
    """The cell addresses of the errors."""
    return sorted(error["cell_address"] for error in job.findings.get("errors", ()))


def fingerprint() -> str:
    """A hash of every record of a plan; it stays the same until something is written.

    It leaves out the revisions, which rise with an upload and with an undo: the plan's page of imports lists them.
    """
    mark = sha256()
    related = [field.remote_field.through for model in KEPT for field in model._meta.local_many_to_many]
    with connection.cursor() as cursor:
        for model in (*KEPT, *related):
            names = [field.attname for field in model._meta.concrete_fields if field.attname not in REVISIONS]
            cursor.execute(*model._base_manager.order_by("pk").values_list(*names).query.sql_with_params())
            mark.update(repr(cursor.fetchall()).encode())
    return mark.hexdigest()
