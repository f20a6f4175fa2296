"""Log of the reminder mails: at most one per user, plan and day."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from plan.models import Plan


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
