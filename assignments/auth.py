"""Who may log in, and what whoever may not is told."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from assignments.models import User


class AccountBackend(ModelBackend):
    """Django's own backend, without the demonstration accounts where no demonstration runs.

    A demonstration's password is printed on a terminal. Should its database end up behind a public address
    (`PMQA_DEMO` off), those accounts are closed, their open sessions included.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        """True for an account that is not closed."""
        return not why_closed(user)


class PasswordOnlyBackend(ModelBackend):
    """Asks for the right password alone: of closed accounts too."""

    def user_can_authenticate(self, user: Any) -> bool:
        return True


def why_closed(user: User) -> str:
    """Why nobody logs in with this account, and who can change that; empty for an open account."""
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
    """Django's own; users of a closed account learn why it is closed, once their password was right."""

    def get_invalid_login_error(self) -> ValidationError:
        """Why nobody was logged in.

        The password is checked a second time after every failed login, so that its duration tells a stranger nothing.
        """
        typed = {name: self.cleaned_data.get(name) for name in ("username", "password")}
        user = PasswordOnlyBackend().authenticate(self.request, **typed)
        reason = why_closed(user) if user else ""
        return ValidationError(reason, code="closed") if reason else super().get_invalid_login_error()
