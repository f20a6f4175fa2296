"""Invitations: mails with a link to set a password, for new people and for those who forgot it.

The link carries a token of Django's password reset, so that it works once and expires. Mails are never sent inside a
transaction: whoever was added stays added if the mail server is down.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from assignments.closed import why_closed
from assignments.models import Invitation, User
from assignments.people.record import record_invitations
from pmqa_tracker.mail import LANGUAGE, send_mails
from pmqa_tracker.tasks.models import BackgroundTask, ProgressCallback, ignore_progress
from pmqa_tracker.tasks.queue import start
from pmqa_tracker.tasks.run import background_task

MAX_FAILURE = 500  # characters of a reason that are kept


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The state of some invitations after they were sent.

    Attributes:
        sent: people whose mail the server took.
        failed: (person, reason) of each mail that was not sent.
        waiting: people whose mail is still to be sent.
    """

    sent: list[User] = field(default_factory=list)
    failed: list[tuple[User, str]] = field(default_factory=list)
    waiting: list[User] = field(default_factory=list)


class LinkTokens(PasswordResetTokenGenerator):
    """Tokens of links to set a password: Django's, which end with the logins of the account too."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return super()._make_hash_value(user, timestamp) + user.login_key


invitation_tokens = LinkTokens()


def why_not_invite(person: User) -> str:
    """Return why a person cannot be invited; "" if they can."""
    if not person.email:
        return _("%(person)s has no e-mail address.") % {"person": person}
    return f"{person}: {reason}" if (reason := why_closed(person)) else ""


def invitation_url(person: User, *, site: str) -> str:
    """Return the link with which the person sets their password.

    Args:
        site: URL of the site, without a trailing slash.
    """
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    return site + reverse("invitation", args=[uid, invitation_tokens.make_token(person)])


def lifetime() -> timedelta:
    """Return how long a link works."""
    return timedelta(days=settings.PMQA_INVITATION_DAYS)


def build_invitation(person: User, *, site: str, at: datetime) -> EmailMessage:
    """Build the mail, in Thai and plain text."""
    with translation.override(LANGUAGE):
        context = {
            "person": person,
            "url": invitation_url(person, site=site),
            "day": timezone.localdate(at + lifetime() - timedelta(days=1)),
            "site": site,
        }
        return EmailMessage(
            subject=_("Improvement plan tracker: set your password"),
            body=render_to_string("assignments/invitation.txt", context).strip(),
            to=[person.email],
            headers={"Auto-Submitted": "auto-generated"},  # prevents out-of-office replies
        )


def start_sending(people: Sequence[User], *, owner: User, site: str, at: datetime) -> BackgroundTask:
    """Send invitations beside the request, and wait a moment for them; call it outside of any transaction.

    Args:
        owner: the user who invites.
        site: URL of the site that the links begin with.
        at: the present moment.
    """
    Invitation.objects.bulk_create([Invitation(person=person) for person in people], ignore_conflicts=True)
    Invitation.objects.filter(person__in=people).update(sent_at=None, accepted_at=None, failure="")
    keys = [person.pk for person in people]
    record_invitations(people, by=owner)
    return start(invitations_task, owner=owner.pk, label=_("Invitations"), people=keys, site=site, at=at.isoformat())


@background_task(is_repeatable=False)
def invitations_task(
    on_progress: ProgressCallback, _result: Path, *, people: Sequence[int], site: str, at: str
) -> None:
    """Send invitations to people."""
    found = User.objects.select_related("organization").in_bulk(people)
    ordered = [found[key] for key in people if key in found]
    send_invitations(ordered, site=site, at=datetime.fromisoformat(at), on_progress=on_progress)


def send_invitations(
    people: Sequence[User], *, site: str, at: datetime, on_progress: ProgressCallback = ignore_progress
) -> None:
    """Mail each person and record what happened to each."""

    def build(person: User) -> EmailMessage:
        return build_invitation(person, site=site, at=at)

    for result in send_mails(people, build, on_progress=on_progress):
        Invitation.objects.filter(person=result.item).update(
            sent_at=None if result.failure else at, failure=result.failure[:MAX_FAILURE]
        )


def read_outcome(people: Iterable[User]) -> Outcome:
    """Read the state of the invitations of these people."""
    outcome = Outcome()
    found = {each.person_id: each for each in Invitation.objects.filter(person__in=people)}
    for person in people:
        invitation = found.get(person.pk)
        if invitation and invitation.failure:
            outcome.failed.append((person, invitation.failure))
        elif invitation and invitation.sent_at:
            outcome.sent.append(person)
        else:
            outcome.waiting.append(person)
    return outcome


def describe_invitation(person: User, *, at: datetime) -> str:
    """Return the state of a person's invitation at a moment as one phrase; "" without an invitation."""
    invitation = getattr(person, "invitation", None)
    if invitation is None:
        return ""
    if invitation.accepted_at:
        return _("accepted")
    if invitation.failure:
        return _("not sent: %(reason)s") % {"reason": invitation.failure}
    if not invitation.sent_at:
        return _("not sent yet")
    return _("expired") if at > invitation.sent_at + lifetime() else _("sent")
