"""Forms that check a code of the second factor or a password; each attempt is counted first (`accounts.attempts`)."""

import unicodedata
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.totp import forms as totp_forms
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.attempts import Attempt
from accounts.models import Purpose
from pmqa_tracker import clock


class CodeField(forms.CharField):
    """A code; only letters and digits of it count, and Thai digits are read as digits."""

    widget = forms.TextInput(
        attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}
    )

    def to_python(self, value: Any) -> str:
        typed = super().to_python(value)
        return "".join(str(unicodedata.digit(sign, sign)) for sign in typed if sign.isalnum())


class CountedCode(forms.Form):
    """A form with a code of `self.user`, whichever computer it comes from: who gets so far knows the password."""

    code = CodeField(label=gettext_lazy("Code"), max_length=40)

    def clean_code(self) -> str:
        """Count the attempt, then check the code; a code works once.

        Raises:
            ValidationError: it is wrong, it was used already, or there were too many attempts.
        """
        attempt = Attempt(purpose=Purpose.CODE, person=self.user)
        attempt.begin(at=clock.now())
        try:
            code = super().clean_code()
            Attempt(purpose=Purpose.USED_CODE, person=self.user, name=code).begin(at=clock.now())
        except ValidationError:
            attempt.fail(at=clock.now())
            raise get_adapter().validation_error("incorrect_code") from None
        attempt.succeed()
        return code


class AuthenticateForm(CountedCode, mfa_forms.AuthenticateForm):
    """The code after the password; a recovery code too."""

    code = CodeField(label=gettext_lazy("Code from the app, or a recovery code"), max_length=40)


class SetupForm(CountedCode, totp_forms.ActivateTOTPForm):
    """The first code of a new secret."""

    code = CodeField(label=gettext_lazy("Code from the app"), max_length=40)


class ConfirmForm(forms.Form):
    """The password again."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Check the password.

        Raises:
            ValidationError: it is wrong, or there were too many attempts.
        """
        typed = self.cleaned_data["password"]
        if not get_account_adapter().reauthenticate(self.user, typed):
            raise ValidationError(_("The password is not correct."), code="password_incorrect")
        return typed
