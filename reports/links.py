"""URLs of the rows behind a figure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.urls import get_script_prefix, reverse
from django.utils.http import urlencode

from plan.models import Plan


def action_list_url(plan: Plan, query: Mapping[str, Any]) -> str:
    """Return the URL of the action list with these filters."""
    url = _list_url(plan.slug, get_script_prefix())
    return f"{url}?{urlencode(query)}" if query else url


@lru_cache(maxsize=1_000)
def _list_url(slug: str, prefix: str) -> str:
    """Return the URL of the action list of a plan; an overview has a hundred links to it."""
    return reverse("action_list", args=[slug])
