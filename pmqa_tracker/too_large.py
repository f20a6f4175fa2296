"""Answers to requests that are too large: what to do, without losing typed text."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from pmqa_tracker.posted_fields import recover_fields
from pmqa_tracker.typed_text import LabelledText, typed_text
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
    """Answer 400 in the site's look; 413 with the limit that was exceeded and the typed text."""
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
        text = _(
            "More than %(most)s values were sent at once. Go back in your browser and choose fewer rows or filters."
        ) % {"most": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS}
    else:
        return render(request, "400.html", status=400)
    if request.method == "POST":
        recover_fields(request)
    return too_large(request, _("Too much at once"), text, status=413)


def too_large(request: HttpRequest, heading: str, text: str, *, status: int) -> HttpResponse:
    """Return a page that says what to do and shows the typed text; for htmx, a message beside the form or row.

    It is rendered without the request, whose query string may be what cannot be read.
    """
    is_htmx = request.headers.get("HX-Request") == "true"
    template = "too_large.html#message" if is_htmx else "too_large.html"
    context = {"heading": heading, "text": text, "is_form": request.method == "POST"}
    if status == 413 and context["is_form"] and not is_htmx:
        context["typed"] = _typed_text(request)
    response = HttpResponse(render_to_string(template, context), status=status)
    if is_htmx:
        response.headers[REFUSAL_HEADER] = "true"
    return response


def _typed_text(request: HttpRequest) -> LabelledText:
    """Return the typed text of a form that is too large; without its labels if its query string cannot be read."""
    try:
        return typed_text(request)
    except TooManyFieldsSent:
        request.GET = QueryDict()
        return typed_text(request)
