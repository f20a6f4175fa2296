"""The words an action's state is told in: typed (Status) or computed for a day (Health, Due)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """The five statuses (design §4); overdue and health are computed, never typed."""

    NOT_STARTED = "NOT_STARTED", _("Not started")
    IN_PROGRESS = "IN_PROGRESS", _("In progress")
    DONE = "DONE", _("Done")
    BLOCKED = "BLOCKED", _("Blocked")
    CANCELLED = "CANCELLED", _("Cancelled")

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do."""
        return self not in CLOSED


CLOSED = (Status.DONE, Status.CANCELLED)


class Health(models.TextChoices):
    """Progress against what is expected by the day (design §4), worst first."""

    OVERDUE = "OVERDUE", _("Overdue")
    BEHIND = "BEHIND", _("Behind")
    SLIPPING = "SLIPPING", _("Slipping")
    ON_TRACK = "ON_TRACK", _("On track")
    NONE = "NONE", _("Not judged")


class Due(models.TextChoices):
    """Where an action stands to the day, in the order staff work through them."""

    OVERDUE = "OVERDUE", _("Overdue")
    NOW = "NOW", _("This period")
    LATER = "LATER", _("Later")
    UNSCHEDULED = "UNSCHEDULED", _("No schedule")
    CLOSED = "CLOSED", _("Done or cancelled")
