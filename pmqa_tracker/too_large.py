"""Requests that are larger than the site takes: each is answered with what to do, and what was typed stays."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from pmqa_tracker.upload_limit import MEGABYTE
from pmqa_tracker.views import REFUSAL_HEADER

LONGEST_ADDRESS = 8000  # bytes; a search of some 800 Thai letters


class AddressMiddleware:
    """Refuses an address longer than any page needs, before anything looks for its words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if len(request.get_full_path()) <= LONGEST_ADDRESS:
            return self.get_response(request)
        return too_large(
            request,
            _("The address is too long"),
            _("Go back in your browser and look for fewer or shorter words."),
            status=414,
        )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 in the site's look; 413 with the limit that was passed."""
    if isinstance(exception, RequestDataTooBig):
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE / MEGABYTE
        text = _(
            "The text sent is larger than the %(most).1f MB the site takes at once. Shorten it, or attach the long "
            "part as a file, and send it again."
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
    back = _("Your text is still in the form; without it on the page, go back in your browser.")
    return too_large(request, _("Too much at once"), f"{text} {back}", status=413)


def too_large(request: HttpRequest, heading: str, text: str, *, status: int) -> HttpResponse:
    """A page that says what to do; for htmx one message beside the form or row, which stays as it is.

    The page is made without the request: what was sent cannot be read.
    """
    is_htmx = request.headers.get("HX-Request") == "true"
    template = "too_large.html#message" if is_htmx else "too_large.html"
    response = HttpResponse(render_to_string(template, {"heading": heading, "text": text}), status=status)
    if is_htmx:
        response.headers[REFUSAL_HEADER] = "true"
    return response
