"""Authentication backend: one account for a typed user name or e-mail address, and one password check for each try."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import BigAutoField

from assignments.closed import why_closed
from assignments.models import User
from pmqa_tracker.prepared import Given, read_prepared


class AccountBackend(AuthenticationBackend):
    """allauth's backend, which also closes demo accounts if `PMQA_DEMO` is off, even in an open session.

    It hashes one password for every try, so the response time does not reveal whether an account exists.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        """Return whether the account is open."""
        return not why_closed(user)

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of an open session; None if the account is closed by now."""
        users = read_prepared("user", lambda: User.objects.filter(pk=Given("pk", BigAutoField())), pk=user_id)
        return users[0] if users and self.user_can_authenticate(users[0]) else None


def find_username(typed: str) -> str:
    """Return the user name of the person with a typed e-mail address, or else the typed text."""
    if "@" not in typed or User.objects.filter(username=typed).exists():
        return typed
    person = find_by_address(typed)
    return person.username if person else typed


def find_by_address(address: str) -> User | None:
    """Return the person with an e-mail address, in capital or small letters.

    A letter that only looks alike makes another address: PostgreSQL's comparison takes "ı" for "i".
    """
    for person in User.objects.filter(email__iexact=address):
        if person.email.casefold() == address.casefold() and person.email.isascii() == address.isascii():
            return person
    return None
