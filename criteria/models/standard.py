"""Models of the standard: frameworks (its editions), categories, criteria and requirements."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.address_names import CodeValidator, SlugValidator, address_name_constraint
from pmqa_tracker.append_only import History
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


class FrameworkQuerySet(models.QuerySet["Framework"]):
    def in_order(self) -> "FrameworkQuerySet":
        """The newest edition first."""
        return self.order_by("-fiscal_year", by_thai("slug"))


class Framework(Versioned):
    """An edition of the standard, with its criteria and the points per level that its scores use.

    All organizations share the frameworks. Assessments and plans each answer one.
    """

    DISPLAY_FIELD = "name"

    slug = models.CharField(
        _("address"),
        max_length=50,
        unique=True,
        validators=[SlugValidator()],
        help_text=_("Short name without spaces, such as pmqa-2562"),
    )
    name = models.CharField(_("name"), max_length=200, help_text=_("Name of the standard"))
    edition = models.CharField(_("edition"), max_length=100, help_text=_("Such as พ.ศ. 2562"))
    fiscal_year = models.PositiveSmallIntegerField(
        _("holds from fiscal year"),
        validators=[MinValueValidator(2500), MaxValueValidator(2700)],
        help_text=_("In the Buddhist era, such as 2562"),
    )
    previous = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="next",
        verbose_name=_("edition before"),
        help_text=_("Its criteria are the predecessors of the criteria of this edition"),
    )
    basic_points = models.PositiveSmallIntegerField(_("points for Basic"), default=300)
    advance_points = models.PositiveSmallIntegerField(_("points added by Advance"), default=100)
    significance_points = models.PositiveSmallIntegerField(_("points added by Significance"), default=100)
    are_points_confirmed = models.BooleanField(
        _("points confirmed"),
        default=False,
        help_text=_("Tick when the points were checked against the standard"),
    )

    objects = FrameworkQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("edition of the standard")
        verbose_name_plural = _("editions of the standard")
        constraints = (
            address_name_constraint("slug", name="framework_slug_fits_address"),
            models.UniqueConstraint(
                Lower("slug"),
                name="framework_slug_once",
                violation_error_message=_(
                    "An edition with this address already exists, with different capital letters."
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.edition}"

    def clean(self) -> None:
        """Refuse an edition before that is later, follows this one, or lacks the predecessors of its criteria."""
        if self.previous and self.fiscal_year and self.previous.fiscal_year > self.fiscal_year:
            raise ValidationError({"previous": _("The edition before holds from a later fiscal year.")})
        earlier = self.previous
        while earlier is not None:
            if earlier.pk == self.pk:
                raise ValidationError({"previous": _("An edition cannot come before itself.")})
            earlier = earlier.previous
        if self.pk and Criterion.objects.filter(successors__framework=self.pk).exclude(framework=self.previous_id):
            raise ValidationError({"previous": _("The criteria of this edition have predecessors in another edition.")})


class CategoryQuerySet(models.QuerySet["Category"]):
    def in_order(self) -> "CategoryQuerySet":
        return self.order_by("framework", "number")


class Category(Versioned):
    """หมวด: a category of the standard, numbered 1 to 6 or 7."""

    DISPLAY_FIELD = "number"

    framework = models.ForeignKey(
        Framework,
        on_delete=models.PROTECT,
        related_name="categories",
        verbose_name=_("edition of the standard"),
    )
    number = models.PositiveSmallIntegerField(_("number"))
    name = models.CharField(_("name"), max_length=200)

    objects = CategoryQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        constraints = (
            models.UniqueConstraint(
                fields=("framework", "number"),
                name="category_number_once",
                violation_error_message=_("This edition already has a category with this number."),
            ),
        )

    def __str__(self) -> str:
        return _("Category %(number)s %(name)s") % {
            "number": self.number,
            "name": self.name,
        }

    def clean(self) -> None:
        """Refuse to move a category with criteria to another framework."""
        if self.pk and self.criteria.exclude(framework=self.framework_id).exists():
            raise ValidationError({"framework": _("The category has criteria, so its edition cannot change.")})


class CriterionQuerySet(models.QuerySet["Criterion"]):
    def in_order(self) -> "CriterionQuerySet":
        """The standard's order: by category, a parent before its children."""
        return self.order_by("framework", "category__number", "position", by_thai("code"))

    def with_predecessors(self) -> "CriterionQuerySet":
        """Load the predecessors of each criterion, in order."""
        return self.prefetch_related(Prefetch("predecessors", Criterion.objects.in_order()))

    def leaves(self) -> "CriterionQuerySet":
        """Criteria without children; only these are assessed."""
        return self.filter(~Exists(Criterion.objects.filter(parent=OuterRef("pk"))))


class Criterion(Versioned):
    """เกณฑ์: a criterion of a category; one with children is only their heading.

    `change` and `predecessors` compare it with the edition before.
    """

    class Change(models.TextChoices):
        """How a criterion came out of the edition before."""

        SAME = "SAME", _("unchanged")
        CHANGED = "CHANGED", _("revised")
        MERGED = "MERGED", _("merged from several")
        SPLIT = "SPLIT", _("split from a larger one")
        NEW = "NEW", _("new criterion")

    framework = models.ForeignKey(
        Framework,
        on_delete=models.PROTECT,
        related_name="criteria",
        verbose_name=_("edition of the standard"),
        editable=False,
    )
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
    code = models.CharField(_("code"), max_length=20, validators=[CodeValidator()], help_text=_("Such as 1.1.3"))
    title = models.TextField(_("title"))
    position = models.PositiveSmallIntegerField(_("position"), default=0, help_text=_("Order inside its category"))
    reading_note = models.TextField(
        _("reading note"),
        blank=True,
        help_text=_("Uncertain points in the original document"),
    )
    change = models.CharField(
        _("compared with the edition before"),
        max_length=10,
        choices=Change,
        blank=True,
    )
    predecessors = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="successors",
        verbose_name=_("predecessors"),
        help_text=_("The criteria of the edition before that this one continues"),
    )

    objects = CriterionQuerySet.as_manager()
    history = History(m2m_fields=[predecessors])

    class Meta:
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        constraints = (
            address_name_constraint("code", name="criterion_code_fits_address"),
            models.UniqueConstraint(
                "framework",
                Lower("code"),
                name="criterion_code_once",
                violation_error_message=_(
                    "This edition already has a criterion with this code, perhaps in other capital letters."
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the criterion; a new one gets the framework of its category."""
        if self._state.adding:
            self.framework_id = self.category.framework_id
        super().save(*args, **kwargs)

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Set the framework of a new criterion before its constraints are checked."""
        if self._state.adding and self.category_id:
            self.framework_id = self.category.framework_id
        super().clean_fields(exclude)

    def clean(self) -> None:
        """Refuse a category of another framework, a parent of another category, or a parent that is a child itself."""
        if self.category_id and self.category.framework_id != self.framework_id:
            raise ValidationError({"category": _("The category belongs to another edition of the standard.")})
        if self.parent_id and self.category_id and self.parent.category_id != self.category_id:
            raise ValidationError({"parent": _("The parent must be of the same category.")})
        if self.parent_id and (self.parent_id == self.pk or self.parent.parent_id):
            raise ValidationError({"parent": _("The parent must be a main criterion, such as 1.1.")})

    def clean_crosswalk(self, predecessors: Collection["Criterion"]) -> None:
        """Check the change against the predecessors that a form or an import is about to store.

        Raises:
            ValidationError: their number does not fit the change, or they are not of the edition before.
        """
        count = len(predecessors)
        if count and not self.change:
            raise ValidationError({"change": _("Say how the criterion came out of its predecessors.")})
        if count and self.change == self.Change.NEW:
            raise ValidationError({"predecessors": _("A new criterion has no predecessors.")})
        if self.change == self.Change.MERGED and count < 2:
            raise ValidationError({"predecessors": _("Name the two or more criteria that were merged.")})
        if self.change in (self.Change.SAME, self.Change.CHANGED, self.Change.SPLIT) and count != 1:
            raise ValidationError({"predecessors": _("Name the one criterion of the edition before.")})
        before = self.framework.previous if self.framework_id else None
        if count and before is None:
            text = _("Name the edition before this one first; predecessors belong to it.")
            raise ValidationError({"predecessors": text})
        if foreign := [each.code for each in predecessors if each.framework_id != before.pk]:
            text = _("These criteria are not of the edition before (%(edition)s): %(codes)s.")
            params = {"edition": before, "codes": ", ".join(foreign)}
            raise ValidationError({"predecessors": ValidationError(text, params=params)})


class RequirementQuerySet(models.QuerySet["Requirement"]):
    def in_order(self) -> "RequirementQuerySet":
        """The standard's order, Basic first."""
        return self.order_by(
            "criterion__framework",
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
    history = History()

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

    def clean(self) -> None:
        """Refuse to move a requirement to a criterion of another framework."""
        if not (self.pk and self.criterion_id):
            return
        stored = Requirement.objects.filter(pk=self.pk)
        if stored.exclude(criterion__framework=self.criterion.framework_id).exists():
            raise ValidationError({"criterion": _("The criterion belongs to another edition of the standard.")})
