"""Sessions with their user, the device, and when and from where they were last used."""

from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.clock import SLACK
from pmqa_tracker.tasks.clean_up import register


def idle_time() -> timedelta:
    """Return how long a login lasts without use."""
    return timedelta(minutes=settings.PMQA_IDLE_MINUTES)


class SessionQuerySet(models.QuerySet["Session"]):
    def open(self, now: datetime) -> "SessionQuerySet":
        """Sessions that have not ended, neither by time nor by being unused."""
        return self.exclude(_is_over(now))

    def ended(self, now: datetime) -> "SessionQuerySet":
        """All other sessions."""
        return self.filter(_is_over(now))


def _is_over(now: datetime) -> models.Q:
    """Return the condition that a session has ended; a login also if the clock was set back, which would prolong it."""
    is_unused = models.Q(seen_at__lte=now - idle_time()) | models.Q(seen_at__gt=now + SLACK)
    return models.Q(expire_date__lte=now) | models.Q(is_unused, user__isnull=False)


class Session(AbstractBaseSession):
    """A session of a browser. It has no user before the login."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        editable=False,
        related_name="sessions",
        verbose_name=_("person"),
    )
    began_at = models.DateTimeField(_("began"), editable=False)
    seen_at = models.DateTimeField(_("last used"), editable=False)
    address = models.CharField(_("network address"), max_length=45, blank=True, editable=False)
    device = models.CharField(_("device"), max_length=300, blank=True, editable=False)

    objects = BaseSessionManager.from_queryset(SessionQuerySet)()

    class Meta(AbstractBaseSession.Meta):
        indexes = (models.Index(fields=["seen_at"], name="session_seen_at"),)

    @property
    def public_id(self) -> str:
        """An id for forms; the key itself would let anybody who sees the page log in."""
        return sha256(self.session_key.encode()).hexdigest()[:24]

    def ends_at(self) -> datetime:
        """Return when the session ends if it is not used again."""
        return min(self.expire_date, self.seen_at + idle_time())

    def has_ended(self, now: datetime) -> bool:
        """Return whether the session of a login has ended, as `SessionQuerySet.ended` finds it."""
        return self.ends_at() <= now or self.seen_at > now + SLACK

    def seconds_left(self, now: datetime) -> int:
        """Return the seconds until then."""
        return max(0, int((self.ends_at() - now).total_seconds()))


def remove_ended_sessions(at: datetime) -> int:
    """Delete the sessions that have ended; return how many."""
    count, _models = Session.objects.ended(at).delete()
    return count


register(remove_ended_sessions)
