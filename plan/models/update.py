"""The story of an action: progress updates, only ever added."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from assignments.models import Unit
from plan.models.status import Status, StatusRules, status_constraints


class AppendOnlyError(TypeError):
    """A row that is only ever added was to be changed or removed."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **kwargs: Any) -> int:
        raise AppendOnlyError("These rows are only ever added.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("These rows are only ever added.")

    def newest_first(self) -> "AppendOnlyQuerySet":
        return self.order_by("-at", "-pk")


class AppendOnly(models.Model):
    """A row of a log: saved once, then neither changed nor removed."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("This row was saved before; add a new one.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("These rows are only ever added.")

    def validate_constraints(self, exclude: Any = None) -> None:
        """Ask nothing: the database refuses the row as it is saved; see `pmqa_tracker.constraints`."""


class ProgressUpdateQuerySet(AppendOnlyQuerySet):
    def without_undone(self) -> "ProgressUpdateQuerySet":
        """Leave out the updates that an undone import brought, and the rows that took them back.

        Whatever shows or counts the latest report of an action reads it through this, for any day: an undone update
        was never meant. Only the history of an action lists all of them; see `with_undone`.
        """
        return self.filter(Q(import_key__isnull=True) | ~Exists(_undo_rows()))

    def with_undone(self) -> "ProgressUpdateQuerySet":
        """Annotate `is_undone`: whether `without_undone` leaves the update out."""
        return self.annotate(is_undone=Exists(_undo_rows()))

    def remove_imported(self) -> None:
        """Remove what workbooks told of an action that one of them added, before the action itself is removed.

        The imports keep what their files said.
        """
        models.QuerySet.delete(self.filter(import_key__isnull=False))


def _undo_rows() -> models.QuerySet["ProgressUpdate"]:
    """Rows that took back what the same workbook told of the same action, as a subquery of updates."""
    same = {"action": OuterRef("action"), "import_key": OuterRef("import_key")}
    return ProgressUpdate.objects.filter(source=ProgressUpdate.Source.UNDO, **same)


class ProgressUpdate(AppendOnly):
    """One step in the story of an action: who told what, when, and what it made of the status.

    Figures of a past day are read from these rows. Text is kept as typed.
    """

    class Source(models.TextChoices):
        WEB = "WEB", _("On the site")
        IMPORT = "IMPORT", _("From a workbook")
        UNDO = "UNDO", _("Import undone")
        DEMO = "DEMO", _("Demonstration")

    action = models.ForeignKey(
        "plan.ActionItem",
        on_delete=models.PROTECT,
        related_name="updates",
        verbose_name=_("action item"),
    )
    op_id = models.UUIDField(
        _("operation"),
        unique=True,
        help_text=_("One submission of the form makes one row"),
    )
    version = models.PositiveIntegerField(_("version"), help_text=_("The version of the action this update made"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="updates",
        verbose_name=_("author"),
    )
    unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="updates",
        verbose_name=_("unit"),
        help_text=_("The unit the author spoke for; empty where he spoke for none"),
    )
    at = models.DateTimeField(_("at"), db_index=True)
    status_from = models.CharField(_("status before"), max_length=12, choices=Status)
    status_to = models.CharField(_("status"), max_length=12, choices=Status)
    progress_from = models.PositiveSmallIntegerField(_("progress before (%)"))
    progress_to = models.PositiveSmallIntegerField(_("progress (%)"))
    result = models.TextField(_("result"), blank=True)
    problem = models.TextField(_("problem"), blank=True)
    next_step = models.TextField(_("next step"), blank=True)
    reason = models.TextField(
        _("reason for the change"),
        blank=True,
        help_text=_("Needed for going back or cancelling"),
    )
    is_unchanged = models.BooleanField(
        _("no change this period"),
        default=False,
        help_text=_("Nothing had changed, and its author said so"),
    )
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.WEB)
    import_key = models.UUIDField(
        _("import"), null=True, blank=True, editable=False, help_text=_("The import it came in with")
    )
    file_name = models.CharField(
        _("file name"), max_length=255, blank=True, help_text=_("The workbook it came in with")
    )

    objects = ProgressUpdateQuerySet.as_manager()

    class Meta:
        verbose_name = _("progress update")
        verbose_name_plural = _("progress updates")
        indexes = (models.Index(fields=("action", "-at")),)
        constraints = (
            models.UniqueConstraint(fields=("action", "version"), name="update_one_per_version"),
            *status_constraints("update", status="status_to", progress="progress_to"),
            models.CheckConstraint(
                condition=~Q(status_to=Status.BLOCKED.value) | Q(status_from=Status.BLOCKED.value) | ~Q(problem=""),
                name="update_blocked_names_problem",
                violation_error_message=_("Say what the problem is."),
            ),
            models.CheckConstraint(
                condition=Q(progress_to__gte=F("progress_from")) | ~Q(reason=""),
                name="update_going_back_has_reason",
                violation_error_message=_("Say why the progress goes back."),
            ),
            models.CheckConstraint(
                condition=~Q(status_to=Status.CANCELLED.value) | Q(status_from=Status.CANCELLED.value) | ~Q(reason=""),
                name="update_cancelling_has_reason",
                violation_error_message=_("Say why the action is cancelled."),
            ),
            models.CheckConstraint(
                condition=Q(is_unchanged=False) | Q(status_to=F("status_from"), progress_to=F("progress_from")),
                name="update_unchanged_changes_nothing",
                violation_error_message=_("“No change” leaves the status and the progress as they are."),
            ),
            models.CheckConstraint(
                condition=~Q(source="UNDO") | Q(import_key__isnull=False),
                name="update_undo_names_import",
            ),
        )

    has_evidence = False  # the write path sets it before `clean` where files or links come with the update

    def __str__(self) -> str:
        return f"{self.action_id} v{self.version}"

    @property
    def is_of_undo(self) -> bool:
        """Whether the undo of an import wrote it."""
        return self.source == self.Source.UNDO

    @property
    def is_by_form(self) -> bool:
        """Whether somebody wrote it in the form of the site."""
        return self.source == self.Source.WEB

    @property
    def changes_status(self) -> bool:
        """Whether it moved the status or the progress, and did not only add words."""
        return (self.status_from, self.progress_from) != (
            self.status_to,
            self.progress_to,
        )

    @property
    def goes_back(self) -> bool:
        """Less progress than before, an earlier status, or a cancelled action taken up again."""
        before, after = _rules(self.status_from), _rules(self.status_to)
        is_less = (self.progress_to or 0) < (self.progress_from or 0)
        return after.rank < before.rank or (is_less and not after.keeps_progress)

    @property
    def missing(self) -> str:
        """The name of the text that the new status needs and the update does not have; empty where none is missing."""
        rules = _rules(self.status_to)
        if not rules.needs or getattr(self, rules.needs):
            return ""
        if rules.is_proved_by_evidence:
            return rules.needs if self.changes_status and not self.has_evidence else ""
        return rules.needs if self.status_to != self.status_from else ""

    def clean(self) -> None:
        """Check the rules of the status (`STATUSES`); each error stands at its field.

        Raises:
            ValidationError: by field, naming the broken rule.
        """
        errors = {}
        progress = self.progress_to
        if progress is not None and progress > 100:
            errors["progress_to"] = _("Progress must be between 0 and 100.")
        only = _rules(self.status_to).progress
        if only is not None and (progress or 0) != only:
            errors["progress_to"] = WRONG_PROGRESS[only]
        if self.goes_back and not self.reason:
            errors["reason"] = _("The status or the progress goes back; say why.")
        if missing := self.missing:
            errors[missing] = MISSING[missing]
        if errors:
            raise ValidationError(errors)


# What to say of a broken rule: by the progress that the status must have, and by the text that is missing.
WRONG_PROGRESS = {
    0: _("What has not started is at 0 %. Choose “In progress” to report progress."),
    100: _("What is done is at 100 %. Set 100, or choose “In progress”."),
}
MISSING = {
    "result": _("To report it done, write the result or attach evidence."),
    "problem": _("To report it blocked, say what the problem is."),
    "reason": _("To cancel the action, say why."),
}


def _rules(status: str) -> StatusRules:
    """The rules of a status; of one that is not known, those of an open one."""
    return Status(status if status in Status.values else Status.IN_PROGRESS).rules
