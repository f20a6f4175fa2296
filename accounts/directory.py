"""Login by the directory of the organization (LDAP), for existing accounts; it needs requirements-ldap.txt."""

from typing import Any

from django_auth_ldap.backend import LDAPBackend

from assignments.closed import why_closed
from assignments.models import User


class DirectoryBackend(LDAPBackend):
    """Asks the directory whether a password is right; the site itself does not know it.

    `settings.AUTH_LDAP_NO_NEW_USERS` keeps everybody out who has no account. A directory that does not answer lets
    nobody in, and `AccountBackend` still checks the passwords of the site.
    """

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of an open session; None if the account is closed by now."""
        user = super().get_user(user_id)
        return None if user is None or why_closed(user) else user
