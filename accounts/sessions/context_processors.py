"""Template variables about the session: how long it lasts."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone


def session(request: HttpRequest) -> dict[str, Any]:
    """Add the seconds that the login lasts without use (0 without one), and the limits of every login."""
    row = getattr(getattr(request, "session", None), "row", None)
    return {
        "session_left": row.seconds_left(timezone.now()) if row is not None and row.user_id else 0,
        "idle_minutes": settings.PMQA_IDLE_MINUTES,
        "login_hours": settings.PMQA_LOGIN_HOURS,
    }
