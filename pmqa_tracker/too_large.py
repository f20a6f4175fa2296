"""Answers to requests that are too large: what to do, without losing typed text."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from pmqa_tracker.upload_limit import MEGABYTE
from pmqa_tracker.views import REFUSAL_HEADER

LONGEST_ADDRESS = 8000  # bytes; a search for about 800 Thai letters


class AddressMiddleware:
    """Refuse a URL that is longer than any page needs, before a view searches for its text."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if len(request.get_full_path()) <= LONGEST_ADDRESS:
            return self.get_response(request)
        return too_large(
            request,
            _("The address is too long"),
            _("Go back in your browser and use a shorter search text or fewer filters."),
            status=414,
        )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 in the site's look; 413 with the limit that was exceeded."""
    if isinstance(exception, RequestDataTooBig):
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE / MEGABYTE
        text = _(
            "The text is larger than the %(most).1f MB the site accepts at once. Shorten it, or attach the long part "
            "as a file, and send it again."
        ) % {"most": most}
    elif isinstance(exception, TooManyFilesSent):
        text = _("More than %(most)s files were sent at once. Send fewer at a time.") % {
            "most": settings.DATA_UPLOAD_MAX_NUMBER_FILES
        }
    elif isinstance(exception, TooManyFieldsSent):
        text = _("More than %(most)s values were sent at once. Choose fewer rows or filters at a time.") % {
            "most": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        }
    else:
        return render(request, "400.html", status=400)
    back = _("Your text is still in the form; if you do not see the form, go back in your browser.")
    return too_large(request, _("Too much at once"), f"{text} {back}", status=413)


def too_large(request: HttpRequest, heading: str, text: str, *, status: int) -> HttpResponse:
    """Return a page that says what to do; for htmx, a message beside the form or row, which stays unchanged.

    It is rendered without the request, whose data cannot be read.
    """
    is_htmx = request.headers.get("HX-Request") == "true"
    template = "too_large.html#message" if is_htmx else "too_large.html"
    response = HttpResponse(render_to_string(template, {"heading": heading, "text": text}), status=status)
    if is_htmx:
        response.headers[REFUSAL_HEADER] = "true"
    return response
