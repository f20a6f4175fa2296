"""Logs of mails: reminders, at most one per user, plan and day, and requests for the sheets of units."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from assignments.models import Unit
from plan.models import Period, Plan
from plan.revision import PLAN, watch
from pmqa_tracker.transactions import write_transaction


class Reminder(models.Model):
    """A digest on a plan, mailed to a user. It is saved before the mail is sent, so that nobody gets two on one day."""

    ORGANIZATION = "plan__organization"

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="reminders", verbose_name=_("plan"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reminders", verbose_name=_("person")
    )
    day = models.DateField(_("day"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    action_count = models.PositiveIntegerField(_("action items in it"), default=0)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = (models.UniqueConstraint(fields=("user", "plan", "day"), name="reminder_once_a_day"),)

    def __str__(self) -> str:
        return f"{self.user} · {self.day}"


class SheetRequest(models.Model):
    """A unit is asked for its data sheet of a period, by a mail to its people with the sheet attached.

    It is saved before the first mail is sent, so that two coordinators never ask a unit at the same moment.
    """

    ORGANIZATION = "unit__organization"
    STARTS_WITHIN = timedelta(minutes=1)  # by then its background task is in the queue

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="sheet_requests", verbose_name=_("unit"))
    period = models.ForeignKey(
        Period, on_delete=models.PROTECT, related_name="sheet_requests", verbose_name=_("period")
    )
    day = models.DateField(_("day"))
    number = models.PositiveSmallIntegerField(_("number on this day"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sheet_requests", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"))
    sent_to = models.JSONField(_("sent to"), default=list, blank=True, help_text="Names with addresses")
    failures = models.JSONField(_("not sent to"), default=list, blank=True, help_text="Pairs of name and reason")
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    task = models.CharField(max_length=32, blank=True, editable=False, help_text="Background task that sends it")

    class Meta:
        verbose_name = _("request for a sheet")
        verbose_name_plural = _("requests for sheets")
        constraints = (models.UniqueConstraint(fields=("unit", "period", "day", "number"), name="sheet_request_once"),)

    def __str__(self) -> str:
        return f"{self.unit} · {self.period} · {self.day}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the request, and what follows from its save, in one transaction."""
        with write_transaction(savepoint=False):
            super().save(*args, **kwargs)


watch(SheetRequest, "period__plan_id", PLAN)
