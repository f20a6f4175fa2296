"""Who may log in."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend


class Backend(ModelBackend):
    """Django's own backend, without the demonstration accounts where no demonstration runs.

    A demonstration's password is printed on a terminal. Should its database end up behind a public address
    (`PMQA_DEMO` off), those accounts are closed, their open sessions included.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        """True for an active account that is not a demonstration one, or where a demonstration runs."""
        return super().user_can_authenticate(user) and (settings.PMQA_DEMO or not user.is_demo)
