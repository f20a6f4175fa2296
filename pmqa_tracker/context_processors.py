"""What every page of the site knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from pmqa_tracker import clock


def site(request: HttpRequest) -> dict[str, Any]:
    """`today`, whether it is frozen, and whether this is a demonstration."""
    return {
        "today": clock.today(),
        "is_frozen": settings.PMQA_TODAY is not None,
        "is_demo": settings.PMQA_DEMO,
    }
