"""What a planner of an import gets and returns: the run of a job, and the planned changes.

A planner exists for each kind of workbook. It reads the workbook and the plan, and computes all changes in memory.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from assignments.access import Access
from exchange.findings import Findings
from exchange.models import ImportJob
from plan.models import Plan
from pmqa_tracker.tasks.models import ProgressCallback
from pmqa_tracker.transactions import write_transaction
from spreadsheets.read import ReadWorkbook


class ChangedMeanwhileError(Exception):
    """Another user wrote after the plan was read; nothing was written. Plan the import again."""


@contextmanager
def import_transaction(refused: Exception) -> Iterator[None]:
    """Run a block in a write transaction; raise `refused` if the database refuses a record because of another user's.

    Foreign keys are checked when the transaction ends: a record that the block names may be deleted by then.
    """
    try:
        with write_transaction():
            yield
    except IntegrityError as error:
        raise refused from error


@dataclass(frozen=True, kw_only=True)
class ImportRun:
    """One reading of an uploaded workbook, for a preview or a confirmation.

    Attributes:
        job: the import job.
        book: the cells of the workbook.
        access: access of the user who previews or confirms it now; what they may do decides.
        at: the current time, aware.
        on_progress: receives the number of rows done and in total.
    """

    job: ImportJob
    book: ReadWorkbook
    access: Access
    at: datetime
    on_progress: ProgressCallback


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What an import wrote.

    Attributes:
        changes: the data to undo each row, as `ImportJob.changes` stores it.
        plan: the plan of the data sheet, or the one that the workbook made.
    """

    changes: list[dict[str, Any]]
    plan: Plan | None


@dataclass(frozen=True, kw_only=True)
class PlannedImport:
    """The changes that a workbook makes, computed without writing anything.

    Attributes:
        findings: the rows and errors for the preview.
        count: number of rows that change the plan.
        apply: writes the changes, given the numbers of the rows in conflict that take the file's values. The caller
            opens the transaction. It raises `ChangedMeanwhileError` if another user wrote after the plan was read.
    """

    findings: Findings
    count: int
    apply: Callable[[Collection[int]], Applied]
