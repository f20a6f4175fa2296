"""Answer to an unexpected error or an outage: not recorded, why, what to do, and the typed text to send again."""

import logging
import sys
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.outage import Outage, find_outage
from pmqa_tracker.typed_text import LabelledText, plain_text, typed_text
from pmqa_tracker.views import REFUSAL_HEADER

RETRY_SECONDS = 60
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reason:
    """Why a request failed, and what the user can do."""

    why: Promise
    advice: Promise


ERROR = Reason(
    _("Something went wrong on our side."),
    _("Try again; if it happens again, tell the system administrator the reference below."),
)
RECORDED = Reason(
    _("What you sent is recorded, but the next page could not be shown."),
    _("Do not send it again: open the page and look."),
)
REASONS = {
    Outage.FULL: Reason(
        _("The disk of the server is full."),
        _("Tell the system administrator the reference below. Send again when there is space."),
    ),
    Outage.READ_ONLY: Reason(
        _("The site can only be read at the moment."),
        _("Tell the system administrator the reference below. Send again later."),
    ),
    Outage.BUSY: Reason(
        _("The database is busy."),
        _("Wait a minute and try again."),
    ),
    Outage.GONE: Reason(
        _("The database does not answer."),
        _("Wait a minute and try again. If it lasts, tell the system administrator the reference below."),
    ),
    Outage.OUTDATED: Reason(
        _("The database is not ready: it is being updated."),
        _("Wait a minute and try again. If it lasts, tell the system administrator the reference below."),
    ),
}


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 to an outage and 500 to any other exception, without a query; htmx gets only the message.

    Django calls this while it handles the exception.
    """
    outage = find_outage(sys.exc_info()[1])
    is_recorded = getattr(request, "has_committed", False)
    reason = RECORDED if is_recorded else REASONS[outage] if outage else ERROR
    is_unsent = request.method == "POST" and not is_recorded
    is_htmx = request.headers.get("HX-Request") == "true"
    context = {
        "why": reason.why,
        "advice": reason.advice,
        "is_unsent": is_unsent,
        "is_recorded": is_recorded,
        "address": request.get_full_path(),
    }
    if is_unsent and not is_htmx:
        context |= {
            "typed": _read_typed_text(request),
            "again": _fields_to_send_again(request),
            "files": list(_posted(request, "FILES")),
        }
    template = "500.html#message" if is_htmx else "500.html"
    response = HttpResponse(render_to_string(template, context), status=503 if outage else 500)
    if outage:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    if is_htmx:
        response.headers[REFUSAL_HEADER] = "true"
    return response


def _posted(request: HttpRequest, part: str) -> Any:
    """Return `POST` or `FILES` of a request; empty if they cannot be read."""
    try:
        return getattr(request, part) if request.method == "POST" else {}
    except Exception:
        logger.exception("A posted form could not be read")
        return {}


def _read_typed_text(request: HttpRequest) -> LabelledText:
    """Return the typed text with its labels; without labels if reading those fails too."""
    if not _posted(request, "POST"):
        return []
    try:
        return typed_text(request)
    except Exception:  # the database is gone, or the form itself is the cause
        return plain_text(request)


def _fields_to_send_again(request: HttpRequest) -> list[tuple[str, str]]:
    """Return (name, value) of the fields of a posted form; none if it contains a password.

    The one-time id among them makes sure that nothing is recorded twice.
    """
    posted = _posted(request, "POST")
    if any("password" in name for name in posted):
        return []
    return [(name, value) for name in posted for value in posted.getlist(name)]
