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


def status_constraints(prefix: str, *, status: str, progress: str) -> tuple[models.CheckConstraint, ...]:
    """What the database holds of a status and a progress (design §4), for the model whose fields these are."""
    return (
        models.CheckConstraint(
            condition=models.Q(**{f"{status}__in": Status.values, f"{progress}__lte": 100}),
            name=f"{prefix}_status_and_progress_known",
            violation_error_message=_("Progress must be between 0 and 100."),
        ),
        models.CheckConstraint(
            condition=~models.Q(**{status: "NOT_STARTED"}) | models.Q(**{progress: 0}),
            name=f"{prefix}_not_started_is_zero",
            violation_error_message=_("What has not started has no progress yet."),
        ),
        models.CheckConstraint(
            condition=~models.Q(**{status: "DONE"}) | models.Q(**{progress: 100}),
            name=f"{prefix}_done_is_hundred",
            violation_error_message=_("What is done has a progress of 100."),
        ),
    )
