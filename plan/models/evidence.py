"""Evidence of updates (files and links) and its withdrawal. Rows are only added, never changed."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from plan.models.action import ActionItem
from plan.models.update import ProgressUpdate
from pmqa_tracker.append_only import AppendOnly
from pmqa_tracker.tasks.clean_up import register, remove_old_files

STAGED = "staged"  # folder in the storage for accepted uploads that belong to no update yet
STAGED_SECONDS = 24 * 60 * 60
LEFTOVER_AGE = timedelta(seconds=STAGED_SECONDS, hours=1)  # an hour for the request that used a token at last


class Evidence(AppendOnly):
    """หลักฐาน: a file or a link that was added with an update; a correction is a new row.

    `file` is a random name in the default storage; `original_name` is the user's name for it. A view that
    checks the login serves the file (`plan.evidence.views`); no static path does.
    """

    ORGANIZATION = "action__plan__organization"

    DISPLAY_FIELD = "title"

    action = models.ForeignKey(
        ActionItem,
        on_delete=models.PROTECT,
        related_name="evidence",
        verbose_name=_("action item"),
    )
    update = models.ForeignKey(
        ProgressUpdate,
        on_delete=models.PROTECT,
        related_name="evidence",
        verbose_name=_("progress update"),
    )
    title = models.CharField(_("title"), max_length=300)
    file = models.CharField(_("file"), max_length=100, blank=True)
    original_name = models.CharField(_("name of the file"), max_length=255, blank=True)
    kind = models.CharField(_("kind of file"), max_length=10, blank=True)
    size = models.PositiveBigIntegerField(_("size (bytes)"), null=True, blank=True)
    link = models.URLField(_("link"), max_length=1000, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, help_text=_("Of the file's content"))
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="evidence",
        verbose_name=_("added by"),
    )
    at = models.DateTimeField(_("at"), db_index=True)

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        constraints = (
            models.CheckConstraint(
                condition=(Q(file="") & ~Q(link="")) | (~Q(file="") & Q(link="")),
                name="evidence_file_or_link",
                violation_error_message=_("Evidence is a file or a link, one of the two."),
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def withdrawn(self) -> "EvidenceWithdrawal | None":
        """The withdrawal, or None; needs `select_related("withdrawal")`."""
        return getattr(self, "withdrawal", None)


class EvidenceWithdrawal(AppendOnly):
    """The withdrawal of a piece of evidence, with a reason; row and file stay, but nobody can download the file."""

    ORGANIZATION = "evidence__action__plan__organization"

    evidence = models.OneToOneField(
        Evidence,
        on_delete=models.PROTECT,
        related_name="withdrawal",
        verbose_name=_("evidence"),
    )
    reason = models.TextField(_("reason"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("withdrawn by"),
    )
    at = models.DateTimeField(_("at"), db_index=True)

    class Meta:
        verbose_name = _("withdrawal of evidence")
        verbose_name_plural = _("withdrawals of evidence")
        constraints = (
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="withdrawal_has_reason",
                violation_error_message=_("Say why the evidence is withdrawn."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.evidence_id}"


class PendingFile(models.Model):
    """A file in the storage of evidence whose row is not committed yet.

    A process that is killed between the two leaves this row, by which `remove_leftovers` finds the file. Backups leave
    these rows out, so that a restored database never deletes a file of another one.
    """

    name = models.CharField(max_length=100, unique=True)
    at = models.DateTimeField(default=timezone.now, help_text="By the clock of the machine")

    class Meta:
        verbose_name = _("file without a row")
        verbose_name_plural = _("files without a row")

    def __str__(self) -> str:
        return self.name


def remove_leftovers(at: datetime) -> int:
    """Delete what interrupted requests and unfinished forms left more than a day ago; return the number of files.

    It asks only for files that this database has on record as pending. Files that belong to nothing for another
    reason, such as a restore of an older backup, stay: `manage.py check_evidence` names them.
    """
    removed = remove_old_files(default_storage, STAGED, at - LEFTOVER_AGE)
    for pending in PendingFile.objects.filter(at__lt=at - LEFTOVER_AGE):
        if not Evidence.objects.filter(file=pending.name).exists():
            removed += default_storage.exists(pending.name)
            default_storage.delete(pending.name)
        pending.delete()
    return removed


register(remove_leftovers)
