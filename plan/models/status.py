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

    @property
    def rank(self) -> int:
        """How far on its way: a lower one than before is going back."""
        return {"NOT_STARTED": 0, "IN_PROGRESS": 1, "BLOCKED": 1, "DONE": 2, "CANCELLED": 3}[self]


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


AT_WORK = (Due.OVERDUE, Due.NOW)


class Change(models.TextChoices):
    """What may have become of an action between two days; one action may have changed in several ways."""

    DONE = "DONE", _("Newly done")
    FORWARD = "FORWARD", _("Moved forward")
    LATE = "LATE", _("Newly overdue")
    BLOCKED = "BLOCKED", _("Newly blocked")
    BACK = "BACK", _("Moved back")
    CANCELLED = "CANCELLED", _("Newly cancelled")
    SILENT = "SILENT", _("Nothing told since")

    @property
    def field(self) -> str:
        """The name `ActionItemQuerySet.since` gives to its truth."""
        return f"is_newly_{self.lower()}"


class Age(models.TextChoices):
    """How long an action has been overdue."""

    MONTH = "30", _("1-30 days late")
    QUARTER = "90", _("31-90 days late")
    HALF_YEAR = "180", _("91-180 days late")
    LONGER = "more", _("over 180 days late")

    @property
    def days(self) -> tuple[int, int | None]:
        """The fewest and the most days (None: no end)."""
        return {"30": (1, 30), "90": (31, 90), "180": (91, 180), "more": (181, None)}[self]

    @classmethod
    def of(cls, days: int) -> "Age":
        """The one that `days` late, at least 1, falls in."""
        return next(age for age in cls if age.days[1] is None or days <= age.days[1])


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
