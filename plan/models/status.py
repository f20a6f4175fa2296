"""The states of an action: typed (Status) or computed for a day (Health, Due, Change), with rules and looks of each."""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from plan.models import looks
from plan.models.looks import Look


class Status(models.TextChoices):
    """The five statuses (design §4); overdue and health are computed, never typed. `STATUSES` has the rules of each."""

    NOT_STARTED = "NOT_STARTED", _("Not started")
    IN_PROGRESS = "IN_PROGRESS", _("In progress")
    DONE = "DONE", _("Done")
    BLOCKED = "BLOCKED", _("Blocked")
    CANCELLED = "CANCELLED", _("Cancelled")

    @property
    def rules(self) -> "StatusRules":
        """The row of `STATUSES`."""
        return STATUSES[self]

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do."""
        return not self.rules.is_closed

    @property
    def rank(self) -> int:
        """How far on its way: a lower one than before is going back."""
        return self.rules.rank

    @property
    def look(self) -> Look:
        """Icon and colours."""
        return self.rules.look


@dataclass(frozen=True, kw_only=True)
class StatusRules:
    """A row of the status table.

    Attributes:
        rank: how far on its way; a lower rank than before is going back.
        look: icon and colours.
        is_closed: nothing is left to do.
        progress: the only progress (%) it may have; None for any from 0 to 100.
        needs: the text that an update into the status must have: the name of a field of ProgressUpdate, or none.
        is_proved_by_evidence: evidence takes the place of that text, and an update that only moves the progress needs
            either of them too.
        keeps_progress: less progress than before is not going back.
    """

    rank: int
    look: Look
    is_closed: bool = False
    progress: int | None = None
    needs: str = ""
    is_proved_by_evidence: bool = False
    keeps_progress: bool = False


# In the order of charts and tables of figures: most finished first.
STATUSES = {
    Status.DONE: StatusRules(
        rank=2, look=looks.DONE, is_closed=True, progress=100, needs="result", is_proved_by_evidence=True
    ),
    Status.IN_PROGRESS: StatusRules(rank=1, look=looks.IN_PROGRESS),
    Status.BLOCKED: StatusRules(rank=1, look=looks.BLOCKED, needs="problem"),
    Status.NOT_STARTED: StatusRules(rank=0, look=looks.NOT_STARTED, progress=0),
    Status.CANCELLED: StatusRules(rank=3, look=looks.CANCELLED, is_closed=True, needs="reason", keeps_progress=True),
}


def rules_of_statuses() -> dict[str, dict[str, Any]]:
    """The table for `static/update.js`: status → its rules, without the look."""
    return {
        status.value: {name: value for name, value in vars(status.rules).items() if name != "look"} for status in Status
    }


CLOSED = tuple(status for status, rules in STATUSES.items() if rules.is_closed)


class Health(models.TextChoices):
    """Progress against what is expected by the day (design §4), worst first."""

    OVERDUE = "OVERDUE", _("Overdue")
    BEHIND = "BEHIND", _("Behind")
    SLIPPING = "SLIPPING", _("Slipping")
    ON_TRACK = "ON_TRACK", _("On track")
    NONE = "NONE", _("Not judged")

    @property
    def look(self) -> Look:
        """Icon and colours."""
        return HEALTH_LOOKS[self]


HEALTH_LOOKS = {
    Health.OVERDUE: looks.OVERDUE,
    Health.BEHIND: looks.BEHIND,
    Health.SLIPPING: looks.SLIPPING,
    Health.ON_TRACK: looks.ON_TRACK,
    Health.NONE: looks.NONE,
}


class Due(models.TextChoices):
    """Where an action stands to the day, in the order staff work through them."""

    OVERDUE = "OVERDUE", _("Overdue")
    NOW = "NOW", _("This period")
    LATER = "LATER", _("Later")
    UNSCHEDULED = "UNSCHEDULED", _("No schedule")
    CLOSED = "CLOSED", _("Done or cancelled")

    @property
    def look(self) -> Look:
        """Icon and colours."""
        return DUE_LOOKS[self]


DUE_LOOKS = {
    Due.OVERDUE: looks.OVERDUE,
    Due.NOW: looks.IN_PROGRESS,
    Due.LATER: looks.NOT_STARTED,
    Due.UNSCHEDULED: looks.NONE,
    Due.CLOSED: looks.DONE,
}
AT_WORK = (Due.OVERDUE, Due.NOW)


def status_look(status: str, due: str) -> Look:
    """How a status is drawn on a day: an overdue action looks overdue whatever its status."""
    return Due.OVERDUE.look if due == Due.OVERDUE else Status(status).look


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

    @property
    def look(self) -> Look:
        """Icon and colours."""
        return CHANGE_LOOKS[self]


CHANGE_LOOKS = {
    Change.DONE: looks.DONE,
    Change.FORWARD: looks.ON_TRACK,
    Change.LATE: looks.OVERDUE,
    Change.BLOCKED: looks.BLOCKED,
    Change.BACK: looks.BEHIND,
    Change.CANCELLED: looks.CANCELLED,
    Change.SILENT: looks.SILENT,
}


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
            condition=~models.Q(**{status: Status.NOT_STARTED.value}) | models.Q(**{progress: 0}),
            name=f"{prefix}_not_started_is_zero",
            violation_error_message=_("What has not started has no progress yet."),
        ),
        models.CheckConstraint(
            condition=~models.Q(**{status: Status.DONE.value}) | models.Q(**{progress: 100}),
            name=f"{prefix}_done_is_hundred",
            violation_error_message=_("What is done has a progress of 100."),
        ),
    )
