"""Plan the import of a whole-plan workbook."""

from collections.abc import Collection

from exchange.run import Applied, ChangedMeanwhileError, ImportRun, PlannedImport
from exchange.undo_plan import with_tokens
from exchange.whole_plan.write import write_plan
from pmqa_tracker.transactions import write_transaction


class DryRunRollback(Exception):  # noqa: N818 - it ends a dry run, it is not an error
    """Roll back the transaction of a dry run."""


def plan_changes(run: ImportRun) -> PlannedImport:
    """Find the records that the workbook adds.

    Raises:
        WorkbookRefusedError: the file is not a whole-plan workbook.
        ChangedMeanwhileError: another user added the same record at the same time.
    """
    planned = None
    try:
        with write_transaction():
            planned = write_plan(run.book, run.job, run.access.user, run.on_progress)
            raise DryRunRollback
    except DryRunRollback:
        findings, count = planned[:2]

    def apply(_file_rows: Collection[int]) -> Applied:
        found, _count, made, plan = write_plan(run.book, run.job, run.access.user, run.on_progress)
        if found.as_json() != findings.as_json():
            raise ChangedMeanwhileError(run.job.file_name)
        return Applied(changes=with_tokens(plan, made) if plan else made, plan=plan)

    return PlannedImport(findings=findings, count=count, apply=apply)
