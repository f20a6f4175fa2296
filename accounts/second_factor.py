"""The second factor: a code of an app on the phone (TOTP), recovery codes, and who must have it."""

from typing import Any

from allauth.account.views import ReauthenticateView
from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.base.views import AuthenticateView, IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import (
    DownloadRecoveryCodesView,
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts.attempts import AnswersLocked
from accounts.code_forms import AuthenticateForm, ConfirmForm, SetupForm
from accounts.encryption import decrypt, encrypt
from accounts.forms import KNOWN_HASH
from assignments.closed import why_closed
from audit.models import Event
from audit.record import record_event

ADMINISTRATOR = "administrator"  # in PMQA_REQUIRE_SECOND_FACTOR, beside the names of the roles
# Pages that a user may open who has to set it up before anything else.
PAGES = frozenset({"mfa_activate_totp", "second_factor_image", "account_reauthenticate"})


def is_required(user: Any) -> bool:
    """Return whether a role of the user requires the second factor."""
    required = settings.PMQA_REQUIRE_SECOND_FACTOR
    if not required:
        return False
    return (user.is_superuser and ADMINISTRATOR in required) or not user.role_names.isdisjoint(required)


def is_missing(user: Any) -> bool:
    """Return whether the user has to set it up."""
    return is_required(user) and not get_adapter().is_mfa_enabled(user, [Authenticator.Type.TOTP])


class SecondFactorAdapter(DefaultMFAAdapter):
    """How allauth's second factor behaves on this site."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("The code is not correct. Wait for the next one and type it."),
        "cannot_delete_authenticator": _("Your role requires the second factor, so it stays on."),
    }

    def get_totp_issuer(self) -> str:
        return "PMQA Tracker"

    def get_totp_label(self, user: Any) -> str:
        return user.username

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not is_required(authenticator.user)


class EnterCode(AnswersLocked, AuthenticateView):
    """Page that asks for the code, after the password."""

    template_name = "accounts/code_enter.html"
    form_class = AuthenticateForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Check the code; begin again if the account was closed, or got another password, since the first step."""
        login = self.stage.login
        now = login.user.get_session_auth_hash()
        if why_closed(login.user) or not constant_time_compare(login.state.get(KNOWN_HASH, now), now):
            return self.stage.abort()
        return super().post(request, *args, **kwargs)

    def _build_forms(self) -> AuthenticateForm | None:
        self.webauthn_form, is_posted = None, self.request.method == "POST"
        self.auth_form = self.form_class(user=self.stage.login.user, data=self.request.POST if is_posted else None)
        return self.auth_form if is_posted else None


class Confirm(AnswersLocked, ReauthenticateView):
    """Page that asks for the password again, before the second factor is changed."""

    template_name = "accounts/confirm.html"
    form_class = ConfirmForm


class Overview(IndexView):
    """Page of the user's second factor: on or off, and what to do."""

    template_name = "accounts/second_factor.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        codes = context["authenticators"].get(Authenticator.Type.RECOVERY_CODES)
        return context | {
            "is_on": Authenticator.Type.TOTP in context["authenticators"],
            "is_required": is_required(self.request.user),
            "codes_left": len(codes.get_unused_codes()) if codes else 0,
        }


class SetUp(AnswersLocked, ActivateTOTPView):
    """Page to set it up: an image for the app, and the first code."""

    template_name = "accounts/second_factor_setup.html"
    form_class = SetupForm

    def form_valid(self, form: SetupForm) -> HttpResponse:
        response = super().form_valid(form)
        record_event(Event.Kind.SECOND_FACTOR, request=self.request, details=gettext_noop("on"))
        messages.success(self.request, gettext("The second factor is on. Keep these recovery codes in a safe place."))
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        secret = context["form"].secret
        return context | {
            "key": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
            "is_required": is_required(self.request.user),
        }


class Remove(DeactivateTOTPView):
    """Page to turn it off."""

    template_name = "accounts/second_factor_sure.html"
    extra_context = {
        "title": _("Turn off the second factor"),
        "follows": _("Afterwards your password alone is enough to log in, and your recovery codes no longer work."),
    }

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        record_event(Event.Kind.SECOND_FACTOR, request=self.request, details=gettext_noop("off"))
        messages.success(self.request, gettext("The second factor is off. Your recovery codes no longer work."))
        return response


class RecoveryCodes(ViewRecoveryCodesView):
    """Page with the recovery codes that were not used yet."""

    template_name = "accounts/recovery_codes.html"


class NewRecoveryCodes(GenerateRecoveryCodesView):
    """Page to make new recovery codes instead of the old ones."""

    template_name = "accounts/second_factor_sure.html"
    extra_context = {
        "title": _("Make new recovery codes"),
        "follows": _("The recovery codes you have now no longer work then."),
    }

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        record_event(Event.Kind.SECOND_FACTOR, request=self.request, details=gettext_noop("new recovery codes"))
        return response


class RecoveryCodesFile(DownloadRecoveryCodesView):
    """The recovery codes as a text file."""

    template_name = "accounts/recovery_codes.txt"
    content_type = "text/plain; charset=utf-8"


def show_image(request: HttpRequest) -> HttpResponse:
    """Answer the QR code of the secret that the page to set it up has just made; an image, because of the CSP."""
    secret = request.session.get(SECRET_SESSION_KEY)
    if not secret:
        raise Http404
    adapter = get_adapter()
    image = adapter.build_totp_svg(adapter.build_totp_url(request.user, secret))
    return HttpResponse(image, content_type="image/svg+xml", headers={"Cache-Control": "no-store"})
