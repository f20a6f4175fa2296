"""Undo the import of a whole plan: remove every record it made, or nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import ProtectedError, Q

from assignments.access import Access
from assignments.models import Organization
from audit.models import Event
from audit.record import record_event
from criteria.models import Assessment, Criterion
from exchange.data_sheet.columns import ActionSheet
from exchange.models import ImportJob, ImportJobState
from exchange.run import import_transaction
from exchange.undo import LaterImportsError, UndoneAlreadyError, UndoStack, remove_action, undo_note
from plan.models import ActionItem, AppendOnlyError, Plan
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError

ACTION_LABEL = ActionItem._meta.label_lower


class InUseError(Exception):
    """A record of the import is in use; nothing was removed. The first argument names the record."""


def _tokens(plan: Plan) -> dict[int, str]:
    """Action pk → token, for all actions of a plan."""
    columns = ActionSheet(sorted(plan.periods.all(), key=lambda each: each.number), plan.organization.units.in_order())
    return {action.pk: columns.token_of(action) for action in plan.actions.with_details()}


def read_later_jobs(job: ImportJob) -> list[ImportJob]:
    """The later imports that changed records of a whole-plan import, latest first."""
    if job.plan is None:
        return []
    made = {row["pk"] for row in job.changes if row["model"] == ACTION_LABEL}
    is_whole = any(row["model"] == Plan._meta.label_lower for row in job.changes)
    stack = UndoStack(job.plan)
    place = next(place for place, each in enumerate(stack.jobs) if each.pk == job.pk)
    return [
        each
        for each in stack.jobs[:place]
        if each.state == ImportJobState.WRITTEN and (is_whole or any(row["pk"] in made for row in _of_actions(each)))
    ]


def _of_actions(job: ImportJob) -> list[Mapping[str, Any]]:
    """The changes of an import to actions; a data sheet only changes actions."""
    return [row for row in job.changes if row.get("model", ACTION_LABEL) == ACTION_LABEL]


def _used_criterion(job: ImportJob) -> str:
    """Return the code of a criterion of an import that others need; "" if there is none.

    The database protects a criterion with a verdict or an action. These are in an edition that another organization
    assesses by, or named as a predecessor by a later edition.
    """
    made = [row["pk"] for row in job.changes if row["model"] == Criterion._meta.label_lower]
    elsewhere = Assessment.objects.exclude(organization=job.organization)
    is_needed = Q(framework__assessments__in=elsewhere) | Q(successors__isnull=False) & ~Q(successors__in=made)
    return Criterion.objects.filter(is_needed, pk__in=made).in_order().values_list("code", flat=True).first() or ""


def remove_new_plan(*, job: ImportJob, access: Access, at: datetime) -> None:
    """Remove every record that the import of a whole plan added, or nothing.

    Raises:
        UndoneAlreadyError: the import is already undone.
        LaterImportsError: later imports changed its records.
        NotAllowedError: the plan has ended.
        InUseError: a user has edited, reported on or used one of its records since.
    """
    if job.why_closed:
        raise NotAllowedError(job.why_closed)
    with import_transaction(InUseError(job.file_name)):
        plan = job.plan
        undone = job.change(
            was=(ImportJobState.WRITTEN,), state=ImportJobState.UNDONE, undone_at=at, undone_by=access.user
        )
        if not undone or plan is None:
            raise UndoneAlreadyError(job)
        if later := read_later_jobs(job):
            raise LaterImportsError(later)
        if name := _used_criterion(job):
            raise InUseError(name)
        record_event(Event.Kind.UNDO, person=access.user, plan=plan, about=job.file_name)
        stack, tokens = UndoStack(plan), _tokens(plan)
        made = {row["pk"] for row in job.changes if row["model"] == Organization._meta.label_lower}
        job.change(plan=None, organization=None if job.organization_id in made else job.organization)
        note = undo_note(job, access)
        for row in reversed(job.changes):
            record = apps.get_model(row["model"]).objects.filter(pk=row["pk"]).first()
            if record is None:
                raise InUseError(row["ref"])
            try:
                if row["model"] == ACTION_LABEL:
                    token = stack.rewind(record.pk, tokens[record.pk], row["token"])
                    if token != row["token"] or record.updates.without_undone().exists():
                        raise InUseError(row["ref"])
                    remove_action(record, note, at)
                elif record.version != row["version"]:
                    raise InUseError(row["ref"])
                else:
                    note.set_on(record).delete()
            except (ProtectedError, AppendOnlyError, StaleVersionError) as error:
                raise InUseError(row["ref"]) from error
