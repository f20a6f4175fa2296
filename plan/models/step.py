"""Steps of a plan: who opened, closed or reopened it, when, and with which note."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from plan.models.plan import Plan
from pmqa_tracker.append_only import AppendOnly


class PlanStep(AppendOnly):
    """A change of the state of a plan; `plan.state.steps` writes it. `version` is the plan's version after it."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="steps", verbose_name=_("plan"))
    op_id = models.UUIDField(_("operation"), unique=True)
    version = models.PositiveIntegerField(_("version"))
    state_from = models.CharField(_("state before"), max_length=12, choices=Plan.State)
    state_to = models.CharField(_("state"), max_length=12, choices=Plan.State)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    at = models.DateTimeField(_("at"), db_index=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("step of a plan")
        verbose_name_plural = _("steps of plans")
        constraints = (models.UniqueConstraint(fields=("plan", "version"), name="plan_step_one_per_version"),)

    def __str__(self) -> str:
        return f"{self.plan_id} v{self.version}"
