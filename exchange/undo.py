"""Taking an import back: the last one first, row by row where nobody has edited since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from assignments.access import Access
from assignments.models import Unit
from criteria.models import Requirement
from exchange.data_sheet.columns import ROLE_OF_COLUMN, ActionSheet
from exchange.data_sheet.write import ChangeNote, reread, set_content, snapshot
from exchange.models import ImportJob, ImportState
from plan.models import ActionItem, Period, Plan, ProgressUpdate, Status
from plan.updates.record import UpdateInput, record_update
from pmqa_tracker.write_once import StaleVersionError
from submissions.models import SubmissionLine

KEPT = ("status", "progress", "version", "token")  # of a snapshot: what is no content


class UndoneAlreadyError(Exception):
    """The import was undone, or never written."""


class NothingToUndoError(Exception):
    """Nothing of the import can be taken back; it stays imported."""


class LaterImportsError(Exception):
    """Other imports lie over this one. The first argument is a list of them, the last one first."""


@dataclass(frozen=True, kw_only=True)
class Undoable:
    """What can be taken back of an import.

    Attributes:
        rows: (what it takes to undo, the action) of what nobody has edited since.
        edited: refs of what somebody has; it stays.
        reported: refs of new actions that a unit's period report holds; they stay.
        lost: refs of actions that cannot be as before, because a period, unit or requirement is gone; they stay.
        later: imports that changed some of these actions after this one, and have to be undone first; the last first.
    """

    rows: list[tuple[Mapping[str, Any], ActionItem]] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    later: list[ImportJob] = field(default_factory=list)


class UndoStack:
    """The imports of a plan that lie over each other: what each left of an action, and what an undo brought back."""

    def __init__(self, plan: Plan) -> None:
        """Read them, in one query."""
        self.batches = list(plan.imports.filter(written_at__isnull=False).order_by("-written_at", "-pk"))
        self.back: dict[tuple[int, str], str] = {}
        self.tops: dict[tuple[int, str], ImportJob] = {}
        for job in self.batches:
            for row in job.written:
                if job.state == ImportState.WRITTEN and "token" in row:
                    self.tops[row["pk"], row["token"]] = job
                elif row.get("undone") and row["undone"] != row["before"]["token"]:
                    self.back[row["pk"], row["undone"]] = row["before"]["token"]

    def rewind(self, pk: int, token: str, wanted: str) -> str:
        """The token an action had before whatever was imported and undone again, at most back to the wanted one."""
        while token != wanted and (pk, token) in self.back:
            token = self.back[pk, token]
        return token

    def in_order(self, batches: Iterable[ImportJob]) -> list[ImportJob]:
        """These imports, the last one first."""
        pks = {job.pk for job in batches}
        return [job for job in self.batches if job.pk in pks]


def read_undoable(job: ImportJob) -> Undoable:
    """What can be taken back, in a fixed number of queries."""
    found = Undoable()
    if job.plan is None or job.kind == ImportJob.Kind.NEW_PLAN:
        return found
    periods = sorted(job.plan.periods.all(), key=lambda each: each.number)
    columns = ActionSheet(periods, Unit.objects.in_order())
    pks = [row["pk"] for row in job.written]
    actions = {each.pk: each for each in job.plan.actions.filter(pk__in=pks).with_details()}
    added = [row["pk"] for row in job.written if not row["before"]]
    in_report = set(SubmissionLine.objects.filter(action__in=added).values_list("action_id", flat=True))
    asked = set(Requirement.objects.values_list("criterion_id", "level"))
    there = {each.pk for each in columns.units}, {each.pk for each in periods} | {None}, asked
    stack = UndoStack(job.plan)
    later = []
    for row in job.written:
        action = actions.get(row["pk"])
        token = stack.rewind(row["pk"], columns.token_of(action), row["token"]) if action else ""
        if token != row["token"]:
            if top := stack.tops.get((row["pk"], token)):
                later.append(top)
            else:
                found.edited.append(row["ref"])
        elif action.pk in in_report:
            found.reported.append(row["ref"])
        elif row["before"] and not _can_be_as(row["before"], action, *there):
            found.lost.append(row["ref"])
        else:
            found.rows.append((row, action))
    found.later.extend(stack.in_order(later))
    return found


def _can_be_as(before: Mapping[str, Any], action: ActionItem, units: set[int], periods: set[Any], asked: Any) -> bool:
    """Whether the units, periods and requirements that a snapshot names are still there."""
    return (
        {before["first"], before["last"]} <= periods
        and {pk for name in ROLE_OF_COLUMN for _position, pk in before[name]} <= units
        and {(action.criterion_id, level) for level in before["levels"]} <= asked
    )


def undo_import(*, job: ImportJob, access: Access, at: datetime) -> Undoable:
    """Take an import back, all that nobody has edited since or nothing.

    What was reported stays in the history of each action, followed by a row that takes it back; neither of them counts
    as a report from now on (`ProgressUpdateQuerySet.without_undone`). A new action is removed.

    Returns:
        What was taken back, and what was left.

    Raises:
        UndoneAlreadyError: it was undone already.
        LaterImportsError: other imports changed some of its actions after it.
        NothingToUndoError: somebody has edited all of it since.
        StaleVersionError: another user changed one of the actions meanwhile; nothing was undone.
    """
    with transaction.atomic():
        undone = ImportJob.objects.filter(pk=job.pk, state=ImportState.WRITTEN).update(
            state=ImportState.UNDONE, undone_at=at, undone_by=access.user
        )
        if not undone:
            raise UndoneAlreadyError(job)
        job.refresh_from_db()
        found = read_undoable(job)
        if found.later:
            raise LaterImportsError(found.later)
        if not found.rows:
            raise NothingToUndoError(job)
        mark = undo_note(job, access)
        columns = ActionSheet(job.plan.periods.all(), ())
        tokens = {}
        for row, action in found.rows:
            action = _undo(row["before"], action, job, access, at, mark)
            tokens[row["pk"]] = columns.token_of(action) if action else ""
        job.written = [row | {"undone": tokens[row["pk"]]} if row["pk"] in tokens else row for row in job.written]
        job.save(update_fields=["written"])
    return found


def undo_note(job: ImportJob, access: Access) -> ChangeNote:
    """What the history says of what is taken back."""
    return ChangeNote(access.user, _("The import of %(file)s was undone") % {"file": job.file_name})


def _undo(
    before: Mapping[str, Any], action: ActionItem, job: ImportJob, access: Access, at: datetime, mark: ChangeNote
) -> ActionItem | None:
    """Put one action back; the action as it is then, None where it was removed."""
    if not before:
        remove_action(action, mark)
        return None
    now = snapshot(action)
    changed = {name: before[name] for name in before if name not in KEPT and before[name] != now[name]}
    if changed:
        set_content(action, _values(changed), mark)
        action = reread(action)
    if action.updates.filter(import_key=job.key).exists():
        report = UpdateInput(
            status=before["status"],
            progress=before["progress"],
            reason=mark.reason,
            **_words(action, before, mark.reason),
        )
        record_update(
            action=action, version=action.version, op_id=uuid4(), access=access, at=at, data=report,
            source=ProgressUpdate.Source.UNDO, workbook=job.imported_file,
        )  # fmt: skip
        action = reread(action)
    return action


def remove_action(action: ActionItem, mark: ChangeNote) -> None:
    """Remove an action of which only imports reported that are undone.

    Raises:
        StaleVersionError: another user reports on it, or refers to it, at this moment.
    """
    try:
        action.updates.remove_imported()
        for assignment in action.assignments.all():
            mark.on(assignment).delete()
        mark.on(action).delete()
    except ProtectedError as error:
        raise StaleVersionError(action) from error


def _values(changed: Mapping[str, Any]) -> dict[str, Any]:
    """The kept pks as the records `set_content` takes."""
    values = dict(changed)
    for name in ("first", "last"):
        if values.get(name):
            values[name] = Period.objects.get(pk=values[name])
    for name in ROLE_OF_COLUMN:
        if name in values:
            units = Unit.objects.in_bulk([pk for _position, pk in values[name]])
            values[name] = [(position, units[pk]) for position, pk in values[name]]
    return values


def _words(action: ActionItem, before: Mapping[str, Any], reason: str) -> dict[str, str]:
    """The words that the rules ask for again when a status comes back: what was told when it was first reached."""
    earlier = action.updates.without_undone().filter(version__lte=before["version"]).order_by("-version")
    needs = Status(before["status"]).rules.needs
    if before["status"] == action.status or needs in ("", "reason"):
        return {}
    return {needs: earlier.exclude(**{needs: ""}).values_list(needs, flat=True).first() or reason}
