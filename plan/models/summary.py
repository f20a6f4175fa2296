"""Summaries of plans: the headline figures that the list of plans shows, stored so that many plans are quick."""

from datetime import date

from django.db import models
from django.db.models import F, OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from plan.models.plan import Plan


class PlanSummaryQuerySet(models.QuerySet["PlanSummary"]):
    def current(self, *, on: date) -> "PlanSummaryQuerySet":
        """Return the summaries that hold on a day: one for each plan, none for a plan that has changed since."""
        earlier = PlanSummary.objects.filter(plan=OuterRef("plan"), first_day__lte=on).order_by("-first_day")
        return self.filter(
            first_day=Subquery(earlier.values("first_day")[:1]),
            revision__gte=F("plan__figures_revision"),
            revision__lte=F("plan__revision"),
        )


class PlanSummary(models.Model):
    """The headline figures of a plan from a day on, as long as nothing changes that they are counted from.

    A plan has one for each day on which its figures change by themselves, such as the first day of a period. Pages use
    it only if its revision is not older than `Plan.figures_revision`, so it is never out of date. The worker stores it
    (`operations.summaries`); without one, pages count.

    Attributes:
        first_day: it holds from this day on, until the day of the next one of the plan.
        revision: the revision of the plan when it was counted.
        counted: number of actions that are not cancelled.
        progress: sum of their progress (%).
        spans: [number of the first period, number of the last period, how many of the counted actions it has].
    """

    ORGANIZATION = "plan__organization"
    FIGURES = ("total", "counted", "done", "overdue", "silent", "progress", "spans")

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="summaries", verbose_name=_("plan"))
    first_day = models.DateField(_("first day"))
    revision = models.PositiveBigIntegerField(_("revision"))
    total = models.PositiveIntegerField()
    counted = models.PositiveIntegerField()
    done = models.PositiveIntegerField()
    overdue = models.PositiveIntegerField()
    silent = models.PositiveIntegerField()
    progress = models.PositiveIntegerField()
    spans = models.JSONField()

    objects = PlanSummaryQuerySet.as_manager()

    class Meta:
        verbose_name = _("summary of a plan")
        verbose_name_plural = _("summaries of plans")
        constraints = (models.UniqueConstraint(fields=("plan", "first_day"), name="plan_summary_day_once"),)

    def __str__(self) -> str:
        return f"{self.plan_id} · {self.first_day}"
