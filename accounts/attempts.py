"""Limits for guessing: passwords, codes and links are counted in the database before they are checked.

The count rises by one statement with its own condition, so that of guesses sent side by side, to any process, no more
are checked than of guesses in a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from http import HTTPStatus
from ipaddress import ip_network
from operator import or_
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Case, F, Q, QuerySet, When
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts.models import Attempts, Purpose
from assignments.models import User
from audit.models import Event
from audit.record import record_event
from pmqa_tracker.client_address import client_address

GUESSES = 10  # that are checked, each within `PMQA_LOCK_MINUTES` of the one before
NAMES = 50  # user names whose password was wrong, from one address, each within an hour of the one before
CODE_LIFETIME = timedelta(seconds=150)  # longer than a code of the second factor is accepted
KEPT = timedelta(days=1)
LOCKED = "locked"  # code of the error


class TooManyAttemptsError(ValidationError):
    """The attempt is not made; `until` is the moment from which it can be made again."""

    def __init__(self, until: datetime) -> None:
        super().__init__(explain_lock(until), code=LOCKED)
        self.until = until


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `count` attempts, each within `period` of the one before."""

    count: int
    period: timedelta

    def is_over(self, at: datetime) -> Q:
        """Return the condition that attempts no longer count at a moment, also after the clock was set back."""
        return Q(last_at__lte=at - self.period) | Q(last_at__gt=at + self.period)


def limits() -> Mapping[str, Limit]:
    """Return the limit of each purpose."""
    guesses = Limit(count=GUESSES, period=timedelta(minutes=settings.PMQA_LOCK_MINUTES))
    return {
        Purpose.PASSWORD: guesses,
        Purpose.CODE: guesses,
        Purpose.LINK: guesses,
        Purpose.USED_CODE: Limit(count=1, period=CODE_LIFETIME),
        Purpose.MAIL: Limit(count=3, period=timedelta(hours=1)),
        Purpose.MAILS: Limit(count=50, period=timedelta(hours=1)),
        Purpose.NAMES: Limit(count=NAMES, period=timedelta(hours=1)),
    }


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt.

    Attributes:
        purpose: kind of attempt, such as a password or a code.
        name: what it is tried for, such as a typed user name, if no account is known.
        person: the account.
        address: network address; "" if attempts from all addresses count together.
    """

    purpose: Purpose
    name: str = ""
    person: User | None = None
    address: str = ""

    @property
    def rows(self) -> QuerySet[Attempts]:
        """The row that counts these attempts, if there is one."""
        return Attempts.objects.filter(purpose=self.purpose, key=self.key, address=self.address)

    @property
    def key(self) -> str:
        """Hash of the account and the name."""
        parts = f"{self.person.pk if self.person else ''}\0{self.name.casefold()}"
        return salted_hmac("accounts.attempts", parts, algorithm="sha256").hexdigest()

    def begin(self, *, at: datetime) -> None:
        """Count the attempt before it is made.

        Raises:
            TooManyAttemptsError: there were too many.
        """
        limit = limits()[self.purpose]
        is_over = limit.is_over(at)
        allowed = self.rows.filter(Q(count__lt=limit.count) | is_over)
        for _time in range(2):
            if allowed.update(count=Case(When(is_over, then=1), default=F("count") + 1), last_at=at):
                return
            if last_at := self.rows.values_list("last_at", flat=True).first():
                raise TooManyAttemptsError(last_at + limit.period)
            self._add_row(at)

    def _add_row(self, at: datetime) -> None:
        """Add the row, unless another request has; remove those that nobody needs any more."""
        Attempts.objects.filter(last_at__lt=at - KEPT).delete()
        row = Attempts(purpose=self.purpose, key=self.key, address=self.address, person=self.person, last_at=at)
        Attempts.objects.bulk_create([row], ignore_conflicts=True)

    def fail(self, *, at: datetime) -> None:
        """Record that the next attempts are not made, if this was the last one before the lock."""
        if self.rows.filter(count__gte=limits()[self.purpose].count).exists():
            name = self.person.username if self.person else ""
            record_event(Event.Kind.LOCKED, person=self.person, about=name, details=self.purpose)

    def succeed(self) -> None:
        """Reset the count: the password, code or link was right."""
        self.rows.delete()


@dataclass(frozen=True, kw_only=True)
class PasswordAttempt(Attempt):
    """An attempt to log in; it also counts the user names tried with a wrong password from the address.

    The name is counted before its password is checked, so that names tried side by side are bounded too.

    After `NAMES` of them only people who logged in from there before are still checked, so that nobody sprays one
    password over all names, and an office behind one address goes on working.
    """

    purpose: Purpose = Purpose.PASSWORD

    @property
    def of_all_names(self) -> Attempt:
        """The count of names that were tried from this address."""
        return Attempt(purpose=Purpose.NAMES, address=self.address)

    def begin(self, *, at: datetime) -> None:
        """Count the attempt before it is made.

        Raises:
            TooManyAttemptsError: there were too many, with this name or with others.
        """
        if not self._is_counted(at):
            try:
                self.of_all_names.begin(at=at)
            except TooManyAttemptsError:
                if not self._was_here():
                    raise
            else:
                self.of_all_names.fail(at=at)  # records the lock, if this name was the last one before it
        super().begin(at=at)

    def succeed(self) -> None:
        """Take the name from the count again; a lock stays, or somebody with an account could lift it by logging in."""
        rows = self.of_all_names.rows
        if not rows.filter(count=1).delete()[0]:
            rows.filter(count__lt=NAMES).update(count=F("count") - 1)
        super().succeed()

    def _is_counted(self, at: datetime) -> bool:
        return self.rows.exclude(limits()[self.purpose].is_over(at)).exists()

    def _was_here(self) -> bool:
        """Return whether the person has logged in from this address in the time that the log of logins covers."""
        if self.person is None:
            return False
        logins = Event.objects.filter(kind=Event.Kind.LOGIN, person=self.person)
        return any(network(each) == self.address for each in logins.values_list("address", flat=True).distinct())


def password_attempt(request: HttpRequest, username: str) -> PasswordAttempt:
    """Return the attempt to log in, or to confirm a password, with a user name from the address of the request."""
    people = User.objects.filter(username__iexact=username)  # a directory (LDAP) makes no difference of capitals
    person = people.filter(username=username).first() or people.first()
    name = "" if person else username.strip()
    return PasswordAttempt(person=person, name=name, address=network(client_address(request)))


def network(address: str) -> str:
    """Return the address that counts: of IPv6 the first half, because one computer has all addresses of it."""
    return str(ip_network(f"{address}/64", strict=False).network_address) if ":" in address else address


def explain_lock(until: datetime) -> str:
    """Return the message for a user with too many attempts."""
    moment = timezone.localtime(until) + timedelta(minutes=1)
    return _(
        "Too many wrong attempts, so this one was not checked. Try again after %(time)s, or ask the system "
        "administrator to lift the lock."
    ) % {"time": moment.strftime("%H:%M")}


def locked_rows(*, at: datetime) -> QuerySet[Attempts]:
    """Return the rows that are locked at a moment."""
    conditions = [
        Q(purpose=purpose, count__gte=limit.count) & ~limit.is_over(at)
        for purpose, limit in limits().items() if purpose != Purpose.USED_CODE
    ]  # fmt: skip
    return Attempts.objects.filter(reduce(or_, conditions))


class AnswersLocked:
    """A form view that answers 429 if there were too many attempts."""

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        response: Any = super().form_invalid(form)
        if any(error.code == LOCKED for errors in form.errors.as_data().values() for error in errors):
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        return response
