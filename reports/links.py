"""URLs of the rows behind a figure."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from plan.models import Plan


def action_list_url(plan: Plan, query: Mapping[str, Any]) -> str:
    """Return the URL of the action list with these filters."""
    url = reverse("action_list", args=[plan.slug])
    return f"{url}?{urlencode(query)}" if query else url
