"""How django-allauth behaves on this site."""

import time
from datetime import timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from django.http import HttpRequest

from accounts.attempts import password_attempt
from assignments.models import User
from pmqa_tracker import clock
from pmqa_tracker.client_address import client_address
from pmqa_tracker.views import is_own_address

RECENT = timedelta(minutes=5)  # after a login, the settings of the account open without the password


class AccountAdapter(DefaultAccountAdapter):
    """Logins of invited people only, without the messages, JSON answers and login stages that the site does not use."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Return whether a login may lead to this URL: a page of this site."""
        return is_own_address(self.request, url)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt before the password is checked.

        Raises:
            TooManyAttemptsError: there were too many.
        """
        self._attempt = password_attempt(request, credentials["username"])
        self._attempt.begin(at=clock.now())

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the user if the password is right, even if the account is closed; otherwise None."""
        user = super().authenticate(request, **credentials)
        if user:
            self._attempt.succeed()
        else:
            self._attempt.fail(at=clock.now())
        return user

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def is_ajax(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage"]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Return whether the page asks for the password again: not right after the login."""
        logins = get_authentication_records(self.request, self.request.user)
        return not any(abs(time.time() - login["at"]) < RECENT.total_seconds() for login in logins)

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Leave messages to the pages of this site."""
