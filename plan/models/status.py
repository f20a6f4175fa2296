"""Status of an action, and what is computed for a day (Health, Due, Change, Age), with rules and looks."""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from plan.models import looks
from plan.models.looks import Look


class Status(models.TextChoices):
    """The five statuses a user can choose (design §4); `STATUSES` has their rules."""

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
        """Order of progress; a change to a lower rank counts as going back."""
        return self.rules.rank

    @property
    def look(self) -> Look:
        """Icon and colours."""
        return self.rules.look


@dataclass(frozen=True, kw_only=True)
class StatusRules:
    """A row of the status table.

    Attributes:
        rank: order of progress; a change to a lower rank counts as going back.
        look: icon and colours.
        is_closed: nothing is left to do.
        progress: the only valid progress (%); None for any from 0 to 100.
        needs: the text field of ProgressUpdate that an update to this status must fill; "" for none.
        is_proved_by_evidence: evidence can replace that text, and an update that only changes the progress needs one
            of them too.
        keeps_progress: less progress than before does not count as going back.
    """

    rank: int
    look: Look
    is_closed: bool = False
    progress: int | None = None
    needs: str = ""
    is_proved_by_evidence: bool = False
    keeps_progress: bool = False


# The order of charts and tables of figures, most finished first.
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
    """Return status → rules without the look, for `static/update.js`."""
    return {
        status.value: {name: value for name, value in vars(status.rules).items() if name != "look"} for status in Status
    }


CLOSED = tuple(status for status, rules in STATUSES.items() if rules.is_closed)


class Health(models.TextChoices):
    """Progress compared with the expected progress on a day (design §4), worst first."""

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
    """The schedule of an action relative to a day, in the order of the work list."""

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
    """Return the look of a status on a day; an overdue action always looks overdue."""
    return Due.OVERDUE.look if due == Due.OVERDUE else Status(status).look


class Change(models.TextChoices):
    """Changes of an action between two days; an action can have several."""

    DONE = "DONE", _("Newly done")
    FORWARD = "FORWARD", _("Moved forward")
    LATE = "LATE", _("Newly overdue")
    BLOCKED = "BLOCKED", _("Newly blocked")
    BACK = "BACK", _("Moved back")
    CANCELLED = "CANCELLED", _("Newly cancelled")
    SILENT = "SILENT", _("No update since")

    @property
    def field(self) -> str:
        """Name of its boolean annotation in `ActionItemQuerySet.since`."""
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
        """Minimum and maximum number of days; None for no maximum."""
        return {"30": (1, 30), "90": (31, 90), "180": (91, 180), "more": (181, None)}[self]

    @classmethod
    def of(cls, days: int) -> "Age":
        """Return the age for a number of days late (at least 1)."""
        return next(age for age in cls if age.days[1] is None or days <= age.days[1])


def status_constraints(prefix: str, *, status: str, progress: str) -> tuple[models.CheckConstraint, ...]:
    """Return the database constraints for a status field and a progress field of a model (design §4)."""
    return (
        models.CheckConstraint(
            condition=models.Q(**{f"{status}__in": Status.values, f"{progress}__lte": 100}),
            name=f"{prefix}_status_and_progress_known",
            violation_error_message=_("Progress must be between 0 and 100."),
        ),
        models.CheckConstraint(
            condition=~models.Q(**{status: Status.NOT_STARTED.value}) | models.Q(**{progress: 0}),
            name=f"{prefix}_not_started_is_zero",
            violation_error_message=_("An action that has not started has no progress yet."),
        ),
        models.CheckConstraint(
            condition=~models.Q(**{status: Status.DONE.value}) | models.Q(**{progress: 100}),
            name=f"{prefix}_done_is_hundred",
            violation_error_message=_("An action that is done has a progress of 100."),
        ),
    )
