"""Actions of the plan, and their queryset: filters, and annotations as of a day."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations_with_replacement
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    F,
    FilteredRelation,
    FloatField,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Lower
from django.utils.translation import gettext_lazy as _

from assignments.models import Assignment, Role, Unit
from criteria.models import Criterion, Requirement
from plan.as_of import AsOf
from plan.models.duties import is_silent, is_updated
from plan.models.plan import Period, Plan
from plan.models.status import AT_WORK, CLOSED, Age, Change, Due, Health, Status, status_constraints
from plan.models.update import ProgressUpdate
from pmqa_tracker import thai
from pmqa_tracker.address_names import CodeValidator, address_name_constraint
from pmqa_tracker.append_only import History
from pmqa_tracker.database_text import by_thai
from pmqa_tracker.models import Versioned

PLAN_ORDER = ("criterion__category__number", "criterion__position", by_thai("criterion__code"), "position", "pk")


class ActionItemQuerySet(models.QuerySet["ActionItem"]):
    def in_order(self) -> "ActionItemQuerySet":
        """The document's order."""
        return self.order_by(*PLAN_ORDER)

    def for_units(self, units: Any, *, role: str = "") -> "ActionItemQuerySet":
        """Actions assigned to `units` or to one of their collectives, in any role or only in `role`."""
        assigned = Assignment.objects.filter(action=OuterRef("pk"), unit__in=Unit.objects.with_collectives_of(units))
        return self.filter(Exists(assigned.filter(role=role) if role else assigned))

    def assigned_to(self, unit_pks: Any, *, role: str) -> "ActionItemQuerySet":
        """Actions in which one of these units has the role; see `Access.represented_units` for those of a user."""
        return self.filter(Exists(Assignment.objects.filter(action=OuterRef("pk"), unit__in=list(unit_pks), role=role)))

    def matching(self, text: str) -> "ActionItemQuerySet":
        """Actions whose ref or text contains `text`, ignoring spaces and spellings of digits and ำ."""
        return self.filter(search_text__contains=thai.search_key(text))

    def at_level(self, level: int) -> "ActionItemQuerySet":
        """Actions that answer a requirement at this level."""
        return self.filter(Exists(Requirement.objects.filter(actions=OuterRef("pk"), level=level)))

    def running_in(self, number: int) -> "ActionItemQuerySet":
        """Actions whose schedule covers the period with this number."""
        return self.filter(first_period__number__lte=number, last_period__number__gte=number)

    def with_details(self) -> "ActionItemQuerySet":
        """Load what a row shows, in a fixed number of queries."""
        return self.with_units().prefetch_related(Prefetch("requirements", Requirement.objects.order_by("level")))

    def with_units(self) -> "ActionItemQuerySet":
        """Load the same without the requirements (`plan.actions.requirements`)."""
        return self.select_related("criterion__category", "first_period", "last_period").prefetch_related(
            Prefetch("assignments", Assignment.objects.in_order().select_related("unit")),
        )

    def with_shared_details(self) -> "ActionItemQuerySet":
        """Load the same, for thousands of actions: each criterion, period and unit is read once."""
        return self.prefetch_related("criterion__category", "first_period", "last_period").prefetch_related(
            Prefetch("requirements", Requirement.objects.order_by("level")),
            Prefetch("assignments", Assignment.objects.in_order().prefetch_related("unit")),
        )

    def as_of(self, as_of: AsOf) -> "ActionItemQuerySet":
        """Annotate the state of each action at the end of the day, from the updates made until then.

        Adds `status_on`, `progress_on` (%), `updated_at` (None without an update), `expected_on` (%, None without a
        schedule), `due` (a Due) and `health` (a Health).
        """
        stood = self.annotate(update_on=_last_update(as_of)).annotate(
            status_on=_status("update_on"),
            progress_on=_progress("update_on"),
            updated_at=F("update_on__at"),
            expected_on=_expected_on(as_of),
        )
        enough = Q(progress_on__gte=F("expected_on") * as_of.on_track)
        nearly = Q(progress_on__gte=F("expected_on") * as_of.slipping)
        return stood.annotate(due=_due("status_on", as_of)).annotate(
            health=Case(
                When(
                    Q(first_period__isnull=True) | Q(status_on=Status.CANCELLED),
                    then=Value(Health.NONE.value),
                ),
                When(due=Due.OVERDUE, then=Value(Health.OVERDUE.value)),
                When(enough, then=Value(Health.ON_TRACK.value)),
                When(nearly, then=Value(Health.SLIPPING.value)),
                default=Value(Health.BEHIND.value),
                output_field=CharField(),
            ),
        )

    def since(self, then: AsOf, as_of: AsOf, units: Any = None) -> "ActionItemQuerySet":
        """Annotate the state of each action at the end of an earlier day, and what has changed; call `as_of()` first.

        Adds `status_then`, `progress_then` (%), `due_then`, and a boolean for each Change, such as `is_newly_done`.
        `units` (pks) limits `is_newly_silent` to the updates that these units owe.
        """
        stood = self.annotate(update_then=_last_update(then))
        stood = stood.annotate(status_then=_status("update_then"), progress_then=_progress("update_then"))
        stood = stood.annotate(
            due_then=_due("status_then", then), rank_on=_rank("status_on"), rank_then=_rank("status_then")
        )
        rules = {
            Change.DONE: Q(status_on=Status.DONE) & ~Q(status_then=Status.DONE),
            Change.FORWARD: ~Q(status_on__in=CLOSED)
            & ~Q(status_then=Status.CANCELLED)
            & Q(rank_on__gte=F("rank_then"), progress_on__gte=F("progress_then"))
            & (Q(rank_on__gt=F("rank_then")) | Q(progress_on__gt=F("progress_then"))),
            Change.LATE: Q(due=Due.OVERDUE) & ~Q(due_then=Due.OVERDUE),
            Change.BLOCKED: Q(status_on=Status.BLOCKED) & ~Q(status_then=Status.BLOCKED),
            Change.BACK: ~Q(status_on=Status.CANCELLED)
            & (Q(rank_on__lt=F("rank_then")) | Q(progress_on__lt=F("progress_then"))),
            Change.CANCELLED: Q(status_on=Status.CANCELLED) & ~Q(status_then=Status.CANCELLED),
            Change.SILENT: is_silent(then.ends_at, as_of, units),
        }
        return stood.annotate(
            **{
                change.field: Case(When(rule, then=Value(True)), default=Value(False), output_field=BooleanField())
                for change, rule in rules.items()
            }
        )

    def annotate_latest(self, name: str, as_of: AsOf) -> "ActionItemQuerySet":
        """Annotate the latest text of one field of the updates by the day: "result" adds `result_on`, or None."""
        latest = _updates_until(as_of).exclude(**{name: ""}).values(name)[:1]
        return self.annotate(**{f"{name}_on": Subquery(latest)})

    def with_last_update(self, as_of: AsOf) -> "ActionItemQuerySet":
        """Annotate `last_update`: the pk of the last update by the day, or None."""
        return self.annotate(last_update=Subquery(_updates_until(as_of).values("pk")[:1]))

    # The methods below need the annotations of `as_of()`.

    def at_work(self) -> "ActionItemQuerySet":
        """Actions that are open and whose schedule has started."""
        return self.filter(due__in=AT_WORK)

    def late_by(self, age: Age, as_of: AsOf) -> "ActionItemQuerySet":
        """Actions that have been overdue for this long."""
        first, last = (as_of.day - timedelta(days=days) if days else None for days in age.days)
        overdue = self.filter(due=Due.OVERDUE, last_period__ends_on__lte=first)
        return overdue.filter(last_period__ends_on__gte=last) if last else overdue

    def with_days_late(self, as_of: AsOf) -> "ActionItemQuerySet":
        """Annotate `days_late`: days since the last period of an overdue action ended; None for other actions."""
        ended = [period for period in as_of.periods if period.ends_on < as_of.day]
        late = [
            When(due=Due.OVERDUE, last_period=period.pk, then=Value((as_of.day - period.ends_on).days))
            for period in ended
        ]
        return self.annotate(days_late=Case(*late, default=None, output_field=IntegerField(null=True)))

    def updated_in(self, as_of: AsOf, units: Any = None) -> "ActionItemQuerySet":
        """Actions updated in the current period on which nobody owes an update; see `plan.models.duties`."""
        return self.filter(is_updated(as_of.period_starts_at, as_of, units))

    def with_updated_on(self, as_of: AsOf, units: Any = None) -> "ActionItemQuerySet":
        """Annotate `updated_on`: the time of the last update of actions in `updated_in`; None for other actions."""
        condition = is_updated(as_of.period_starts_at, as_of, units)
        return self.annotate(updated_on=Case(When(condition, then=F("updated_at")), default=None))

    def silent_in(self, as_of: AsOf, units: Any = None) -> "ActionItemQuerySet":
        """Actions on which a unit, or one of `units` (pks), owes an update this period; see `plan.models.duties`."""
        return self.filter(is_silent(as_of.period_starts_at, as_of, units))

    def behind_first(self) -> "ActionItemQuerySet":
        """Overdue actions first, then those furthest behind the expected progress; closed and unscheduled ones last."""
        is_overdue = Case(When(due=Due.OVERDUE, then=Value(0)), When(due=Due.CLOSED, then=Value(2)), default=Value(1))
        lag = (F("progress_on") - F("expected_on")).asc(nulls_last=True)
        return self.order_by(is_overdue, lag, *PLAN_ORDER)


def _updates_until(as_of: AsOf) -> models.QuerySet[Any]:
    """Return the updates of an action by the day, latest first, as a subquery."""
    updates = ProgressUpdate.objects.without_undone()
    return updates.filter(action=OuterRef("pk"), at__lt=as_of.ends_at).order_by("-version")


def _last_update(as_of: AsOf) -> FilteredRelation:
    """Return a join of the last update by the day: one subquery, however often its fields are used."""
    return FilteredRelation("updates", condition=Q(updates__pk=Subquery(_updates_until(as_of).values("pk")[:1])))


def _status(update: str) -> Coalesce:
    return Coalesce(f"{update}__status_to", Value(str(Status.NOT_STARTED)))


def _progress(update: str) -> Coalesce:
    return Coalesce(f"{update}__progress_to", Value(0))


def _rank(status: str) -> Case:
    """Return `Status.rank` of the status in a field, as an expression."""
    return Case(*(When(**{status: each}, then=Value(each.rank)) for each in Status), output_field=IntegerField())


def _due(status: str, as_of: AsOf) -> Case:
    """Return the Due of an action on a day with the status in a field, as an expression."""
    return Case(
        When(**{f"{status}__in": CLOSED}, then=Value(Due.CLOSED.value)),
        When(first_period__isnull=True, then=Value(Due.UNSCHEDULED.value)),
        When(last_period__ends_on__lt=as_of.day, then=Value(Due.OVERDUE.value)),
        When(first_period__starts_on__lte=as_of.day, then=Value(Due.NOW.value)),
        default=Value(Due.LATER.value),
        output_field=CharField(),
    )


def _expected_on(as_of: AsOf) -> Case | Cast:
    """Return the progress expected by the day, as an expression for every plan with these periods."""
    if not as_of.periods:
        return Cast(Value(None), FloatField())
    pairs = combinations_with_replacement(as_of.periods, 2)
    around = [(first, last) for first, last in pairs if first.starts_on <= as_of.day < last.ends_on]
    return Case(
        When(last_period__ends_on__lte=as_of.day, then=Value(100)),
        When(first_period__starts_on__gt=as_of.day, then=Value(0)),
        *(
            When(
                first_period__starts_on=first.starts_on,
                last_period__ends_on=last.ends_on,
                then=Value(as_of.expected(first, last)),
            )
            for first, last in around
        ),
        default=Value(None),
        output_field=FloatField(),
    )


class ActionItem(Versioned):
    """สิ่งที่ต้องดำเนินการ: an action to meet the requirements it answers.

    `status` and `progress` are copies from the last update; only `plan.updates.record.record_update` writes them.
    """

    ORGANIZATION = "plan__organization"
    DISPLAY_FIELD = "ref"

    class Basis(models.TextChoices):
        STATED = "STATED", _("Stated in the document")
        INFERRED = "INFERRED", _("Inferred from the document's layout")
        CONFIRMED = "CONFIRMED", _("Confirmed by the coordinator")

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="actions", verbose_name=_("plan"))
    criterion = models.ForeignKey(
        Criterion,
        on_delete=models.PROTECT,
        related_name="actions",
        verbose_name=_("criterion"),
    )
    requirements = models.ManyToManyField(
        Requirement,
        related_name="actions",
        verbose_name=_("requirements"),
        help_text=_("One action may answer two levels at once"),
    )
    ref = models.CharField(
        _("ref"),
        max_length=30,
        validators=[CodeValidator()],
        help_text=_("Such as 1.2.1-A-3; it stays the same for good"),
    )
    number = models.CharField(
        _("printed number"),
        max_length=10,
        blank=True,
        help_text=_("As the document prints it, empty where it has none"),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0, help_text=_("Order inside its criterion"))
    text = models.TextField(_("text"))
    first_period = models.ForeignKey(
        Period,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("first period"),
    )
    last_period = models.ForeignKey(
        Period,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("last period"),
    )
    schedule_basis = models.CharField(_("basis of the schedule"), max_length=10, choices=Basis, default=Basis.STATED)
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=Status,
        default=Status.NOT_STARTED,
        editable=False,
        db_index=True,
    )
    progress = models.PositiveSmallIntegerField(_("progress (%)"), default=0, editable=False)
    reading_note = models.TextField(
        _("reading note"),
        blank=True,
        help_text=_("Uncertain points in the original document"),
    )
    search_text = models.TextField(editable=False, blank=True)

    objects = ActionItemQuerySet.as_manager()
    history = History(m2m_fields=[requirements], excluded_fields=["search_text"])

    class Meta:
        verbose_name = _("action item")
        verbose_name_plural = _("action items")
        constraints = (
            address_name_constraint("ref", name="action_ref_fits_address"),
            models.UniqueConstraint(
                "plan",
                Lower("ref"),
                name="action_ref_once",
                violation_error_message=_("The plan already has an action with this ref."),
            ),
            *status_constraints("action", status="status", progress="progress"),
            models.CheckConstraint(
                condition=Q(first_period__isnull=True, last_period__isnull=True)
                | Q(first_period__isnull=False, last_period__isnull=False),
                name="action_schedule_whole_or_empty",
                violation_error_message=_("Give both the first and the last period, or neither."),
            ),
        )

    def __str__(self) -> str:
        return self.ref

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and refresh the search key; see `Versioned.save`."""
        self.set_search_text()
        super().save(*args, **kwargs)

    def set_search_text(self) -> None:
        """Set the search key of the ref and the text; only code that inserts without `save()` calls it."""
        self.search_text = thai.search_key(f"{self.ref} {self.text}")

    def set_details(self, *, requirements: Sequence[Requirement], assignments: Sequence[Assignment]) -> None:
        """Set what `with_details()` reads, for an action whose changes are not stored yet.

        A new action needs a key for it, as any record with relations; one that no stored record has will do.
        """
        self._prefetched_objects_cache = {
            "requirements": sorted(requirements, key=lambda each: each.level),
            "assignments": sorted(assignments, key=lambda each: (each.role, each.position)),
        }

    def clean(self) -> None:
        """Refuse a criterion of another framework, periods of another plan, and a last period before the first."""
        if self.plan_id and self.criterion_id and self.criterion.framework_id != self.plan.assessment.framework_id:
            text = _("The criterion belongs to another edition of the standard than the plan.")
            raise ValidationError({"criterion": text})
        first, last = self.first_period, self.last_period
        for field, period in (("first_period", first), ("last_period", last)):
            if period and self.plan_id and period.plan_id != self.plan_id:
                raise ValidationError({field: _("The period belongs to another plan.")})
        if first and last and first.number > last.number:
            raise ValidationError({"last_period": _("The last period must not come before the first.")})

    @property
    def is_schedule_inferred(self) -> bool:
        """Whether the schedule comes from the document's layout instead of its text."""
        return self.schedule_basis == self.Basis.INFERRED

    @property
    def lead(self) -> list[Any]:
        """Its lead assignments in the document's order; needs `with_details()`."""
        return [assignment for assignment in self.assignments.all() if assignment.role == Role.LEAD]

    @property
    def support(self) -> list[Any]:
        """Its support assignments in the document's order; needs `with_details()`."""
        return [assignment for assignment in self.assignments.all() if assignment.role == Role.SUPPORT]
