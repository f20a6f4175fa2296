"""Record every download of a file: evidence, workbooks, reports and exports."""

import logging
from collections.abc import Callable
from email.message import Message

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from audit.models import Event
from audit.record import record_event
from pmqa_tracker.request_log import safe_path

# Names of the views whose downloads are of a kind of their own.
KINDS = {
    "evidence_file": Event.Kind.EVIDENCE,
    "own_data": Event.Kind.PERSONAL_DATA,
    "data_of_person": Event.Kind.PERSONAL_DATA,
    "mfa_download_recovery_codes": Event.Kind.PERSONAL_DATA,
}
# Parameters that choose from a list, and days; what else stands in an address may be words that somebody typed.
CHOSEN = frozenset(
    {
        "age", "as_of", "begins", "category", "change", "criterion", "due", "ends", "framework", "health", "kind",
        "level", "partner", "period", "role", "scope", "since", "sort", "state", "status", "unit", "until", "updated",
    }
)  # fmt: skip

logger = logging.getLogger(__name__)


class DownloadMiddleware:
    """Record an event before a file is sent.

    GET never writes, except for this one row. If it cannot be written, the file is sent all the same and the server's
    log says so: reading goes on while the database is full.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 200 and request.method != "HEAD" and (name := attached_name(response)):
            _record(request, name)
        return response


def attached_name(response: HttpResponseBase) -> str:
    """Return the name of the file that a response sends as an attachment; "" if it sends none."""
    message = Message()
    message["Content-Disposition"] = response.headers.get("Content-Disposition", "")
    is_attached = message.get_content_disposition() == "attachment"
    return (message.get_filename() or "?") if is_attached else ""


def _record(request: HttpRequest, name: str) -> None:
    match = request.resolver_match
    kind = KINDS.get(match.view_name if match else "", Event.Kind.FILE)
    try:
        plan = getattr(request, "plan", None)
        record_event(kind, request=request, plan=plan, about=name, details=_address(request))
    except DatabaseError:
        logger.exception("A download was not recorded: %s", safe_path(request))


def _address(request: HttpRequest) -> str:
    """Return the path with the chosen filters; a typed word is left out."""
    query = [
        f"{name[:20]}={value if name in CHOSEN else '…'}" for name, values in request.GET.lists() for value in values
    ]
    return "?".join(filter(None, [safe_path(request), "&".join(query)]))
