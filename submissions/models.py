"""Models of the period reports (รายงานประจำงวด): submissions of the units, their steps and lines."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assignments.models import Unit
from plan.log.chain import chain
from plan.models.action import ActionItem
from plan.models.plan import Period
from plan.models.update import ProgressUpdate
from plan.revision import PLAN, watch
from pmqa_tracker.append_only import AppendOnly


class SubmissionState(models.TextChoices):
    """State of a submission."""

    SENT = "SENT", _("Sent, waits for review")
    RETURNED = "RETURNED", _("Returned")
    ACCEPTED = "ACCEPTED", _("Accepted")


class Submission(models.Model):
    """The period report of one unit, created when it is first sent. `state` is a copy of its last step's.

    Only `submissions.steps` writes it. `version` counts the steps and is compared before each new one.
    """

    ORGANIZATION = "unit__organization"

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="submissions", verbose_name=_("unit"))
    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="submissions", verbose_name=_("period"))
    state = models.CharField(_("state"), max_length=10, choices=SubmissionState)
    version = models.PositiveIntegerField(_("version"), default=0)

    class Meta:
        verbose_name = _("period report")
        verbose_name_plural = _("period reports")
        constraints = (
            models.UniqueConstraint(fields=("unit", "period"), name="submission_once"),
            models.CheckConstraint(condition=Q(state__in=SubmissionState.values), name="submission_state_known"),
        )

    def __str__(self) -> str:
        return f"{self.unit} · {self.period}"


class SubmissionStep(AppendOnly):
    """Sending, return or acceptance of a submission: who did it, when, and with which note."""

    submission = models.ForeignKey(
        Submission, on_delete=models.PROTECT, related_name="steps", verbose_name=_("period report")
    )
    op_id = models.UUIDField(_("operation"), unique=True)
    version = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=10, choices=SubmissionState)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    at = models.DateTimeField(_("at"), db_index=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("step of a period report")
        verbose_name_plural = _("steps of period reports")
        constraints = (
            models.UniqueConstraint(fields=("submission", "version"), name="submission_step_one_per_version"),
        )

    def __str__(self) -> str:
        return f"{self.submission_id} v{self.version}"

    @property
    def is_sent(self) -> bool:
        """Whether the step is a sending by the unit."""
        return self.state == SubmissionState.SENT

    @property
    def is_return(self) -> bool:
        """Whether the step is a return by the coordinator."""
        return self.state == SubmissionState.RETURNED


class SubmissionLine(AppendOnly):
    """An action in a step: its latest update when it was sent, or the reason of its return."""

    address = None  # the step has it

    step = models.ForeignKey(SubmissionStep, on_delete=models.PROTECT, related_name="lines", verbose_name=_("step"))
    action = models.ForeignKey(
        ActionItem, on_delete=models.PROTECT, related_name="submission_lines", verbose_name=_("action item")
    )
    update = models.ForeignKey(
        ProgressUpdate,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("progress update"),
        help_text=_("The latest update when the step was made; empty if there was none"),
    )
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("line of a period report")
        verbose_name_plural = _("lines of period reports")
        constraints = (models.UniqueConstraint(fields=("step", "action"), name="submission_line_once"),)

    def __str__(self) -> str:
        return f"{self.step_id} · {self.action_id}"


watch(Submission, "period__plan_id", PLAN)
watch(SubmissionStep, "submission__period__plan_id", PLAN)
watch(SubmissionLine, "step__submission__period__plan_id", PLAN)

chain(SubmissionStep, author="by_id", ref=lambda step: f"{step.submission.unit} · {step.submission.period.number}")
chain(
    SubmissionLine, author="step__by_id", moment="step__at",
    ref=lambda line: f"{line.step.submission.unit} · {line.step.submission.period.number}",
)  # fmt: skip
