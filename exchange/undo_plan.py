"""Taking back the import of a whole plan: all that it made is removed, or nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import ProtectedError

from assignments.access import Access
from assignments.models import Unit
from exchange.data_sheet.columns import ActionSheet
from exchange.models import ImportJob, ImportState
from exchange.undo import LaterImportsError, UndoneAlreadyError, UndoStack, remove_action, undo_note
from plan.models import ActionItem, AppendOnlyError, Plan
from pmqa_tracker.write_once import StaleVersionError

ACTION = ActionItem._meta.label_lower


class InUseError(Exception):
    """What was added is in use by now; nothing was removed. The first argument names it."""


def with_tokens(plan: Plan, made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What an import of a whole plan made; each action with what it held then, to tell later whether it still does."""
    tokens = _tokens(plan)
    return [row | {"token": tokens[row["pk"]]} if row["model"] == ACTION else row for row in made]


def _tokens(plan: Plan) -> dict[int, str]:
    """Action pk → token, of all actions of a plan."""
    columns = ActionSheet(sorted(plan.periods.all(), key=lambda each: each.number), Unit.objects.in_order())
    return {action.pk: columns.token_of(action) for action in plan.actions.with_details()}


def read_later(job: ImportJob) -> list[ImportJob]:
    """The imports that were written over what an import of a whole plan made; the last one first."""
    if job.plan is None:
        return []
    made = {row["pk"] for row in job.written if row["model"] == ACTION}
    is_whole = any(row["model"] == Plan._meta.label_lower for row in job.written)
    stack = UndoStack(job.plan)
    place = next(place for place, each in enumerate(stack.batches) if each.pk == job.pk)
    return [
        each
        for each in stack.batches[:place]
        if each.state == ImportState.WRITTEN and (is_whole or any(row["pk"] in made for row in _of_actions(each)))
    ]


def _of_actions(job: ImportJob) -> list[Mapping[str, Any]]:
    """What an import wrote about actions; a data sheet writes about nothing else."""
    return [row for row in job.written if row.get("model", ACTION) == ACTION]


def remove_new_plan(*, job: ImportJob, access: Access, at: datetime) -> None:
    """Remove what an import of a whole plan added, all of it or nothing.

    Raises:
        UndoneAlreadyError: it was undone already.
        LaterImportsError: other imports were written over it.
        InUseError: somebody has edited one of its records since, reported on it, or built on it.
    """
    with transaction.atomic():
        plan = job.plan
        undone = ImportJob.objects.filter(pk=job.pk, state=ImportState.WRITTEN).update(
            state=ImportState.UNDONE, undone_at=at, undone_by=access.user
        )
        if not undone or plan is None:
            raise UndoneAlreadyError(job)
        if later := read_later(job):
            raise LaterImportsError(later)
        stack, tokens = UndoStack(plan), _tokens(plan)
        ImportJob.objects.filter(pk=job.pk).update(plan=None)
        mark = undo_note(job, access)
        for row in reversed(job.written):
            record = apps.get_model(row["model"]).objects.filter(pk=row["pk"]).first()
            if record is None:
                raise InUseError(row["ref"])
            try:
                if row["model"] == ACTION:
                    token = stack.rewind(record.pk, tokens[record.pk], row["token"])
                    if token != row["token"] or record.updates.without_undone().exists():
                        raise InUseError(row["ref"])
                    remove_action(record, mark)
                elif record.version != row["version"]:
                    raise InUseError(row["ref"])
                else:
                    mark.on(record).delete()
            except (ProtectedError, AppendOnlyError, StaleVersionError) as error:
                raise InUseError(row["ref"]) from error
