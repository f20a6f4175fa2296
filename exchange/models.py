"""A workbook that was brought in: what it would change, what it changed, and whether that was taken back."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assignments.models import Unit
from plan.models.plan import Plan
from plan.updates.record import ImportedFile


class ImportState(models.TextChoices):
    """How far an import has come."""

    READING = "READING", _("Being read")
    REFUSED = "REFUSED", _("Not taken")
    PREVIEW = "PREVIEW", _("To be confirmed")
    UNCHANGED = "UNCHANGED", _("Nothing to change")
    WRITTEN = "WRITTEN", _("Imported")
    UNDONE = "UNDONE", _("Undone")


class ImportJob(models.Model):
    """One upload of a workbook, from the file to what became of it; it is kept as long as the plan is."""

    class Kind(models.TextChoices):
        DATA_SHEET = "DATA_SHEET", _("Data sheet")
        UNIT_SHEET = "UNIT_SHEET", _("A unit's sheet")
        NEW_PLAN = "NEW_PLAN", _("A new plan")

    key = models.UUIDField(_("key"), default=uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.DATA_SHEET)
    plan = models.ForeignKey(
        Plan,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="imports",
        verbose_name=_("plan"),
        help_text=_("Of a new plan: once it was made"),
    )
    unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("unit"),
        help_text=_("Whose sheet it is"),
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="import_jobs",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("uploaded at"))
    file_name = models.CharField(_("file name"), max_length=255)
    size = models.PositiveIntegerField(_("size in bytes"))
    sha256 = models.CharField("SHA-256", max_length=64)
    staged = models.CharField(max_length=32, blank=True, editable=False, help_text="Where the file lies until then")
    task = models.CharField(max_length=32, blank=True, editable=False, help_text="What reads or writes it")
    state = models.CharField(_("state"), max_length=10, choices=ImportState, default=ImportState.READING)
    refusal = models.TextField(_("why it was not taken"), blank=True)
    found = models.JSONField(_("what it would change"), default=dict, blank=True)
    written = models.JSONField(_("what it changed"), default=list, blank=True)
    written_at = models.DateTimeField(_("imported at"), null=True, blank=True)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("undone by"),
    )

    class Meta:
        verbose_name = _("import of a workbook")
        verbose_name_plural = _("imports of workbooks")
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=ImportState.values),
                name="import_job_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("WRITTEN", "UNDONE"), written_at__isnull=False)
                | Q(written_at__isnull=True) & ~Q(state__in=("WRITTEN", "UNDONE")),
                name="import_job_written_has_moment",
            ),
        )

    def __str__(self) -> str:
        return self.file_name

    def expires_at(self) -> datetime:
        """Until when the file that was looked at is kept for the confirmation."""
        return self.at + timedelta(hours=settings.PMQA_KEPT_HOURS)

    @property
    def is_new_plan(self) -> bool:
        """Whether its file is a whole plan."""
        return self.kind == self.Kind.NEW_PLAN

    @property
    def is_reading(self) -> bool:
        """Whether its file is still to be read."""
        return self.state == ImportState.READING

    @property
    def is_preview(self) -> bool:
        """Whether it waits for the user to confirm it."""
        return self.state == ImportState.PREVIEW

    @property
    def is_refused(self) -> bool:
        """Whether its file has errors."""
        return self.state == ImportState.REFUSED

    @property
    def is_written(self) -> bool:
        """Whether it was imported, and not undone since."""
        return self.state == ImportState.WRITTEN

    @property
    def was_written(self) -> bool:
        """Whether it was imported, undone since or not."""
        return self.written_at is not None

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to confirm: it was imported, or there was nothing to change."""
        return self.was_written or self.state == ImportState.UNCHANGED

    @property
    def imported_file(self) -> ImportedFile:
        """What the updates of this import say about it."""
        return ImportedFile(key=self.key, name=self.file_name, unit=self.unit_id)
