"""The pages that belong to no room: errors."""

from collections.abc import Iterable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render


class NotFound(Http404):
    """Nothing at this address; says what was looked for and what is near it.

    Args:
        message: one sentence, in the language of the page.
        nearest: (label, address) of what the reader may have meant.
    """

    def __init__(self, message: str, nearest: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.nearest = list(nearest)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 in the site's look: what was not found, and where to go from here."""
    is_ours = isinstance(exception, NotFound)
    context = {
        "message": str(exception) if is_ours else "",
        "nearest": exception.nearest if is_ours else [],
    }
    return render(request, "404.html", context, status=404)
