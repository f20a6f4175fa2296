"""Authentication: the backend, closed accounts, and the login form with its error messages."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from assignments.models import User


class AccountBackend(ModelBackend):
    """Django's backend, which also closes demo accounts if `PMQA_DEMO` is off.

    The demo password is printed on a terminal. If the demo database is ever served on a public site, nobody can use
    these accounts, not even in an open session.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        """Return whether the account is open."""
        return not why_closed(user)


class PasswordOnlyBackend(ModelBackend):
    """Checks only the password, so that it also accepts closed accounts."""

    def user_can_authenticate(self, user: Any) -> bool:
        return True


def why_closed(user: User) -> str:
    """Return why the account is closed and who can open it; "" for an open account."""
    if user.is_demo and not settings.PMQA_DEMO:
        return _(
            "This account is for demonstrations only and is closed on this system. Ask the system administrator for "
            "an account of your own."
        )
    if not user.is_active:
        return _(
            "This account is deactivated. If you still need it for your work, ask the system administrator to "
            "activate it, or ask the PMQA coordinator to arrange it for you."
        )
    return ""


class LoginForm(AuthenticationForm):
    """Django's login form, which takes an e-mail address too, and explains why an account is closed.

    It explains that only if the password is correct.
    """

    def clean_username(self) -> str:
        """Return the user name of the person with the typed e-mail address, or else the typed text."""
        typed = self.cleaned_data["username"]
        if "@" not in typed or User.objects.filter(username=typed).exists():
            return typed
        return User.objects.filter(email__iexact=typed).values_list("username", flat=True).first() or typed

    def get_invalid_login_error(self) -> ValidationError:
        """Return the reason for the failed login.

        The password is checked again after every failed login, so that the response time does not reveal whether an
        account exists.
        """
        typed = {name: self.cleaned_data.get(name) for name in ("username", "password")}
        user = PasswordOnlyBackend().authenticate(self.request, **typed)
        reason = why_closed(user) if user else ""
        return ValidationError(reason, code="closed") if reason else super().get_invalid_login_error()
