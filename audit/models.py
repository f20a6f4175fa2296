"""Events that no history of a record holds: logins, downloads, imports, changes of people."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.append_only import AppendOnly


class EventKind(models.TextChoices):
    """What happened."""

    LOGIN = "LOGIN", _("Login")
    LOGIN_FAILED = "LOGIN_FAILED", _("Failed login")
    LOCKED = "LOCKED", _("Login locked")
    UNLOCKED = "UNLOCKED", _("Lock lifted")
    LOGOUT = "LOGOUT", _("Logout")
    PASSWORD = "PASSWORD", _("Password changed")
    SECOND_FACTOR = "SECOND_FACTOR", _("Second factor changed")
    EVIDENCE = "EVIDENCE", _("Evidence downloaded")
    FILE = "FILE", _("File downloaded")
    IMPORT = "IMPORT", _("Workbook imported")
    UNDO = "UNDO", _("Import undone")
    PERSONAL_DATA = "PERSONAL_DATA", _("Personal data exported")
    PERSON = "PERSON", _("Person")
    INVITATION = "INVITATION", _("Invitation")


class Event(AppendOnly):
    """Who did something, when, and from where. `audit.record.record_event` writes it.

    Events of logins form a log of their own: only administrators see it, and an event may be deleted from the moment in
    `keep_until`. The database compares it with its own clock, and keeps every other event for good.
    """

    ORGANIZATION = "organization"
    REMOVABLE_WHEN = {
        "sqlite": "OLD.keep_until IS NOT NULL AND OLD.keep_until < datetime('now')",
        "postgresql": "OLD.keep_until < now()",
    }

    Kind = EventKind

    OF_LOGINS = (
        Kind.LOGIN,
        Kind.LOGIN_FAILED,
        Kind.LOCKED,
        Kind.UNLOCKED,
        Kind.LOGOUT,
        Kind.PASSWORD,
        Kind.SECOND_FACTOR,
    )

    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    at = models.DateTimeField(_("at"), db_index=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("person"),
        help_text=_("Empty for an unknown user name"),
    )
    # A string, because `assignments` comes later in the import order.
    organization = models.ForeignKey(
        "assignments.Organization",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("organization"),
        help_text=_("Of the plan, or else of the person"),
    )
    about = models.CharField(_("about"), max_length=300, blank=True)
    details = models.CharField(_("details"), max_length=500, blank=True)
    # Of a person: name of a field → [value before, value after]; null before they were added, and after their removal.
    changes = models.JSONField(_("changes"), default=dict, blank=True, editable=False)
    keep_until = models.DateTimeField(_("kept until"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = (models.CheckConstraint(condition=models.Q(kind__in=EventKind.values), name="event_kind_known"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.about}"
