"""Request ids, and one log line for each request; no typed text, password or token is logged."""

import logging
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

REQUEST_ID_HEADER = "X-Request-ID"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
SECRET_PARTS = {"token", "key", "uidb64", "uidb36"}  # parts of a path that open an invitation or a new password
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LONGEST_PATH = 300  # characters

logger = logging.getLogger("pmqa.request")
_current: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class RequestLogMiddleware:
    """Give each request an id, send it in a header, and log the request; the outermost middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(REQUEST_ID_HEADER, "") if settings.PMQA_BEHIND_PROXY else ""
        request.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(6)  # type: ignore[attr-defined]
        token, began = _current.set(request), time.monotonic()
        try:
            response = self.get_response(request)
            response.headers[REQUEST_ID_HEADER] = request.request_id  # type: ignore[attr-defined]
            self.log(request, response, time.monotonic() - began)
            return response
        finally:
            _current.reset(token)

    def log(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        """Log the request, unless it is for a static file that was found."""
        if request.path.startswith(f"/{settings.STATIC_URL.lstrip('/')}") and response.status_code < 400:
            return
        milliseconds = round(seconds * 1000)
        logger.info(
            "%s %s %s", request.method, safe_path(request), response.status_code,
            extra={"status": response.status_code, "milliseconds": milliseconds},
        )  # fmt: skip


def current_request() -> HttpRequest | None:
    """Return the request that this thread answers; None in a command or a background task."""
    return _current.get()


def current_request_id() -> str:
    """Return the id of the current request; "" if there is none."""
    return getattr(current_request(), "request_id", "")


def note_commit() -> None:
    """Remember that the current request has written something, in case its answer fails."""
    if request := current_request():
        request.has_committed = True  # type: ignore[attr-defined]


def safe_path(request: HttpRequest) -> str:
    """Return the path of a request without its query and without the secret parts of an address."""
    path = request.path
    for secret in _secret_parts(request):
        path = path.replace(secret, "…")
    return CONTROL.sub("?", path)[:LONGEST_PATH]


def describe_request(request: HttpRequest) -> dict[str, Any]:
    """Return what each log line says about the current request, without a query."""
    kwargs = getattr(request.resolver_match, "kwargs", {})
    about = {
        "request_id": getattr(request, "request_id", ""),
        "method": request.method,
        "path": safe_path(request),
        "user": getattr(getattr(request, "_cached_user", None), "pk", None),
        "plan": kwargs.get("slug"),
    }
    return {name: value for name, value in about.items() if value is not None}


def hidden_values(request: HttpRequest) -> list[str]:
    """Return what must not be in a log: typed values, cookies and secret parts of the path, longest first."""
    read = [request.__dict__.get(name) for name in ("GET", "_post")]  # reading them here could fail
    typed = [value for data in read if data for _name, values in data.lists() for value in values]
    found = {*typed, *request.COOKIES.values(), *_secret_parts(request)}
    return sorted((each for each in found if len(each) > 3), key=len, reverse=True)


def _secret_parts(request: HttpRequest) -> list[str]:
    kwargs = getattr(request.resolver_match, "kwargs", {})
    return [str(value) for name, value in kwargs.items() if name in SECRET_PARTS and len(str(value)) > 1]
