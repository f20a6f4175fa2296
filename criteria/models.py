"""Models of the standard (categories, criteria, requirements) and its assessments with their verdicts."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from pmqa_tracker.address_names import CodeValidator, address_name_constraint
from pmqa_tracker.database_text import by_thai
from pmqa_tracker.models import Versioned


class Level(models.IntegerChoices):
    """The three levels of a criterion, lowest first, with the labels of the standard."""

    BASIC = 1, "Basic (A&D)"
    ADVANCE = 2, "Advance (Alignment)"
    SIGNIFICANCE = 3, "Significance (Integration)"

    @property
    def initial(self) -> str:
        """The letter in an action's ref: B, A or S."""
        return self.name[0]

    @property
    def short(self) -> str:
        """The label without the parentheses, such as "Advance"."""
        return self.name.capitalize()


class CategoryQuerySet(models.QuerySet["Category"]):
    def in_order(self) -> "CategoryQuerySet":
        return self.order_by("number")


class Category(Versioned):
    """หมวด: a category of the standard, numbered 1 to 6 or 7."""

    DISPLAY_FIELD = "number"

    number = models.PositiveSmallIntegerField(_("number"), unique=True)
    name = models.CharField(_("name"), max_length=200)

    objects = CategoryQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return _("Category %(number)s %(name)s") % {
            "number": self.number,
            "name": self.name,
        }


class CriterionQuerySet(models.QuerySet["Criterion"]):
    def in_order(self) -> "CriterionQuerySet":
        """The standard's order: by category, a parent before its children."""
        return self.order_by("category__number", "position", by_thai("code"))

    def leaves(self) -> "CriterionQuerySet":
        """Criteria without children; only these are assessed."""
        return self.filter(~Exists(Criterion.objects.filter(parent=OuterRef("pk"))))


class Criterion(Versioned):
    """เกณฑ์: a criterion of a category; one with children is only their heading."""

    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        related_name="criteria",
        verbose_name=_("category"),
    )
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("parent"),
    )
    code = models.CharField(
        _("code"), max_length=20, unique=True, validators=[CodeValidator()], help_text=_("Such as 1.1.3")
    )
    title = models.TextField(_("title"))
    position = models.PositiveSmallIntegerField(_("position"), default=0, help_text=_("Order inside its category"))
    reading_note = models.TextField(
        _("reading note"),
        blank=True,
        help_text=_("Uncertain points in the original document"),
    )

    objects = CriterionQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        constraints = (
            address_name_constraint("code", name="criterion_code_fits_address"),
            models.UniqueConstraint(
                Lower("code"),
                name="criterion_code_once",
                violation_error_message=_("A criterion with this code already exists, with different capital letters."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    def clean(self) -> None:
        """Refuse a parent of another category, or a parent that is a child itself."""
        if self.parent_id and self.parent.category_id != self.category_id:
            raise ValidationError({"parent": _("The parent must be of the same category.")})
        if self.parent_id and (self.parent_id == self.pk or self.parent.parent_id):
            raise ValidationError({"parent": _("The parent must be a main criterion, such as 1.1.")})


class RequirementQuerySet(models.QuerySet["Requirement"]):
    def in_order(self) -> "RequirementQuerySet":
        """The standard's order, Basic first."""
        return self.order_by(
            "criterion__category__number",
            "criterion__position",
            by_thai("criterion__code"),
            "level",
        )


class Requirement(Versioned):
    """The requirement of a criterion at one level: one cell of the maturity map."""

    criterion = models.ForeignKey(
        Criterion,
        on_delete=models.PROTECT,
        related_name="requirements",
        verbose_name=_("criterion"),
    )
    level = models.PositiveSmallIntegerField(_("level"), choices=Level.choices)
    text = models.TextField(_("text"), blank=True, help_text=_("Empty where the document prints none"))

    objects = RequirementQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("requirement")
        verbose_name_plural = _("requirements")
        constraints = (
            models.UniqueConstraint(
                fields=("criterion", "level"),
                name="requirement_once_per_level",
                violation_error_message=_("This criterion already has a requirement at this level."),
            ),
            models.CheckConstraint(
                condition=Q(level__in=Level.values),
                name="requirement_level_known",
                violation_error_message=_("The level must be Basic, Advance or Significance."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.criterion.code} {Level(self.level).short}"


class Assessment(Versioned):
    """One assessment round, with the points per level that its score uses."""

    DISPLAY_FIELD = "name"

    class Kind(models.TextChoices):
        ASSESSOR = "ASSESSOR", _("By the assessor")
        SELF = "SELF", _("Self-assessment")

    name = models.CharField(_("name"), max_length=300, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.ASSESSOR)
    assessed_on = models.DateField(
        _("assessed on"),
        null=True,
        blank=True,
        help_text=_("Empty where the document does not say"),
    )
    basic_points = models.PositiveSmallIntegerField(_("points for Basic"), default=300)
    advance_points = models.PositiveSmallIntegerField(_("points added by Advance"), default=100)
    significance_points = models.PositiveSmallIntegerField(_("points added by Significance"), default=100)
    are_points_confirmed = models.BooleanField(
        _("points confirmed"),
        default=False,
        help_text=_("Tick when the points were checked against the standard"),
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")

    def __str__(self) -> str:
        return self.name


class Verdict(Versioned):
    """ผลการประเมิน: whether a requirement passed in an assessment, with the reason."""

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

    history = HistoricalRecords()

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

    def __str__(self) -> str:
        verdict = _("passed") if self.passed else _("failed")
        return f"{self.requirement}: {verdict}"
