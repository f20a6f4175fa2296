"""What became of an import: the message at the top of its page, and what it brought in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exchange.data_sheet.columns import ACTION_COLUMNS
from exchange.findings import CONFLICT
from exchange.models import ImportJob, ImportJobState
from pmqa_tracker import thai


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """A message.

    Attributes:
        kind: "error", "warning" or "success".
        icon: name of an icon in `static/img/icons.svg`.
        title: the result; may be empty.
        text: the reason or the next step; may be empty.
        is_alert: whether a screen reader reads it at once.
    """

    kind: str
    icon: str
    title: str = ""
    text: str = ""
    is_alert: bool = True

    @property
    def role(self) -> str:
        """The ARIA role."""
        return "alert" if self.is_alert else "status"


def outcome_of(job: ImportJob, *, is_cut_off: bool, is_expired: bool, not_undone: Sequence[str]) -> JobOutcome | None:
    """The message of an import job; None for a preview without a remark.

    Args:
        job: the import job.
        is_cut_off: reading the file ended without a result.
        is_expired: the stored file is deleted.
        not_undone: refs of actions that the undo left unchanged.
    """
    if is_cut_off:
        title = _("The file was not read to the end: the server stopped or had an error.")
        return JobOutcome(kind="error", icon="failed", title=title, text=_upload_again())
    if job.is_refused:
        return _refused(job)
    if job.state == ImportJobState.UNCHANGED:
        title = job.refusal or _("The file equals the data on the site. Nothing was changed.")
        return JobOutcome(kind="success", icon="passed", title=title, is_alert=False)
    if job.is_written:
        count, when = len(job.changes), thai.format_datetime(job.written_at)
        title = ngettext("Imported on %(when)s: %(count)s row.", "Imported on %(when)s: %(count)s rows.", count)
        title %= {"count": count, "when": when}
        return JobOutcome(kind="success", icon="passed", title=title, is_alert=False)
    if job.was_written:
        return _undone(job, not_undone)
    if is_expired:
        title = _("The uploaded file is no longer stored.")
        return JobOutcome(kind="warning", icon="blocked", title=title, text=_upload_again())
    return JobOutcome(kind="warning", icon="blocked", text=job.refusal) if job.refusal else None


def _upload_again() -> str:
    return _("Nothing was imported. Upload the file again.")


def _refused(job: ImportJob) -> JobOutcome:
    if job.refusal:
        return JobOutcome(kind="error", icon="failed", title=_("Nothing was imported."), text=job.refusal)
    count = len(job.findings.get("errors", ()))
    title = ngettext(
        "The file has %(count)s error, so nothing was imported.",
        "The file has %(count)s errors, so nothing was imported.",
        count,
    )
    text = _("Correct them in Excel, save, and upload the file again.")
    return JobOutcome(kind="error", icon="failed", title=title % {"count": count}, text=text)


def _undone(job: ImportJob, not_undone: Sequence[str]) -> JobOutcome:
    when = thai.format_datetime(job.undone_at)
    title = _("Undone by %(who)s on %(when)s.") % {"who": job.undone_by, "when": when}
    text = ""
    if not_undone:
        text = _("Not undone, because they were edited or reported on since:") + f" {', '.join(not_undone)}"
    return JobOutcome(kind="warning", icon="returned", title=title, text=text, is_alert=False)


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What a data sheet brought, or would bring, in numbers.

    Attributes:
        rows: rows that change, without the conflicts that keep the site's values.
        results: rows of these with a new result.
        conflicts: conflicts that keep the site's values.
        errors: errors in its cells.
    """

    rows: int
    results: int
    conflicts: int
    errors: int


def brought_by(job: ImportJob) -> Brought:
    """Count what the data sheet of an import job brought."""
    rows = job.findings.get("rows", ())
    used = [row for row in rows if row["kind"] != CONFLICT or row.get("uses_file")]
    heading = ACTION_COLUMNS["result"].heading
    return Brought(
        rows=len(used),
        results=sum(any(cell["heading"] == heading and cell["after"] for cell in row["cells"]) for row in used),
        conflicts=len(rows) - len(used),
        errors=len(job.findings.get("errors", ())),
    )
