"""The write path: the one way in which the status and progress of an action change (design §5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from assignments.access import Access
from plan.models import ActionItem, Evidence, ProgressUpdate, Status

if TYPE_CHECKING:
    from django.core.files import File


class StaleUpdateError(Exception):
    """The action has changed since the form was opened; nothing was written."""


class NotAllowedError(Exception):
    """The author may not write this; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """Evidence that comes with an update: a link, or a file with the SHA-256 of its content."""

    title: str
    link: str = ""
    file: "File | None" = None
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a person tells of an action. `status` and `progress` (%) are None where only words are added."""

    status: str | None = None
    progress: int | None = None
    result: str = ""
    problem: str = ""
    next_step: str = ""
    reason: str = ""
    attachments: Sequence[Attachment] = field(default_factory=tuple)


def record_update(
    *,
    action: ActionItem,
    version: int,
    op_id: UUID,
    access: Access,
    at: datetime,
    report: Report,
    source: str = ProgressUpdate.Source.WEB,
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

    Returns:
        The update, new or made before by the same `op_id`.

    Raises:
        NotAllowedError: the author may not write this to this action.
        ValidationError: a rule of design §4 is broken, by field.
        StaleUpdateError: the action's version is not `version` any more.
    """
    _check_allowed(action, access, report)
    try:
        with transaction.atomic():
            if made := made_before(action, op_id, access):
                return made
            # Read and compared inside the transaction: the rules judge the step from what is stored to what is told.
            stored = ActionItem.objects.filter(pk=action.pk, version=version).values("status", "progress").first()
            if stored is None:
                raise StaleUpdateError(action)
            update = _build(action, version, op_id, access, at, report, source, stored)
            update.full_clean(validate_unique=False)
            written = ActionItem.objects.filter(pk=action.pk, version=version).update(
                status=update.status_to,
                progress=update.progress_to,
                version=F("version") + 1,
            )
            if not written:
                raise StaleUpdateError(action)
            update.save()
            for attachment in report.attachments:
                Evidence(
                    action=action,
                    update=update,
                    title=attachment.title,
                    link=attachment.link,
                    file=attachment.file,
                    sha256=attachment.sha256,
                    added_by=access.user,
                    at=at,
                ).save()
            return update
    except (StaleUpdateError, IntegrityError):
        # The same submission twice at the same moment: the second finds the first's row.
        if made := made_before(action, op_id, access):
            return made
        raise


def check_may_report(action: ActionItem, access: Access) -> None:
    """Raise NotAllowedError, which says why, where a person has no part in an action."""
    if access.may_add_result(action):
        return
    units = ", ".join(dict.fromkeys(str(assignment.unit) for assignment in action.assignments.all()))
    raise NotAllowedError(
        _("This action belongs to %(units)s. Only their staff and the coordinator report on it.") % {"units": units}
    )


def made_before(action: ActionItem, op_id: UUID | str, access: Access) -> ProgressUpdate | None:
    """The update this submission already made; None for a new one, or for an `op_id` that is no UUID."""
    try:
        op_id = UUID(str(op_id))
    except ValueError:
        return None
    return ProgressUpdate.objects.filter(op_id=op_id, action=action, author=access.user).first()


def _check_allowed(action: ActionItem, access: Access, report: Report) -> None:
    check_may_report(action, access)
    if (report.status is not None or report.progress is not None) and not access.may_change_status(action):
        raise NotAllowedError(_("Only a lead unit changes the status; a supporting unit adds results and evidence."))
    moves = report.status is not None and report.status != action.status
    if moves and Status.CANCELLED in (report.status, action.status) and not access.is_coordinator:
        raise NotAllowedError(_("Only the coordinator cancels an action or takes it up again."))


def _build(
    action: ActionItem,
    version: int,
    op_id: UUID,
    access: Access,
    at: datetime,
    report: Report,
    source: str,
    stored: dict[str, object],
) -> ProgressUpdate:
    update = ProgressUpdate(
        action=action,
        op_id=op_id,
        version=version + 1,
        author=access.user,
        at=at,
        status_from=stored["status"],
        status_to=stored["status"] if report.status is None else report.status,
        progress_from=stored["progress"],
        progress_to=stored["progress"] if report.progress is None else report.progress,
        result=report.result,
        problem=report.problem,
        next_step=report.next_step,
        reason=report.reason,
        source=source,
    )
    update.has_evidence = bool(report.attachments)
    return update
