"""Import jobs: one uploaded workbook with its findings, its changes and its undo."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assignments.models import Organization, Unit
from plan.models.plan import Plan
from plan.revision import PLAN, watch
from plan.updates.record import ImportedFile
from pmqa_tracker.transactions import mark_changed, write_transaction


class ImportJobState(models.TextChoices):
    """State of an import job."""

    READING = "READING", _("Being read")
    REFUSED = "REFUSED", _("Refused")
    PREVIEW = "PREVIEW", _("To be confirmed")
    UNCHANGED = "UNCHANGED", _("Nothing to change")
    WRITTEN = "WRITTEN", _("Imported")
    UNDONE = "UNDONE", _("Undone")


class ImportJob(models.Model):
    """One uploaded workbook and its import. It is kept as long as its plan."""

    ORGANIZATION = "organization"

    class Kind(models.TextChoices):
        DATA_SHEET = "DATA_SHEET", _("Data sheet")
        UNIT_SHEET = "UNIT_SHEET", _("A unit's sheet")
        NEW_PLAN = "NEW_PLAN", _("A new plan")

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="import_jobs",
        verbose_name=_("organization"),
        help_text=_("Of the plan, or for a new plan of the user; empty while an administrator previews a new plan"),
    )
    key = models.UUIDField(_("key"), default=uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.DATA_SHEET)
    plan = models.ForeignKey(
        Plan,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="imports",
        verbose_name=_("plan"),
        help_text=_("For a new plan: set when the plan is created"),
    )
    unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("unit"),
        help_text=_("Unit of the sheet"),
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
    staged = models.CharField(
        max_length=32, blank=True, editable=False, help_text="Name of the stored file until the import is confirmed"
    )
    task = models.CharField(
        max_length=32, blank=True, editable=False, help_text="Background task that reads or writes the file"
    )
    state = models.CharField(_("state"), max_length=10, choices=ImportJobState, default=ImportJobState.READING)
    refusal = models.TextField(_("reason for the refusal"), blank=True)
    findings = models.JSONField(_("changes in the preview"), default=dict, blank=True)
    changes = models.JSONField(_("changes made"), default=list, blank=True)
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
                condition=Q(state__in=ImportJobState.values),
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

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the job, and what follows from its save, in one transaction."""
        with write_transaction(savepoint=False):
            super().save(*args, **kwargs)

    def change(self, *, was: Collection[str] = ImportJobState.values, **values: Any) -> bool:
        """Change fields of the stored job if it is in one of the states `was`; return whether it is."""
        with write_transaction():
            mark_changed([self])
            return bool(ImportJob.objects.filter(pk=self.pk, state__in=was).update(**values))

    def expires_at(self) -> datetime:
        """When the stored file of a preview is deleted."""
        return self.at + timedelta(hours=settings.PMQA_KEPT_HOURS)

    @property
    def is_new_plan(self) -> bool:
        """Whether the file holds a whole plan."""
        return self.kind == self.Kind.NEW_PLAN

    @property
    def is_reading(self) -> bool:
        """Whether the file is still being read."""
        return self.state == ImportJobState.READING

    @property
    def is_preview(self) -> bool:
        """Whether the import waits for confirmation."""
        return self.state == ImportJobState.PREVIEW

    @property
    def is_refused(self) -> bool:
        """Whether the file was refused."""
        return self.state == ImportJobState.REFUSED

    @property
    def has_errors_in_cells(self) -> bool:
        """Whether the file was refused for errors that can be marked in it."""
        return self.is_refused and bool(self.findings.get("errors"))

    @property
    def is_written(self) -> bool:
        """Whether the file is imported and not undone."""
        return self.state == ImportJobState.WRITTEN

    @property
    def was_written(self) -> bool:
        """Whether the file was imported, even if it is undone now."""
        return self.written_at is not None

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to confirm: the file was imported, or it changed nothing."""
        return self.was_written or self.state == ImportJobState.UNCHANGED

    @property
    def why_closed(self) -> str:
        """Why it can be neither confirmed nor undone; "" unless its plan has ended."""
        return self.plan.why_no_reports if self.plan and self.plan.has_ended else ""

    @property
    def imported_file(self) -> ImportedFile:
        """The reference to this import that its updates store."""
        return ImportedFile(key=self.key, name=self.file_name, unit=self.unit_id)


watch(ImportJob, "plan_id", PLAN)
