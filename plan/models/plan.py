"""Plans and their periods."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, When
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assignments.access import RoleGroup
from assignments.models import Organization
from criteria.models import Assessment, Framework
from pmqa_tracker import thai
from pmqa_tracker.address_names import SlugValidator, address_name_constraint
from pmqa_tracker.append_only import History
from pmqa_tracker.database_text import by_thai
from pmqa_tracker.models import Versioned

# Whether the site has more than one. Every page asks, and a queryset in its place takes half a millisecond to build.
SEVERAL_ORGANIZATIONS = Func(
    template="(SELECT COUNT(*) > 1 FROM (SELECT 1 FROM assignments_organization LIMIT 2) AS two)",
    output_field=models.BooleanField(),
)
# The moment of the last migration; a restored backup makes the table anew. Part of the key of cached pages.
LAST_MIGRATION = Func(template="(SELECT MAX(applied) FROM django_migrations)", output_field=models.TextField())


class PlanQuerySet(models.QuerySet["Plan"]):
    def visible_to(self, user: Any) -> "PlanQuerySet":
        """Return the plans that a user may read. No view, import, export or mail finds a plan in another way.

        These are the plans of the user's organization, and for management and assessors those of organizations below
        it. Only coordinators of the organization see a plan in preparation; administrators see all plans.
        """
        if not user.is_active:  # an anonymous user is not active either
            return self.none()
        if user.is_superuser:
            return self
        if user.organization_id is None:
            return self.none()
        roles = user.role_names
        own = Q(organization=user.organization_id)
        opened = ~Q(state=Plan.State.PREPARATION)
        visible = own if RoleGroup.COORDINATOR in roles else own & opened
        if roles & {RoleGroup.MANAGEMENT, RoleGroup.ASSESSOR}:
            visible |= Organization.below(user.organization_id, "organization__") & opened
        return self.filter(visible)

    def with_owner(self) -> "PlanQuerySet":
        """Select the organization, and annotate whether the site has others, for `plan.titles`."""
        return self.select_related("organization").annotate(has_others=SEVERAL_ORGANIZATIONS)

    def with_neighbours(self) -> "PlanQuerySet":
        """Annotate whether the plans so far hold another one, for `plan.switcher`."""
        return self.annotate(has_neighbours=Exists(self.order_by().exclude(pk=OuterRef("pk"))))

    def with_last_migration(self) -> "PlanQuerySet":
        """Annotate the moment of the last migration, for `plan.cached_page`."""
        return self.annotate(migrated_at=LAST_MIGRATION)

    def running(self, *, on: date) -> "PlanQuerySet":
        """Return the plans that run on a day, of all organizations in order."""
        running = self.filter(state=Plan.State.RUNNING, starts_on__lte=on, ends_on__gte=on)
        return running.order_by(by_thai("organization__short_name"), "starts_on", "pk")

    def of_own_organization(self, user: Any) -> "PlanQuerySet":
        """Return the plans of the user's organization; all for an administrator who has none."""
        return self.filter(organization=user.organization_id) if user.organization_id else self

    def running_first(self, *, on: Any) -> "PlanQuerySet":
        """Return the plans that run on a day, beginning with the one to work with."""
        running = self.filter(state=Plan.State.RUNNING, starts_on__lte=on, ends_on__gte=on)
        return running.order_by("-starts_on", "-ends_on", "pk")

    def current(self, *, on: date) -> "Plan | None":
        """Return the plan to work with on a day: a running one, or else one that has ended, or else any.

        Of several, it is the one that runs on the day, or else the last one before it, or else the next one.
        """
        if plan := self.running_first(on=on).first():
            return plan  # most often; the order of all others takes longer to compile than to run
        is_later = Q(starts_on__gt=on)
        return self.order_by(
            Case(When(state=Plan.State.RUNNING, then=0), When(state=Plan.State.ENDED, then=1), default=2),
            Case(When(is_later, then=2), When(ends_on__gte=on, then=0), default=1),
            Case(When(is_later, then=F("starts_on")), default=None).asc(nulls_first=True),
            "-starts_on",
            "-ends_on",
            "pk",
        ).first()


REVISIONS = ("revision", "figures_revision")  # fields that only `plan.revision` writes
# Running plans first, then those in preparation, then those that have ended.
STATE_RANK = Case(When(state="RUNNING", then=0), When(state="PREPARATION", then=1), default=2)


class Plan(Versioned):
    """แผนพัฒนาองค์การ: the improvement plan that answers an assessment."""

    ORGANIZATION = "organization"
    DISPLAY_FIELD = "title"
    has_others: bool | None = None  # annotated by `with_owner`
    has_neighbours: bool | None = None  # annotated by `with_neighbours`
    migrated_at: object = None  # annotated by `with_last_migration`

    class State(models.TextChoices):
        """A plan in preparation is shown to coordinators only; one that has ended takes no more reports."""

        PREPARATION = "PREPARATION", _("in preparation")
        RUNNING = "RUNNING", _("running")
        ENDED = "ENDED", _("ended")

    slug = models.CharField(
        _("address"),
        max_length=50,
        unique=True,
        validators=[SlugValidator()],
        help_text=_("Such as 2562-2563; part of the page's address"),
    )
    title = models.CharField(_("title"), max_length=300)
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="plans",
        verbose_name=_("organization"),
    )
    assessment = models.ForeignKey(
        Assessment,
        on_delete=models.PROTECT,
        related_name="plans",
        verbose_name=_("assessment answered"),
    )
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    previous = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="next",
        verbose_name=_("previous plan"),
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PREPARATION, editable=False)
    closed_on = models.DateField(_("closed on"), null=True, blank=True, editable=False)
    revision = models.PositiveBigIntegerField(_("revision"), default=0, editable=False)
    figures_revision = models.PositiveBigIntegerField(_("revision of the figures"), default=0, editable=False)

    objects = PlanQuerySet.as_manager()
    history = History(excluded_fields=["revision", "figures_revision"])

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        constraints = (
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")),
                name="plan_starts_before_it_ends",
                violation_error_message=_("A plan must start before it ends."),
            ),
            address_name_constraint("slug", name="plan_slug_fits_address"),
            models.UniqueConstraint(
                Lower("slug"),
                name="plan_slug_once",
                violation_error_message=_("A plan with this address already exists, with different capital letters."),
            ),
        )

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Refuse an assessment or a previous plan of another organization, and an edition that its actions lack."""
        if self.assessment_id and self.organization_id and self.assessment.organization_id != self.organization_id:
            raise ValidationError({"assessment": _("The assessment belongs to another organization than the plan.")})
        if self.previous_id and self.organization_id and self.previous.organization_id != self.organization_id:
            raise ValidationError({"previous": _("The previous plan belongs to another organization.")})
        if self.pk and self.assessment_id and self.actions.exclude(criterion__framework=self.framework).exists():
            text = _("The plan has actions for the criteria of another edition than this assessment's.")
            raise ValidationError({"assessment": text})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the plan without its revisions: only `plan.revision` writes them, so a copy in memory may be behind."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            names = (field.name for field in self._meta.concrete_fields if not field.primary_key)
            kwargs["update_fields"] = {name for name in names if name not in REVISIONS}
        super().save(*args, **kwargs)

    @property
    def framework(self) -> Framework:
        """The edition of the standard that its assessment used."""
        return self.assessment.framework

    @property
    def is_in_preparation(self) -> bool:
        """Whether only the coordinators of its organization see it."""
        return self.state == self.State.PREPARATION

    @property
    def has_ended(self) -> bool:
        """Whether it is closed; a plan whose last day has passed is not, before a coordinator closes it."""
        return self.state == self.State.ENDED

    @property
    def takes_reports(self) -> bool:
        """Whether its progress can change."""
        return self.state == self.State.RUNNING

    @property
    def last_day(self) -> date:
        """The last day that its pages show: a plan that was closed early stands as on that day from then on."""
        closed_on = self.closed_on if self.has_ended and self.closed_on else self.ends_on
        return max(min(self.ends_on, closed_on), self.starts_on)

    @property
    def why_no_reports(self) -> str:
        """Why nobody can report on the plan; "" if it takes reports."""
        if self.is_in_preparation:
            return gettext("This plan is in preparation. It takes reports once the PMQA coordinator opens it.")
        if self.has_ended:
            text = gettext(
                "This plan ended on %(day)s and takes no more reports. If something is missing, ask the PMQA "
                "coordinator to reopen it."
            )
            return text % {"day": thai.format_date(self.last_day)}
        return ""


class Period(Versioned):
    """ช่วงเวลา: a quarter of the plan, or a part of one."""

    ORGANIZATION = "plan__organization"

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="periods", verbose_name=_("plan"))
    number = models.PositiveSmallIntegerField(_("number"))
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))

    history = History()

    class Meta:
        verbose_name = _("period")
        verbose_name_plural = _("periods")
        constraints = (
            models.UniqueConstraint(
                fields=("plan", "number"),
                name="period_number_once",
                violation_error_message=_("The plan already has a period with this number."),
            ),
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")),
                name="period_starts_before_it_ends",
                violation_error_message=_("A period must start before it ends."),
            ),
        )

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """Refuse days outside the plan or inside another of its periods."""
        if self.plan_id and self.starts_on and self.ends_on:
            others = Period.objects.filter(plan=self.plan_id).exclude(pk=self.pk)
            self.clean_days(self.plan.starts_on, self.plan.ends_on, others)

    def clean_days(self, first: date, last: date, others: Iterable["Period"]) -> None:
        """Refuse days outside those of the plan, from `first` to `last`, or inside another of its periods."""
        if self.starts_on < first or self.ends_on > last:
            raise ValidationError(_("The period must be inside its plan."))
        if any(each.starts_on <= self.ends_on and each.ends_on >= self.starts_on for each in others):
            raise ValidationError(_("The period overlaps another one of the plan."))

    @property
    def label(self) -> str:
        """The months and their Buddhist year, such as "ต.ค.–ธ.ค. 2562"."""
        return thai.month_range(self.starts_on, self.ends_on)

    @property
    def fiscal_year(self) -> int:
        """The fiscal year (พ.ศ.) of its last day."""
        return thai.fiscal_year(self.ends_on)

    @property
    def months_label(self) -> str:
        """The months without the year, such as "ต.ค.–ธ.ค."."""
        return thai.month_range(self.starts_on, self.ends_on).rsplit(" ", 1)[0]

    @property
    def quarter_label(self) -> str:
        """The fiscal quarter of its last day, such as "ไตรมาส 1/2563"."""
        return _("Quarter %(quarter)s/%(year)s") % {
            "quarter": thai.fiscal_quarter(self.ends_on),
            "year": self.fiscal_year,
        }
