"""Record updates of actions and withdraw evidence; only this module changes status and progress (design §5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assignments.access import Access
from assignments.models import Unit
from plan.evidence import storage
from plan.models import ActionItem, Evidence, EvidenceWithdrawal, Plan, ProgressUpdate, Status
from pmqa_tracker.constraints import check_constraints
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError, compare_and_set, write_once

DUPLICATE_WINDOW = timedelta(hours=1)  # the same text by the same author within this time counts as one update
TEXT_FIELDS = ("result", "problem", "next_step", "reason")
ONLY_LEADS = gettext_lazy("Only a lead unit changes the status; a supporting unit adds results and evidence.")


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """Evidence added with an update: a link, or a checked and staged file."""

    title: str
    link: str = ""
    file: storage.StagedFile | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateInput:
    """What a user reports on an action.

    Attributes:
        status, progress: a Status and a percentage; None if the update only adds text.
        result, problem, next_step, reason: the texts.
        is_unchanged: the user reports that nothing has changed.
        unit: pk of the unit the author reports for; None for `Access.default_unit`.
        attachments: the evidence.
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
    data: UpdateInput,
    source: str = ProgressUpdate.Source.WEB,
    workbook: ImportedFile | None = None,
    unit: Unit | None = None,
) -> ProgressUpdate:
    """Write one update, with the new status of its action, in one transaction.

    Args:
        action: the action with its assignments (`with_units()`); its status, progress and version are updated.
        version: the version of the action that the author saw.
        op_id: the id of the posted form; posting it again returns the same row.
        access: the author and what they may do.
        at: the moment, aware.
        data: the contents of the update.
        source: a ProgressUpdate.Source.
        workbook: the imported file; a unit's own sheet reports for that unit.
        unit: the unit whose own sheet the row comes from, in any file.

    Returns:
        The update: new, or one made before with the same `op_id`, or recently by the same author with the same text.

    Raises:
        NotAllowedError: the author may not make this update.
        ValidationError: by field, the broken rules of design §4.
        StaleVersionError: the action has another version, or `op_id` belongs to another update.
    """
    data, is_sheet = _for_unit(action, access, data, workbook, unit)

    def find_repeat() -> ProgressUpdate:
        made = find_by_op_id(action, op_id, access)
        if made is None or not is_same_update(made, data):
            raise StaleVersionError(action)
        return made

    if action.version != version:
        return find_repeat()
    _check_allowed(action, access, data, is_sheet_of_unit=is_sheet)
    if source == ProgressUpdate.Source.WEB and (recent := find_recent_duplicate(action, data, access, at)):
        return recent
    update = _build(action, op_id, access, at, data, source, workbook)
    stored: list[str] = []
    written = None
    try:
        evidence = [_attach(attachment, update, stored) for attachment in data.attachments]
        written = write_once(lambda: _write(update, evidence), find_repeat=find_repeat)
    finally:
        if written is not update:
            storage.delete(stored)
    if written is update:
        action.version, action.status, action.progress = update.version, update.status_to, update.progress_to
    return written


def build_update(
    *,
    action: ActionItem,
    op_id: UUID,
    access: Access,
    at: datetime,
    data: UpdateInput,
    source: str,
    workbook: ImportedFile | None = None,
    unit: Unit | None = None,
) -> ProgressUpdate:
    """Return the update that `record_update` would write, checked and not saved, without a query.

    The arguments are those of `record_update`. The caller writes the update and the new status of its action, if the
    action still has the version that the update is based on.

    Raises:
        NotAllowedError: the author may not make this update.
        ValidationError: by field, the broken rules of design §4.
    """
    data, is_sheet = _for_unit(action, access, data, workbook, unit)
    _check_allowed(action, access, data, is_sheet_of_unit=is_sheet)
    return _build(action, op_id, access, at, data, source, workbook)


def _for_unit(
    action: ActionItem, access: Access, data: UpdateInput, workbook: ImportedFile | None, unit: Unit | None
) -> tuple[UpdateInput, bool]:
    """Return the update with the unit it reports for, and whether that is the unit of a sheet."""
    sheet_unit = unit.pk if unit else workbook.unit if workbook else None
    return replace(data, unit=sheet_unit or data.unit or access.default_unit(action)), sheet_unit is not None


def is_same_update(made: ProgressUpdate, data: UpdateInput) -> bool:
    """Return whether `data` says the same as the update: a double click or a retry, not new text in the form."""
    return (
        all(getattr(made, name) == getattr(data, name) for name in TEXT_FIELDS)
        and data.status in (None, made.status_to)
        and (data.progress is None or str(data.progress) == str(made.progress_to))
        and data.is_unchanged == made.is_unchanged
        and data.unit == made.unit_id
        and {item.sha256 or item.link for item in made.evidence.all()}
        == {item.file.sha256 if item.file else item.link for item in data.attachments}
    )


def record_unchanged(
    *, rows: Sequence[tuple[ActionItem, int, UUID, int | None]], access: Access, at: datetime
) -> tuple[list[ProgressUpdate], list[ActionItem]]:
    """Record "no change" for each of several actions, as one update per action.

    Args:
        rows: (action `with_units()`, the version its author saw, an `op_id`, the pk of the unit the author reports
            for as in `UpdateInput`). An action may have one row for each unit of the author.
        access: the author and what they may do.
        at: the moment, aware.

    Returns:
        The updates, and the actions that were skipped: somebody has changed them since, or the author may not report
        on them.
    """
    updates, skipped = [], []
    ours: dict[tuple[int, int], int] = {}  # (action pk, version seen) → version after our own update
    for action, seen, op_id, unit in rows:
        try:
            data = UpdateInput(is_unchanged=True, unit=unit)
            version = ours.get((action.pk, seen), seen)
            update = record_update(action=action, version=version, op_id=op_id, access=access, at=at, data=data)
            ours[action.pk, seen] = update.version
            updates.append(update)
        except (StaleVersionError, NotAllowedError):
            skipped.append(action)
    return updates, skipped


def withdraw_evidence(*, evidence: Evidence, access: Access, reason: str, at: datetime) -> EvidenceWithdrawal:
    """Withdraw evidence: its row and file stay, but nobody can open the file.

    Returns:
        The new withdrawal, or the earlier one.

    Raises:
        NotAllowedError: the user did not add it and is not a coordinator, or the plan takes no reports.
        ValidationError: there is no reason.
    """
    check_takes_reports(evidence.action.plan)
    if not access.may_withdraw(evidence):
        raise NotAllowedError(_("Only the person who added the evidence and the coordinator can withdraw it."))
    withdrawal = EvidenceWithdrawal(evidence=evidence, reason=reason.strip(), by=access.user, at=at)
    withdrawal.clean_fields(exclude={"evidence", "by"})

    def write() -> EvidenceWithdrawal:
        withdrawal.save()
        return withdrawal

    return write_once(write, find_repeat=lambda: EvidenceWithdrawal.objects.get(evidence=evidence))


def check_takes_reports(plan: Plan) -> None:
    """Raise NotAllowedError with the reason if nobody can report on the plan now."""
    if reason := plan.why_no_reports:
        raise NotAllowedError(reason)


def check_may_report(action: ActionItem, access: Access) -> None:
    """Raise NotAllowedError with the reason if the user may not report on the action."""
    if reason := access.why_not_report(action):
        raise NotAllowedError(reason)


def find_by_op_id(action: ActionItem, op_id: UUID, access: Access) -> ProgressUpdate | None:
    """Return the update of an action that this user already made with this `op_id`."""
    return ProgressUpdate.objects.filter(op_id=op_id, action=action, author=access.user).first()


def find_recent_duplicate(action: ActionItem, data: UpdateInput, access: Access, at: datetime) -> ProgressUpdate | None:
    """Return the last update of an action if this author made it recently with the same text.

    The browser's Back button can open a new form, with another `op_id`, and fill in the old text.
    """
    last = ProgressUpdate.objects.without_undone().filter(action=action).order_by("-version").first()
    is_recent = last is not None and last.author_id == access.user.pk and abs(at - last.at) < DUPLICATE_WINDOW
    return last if is_recent and is_same_update(last, data) else None


def _write(update: ProgressUpdate, evidence: Sequence[Evidence]) -> ProgressUpdate:
    """Set the action's status and add the rows."""
    action, made = update.action, {"status": update.status_to, "progress": update.progress_to}
    running = ActionItem.objects.filter(pk=action.pk, plan__state=Plan.State.RUNNING)
    if not compare_and_set(running, update.version - 1, **made):
        raise StaleVersionError(action)
    update.save()
    Evidence.objects.bulk_create(evidence)
    storage.forget_pending([row.file for row in evidence if row.file])
    return update


def _attach(attachment: Attachment, update: ProgressUpdate, stored: list[str]) -> Evidence:
    """Return unsaved evidence; its file is linked into place and synced, and its name is added to `stored`."""
    evidence = Evidence(
        action=update.action, update=update, title=attachment.title, link=attachment.link,
        added_by=update.author, at=update.at,
    )  # fmt: skip
    if staged := attachment.file:
        evidence.file = storage.store(staged, on=update.at)
        stored.append(evidence.file)
        evidence.original_name, evidence.kind = staged.original_name, staged.kind
        evidence.size, evidence.sha256 = staged.size, staged.sha256
    return evidence


def _check_allowed(action: ActionItem, access: Access, data: UpdateInput, *, is_sheet_of_unit: bool) -> None:
    check_may_report(action, access)
    moves_status = data.status is not None or data.progress is not None
    if data.unit is not None and not is_sheet_of_unit:
        own = {unit.pk for unit in access.own_units_in(action)}  # needs no query, and usually contains the unit
        if access.is_coordinator:
            own |= {part.unit_id for part in action.lead}
        if data.unit not in own and data.unit not in {unit.pk for unit in access.reportable_units(action)}:
            raise NotAllowedError(_("You do not report for this unit on this action. Choose another unit."))
        if moves_status and not access.may_change_status_for(action, data.unit):
            raise NotAllowedError(str(ONLY_LEADS))
    if moves_status and not access.may_change_status(action):
        raise NotAllowedError(str(ONLY_LEADS))
    moves = data.status is not None and data.status != action.status
    if moves and Status.CANCELLED in (data.status, action.status) and not access.is_coordinator:
        raise NotAllowedError(_("Only the coordinator can cancel or reopen an action."))


def _build(
    action: ActionItem,
    op_id: UUID,
    access: Access,
    at: datetime,
    data: UpdateInput,
    source: str,
    workbook: ImportedFile | None,
) -> ProgressUpdate:
    """Return the unsaved update from the action's status to the new one.

    Raises:
        ValidationError: by field, the broken rules.
    """
    update = ProgressUpdate(
        action=action,
        op_id=op_id,
        version=action.version + 1,
        author=access.user,
        unit_id=data.unit,
        at=at,
        status_from=action.status,
        status_to=action.status if data.status is None else data.status,
        progress_from=action.progress,
        progress_to=action.progress if data.progress is None else data.progress,
        result=data.result,
        problem=data.problem,
        next_step=data.next_step,
        reason=data.reason,
        is_unchanged=data.is_unchanged,
        source=source,
        import_key=workbook.key if workbook else None,
        file_name=workbook.name if workbook else "",
    )
    update.has_evidence = bool(data.attachments)
    typed = {"status_to", "progress_to", "file_name", *TEXT_FIELDS}
    update.clean_fields(exclude={field.name for field in update._meta.concrete_fields} - typed)
    update.clean()
    check_constraints(update)
    return update
