"""Undo the import of a data sheet: the latest import first, and only rows that nobody has edited since."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from assignments.access import Access
from audit.models import Event
from audit.record import record_event
from criteria.models import Requirement
from exchange.data_sheet.changes import ActionChange, ChangeNote, change_content, snapshot, with_update
from exchange.data_sheet.columns import ROLE_OF_COLUMN, ActionSheet
from exchange.data_sheet.write import lock_unchanged, write_changes
from exchange.models import ImportJob, ImportJobState
from exchange.run import ChangedMeanwhileError, import_transaction
from plan.models import ActionItem, Plan, ProgressUpdate, Status
from plan.updates.record import UpdateInput, build_update
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError
from submissions.models import SubmissionLine

STATE_FIELDS = ("status", "progress", "version", "token")  # keys of a snapshot that are not content


class UndoneAlreadyError(Exception):
    """The import is already undone, or was never written."""


class NothingToUndoError(Exception):
    """No row of the import can be undone; it stays imported."""


class LaterImportsError(Exception):
    """Later imports changed the same actions. The first argument lists them, latest first."""


@dataclass(frozen=True, kw_only=True)
class Undoable:
    """The parts of an import that can and cannot be undone.

    Attributes:
        rows: (undo data, action) of each action that nobody has edited since.
        edited: refs of actions that were edited since. They stay.
        reported: refs of new actions that are part of a unit's submission. They stay.
        lost: refs of actions whose earlier period, unit or requirement no longer exists. They stay.
        later: later imports of the same actions, latest first. They must be undone first.
    """

    rows: list[tuple[Mapping[str, Any], ActionItem]] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    later: list[ImportJob] = field(default_factory=list)


class UndoStack:
    """The imports of a plan, and the versions of actions that each import or undo produced.

    Attributes:
        jobs: every import that was written, latest first.
        restored: (action pk, token after an undo) → token before the undone import.
        latest_job: (action pk, token) → the import that produced this token.
    """

    def __init__(self, plan: Plan) -> None:
        """Read the imports, in one query."""
        self.jobs = list(plan.imports.filter(written_at__isnull=False).order_by("-written_at", "-pk"))
        self.restored: dict[tuple[int, str], str] = {}
        self.latest_job: dict[tuple[int, str], ImportJob] = {}
        for job in self.jobs:
            for row in job.changes:
                if job.state == ImportJobState.WRITTEN and "token" in row:
                    self.latest_job[row["pk"], row["token"]] = job
                elif row.get("undone") and row["undone"] != row["before"]["token"]:
                    self.restored[row["pk"], row["undone"]] = row["before"]["token"]

    def rewind(self, pk: int, token: str, wanted: str) -> str:
        """The token of an action before any imports that were undone; stop at the wanted token."""
        while token != wanted and (pk, token) in self.restored:
            token = self.restored[pk, token]
        return token

    def in_order(self, jobs: Iterable[ImportJob]) -> list[ImportJob]:
        """These imports, latest first."""
        pks = {job.pk for job in jobs}
        return [job for job in self.jobs if job.pk in pks]


def read_undoable(job: ImportJob) -> Undoable:
    """Find what can be undone, in a fixed number of queries."""
    found = Undoable()
    if job.plan is None or job.kind == ImportJob.Kind.NEW_PLAN:
        return found
    periods = sorted(job.plan.periods.all(), key=lambda each: each.number)
    columns = ActionSheet(periods, job.plan.organization.units.in_order())
    pks = [row["pk"] for row in job.changes]
    actions = {each.pk: each for each in job.plan.actions.filter(pk__in=pks).with_details()}
    added = [row["pk"] for row in job.changes if not row["before"]]
    submitted = set(SubmissionLine.objects.filter(action__in=added).values_list("action_id", flat=True))
    requirements = set(
        Requirement.objects.filter(criterion__framework=job.plan.framework).values_list("criterion_id", "level")
    )
    existing = {each.pk for each in columns.units}, {each.pk for each in periods} | {None}, requirements
    stack = UndoStack(job.plan)
    later = []
    for row in job.changes:
        action = actions.get(row["pk"])
        token = stack.rewind(row["pk"], columns.token_of(action), row["token"]) if action else ""
        if token != row["token"]:
            if top := stack.latest_job.get((row["pk"], token)):
                later.append(top)
            else:
                found.edited.append(row["ref"])
        elif action.pk in submitted:
            found.reported.append(row["ref"])
        elif row["before"] and not _can_be_restored(row["before"], action, *existing):
            found.lost.append(row["ref"])
        else:
            found.rows.append((row, action))
    found.later.extend(stack.in_order(later))
    return found


def _can_be_restored(
    before: Mapping[str, Any], action: ActionItem, units: set[int], periods: set[Any], requirements: Any
) -> bool:
    """Whether the units, periods and requirements of a snapshot still exist."""
    return (
        {before["first"], before["last"]} <= periods
        and {pk for name in ROLE_OF_COLUMN for _position, pk in before[name]} <= units
        and {(action.criterion_id, level) for level in before["levels"]} <= requirements
    )


def undo_import(*, job: ImportJob, access: Access, at: datetime) -> Undoable:
    """Undo an import for every action that nobody has edited since; if one of them fails, undo nothing.

    Imported updates stay in the history of their action, followed by an update with the source UNDO; neither counts any
    more (`ProgressUpdateQuerySet.without_undone`). New actions are removed.

    Returns:
        The rows that were undone, and the refs of those that stay.

    Raises:
        UndoneAlreadyError: the import is already undone.
        LaterImportsError: later imports changed some of its actions.
        NothingToUndoError: no row can be undone.
        NotAllowedError: the plan has ended.
        StaleVersionError: another user wrote at the same time; nothing is undone.
    """
    if job.why_closed:
        raise NotAllowedError(job.why_closed)
    _refuse_undone(job)
    job.plan.refresh_from_db(fields=["revision"])
    revision = job.plan.revision
    found = read_undoable(job)
    job.plan.refresh_from_db(fields=["revision"])
    _refuse_undone(job, ["state"])  # another user may have undone it while the rows were read
    if len(found.rows) < len(job.changes) and job.plan.revision != revision:
        raise StaleVersionError(job)  # another import may have been undone while the rows were read
    if found.later:
        raise LaterImportsError(found.later)
    if not found.rows:
        raise NothingToUndoError(job)
    note = undo_note(job, access)
    changes = _restore([(row["before"], action) for row, action in found.rows if row["before"]], job, access, at, note)
    columns = ActionSheet(job.plan.periods.all(), ())
    tokens = {row["pk"]: "" for row, _action in found.rows}
    tokens |= {change.action.pk: columns.token_of(change.action) for change in changes}
    rows = [row | {"undone": tokens[row["pk"]]} if row["pk"] in tokens else row for row in job.changes]
    with import_transaction(StaleVersionError(job)):
        undone = job.change(
            was=(ImportJobState.WRITTEN,), state=ImportJobState.UNDONE, undone_at=at, undone_by=access.user,
            changes=rows,
        )  # fmt: skip
        if not undone:
            raise UndoneAlreadyError(job)
        try:
            lock_unchanged(job.plan, (action for _row, action in found.rows))
            for row, action in found.rows:
                if not row["before"]:
                    remove_action(action, note, at)
            write_changes(job.plan, changes, note)
            record_event(Event.Kind.UNDO, person=access.user, plan=job.plan, about=job.file_name)
        except ChangedMeanwhileError as error:
            raise StaleVersionError(job) from error
    job.refresh_from_db()
    return found


def _refuse_undone(job: ImportJob, fields: list[str] | None = None) -> None:
    """Read the import again, or only these fields of it.

    Raises:
        UndoneAlreadyError: it is undone.
    """
    job.refresh_from_db(fields=fields)
    if job.state != ImportJobState.WRITTEN:
        raise UndoneAlreadyError(job)


def undo_note(job: ImportJob, access: Access) -> ChangeNote:
    """The user and reason that the history shows for an undo."""
    return ChangeNote(access.user, _("The import of %(file)s was undone") % {"file": job.file_name})


def _restore(
    rows: Sequence[tuple[Mapping[str, Any], ActionItem]], job: ImportJob, access: Access, at: datetime, note: ChangeNote
) -> list[ActionChange]:
    """Bring actions back to their snapshots, in a fixed number of queries; nothing is written.

    Raises:
        ValidationError: the earlier values break a rule.
        NotAllowedError: the plan takes no reports.
    """
    pks = [action.pk for _before, action in rows]
    requirements = Requirement.objects.filter(criterion__framework=job.plan.framework).select_related("criterion")
    by_level = {(each.criterion.code, each.level): each for each in requirements}
    periods, units = job.plan.periods.in_bulk(), job.plan.organization.units.in_bulk()
    reported = set(ProgressUpdate.objects.filter(import_key=job.key, action__in=pks).values_list("action", flat=True))
    earlier = defaultdict(list)
    for update in ProgressUpdate.objects.without_undone().filter(action__in=pks).order_by("-version"):
        earlier[update.action_id].append(update)
    changes = []
    for before, action in rows:
        now = snapshot(action)
        changed = {name: before[name] for name in before if name not in STATE_FIELDS and before[name] != now[name]}
        change = ActionChange(before=action, action=action)
        if changed:
            content = change_content(action, _values(changed, periods, units), by_level)
            change = ActionChange(before=action, action=content, entry=note.entry(content, "~"))
        if action.pk in reported:
            texts = _required_text(action, before, earlier[action.pk], note.reason)
            report = UpdateInput(status=before["status"], progress=before["progress"], reason=note.reason, **texts)
            update = build_update(
                action=change.action, op_id=uuid4(), access=access, at=at, data=report,
                source=ProgressUpdate.Source.UNDO, workbook=job.imported_file,
            )  # fmt: skip
            change = with_update(change, update)
        if change.action is not action:
            changes.append(change)
    return changes


def remove_action(action: ActionItem, note: ChangeNote, at: datetime) -> None:
    """Remove an action whose updates all come from undone imports.

    Raises:
        StaleVersionError: another user reports on it or uses it at the same time.
    """
    try:
        action.updates.remove_imported(by=note.user, at=at, reason=note.reason)
        for assignment in action.assignments.all():
            note.set_on(assignment).delete()
        note.set_on(action).delete()
    except ProtectedError as error:
        raise StaleVersionError(action) from error


def _values(changed: Mapping[str, Any], periods: Mapping[int, Any], units: Mapping[int, Any]) -> dict[str, Any]:
    """The records for the pks of a snapshot, as `change_content` takes them."""
    values = dict(changed)
    for name in ("first", "last"):
        if values.get(name):
            values[name] = periods[values[name]]
    for name in ROLE_OF_COLUMN:
        if name in values:
            values[name] = [(position, units[pk]) for position, pk in values[name]]
    return values


def _required_text(
    action: ActionItem, before: Mapping[str, Any], updates: Iterable[ProgressUpdate], reason: str
) -> dict[str, str]:
    """The text field that the restored status requires, from the latest earlier update that has it."""
    needs = Status(before["status"]).rules.needs
    if before["status"] == action.status or needs in ("", "reason"):
        return {}
    texts = (getattr(each, needs) for each in updates if each.version <= before["version"])
    return {needs: next(filter(None, texts), reason)}
