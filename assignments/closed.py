"""Closed accounts: why nobody can use an account."""

from django.conf import settings
from django.utils.translation import gettext as _

from assignments.models import User


def why_closed(user: User) -> str:
    """Return why the account is closed and who can open it; "" for an open account.

    The demo password is printed on a terminal. If the demo database is ever served on a public site, nobody can use
    these accounts, not even in an open session.
    """
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
