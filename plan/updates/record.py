"""The write path: the one way in which the status and progress of an action change (design §5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assignments.access import Access
from assignments.models import Unit
from plan.evidence import storage
from plan.models import ActionItem, Evidence, EvidenceWithdrawal, ProgressUpdate, Status

DUPLICATE_WINDOW = timedelta(hours=1)  # the same words from the same author within it are one update
TEXT_FIELDS = ("result", "problem", "next_step", "reason")
ONLY_LEADS = gettext_lazy("Only a lead unit changes the status; a supporting unit adds results and evidence.")


class StaleUpdateError(Exception):
    """The action has changed since the form was opened; nothing was written."""


class NotAllowedError(Exception):
    """The author may not write this; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """Evidence that comes with an update: a link, or a file that was judged and staged."""

    title: str
    link: str = ""
    file: storage.StagedFile | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateInput:
    """What a person tells of an action. `status` and `progress` (%) are None where only words are added.

    `is_unchanged`: that nothing has changed is what he tells. `unit`: the pk of the unit the author speaks for; None
    for the one that `Access.default_unit` names.
    """

    status: str | None = None
    progress: int | None = None
    result: str = ""
    problem: str = ""
    next_step: str = ""
    reason: str = ""
    is_unchanged: bool = False
    unit: int | None = None
    attachments: Sequence[Attachment] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class ImportedFile:
    """The workbook that updates are imported from.

    Attributes:
        key: identifies the import; all its updates and their undo carry it.
        name: the file's name.
        unit: pk of the unit whose own sheet the file is; None for any other.
    """

    key: UUID
    name: str
    unit: int | None = None


def record_update(
    *,
    action: ActionItem,
    version: int,
    op_id: UUID,
    access: Access,
    at: datetime,
    report: UpdateInput,
    source: str = ProgressUpdate.Source.WEB,
    workbook: ImportedFile | None = None,
    unit: Unit | None = None,
) -> ProgressUpdate:
    """Write one update and the status it makes, or nothing.

    Args:
        action: the action, with its assignments (`with_details()`).
        version: the version of the action that the author had in front of him.
        op_id: names this submission; sending it again returns the row it made.
        access: the author and what he may do.
        at: the moment, aware.
        report: what is told.
        source: a ProgressUpdate.Source.
        workbook: the file it came in with; a unit's own sheet speaks for that unit.
        unit: the unit whose own sheet the row comes from, whatever the file is.

    Returns:
        The update: new, or made before by the same `op_id`, or just now by the same author in the same words.

    Raises:
        NotAllowedError: the author may not write this to this action.
        ValidationError: a rule of design §4 is broken, by field.
        StaleUpdateError: the action's version is not `version` any more, or `op_id` made an update that told
            something else.
    """
    sheet_of = unit.pk if unit else workbook.unit if workbook else None
    if sheet_of:
        report = replace(report, unit=sheet_of)
    _check_allowed(action, access, report, is_sheet_of_unit=sheet_of is not None)
    if report.unit is None:
        report = replace(report, unit=access.default_unit(action))
    kept: list[str] = []
    try:
        with transaction.atomic():
            if made := find_by_op_id(action, op_id, access):
                return _return_existing(made, report)
            # Read and compared inside the transaction: the rules judge the step from what is stored to what is told.
            stored = ActionItem.objects.filter(pk=action.pk, version=version).values("status", "progress").first()
            if stored is None:
                raise StaleUpdateError(action)
            if source == ProgressUpdate.Source.WEB and (
                just_told := _find_recent_duplicate(action, report, access, at)
            ):
                return just_told
            update = _build(action, version, op_id, access, at, report, source, stored)
            if workbook:
                update.import_key, update.file_name = workbook.key, workbook.name
            update.full_clean(validate_unique=False, validate_constraints=False)
            # Whether somebody was quicker is the next statement's to say, not a broken rule.
            update.validate_constraints(exclude={"version"})
            written = ActionItem.objects.filter(pk=action.pk, version=version).update(
                status=update.status_to,
                progress=update.progress_to,
                version=F("version") + 1,
            )
            if not written:
                raise StaleUpdateError(action)
            update.save()
            for attachment in report.attachments:
                _attach(attachment, update, kept)
            return update
    except BaseException as error:
        storage.forget(kept)
        # The same submission twice at the same moment: the second finds the first's row.
        if isinstance(error, (StaleUpdateError, IntegrityError)) and (made := find_by_op_id(action, op_id, access)):
            return _return_existing(made, report)
        raise


def is_same_update(made: ProgressUpdate, report: UpdateInput) -> bool:
    """Whether `report` tells what the update already told: a double click or a retry, and not the form written anew."""
    evidence = {item.sha256 or item.link for item in made.evidence.all()}
    return (
        all(getattr(made, name) == getattr(report, name) for name in TEXT_FIELDS)
        and report.status in (None, made.status_to)
        and (report.progress is None or str(report.progress) == str(made.progress_to))
        and report.is_unchanged == made.is_unchanged
        and report.unit == made.unit_id
        and evidence == {item.file.sha256 if item.file else item.link for item in report.attachments}
    )


def record_unchanged(
    *, rows: Sequence[tuple[ActionItem, int, UUID, int | None]], access: Access, at: datetime
) -> tuple[list[ProgressUpdate], list[ActionItem]]:
    """Tell of each action that nothing has changed; each is an update of its own.

    Args:
        rows: action (`with_details()`), the version its author saw, the id of this submission for it, and the pk of
            the unit the author speaks for, see `UpdateInput`. An action may be there once for each unit of the author.
        access: the author and what he may do.
        at: the moment, aware.

    Returns:
        The updates, and the actions of which nothing was written: somebody had changed them since, or the author has
        no part in them.
    """
    updates, left = [], []
    ours: dict[tuple[int, int], int] = {}  # (action pk, the version seen) → the version our own update made of it
    for action, seen, op_id, unit in rows:
        try:
            report = UpdateInput(is_unchanged=True, unit=unit)
            version = ours.get((action.pk, seen), seen)
            update = record_update(action=action, version=version, op_id=op_id, access=access, at=at, report=report)
            ours[action.pk, seen] = update.version
            updates.append(update)
        except (StaleUpdateError, NotAllowedError, IntegrityError):
            left.append(action)
    return updates, left


def withdraw_evidence(*, evidence: Evidence, access: Access, reason: str, at: datetime) -> EvidenceWithdrawal:
    """Take evidence back: its row and its file stay, and nobody is given it any more.

    Returns:
        The withdrawal, or the one made before.

    Raises:
        NotAllowedError: neither the person who added it nor a coordinator asks.
        ValidationError: there is no reason.
    """
    if not access.may_withdraw(evidence):
        raise NotAllowedError(_("Only the person who added the evidence and the coordinator withdraw it."))
    withdrawal = EvidenceWithdrawal(evidence=evidence, reason=reason.strip(), by=access.user, at=at)
    withdrawal.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            withdrawal.save()
    except IntegrityError:
        return EvidenceWithdrawal.objects.get(evidence=evidence)
    return withdrawal


def check_may_report(action: ActionItem, access: Access) -> None:
    """Raise NotAllowedError, which says why, where a person has no part in an action."""
    if reason := access.why_not_report(action):
        raise NotAllowedError(reason)


def find_by_op_id(action: ActionItem, op_id: UUID | str, access: Access) -> ProgressUpdate | None:
    """The update this submission already made; None for a new one, or for an `op_id` that is no UUID."""
    try:
        op_id = UUID(str(op_id))
    except ValueError:
        return None
    return ProgressUpdate.objects.filter(op_id=op_id, action=action, author=access.user).first()


def _return_existing(made: ProgressUpdate, report: UpdateInput) -> ProgressUpdate:
    if is_same_update(made, report):
        return made
    raise StaleUpdateError(made.action)


def _find_recent_duplicate(
    action: ActionItem, report: UpdateInput, access: Access, at: datetime
) -> ProgressUpdate | None:
    """The action's last update, if this author told exactly this in it a moment ago.

    The back button may fetch the form afresh, with another `op_id`, and put the old words into it.
    """
    last = ProgressUpdate.objects.without_undone().filter(action=action).order_by("-version").first()
    is_recent = last is not None and last.author_id == access.user.pk and abs(at - last.at) < DUPLICATE_WINDOW
    return last if is_recent and is_same_update(last, report) else None


def _attach(attachment: Attachment, update: ProgressUpdate, kept: list[str]) -> None:
    """Add a piece of evidence; a file is in its place, and synced, before the row that names it can be committed."""
    evidence = Evidence(
        action=update.action, update=update, title=attachment.title, link=attachment.link,
        added_by=update.author, at=update.at,
    )  # fmt: skip
    if staged := attachment.file:
        evidence.file = storage.keep(staged, on=update.at)
        kept.append(evidence.file)
        evidence.original_name, evidence.kind = staged.original_name, staged.kind
        evidence.size, evidence.sha256 = staged.size, staged.sha256
    evidence.save()


def _check_allowed(action: ActionItem, access: Access, report: UpdateInput, *, is_sheet_of_unit: bool) -> None:
    check_may_report(action, access)
    moves_status = report.status is not None or report.progress is not None
    if report.unit is not None and not is_sheet_of_unit:
        if report.unit not in {unit.pk for unit in access.reportable_units(action)}:
            raise NotAllowedError(_("You do not report for this unit on this action. Choose another unit."))
        if moves_status and not access.may_change_status_for(action, report.unit):
            raise NotAllowedError(str(ONLY_LEADS))
    if moves_status and not access.may_change_status(action):
        raise NotAllowedError(str(ONLY_LEADS))
    moves = report.status is not None and report.status != action.status
    if moves and Status.CANCELLED in (report.status, action.status) and not access.is_coordinator:
        raise NotAllowedError(_("Only the coordinator cancels an action or takes it up again."))


def _build(
    action: ActionItem,
    version: int,
    op_id: UUID,
    access: Access,
    at: datetime,
    report: UpdateInput,
    source: str,
    stored: dict[str, object],
) -> ProgressUpdate:
    update = ProgressUpdate(
        action=action,
        op_id=op_id,
        version=version + 1,
        author=access.user,
        unit_id=report.unit,
        at=at,
        status_from=stored["status"],
        status_to=stored["status"] if report.status is None else report.status,
        progress_from=stored["progress"],
        progress_to=stored["progress"] if report.progress is None else report.progress,
        result=report.result,
        problem=report.problem,
        next_step=report.next_step,
        reason=report.reason,
        is_unchanged=report.is_unchanged,
        source=source,
    )
    update.has_evidence = bool(report.attachments)
    return update
