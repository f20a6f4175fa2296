"""Progress updates of actions: an append-only log with its queryset and rules."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from assignments.models import Unit
from plan.log.content import write_content
from plan.models.status import STATUSES, Status, StatusRules, status_constraints
from pmqa_tracker.append_only import AppendOnly, AppendOnlyQuerySet


class ProgressUpdateQuerySet(AppendOnlyQuerySet):
    def without_undone(self) -> "ProgressUpdateQuerySet":
        """Leave out updates of undone imports, and the rows that undid them.

        All code that shows or counts the latest update of an action uses this, for any day: an undone update was a
        mistake. Only the history of an action lists them; see `with_undone`.
        """
        return self.filter(Q(import_key__isnull=True) | ~Exists(_undo_rows()))

    def with_undone(self) -> "ProgressUpdateQuerySet":
        """Annotate `is_undone`: whether `without_undone` leaves the update out."""
        return self.annotate(is_undone=Exists(_undo_rows()))

    def remove_imported(self, *, by: Any, at: datetime, reason: str) -> None:
        """Remove the imported updates of an action that an import added, so that undo can delete the action.

        Their contents, and who removed them when and why, are kept as `RemovedUpdate`.
        """
        imported = list(self.filter(import_key__isnull=False).select_related("action"))
        if imported:
            RemovedUpdate.objects.bulk_create(
                RemovedUpdate(
                    plan_id=each.action.plan_id, update_id=each.pk, content=write_content(each),
                    by=by, at=at, reason=reason,
                )
                for each in imported
            )  # fmt: skip
            models.QuerySet.delete(self.filter(pk__in=[each.pk for each in imported]))


def _undo_rows() -> models.QuerySet["ProgressUpdate"]:
    """Return the rows that undid an import for the same action, as a subquery of updates."""
    same = {"action": OuterRef("action"), "import_key": OuterRef("import_key")}
    return ProgressUpdate.objects.filter(source=ProgressUpdate.Source.UNDO, **same)


class ProgressUpdate(AppendOnly):
    """One update of an action: author, unit, time, texts, and the change of status and progress.

    Figures of past days are computed from these rows. Texts are stored as typed.
    """

    ORGANIZATION = "action__plan__organization"
    REMOVABLE_WHEN = dict.fromkeys(
        ("sqlite", "postgresql"), "EXISTS (SELECT 1 FROM plan_removedupdate WHERE update_id = OLD.id)"
    )

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
        help_text=_("One posted form makes one row"),
    )
    version = models.PositiveIntegerField(_("version"), help_text=_("The version of the action after this update"))
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
        help_text=_("The unit the author reported for; empty for all lead units"),
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
        help_text=_("The author reported that nothing had changed"),
    )
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.WEB)
    import_key = models.UUIDField(
        _("import"), null=True, blank=True, editable=False, help_text=_("The import that added the update")
    )
    file_name = models.CharField(
        _("file name"), max_length=255, blank=True, help_text=_("The workbook that the update was imported from")
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

    has_evidence = False  # set before `clean` if files or links are added with the update

    def __str__(self) -> str:
        return f"{self.action_id} v{self.version}"

    @property
    def is_of_undo(self) -> bool:
        """Whether undoing an import wrote this row."""
        return self.source == self.Source.UNDO

    @property
    def is_by_form(self) -> bool:
        """Whether a user wrote it in a form of the site."""
        return self.source == self.Source.WEB

    @property
    def changes_status(self) -> bool:
        """Whether it changes the status or the progress, instead of only adding text."""
        return (self.status_from, self.progress_from) != (
            self.status_to,
            self.progress_to,
        )

    @property
    def goes_back(self) -> bool:
        """Whether it lowers the progress or the rank of the status, or reopens a cancelled action."""
        before, after = _rules(self.status_from), _rules(self.status_to)
        is_less = (self.progress_to or 0) < (self.progress_from or 0)
        return after.rank < before.rank or (is_less and not after.keeps_progress)

    @property
    def missing(self) -> str:
        """Name of the text field that the new status needs and that is empty; "" if none is missing."""
        rules = _rules(self.status_to)
        if not rules.needs or getattr(self, rules.needs):
            return ""
        if rules.is_proved_by_evidence:
            return rules.needs if self.changes_status and not self.has_evidence else ""
        return rules.needs if self.status_to != self.status_from else ""

    def clean(self) -> None:
        """Check the rules of the status (`STATUSES`).

        Raises:
            ValidationError: the broken rules, by field.
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


class RemovedUpdate(AppendOnly):
    """An imported update that undo removed together with the action that the same import had added.

    The database lets an update go only once its content is kept here. The plan itself may be removed later, when the
    import that made it is undone, so nothing refers to it.
    """

    ORGANIZATION = "plan__organization"

    plan = models.ForeignKey(
        "plan.Plan", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("plan")
    )
    update_id = models.BigIntegerField(_("progress update"), unique=True)
    content = models.TextField(_("content"), help_text="As `plan.log.content.write_content` writes it")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("removed by")
    )
    at = models.DateTimeField(_("at"), db_index=True)
    reason = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("removed progress update")
        verbose_name_plural = _("removed progress updates")

    def __str__(self) -> str:
        return f"{self.update_id}"


# Error messages, by the progress that the status requires and by the missing text field.
WRONG_PROGRESS = {
    0: _("An action that has not started is at 0 %. Choose “In progress” to report progress."),
    100: _("An action that is done is at 100 %. Enter 100, or choose “In progress”."),
}
MISSING = {
    "result": _("To report it done, write the result or attach evidence."),
    "problem": _("To report it blocked, say what the problem is."),
    "reason": _("To cancel the action, say why."),
}


def _rules(status: str) -> StatusRules:
    """Return the rules of a status; an unknown one gets those of IN_PROGRESS."""
    return STATUSES.get(status, STATUSES[Status.IN_PROGRESS])
