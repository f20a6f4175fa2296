"""The pages that belong to no room: errors, and the words of a form that could not be taken."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.contrib.auth.views import PasswordChangeView
from django.contrib.messages.views import SuccessMessageMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django_htmx.http import reswap, retarget

# What a form holds besides words: hidden fields, choices, numbers. Passwords are not shown again.
NOT_WORDS = re.compile(r"on|[A-Z_]*|[\d\s.,-]*|[0-9a-fA-F-]{36}")
NOT_SHOWN = re.compile(r"^_|csrf|password|^next$|_?version|language|op_id|username")


class NotFound(Http404):
    """Nothing at this address; says what was looked for and what is near it.

    Args:
        message: one sentence, in the language of the page.
        nearest: (label, address) of what the reader may have meant.
    """

    def __init__(self, message: str, nearest: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.nearest = list(nearest)


class PasswordChange(SuccessMessageMixin, PasswordChangeView):
    """Django's own page to change a password, in the site's look."""

    template_name = "password_change.html"
    success_url = reverse_lazy("home")
    success_message = _("The password is changed. Use the new one from now on.")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 in the site's look: what was not found, and where to go from here."""
    is_ours = isinstance(exception, NotFound)
    context = {
        "message": str(exception) if is_ours else "",
        "nearest": exception.nearest if is_ours else [],
    }
    return render(request, "404.html", context, status=404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form sent from a page that was open for too long, or from elsewhere: what was typed is shown, to be copied.

    A view class with a method `csrf_failed` answers itself.
    """
    view_class = getattr(request.resolver_match.func, "view_class", None)
    if hasattr(view_class, "csrf_failed"):
        view = view_class()
        view.setup(request)
        return view.csrf_failed()
    return not_taken(request, "403_csrf.html", status=403)


def not_taken(request: HttpRequest, template: str, *, status: int) -> HttpResponse:
    """A page that refuses a form before its view was asked, with every word that was in it.

    For htmx the form stays as it is, words and all, and the page's `#message` is shown above it.
    """
    context = {"typed": typed_words(request), "here": page_of_form(request)}
    if request.headers.get("HX-Request") == "true":
        response = render(request, f"{template}#message", context, status=status)
        retarget(response, "#messages")
        return reswap(response, "innerHTML show:top")
    return render(request, template, context, status=status)


def page_of_form(request: HttpRequest) -> str:
    """The address of the page a posted form stood on, as far as the browser names it; otherwise the form's own."""
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return urlsplit(page)._replace(scheme="", netloc="").geturl() if is_ours else request.get_full_path()


def typed_words(request: HttpRequest) -> list[str]:
    """The texts a posted form holds, without its hidden fields, choices, numbers and passwords."""
    return [
        value
        for name, values in request.POST.lists()
        for value in values
        if not NOT_SHOWN.search(name) and not NOT_WORDS.fullmatch(value)
    ]
