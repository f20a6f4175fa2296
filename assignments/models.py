"""Organizations, users, units, memberships and assignments (which unit leads or supports which action)."""

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Expression, F, Q, Value
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from assignments.logins import PeopleManager, new_login_key
from assignments.user_queries import read_role_names
from audit.models import Event
from audit.record import record_event
from pmqa_tracker import thai
from pmqa_tracker.address_names import AbbreviationValidator, address_name_constraint
from pmqa_tracker.append_only import History
from pmqa_tracker.database_text import by_thai
from pmqa_tracker.history import current_user
from pmqa_tracker.models import Versioned
from pmqa_tracker.transactions import write_transaction


def default_time_zone() -> str:
    """Return the time zone of the installation."""
    return settings.TIME_ZONE


def validate_time_zone(name: str) -> None:
    """Raise a ValidationError unless `name` is a time zone, such as "Asia/Bangkok"."""
    if name not in available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Write it like Asia/Bangkok."), code="invalid", params={"name": name}
        )


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def in_order(self) -> "OrganizationQuerySet":
        return self.order_by(by_thai("name"))


class Organization(Versioned):
    """ส่วนราชการ: a department, or a ministry that is the parent of departments."""

    ORGANIZATION = "pk"
    DISPLAY_FIELD = "short_name"
    MAX_DEPTH = 3  # organizations above another one; `below` lists the paths to them

    name = models.CharField(_("name"), max_length=200, unique=True)
    short_name = models.CharField(_("short name"), max_length=60, unique=True, help_text=_("Such as กสร."))
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("parent"),
        help_text=_("Such as the ministry of a department; its management and assessors read the plans"),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=50, default=default_time_zone, validators=[validate_time_zone]
    )

    objects = OrganizationQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")

    def __str__(self) -> str:
        return self.short_name

    def clean(self) -> None:
        """Refuse a parent below the organization itself, or more than `MAX_DEPTH` levels above any below it."""
        above, depth = self.parent, 0
        while above is not None and depth <= self.MAX_DEPTH:
            depth += 1
            if above.pk == self.pk:
                raise ValidationError({"parent": _("An organization cannot be above itself.")})
            above = above.parent
        if depth and depth + self._levels_below() > self.MAX_DEPTH:
            text = _("At most %(count)s organizations can be above another.")
            raise ValidationError({"parent": text % {"count": self.MAX_DEPTH}})

    def _levels_below(self) -> int:
        """Return the number of levels of stored organizations below this one, `MAX_DEPTH` at most."""
        levels, found = 0, [self.pk] if self.pk else []
        while found and levels < self.MAX_DEPTH:
            found = list(Organization.objects.filter(parent__in=found).values_list("pk", flat=True))
            levels += bool(found)
        return levels

    @classmethod
    def below(cls, organization: int, path: str = "") -> Q:
        """Return the condition that the organization at `path` is below another one.

        Args:
            organization: pk of the organization above.
            path: relation from the filtered model to the organization, such as "organization__".
        """
        above = ["__".join(["parent"] * depth) for depth in range(1, cls.MAX_DEPTH + 1)]
        return reduce(or_, (Q(**{f"{path}{parents}": organization}) for parents in above))


class User(AbstractUser):
    """A user account. Groups are its roles, which hold in its organization; memberships are its units."""

    ORGANIZATION = "organization"
    has_new_name = False  # set before a save, for `plan.revision`

    @staticmethod
    def DISPLAY_FIELD(path: str) -> Expression:  # noqa: N802 - a constant in the other models
        """Return `__str__` of the users at a path of a query, such as "author__", as an expression."""
        name = Trim(Concat(F(f"{path}first_name"), Value(" "), F(f"{path}last_name")))
        return Coalesce(NullIf(name, Value("")), F(f"{path}username"))

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name=_("organization"),
        help_text=_("Empty only for an administrator of the whole installation"),
    )
    is_demo = models.BooleanField(_("demonstration account"), default=False, editable=False)
    must_change_password = models.BooleanField(
        _("must change the password"), default=False, editable=False, help_text=_("An administrator has set it")
    )
    has_closed_introduction = models.BooleanField(_("has closed the introduction"), default=False, editable=False)
    login_key = models.CharField(max_length=32, blank=True, editable=False)  # a new one ends all logins and links

    objects = PeopleManager()

    class Meta(AbstractUser.Meta):
        constraints = (
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email=""),
                name="user_email_once",
                violation_error_message=_("Another person already has this e-mail address."),
            ),
        )

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The names of its groups; the first use is a query."""
        return read_role_names(self.pk)

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def clean(self) -> None:
        """Store the e-mail address in small letters: it identifies the person."""
        super().clean()
        self.email = self.email.lower()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the account, and what follows from its save, in one transaction; a deactivated one loses its logins."""
        is_changed = self._password is not None and not self._state.adding  # by `set_password`
        fields = kwargs.get("update_fields")
        if not self.is_active and (fields is None or "is_active" in fields):
            self.login_key = new_login_key()
            kwargs["update_fields"] = fields and {*fields, "login_key"}
        with write_transaction(savepoint=False):
            super().save(*args, **kwargs)
            if is_changed:
                user = current_user()
                record_event(Event.Kind.PASSWORD, person=user if user and user.pk else self, about=self.username)

    def get_session_auth_hash(self) -> str:
        """Return what a session must know: it ends with the password, and with the logins of the account."""
        return super().get_session_auth_hash() + self.login_key

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Yield the same for each of `SECRET_KEY_FALLBACKS`, the keys before this one."""
        yield from (each + self.login_key for each in super().get_session_auth_fallback_hash())


class Invitation(models.Model):
    """A mail with a link to set a password: sent, not sent (with the reason), or accepted."""

    ORGANIZATION = "person__organization"

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitation", verbose_name=_("person")
    )
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    failure = models.CharField(_("why it was not sent"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return str(self.person)


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
        """The units a user is a member of: of their organization, if they have one.

        A membership that was left when the person moved to another organization does not count.
        """
        units = self.filter(memberships__user=user.pk)
        return units.filter(organization=user.organization_id) if user.organization_id else units

    def with_collectives_of(self, units: "Iterable[Unit]") -> "UnitQuerySet":
        """`units` and their collectives: an action assigned to any of these is work of `units` (design §3)."""
        pks = {unit.pk for unit in units}
        return self.filter(Q(pk__in=pks) | Q(members__in=pks)).distinct()


class Unit(Versioned):
    """หน่วยงาน: a division, or a collective that stands for several ("ทุกหน่วยงาน")."""

    ORGANIZATION = "organization"
    DISPLAY_FIELD = "abbreviation"

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="units", verbose_name=_("organization")
    )
    abbreviation = models.CharField(_("abbreviation"), max_length=60, validators=[AbbreviationValidator()])
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
    history = History(m2m_fields=[members])

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        constraints = (
            address_name_constraint("abbreviation", name="unit_abbreviation_fits_address"),
            models.UniqueConstraint(
                "organization",
                Lower("abbreviation"),
                name="unit_abbreviation_once",
                violation_error_message=_(
                    "The organization already has a unit with this abbreviation, perhaps in other capital letters."
                ),
            ),
        )

    def __str__(self) -> str:
        return self.abbreviation

    @property
    def longer_name(self) -> str:
        """The Thai name, to show beside the abbreviation; "" if it is the same, as for ทุกหน่วยงาน."""
        return "" if self.name_th == self.abbreviation else self.name_th

    @property
    def full_name(self) -> str:
        """The abbreviation and the Thai name; once if they are the same."""
        return f"{self.abbreviation} {self.longer_name}".strip()

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Sort key of `UnitQuerySet.in_order` for units in memory."""
        return (self.is_collective, self.position, thai.sort_key(self.abbreviation))


class Membership(models.Model):
    """A user works in a unit and may report on its actions."""

    ORGANIZATION = "unit__organization"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("person"),
    )
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("unit"))

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

    def clean(self) -> None:
        """Refuse a unit of another organization than the person's."""
        own = self.user.organization_id if self.user_id else None
        if own is not None and self.unit_id and self.unit.organization_id != own:
            raise ValidationError({"unit": _("The unit belongs to another organization than the person.")})


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

    ORGANIZATION = "unit__organization"

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
    history = History()

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

    def clean(self) -> None:
        """Refuse a unit of another organization than the plan's."""
        if self.action_id and self.unit_id and self.unit.organization_id != self.action.plan.organization_id:
            raise ValidationError({"unit": _("The unit belongs to another organization than the plan.")})
