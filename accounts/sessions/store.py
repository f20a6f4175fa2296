"""Session engine: Django's sessions in the database, which end after a time without use (`settings.SESSION_ENGINE`)."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import CharField, DateTimeField
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.sessions.models import Session, SessionQuerySet
from pmqa_tracker.client_address import client_address
from pmqa_tracker.outage import unless_outage
from pmqa_tracker.prepared import Given, read_prepared

# The last use of a session is written at most once in this time, so that most pages write nothing.
SEEN_EVERY = timedelta(seconds=60)


class SessionStore(DatabaseStore):
    """A session that knows its row: user, device and last use.

    Time is the real time here, also in a demonstration whose day stands still.
    """

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Return the model of the rows."""
        return Session

    def _validate_session_key(self, key: str | None) -> bool:
        """Return whether a session can have this key; PostgreSQL refuses one with NUL, which a cookie may have."""
        return bool(key) and super()._validate_session_key(key) and key.isascii() and key.isalnum()

    def _get_session_from_db(self) -> Session | None:
        """Return the row of the session; None once it has ended."""
        now = timezone.now()
        rows = read_prepared("session", _session, session_key=self.session_key, now=now)
        row = rows[0] if rows else None
        if row is None or (row.user_id and row.has_ended(now)):
            self._session_key = row = None
        self.row = row
        return row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the row to save, with what the present row knows about its use."""
        row, now = super().create_model_instance(data), timezone.now()
        row.user_id = data.get(SESSION_KEY)
        is_new = self.row is None or str(self.row.user_id) != str(row.user_id)
        row.began_at, row.seen_at = (now, now) if is_new else (self.row.began_at, self.row.seen_at)
        if row.user_id and not is_new:
            row.expire_date = self.row.expire_date  # no later save, and no library, moves the end of a login
        if self.row is not None:
            row.address, row.device = self.row.address, self.row.device
        self.row = row
        return row

    def touch(self, request: HttpRequest) -> None:
        """Record that the user has used the session now, from where and with which device.

        A page is shown even if that cannot be written, for instance when the disk is full.
        """
        if self.row is None or not self.row.user_id:
            return
        self.row.seen_at, self.row.address, self.row.device = timezone.now(), *describe(request)
        used = {name: getattr(self.row, name) for name in ("seen_at", "address", "device")}
        with unless_outage("the last use of a session"):
            Session.objects.filter(session_key=self.session_key).update(**used)

    @classmethod
    def is_of_current_password(cls, session: Session) -> bool:
        """Return whether its user still has the password they logged in with; otherwise Django ends the session."""
        given = cls().decode(session.session_data).get(HASH_SESSION_KEY, "")
        return constant_time_compare(given, session.user.get_session_auth_hash())

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the sessions that have ended (`manage.py clearsessions`; a worker does it once an hour)."""
        Session.objects.ended(timezone.now()).delete()


def describe(request: HttpRequest) -> tuple[str, str]:
    """Return the address and the device of a request, as stored."""
    return client_address(request), request.META.get("HTTP_USER_AGENT", "").replace("\0", "")[:300]


def _session() -> SessionQuerySet:
    """Return the query of the session with a key, unless it has expired."""
    key, now = Given("session_key", CharField()), Given("now", DateTimeField())
    return Session.objects.filter(session_key=key, expire_date__gt=now)


@receiver(user_logged_in)
def begin_session(request: HttpRequest, **_kwargs: Any) -> None:
    """Let the session of a login end after `PMQA_LOGIN_HOURS`, however much it is used."""
    session, now = request.session, timezone.now()
    session.row = Session(user_id=session[SESSION_KEY], began_at=now, seen_at=now)
    session.row.expire_date = now + timedelta(hours=settings.PMQA_LOGIN_HOURS)
    session.row.address, session.row.device = describe(request)
