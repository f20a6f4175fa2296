"""The day of a page, read from its URL."""

from typing import Any

from django.http import HttpRequest

from plan.as_of import AsOf
from plan.lookup import day_query, read_as_of
from plan.models import Plan
from pmqa_tracker import clock


def read_page_day(request: HttpRequest, plan: Plan) -> tuple[AsOf, dict[str, Any]]:
    """Return the day of the page and the context of its templates.

    Every link keeps `query` (the day); the form of the day keeps `kept_parameters`, (name, value) pairs.
    """
    as_of = read_as_of(request, plan)
    query = day_query(plan, as_of)
    return as_of, {
        "as_of": as_of,
        "query": query,
        "is_past": clock.today() > plan.last_day,
        "is_final": plan.has_ended and as_of.day == plan.last_day,
        "is_default_day": not query,
        "kept_parameters": [
            (name, value) for name, values in request.GET.lists() if name not in ("as_of", "page") for value in values
        ],
    }
