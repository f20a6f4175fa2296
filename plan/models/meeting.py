"""Meetings that review the plan; pages compare figures "since the last meeting"."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from plan.models.plan import Plan
from pmqa_tracker.append_only import History
from pmqa_tracker.models import Versioned


class Meeting(Versioned):
    """การประชุม: a day on which management reviewed the plan."""

    ORGANIZATION = "plan__organization"

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="meetings", verbose_name=_("plan"))
    held_on = models.DateField(_("held on"))
    name = models.CharField(_("name"), max_length=200, help_text=_("Such as: the committee's meeting 2/2563"))

    history = History()

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        constraints = (
            models.UniqueConstraint(
                fields=("plan", "held_on"),
                name="meeting_once_a_day",
                violation_error_message=_("The plan already has a meeting on this day."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a day outside the plan, because there are no figures for it."""
        if self.plan_id and self.held_on and not self.plan.starts_on <= self.held_on <= self.plan.ends_on:
            raise ValidationError({"held_on": _("The meeting must be inside its plan.")})
