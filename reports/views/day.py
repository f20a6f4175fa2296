"""The day a page speaks of, and the one it compares with."""

from typing import Any

from django.http import HttpRequest

from plan.as_of import AsOf
from plan.lookup import day_query, read_as_of
from plan.models import Plan
from pmqa_tracker import clock


def read_page_day(request: HttpRequest, plan: Plan) -> tuple[AsOf, dict[str, Any]]:
    """The day of the page, with what a template says of it and each of its links keeps."""
    as_of = read_as_of(request, plan)
    query = day_query(plan, as_of)
    return as_of, {
        "as_of": as_of,
        "query": query,
        "has_ended": clock.today() > plan.ends_on,
        "is_default_day": not query,
        "kept": [
            (name, value) for name, values in request.GET.lists() if name not in ("as_of", "page") for value in values
        ],
    }
