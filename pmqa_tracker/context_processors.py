"""Template variables of every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from pmqa_tracker import clock


def site(request: HttpRequest) -> dict[str, Any]:
    """Add `today`, whether it is frozen, whether this is a demonstration, and the name of the CSRF cookie."""
    return {
        "today": clock.today(),
        "is_frozen": settings.PMQA_TODAY is not None,
        "is_demo": settings.PMQA_DEMO,
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
    }
