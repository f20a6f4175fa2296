"""Forms that check a password; each attempt is counted first (`accounts.attempts`)."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.models import Login
from django.contrib.auth import forms as auth_forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.backend import find_username
from assignments.closed import why_closed
from assignments.people.forms import SavesOnlyPassword

KNOWN_HASH = "hash"  # in the state of a login that waits for the code: a hash of the password hash


class LoginForm(allauth_forms.LoginForm):
    """allauth's login form with Django's fields; it takes an e-mail address too, and explains why an account is closed.

    It explains that only if the password is correct.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = AuthenticationForm(self.request).fields

    def user_credentials(self) -> dict[str, str]:
        """Return what the backend checks: the user name of the account and the typed password."""
        return {"username": find_username(self.cleaned_data["username"]), "password": self.cleaned_data["password"]}

    def clean(self) -> dict[str, Any]:
        """Check the password.

        Raises:
            ValidationError: it is wrong, there is no such account, the account is closed, or there were too many
                attempts.
        """
        if self.errors:
            return self.cleaned_data
        user = get_adapter().authenticate(self.request, **self.user_credentials())
        if user is None:
            raise AuthenticationForm(self.request).get_invalid_login_error()
        if reason := why_closed(user):
            raise ValidationError(reason, code="closed")
        self.user, self._login = user, Login(user=user, state={KNOWN_HASH: user.get_session_auth_hash()})
        return self.cleaned_data


class PasswordSetForm(SavesOnlyPassword, auth_forms.SetPasswordForm):
    """Django's form to set a password."""


class PasswordChangeForm(SavesOnlyPassword, auth_forms.PasswordChangeForm):
    """Django's form to change a password."""

    def clean_old_password(self) -> str:
        """Check the current password.

        Raises:
            ValidationError: it is wrong, or there were too many attempts.
        """
        typed = self.cleaned_data["old_password"]
        if not get_adapter().reauthenticate(self.user, typed):
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return typed

    def clean(self) -> dict[str, Any]:
        """Refuse the current password as the new one."""
        data = super().clean()
        if data.get("old_password") and data.get("old_password") == data.get("new_password1"):
            self.add_error("new_password1", _("This is the current password. Choose another one."))
        return data
