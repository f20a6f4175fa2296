"""Users, units, memberships and assignments (which unit leads or supports which action)."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Expression, F, Q, Value
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from pmqa_tracker import thai
from pmqa_tracker.address_names import AbbreviationValidator, address_name_constraint
from pmqa_tracker.database_text import by_thai
from pmqa_tracker.models import Versioned


class User(AbstractUser):
    """A user account. Groups are its roles, memberships its units."""

    @staticmethod
    def DISPLAY_FIELD(path: str) -> Expression:  # noqa: N802 - a constant in the other models
        """Return `__str__` of the users at a path of a query, such as "author__", as an expression."""
        name = Trim(Concat(F(f"{path}first_name"), Value(" "), F(f"{path}last_name")))
        return Coalesce(NullIf(name, Value("")), F(f"{path}username"))

    is_demo = models.BooleanField(_("demonstration account"), default=False, editable=False)

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class UnitQuerySet(models.QuerySet["Unit"]):
    def in_order(self) -> "UnitQuerySet":
        """Divisions in the department's order, then the collectives."""
        return self.order_by("is_collective", "position", by_thai("abbreviation"))

    def active(self) -> "UnitQuerySet":
        return self.filter(is_active=True)

    def divisions(self) -> "UnitQuerySet":
        """Divisions only, no collectives."""
        return self.filter(is_collective=False)

    def of_user(self, user: Any) -> "UnitQuerySet":
        """The units a user is a member of."""
        return self.filter(memberships__user=user)

    def with_collectives_of(self, units: "Iterable[Unit]") -> "UnitQuerySet":
        """`units` and their collectives: an action assigned to any of these is work of `units` (design §3)."""
        pks = {unit.pk for unit in units}
        return self.filter(Q(pk__in=pks) | Q(members__in=pks)).distinct()


class Unit(Versioned):
    """หน่วยงาน: a division, or a collective that stands for several ("ทุกหน่วยงาน")."""

    DISPLAY_FIELD = "abbreviation"

    abbreviation = models.CharField(_("abbreviation"), max_length=60, unique=True, validators=[AbbreviationValidator()])
    name_th = models.CharField(_("Thai name"), max_length=200)
    name_en = models.CharField(_("English name"), max_length=200, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_collective = models.BooleanField(
        _("collective"),
        default=False,
        help_text=_("Stands for several units, such as ทุกหน่วยงาน"),
    )
    members = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="collectives",
        verbose_name=_("member units"),
        help_text=_("Only for a collective: what is assigned to it is the work of each of these"),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    reading_note = models.TextField(
        _("reading note"),
        blank=True,
        help_text=_("Uncertain points in the original document"),
    )

    objects = UnitQuerySet.as_manager()
    history = HistoricalRecords(m2m_fields=[members])

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        constraints = (
            address_name_constraint("abbreviation", name="unit_abbreviation_fits_address"),
            models.UniqueConstraint(
                Lower("abbreviation"),
                name="unit_abbreviation_once",
                violation_error_message=_(
                    "A unit with this abbreviation already exists, with different capital letters."
                ),
            ),
        )

    def __str__(self) -> str:
        return self.abbreviation

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Sort key of `UnitQuerySet.in_order` for units in memory."""
        return (self.is_collective, self.position, thai.sort_key(self.abbreviation))


class Membership(models.Model):
    """A user works in a unit and may report on its actions."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("person"),
    )
    unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        related_name="memberships",
        verbose_name=_("unit"),
    )

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (
            models.UniqueConstraint(
                fields=("user", "unit"),
                name="membership_once",
                violation_error_message=_("This person is already a member of this unit."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} · {self.unit}"


class Role(models.TextChoices):
    """How a unit takes part in an action."""

    LEAD = "LEAD", _("lead")
    SUPPORT = "SUPPORT", _("support")


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def in_order(self) -> "AssignmentQuerySet":
        """Lead before support, each in the document's order."""
        return self.order_by("action", "role", "position", "pk")


class Assignment(Versioned):
    """A unit leads or supports an action."""

    # A string, because `plan` comes after `assignments` in the import order (design §3).
    action = models.ForeignKey(
        "plan.ActionItem",
        on_delete=models.CASCADE,
        related_name="assignments",
        verbose_name=_("action item"),
    )
    unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        related_name="assignments",
        verbose_name=_("unit"),
    )
    role = models.CharField(_("role"), max_length=10, choices=Role)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = AssignmentQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = (
            models.UniqueConstraint(
                fields=("action", "unit", "role"),
                name="assignment_once",
                violation_error_message=_("This unit already has this role in this action."),
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values),
                name="assignment_role_known",
                violation_error_message=_("The role must be lead or support."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.unit} · {self.get_role_display()}"
