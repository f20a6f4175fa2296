"""Assessments of an organization by a framework, and their verdicts."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from criteria.models.standard import Criterion, Framework, Requirement
from pmqa_tracker.append_only import History
from pmqa_tracker.models import Versioned


class Assessment(Versioned):
    """One assessment of an organization by the criteria of a framework."""

    ORGANIZATION = "organization"
    DISPLAY_FIELD = "name"

    class Kind(models.TextChoices):
        ASSESSOR = "ASSESSOR", _("By the assessor")
        SELF = "SELF", _("Self-assessment")

    framework = models.ForeignKey(
        Framework,
        on_delete=models.PROTECT,
        related_name="assessments",
        verbose_name=_("edition of the standard"),
    )
    # A string, because `assignments` comes after `criteria` in the import order.
    organization = models.ForeignKey(
        "assignments.Organization",
        on_delete=models.PROTECT,
        related_name="assessments",
        verbose_name=_("organization"),
    )
    name = models.CharField(_("name"), max_length=300)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.ASSESSOR)
    assessed_on = models.DateField(
        _("assessed on"),
        null=True,
        blank=True,
        help_text=_("Empty where the document does not say"),
    )

    history = History()

    class Meta:
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "name"),
                name="assessment_name_once",
                violation_error_message=_("The organization already has an assessment with this name."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse another framework once the assessment has verdicts or its plan has actions."""
        if self.pk is None or self.framework_id is None:
            return
        answered = Q(requirements__verdicts__assessment=self.pk) | Q(actions__plan__assessment=self.pk)
        if Criterion.objects.filter(answered).exclude(framework=self.framework_id).exists():
            text = _("The edition cannot change: the assessment has verdicts, or its plan has actions.")
            raise ValidationError({"framework": text})


class Verdict(Versioned):
    """ผลการประเมิน: whether a requirement passed in an assessment, with the reason."""

    ORGANIZATION = "assessment__organization"

    assessment = models.ForeignKey(
        Assessment,
        on_delete=models.PROTECT,
        related_name="verdicts",
        verbose_name=_("assessment"),
    )
    requirement = models.ForeignKey(
        Requirement,
        on_delete=models.PROTECT,
        related_name="verdicts",
        verbose_name=_("requirement"),
    )
    passed = models.BooleanField(_("passed"))
    reason = models.TextField(_("reason"), blank=True)
    printed = models.BooleanField(
        _("printed"),
        default=True,
        help_text=_("Not ticked where the document implies it without printing it"),
    )

    history = History()

    class Meta:
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")
        constraints = (
            models.UniqueConstraint(
                fields=("assessment", "requirement"),
                name="verdict_once_per_requirement",
                violation_error_message=_("This assessment already has a verdict on this requirement."),
            ),
        )

    def clean(self) -> None:
        """Refuse a requirement of another framework than the assessment's."""
        if (
            self.assessment_id
            and self.requirement_id
            and self.requirement.criterion.framework_id != self.assessment.framework_id
        ):
            raise ValidationError(_("The requirement belongs to another edition of the standard than the assessment."))

    def __str__(self) -> str:
        verdict = _("passed") if self.passed else _("failed")
        return f"{self.requirement}: {verdict}"
