"""Middleware that notes when a session was last used."""

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.sessions.store import SEEN_EVERY

BACKGROUND_HEADER = "X-Background"  # set by static/session.js for requests that no user caused


class LastUseMiddleware:
    """Note the use of a session by its user; a page that reloads itself does not keep the login alive."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_caused_by_user = BACKGROUND_HEADER not in request.headers
        if is_caused_by_user and request.session.get(SESSION_KEY):
            row = request.session.row
            if row is not None and timezone.now() - row.seen_at >= SEEN_EVERY:
                request.session.touch(request)
        return self.get_response(request)
