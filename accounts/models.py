"""Attempts: how often a password, a code or a link was tried lately; and the second factor in the admin."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.sessions.models import Session

__all__ = ["Attempts", "Purpose", "Session"]


class Purpose(models.TextChoices):
    """What an attempt is for."""

    PASSWORD = "PASSWORD", _("password")
    CODE = "CODE", _("code of the second factor")
    USED_CODE = "USED_CODE", _("used code")
    LINK = "LINK", _("link to set a password")
    MAIL = "MAIL", _("mail to set a password")
    MAILS = "MAILS", _("mails to set passwords, of all addresses")
    NAMES = "NAMES", _("many user names from one address")


class Attempts(models.Model):
    """The attempts of one purpose for one account or typed name, from one address; see `accounts.attempts`."""

    ORGANIZATION = "person__organization"

    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose)
    # A hash: people sometimes type their password into the field of the user name.
    key = models.CharField(max_length=64, editable=False)
    address = models.CharField(_("network address"), max_length=45, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("person"),
    )
    count = models.PositiveIntegerField(_("attempts"), default=0)
    last_at = models.DateTimeField(_("last attempt"), db_index=True)

    class Meta:
        verbose_name = _("locked login")
        verbose_name_plural = _("locked logins")
        constraints = (
            models.UniqueConstraint(fields=("purpose", "key", "address"), name="attempts_once"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="attempts_purpose_known"),
        )

    def __str__(self) -> str:
        return f"{self.person or _('unknown user name')} · {self.address}"


class SecondFactor(Authenticator):
    """allauth's record of an app on the phone, or of recovery codes, under a name for the admin."""

    ORGANIZATION = "user__organization"

    class Meta:
        proxy = True
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return str(self.user)
