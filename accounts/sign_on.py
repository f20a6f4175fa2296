"""Login by an identity provider (OpenID Connect), for existing accounts, by their verified e-mail address."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.openid_connect import views
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from requests import RequestException

from accounts.backend import find_by_address
from assignments.closed import why_closed

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]


class SignOnAdapter(DefaultSocialAccountAdapter):
    """How allauth's login by a provider behaves on this site: nobody signs up, and nothing of it is stored."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Choose the account with the verified e-mail address that the provider has sent.

        Raises:
            ImmediateHttpResponse: there is none, or it is closed; the answer says so.
        """
        sociallogin.state["process"] = "login"  # the browser may have asked to connect accounts, which is not offered
        verified = [each.email for each in sociallogin.email_addresses if each.verified]
        person = find_by_address(verified[0]) if verified else None
        if person is None:
            reason = gettext(
                "Nobody on this site has the e-mail address of that login. Ask the PMQA coordinator to add you, or to "
                "correct your address."
            )
        else:
            reason = why_closed(person)
        if reason:
            raise ImmediateHttpResponse(refuse(request, reason, status=403))
        sociallogin.user = person

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        """Answer a login that the provider refused, that the user cancelled, or whose answer is not usable."""
        if kwargs.get("exception"):
            logger.warning("A login by the identity provider failed: %r", kwargs["exception"])
        raise ImmediateHttpResponse(refuse(request, not_finished(), status=403))


def not_finished() -> str:
    """Return the sentence for a login that did not come to an end."""
    return gettext("The login by the other system was not finished. Try again, or log in with your password here.")


def refuse(request: HttpRequest, reason: str, *, status: int) -> HttpResponse:
    """Render the page that says why a login by the provider failed."""
    return render(request, "accounts/sign_on_refused.html", {"reason": reason}, status=status)


def answers_outage(view: View) -> View:
    """Decorate allauth's view: a provider that does not answer, or not as it should, makes a page and no error 500."""

    @login_not_required
    @wraps(view)
    def inner(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            return view(request, provider_id)
        except (RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("The identity provider did not answer as it should: %r", error)
            return refuse(request, not_finished(), status=502)

    return inner


login = answers_outage(views.login)
callback = answers_outage(views.callback)
