"""Reminders: one digest a day, by mail, to everybody whose units owe something (`manage.py send_reminders`).

A `Reminder` is made and committed before its mail goes out, so that no day brings a person two, even if two runs meet.
A mail that fails takes its row back and the next run tries again; a run that is broken off in the middle of a mail
leaves its row behind, and that person hears again on the next day.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from smtplib import SMTPRecipientsRefused, SMTPResponseException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from assignments.access import Access
from assignments.models import User
from plan.as_of import AsOf
from plan.models import Plan
from pmqa_tracker.database_text import by_thai
from worklist.digest import Digest, build_mail
from worklist.models import Reminder
from worklist.owed import read_list

TIMEOUT = 30  # seconds for a mail server that does not answer, where EMAIL_TIMEOUT is not set
OFF = ("console", "dummy", "filebased")


@dataclass(frozen=True, kw_only=True)
class Audience:
    """The people who report for a unit, by what a run has for them; each in one list.

    Attributes:
        digests: they are to be mailed.
        sent: they had their mail of the day.
        unfinished: a mail was begun for them and not finished: another run is at it, or one was broken off.
        without_address: they owe something and have no e-mail address.
        owe_nothing: no mail for them.
    """

    digests: list[Digest] = field(default_factory=list)
    sent: list[User] = field(default_factory=list)
    unfinished: list[User] = field(default_factory=list)
    without_address: list[User] = field(default_factory=list)
    owe_nothing: list[User] = field(default_factory=list)


def is_mail_on() -> bool:
    """Whether mail leaves this machine: False where it is only shown, filed or thrown away."""
    return not settings.EMAIL_BACKEND.startswith(tuple(f"django.core.mail.backends.{name}." for name in OFF))


def find_audience(plan: Plan, as_of: AsOf) -> Audience:
    """Who is to be mailed on the day, and why the others are not; nothing is written."""
    audience = Audience()
    told = dict(Reminder.objects.filter(day=as_of.day).values_list("user_id", "sent_at"))
    for user in _people():
        access = Access.of(user)
        if not access.may_lead:
            continue
        if user.pk in told:
            (audience.sent if told[user.pk] else audience.unfinished).append(user)
        elif not (owed := read_list(plan, access, as_of)).count:
            audience.owe_nothing.append(user)
        elif not user.email:
            audience.without_address.append(user)
        else:
            audience.digests.append(Digest(user=user, units=list(access.units), owed=owed))
    return audience


def _people() -> Iterable[User]:
    """Members of units who can log in."""
    people = User.objects.filter(is_active=True, memberships__isnull=False)
    if not settings.PMQA_DEMO:
        people = people.filter(is_demo=False)
    return people.distinct().order_by(by_thai("username"))


@dataclass(kw_only=True)
class Outcome:
    """What a run did.

    Attributes:
        sent: they were mailed.
        unfinished: another run took them meanwhile.
        failed: (person, why) where the server refused the mail or was lost over it.
        outage: why the server could not be reached; whoever is in no list was not tried.
    """

    sent: list[User] = field(default_factory=list)
    unfinished: list[User] = field(default_factory=list)
    failed: list[tuple[User, str]] = field(default_factory=list)
    outage: str = ""


def send_digests(digests: Iterable[Digest], plan: Plan, as_of: AsOf, *, site: str, at: datetime) -> Outcome:
    """Mail each person his digest over one connection, which is opened again only after a mail that failed."""
    outcome = Outcome()
    connection = get_connection(timeout=settings.EMAIL_TIMEOUT or TIMEOUT)
    try:
        for digest in digests:
            mail = build_mail(digest, plan, as_of, site=site)
            try:
                connection.open()
            except OSError as error:
                outcome.outage = _reason(error)
                break
            reminder, is_ours = Reminder.objects.get_or_create(user=digest.user, day=as_of.day)
            if not is_ours:
                outcome.unfinished.append(digest.user)
                continue
            try:
                _deliver(mail, connection, reminder)
            except (OSError, ValueError) as error:  # SMTP's own are OSErrors; what is no address, a ValueError
                outcome.failed.append((digest.user, _reason(error)))
                _close(connection)
                continue
            reminder.sent_at, reminder.action_count = at, digest.count
            reminder.save(update_fields=["sent_at", "action_count"])
            outcome.sent.append(digest.user)
    finally:
        _close(connection)
    return outcome


def _deliver(mail: EmailMultiAlternatives, connection: BaseEmailBackend, reminder: Reminder) -> None:
    """Send a mail; whatever goes wrong, its claim is taken back."""
    try:
        connection.send_messages([mail])
    except BaseException:
        reminder.delete()
        raise


def _close(connection: BaseEmailBackend) -> None:
    """Close what may be lost already."""
    with suppress(OSError):
        connection.close()


def _reason(error: Exception) -> str:
    """What a mail server said, in its own words, or what the connection to it failed of."""
    if isinstance(error, SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    else:
        return str(error) or type(error).__name__
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
