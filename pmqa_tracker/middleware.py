"""Middleware: NUL in URLs, language, login, and the owner of a posted form."""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from pmqa_tracker.views import is_foreign, refuse_foreign, render_refusal


class NulMiddleware:
    """Replace NUL in the query string by U+FFFD, because PostgreSQL refuses NUL.

    A path never contains NUL (`pmqa_tracker.urls`), and form fields refuse it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        request.META["QUERY_STRING"] = re.sub("%00|\0", "%EF%BF%BD", query)
        return self.get_response(request)


class LanguageMiddleware:
    """Set the language the user chose with the switch, otherwise Thai.

    Django's middleware asks the browser, and most office machines here have an English browser.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        request.LANGUAGE_CODE = language
        with translation.override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class LoginMiddleware(LoginRequiredMiddleware):
    """Require login for every page; a form posted after the session ended keeps its typed text.

    Django's middleware redirects every request to the login page, which would lose the text.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponse:
        if request.method == "POST":
            return render_refusal(request, "login_ended.html", status=403)
        return super().handle_no_permission(request, view_func)


class OwnerMiddleware:
    """Refuse a form that another user opened in the same browser with 409; the typed text stays."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        """Refuse a form of another user before its view runs."""
        return refuse_foreign(request) if is_foreign(request) else None
