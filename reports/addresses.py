"""Where the rows behind a figure are."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from plan.models import Plan


def rows_address(plan: Plan, query: Mapping[str, Any]) -> str:
    """The address of the action list with these filters."""
    address = reverse("action_list", args=[plan.slug])
    return f"{address}?{urlencode(query)}" if query else address
