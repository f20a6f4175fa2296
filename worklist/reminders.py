"""Send reminder mails: at most one digest per user, plan and day (`manage.py send_reminders`).

A `Reminder` is saved before its mail is sent, so that parallel runs never mail a user twice. If the mail fails, the
row is deleted and the next run tries again. If a run is killed during a mail, the row stays, and the user gets the
next mail on the next day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.core.mail import EmailMessage

from assignments.access import Access
from assignments.models import User
from plan.as_of import AsOf
from plan.models import Plan
from pmqa_tracker.database_text import by_thai
from pmqa_tracker.mail import send_mails
from worklist.digest import Digest, build_mail
from worklist.models import Reminder
from worklist.owed import read_owed_list
from worklist.people import reporting_people


@dataclass(frozen=True, kw_only=True)
class Recipients:
    """The users who report for a unit, each in one list.

    Attributes:
        digests: digests to send now.
        sent: users who already got their mail of the day.
        unfinished: users whose mail another run is sending, or was sending when it was killed.
        without_address: users who owe something and have no e-mail address.
        owe_nothing: users who owe nothing and get no mail.
    """

    digests: list[Digest] = field(default_factory=list)
    sent: list[User] = field(default_factory=list)
    unfinished: list[User] = field(default_factory=list)
    without_address: list[User] = field(default_factory=list)
    owe_nothing: list[User] = field(default_factory=list)


def find_recipients(plan: Plan, as_of: AsOf) -> Recipients:
    """Return who gets a mail on the day, and who gets none and why. Writes nothing."""
    recipients = Recipients()
    mailed = dict(plan.reminders.filter(day=as_of.day).values_list("user_id", "sent_at"))
    for user in reporting_people(plan).order_by(by_thai("username")):
        access = Access.of(user)
        if user.pk in mailed:
            (recipients.sent if mailed[user.pk] else recipients.unfinished).append(user)
        elif not (owed := read_owed_list(plan, access, as_of)).count:
            recipients.owe_nothing.append(user)
        elif not user.email:
            recipients.without_address.append(user)
        else:
            recipients.digests.append(Digest(user=user, units=list(access.units), owed=owed))
    return recipients


@dataclass(kw_only=True)
class Outcome:
    """Result of a run. Users in none of the lists were not tried, because of `outage`.

    Attributes:
        sent: users who got a mail.
        unfinished: users whose mail another run is sending.
        failed: (user, reason) of each mail that the server refused or that lost the connection.
        outage: why the server could not be reached, or "".
    """

    sent: list[User] = field(default_factory=list)
    unfinished: list[User] = field(default_factory=list)
    failed: list[tuple[User, str]] = field(default_factory=list)
    outage: str = ""


def send_digests(digests: Sequence[Digest], plan: Plan, as_of: AsOf, *, site: str, at: datetime) -> Outcome:
    """Mail each digest; stop if the server cannot be reached."""
    outcome, begun = Outcome(), {}

    def begin(digest: Digest) -> bool:
        reminder, is_ours = Reminder.objects.get_or_create(plan=plan, user=digest.user, day=as_of.day)
        if is_ours:
            begun[digest.user.pk] = reminder
        else:
            outcome.unfinished.append(digest.user)
        return is_ours

    def build(digest: Digest) -> EmailMessage:
        return build_mail(digest, plan, as_of, site=site)

    try:
        for result in send_mails(digests, build, begin=begin):
            if result.is_outage:
                outcome.outage = result.failure
                break
            reminder = begun.pop(result.item.user.pk)
            if result.failure:
                reminder.delete()
                outcome.failed.append((result.item.user, result.failure))
                continue
            reminder.sent_at, reminder.action_count = at, result.item.count
            reminder.save(update_fields=["sent_at", "action_count"])
            outcome.sent.append(result.item.user)
    finally:
        for reminder in begun.values():  # stopped in the middle of its mail
            reminder.delete()
    return outcome
