"""The pages that belong to no room: errors, and the words of a form that could not be taken."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from pmqa_tracker.typed_text import typed_text

OWNER_FIELD = "form_owner"  # the hidden field, beside each CSRF token, that says who opened a form
WITHOUT_OWNER = {"login", "logout", "set_language"}  # they write nothing in anybody's name
REFUSAL_HEADER = "X-Refusal"  # an answer to htmx that is shown beside what asked, and takes no place


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
    """404 in the site's look: what was not found, and where to go from here; a form keeps its words."""
    is_ours = isinstance(exception, NotFound)
    message = str(exception) if is_ours else ""
    return render_refusal(
        request, "404.html", status=404, message=message, nearest=exception.nearest if is_ours else []
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from a page that was open for too long, or from elsewhere, or opened by somebody else.

    A view class with a method `csrf_failed` answers itself.
    """
    view_class = getattr(request.resolver_match.func, "view_class", None)
    if hasattr(view_class, "csrf_failed"):
        view = view_class()
        view.setup(request)
        return view.csrf_failed()
    if is_foreign(request):
        return refuse_foreign(request)
    return render_refusal(request, "403_csrf.html", status=403)


def render_refusal(request: HttpRequest, template: str, *, status: int, **context: Any) -> HttpResponse:
    """A page that says why a request is not answered, with every word and choice of a posted form.

    For htmx the page that asked stays as it is, words and all: it gets the template's `#message` and shows it beside
    the form or the row (static/app.js).
    """
    context |= {"typed": typed_text(request), "form_page_url": form_page_url(request)}
    if request.headers.get("HX-Request") == "true":
        response = render(request, f"{template}#message", context, status=status)
        response.headers[REFUSAL_HEADER] = "true"
        return response
    return render(request, template, context, status=status)


def form_page_url(request: HttpRequest) -> str:
    """The address of the page a posted form stood on, as far as the browser names it; otherwise the form's own."""
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return urlsplit(page)._replace(scheme="", netloc="").geturl() if is_ours else request.get_full_path()


def is_foreign(request: HttpRequest) -> bool:
    """Whether a posted form was opened by somebody else than the user who is logged in now.

    A form without an owner comes from no page of this site as it is now, but from one that was open while the site
    was updated; its CSRF token and its versions still protect it, and it is taken.
    """
    user = getattr(request, "user", None)
    if request.method != "POST" or user is None or not user.is_authenticated:
        return False
    if getattr(request.resolver_match, "url_name", "") in WITHOUT_OWNER:
        return False
    return any(owner != str(user.pk) for owner in request.POST.getlist(OWNER_FIELD))


def refuse_foreign(request: HttpRequest) -> HttpResponse:
    """409 with everything typed: who opened the form, and who is logged in now."""
    pk = next((each for each in request.POST.getlist(OWNER_FIELD) if each != str(request.user.pk)), "")
    is_pk = pk.isascii() and pk.isdecimal() and len(pk) < 19
    owner = get_user_model().objects.filter(pk=pk).first() if is_pk else None
    opened_by = owner or gettext("another person")
    return render_refusal(request, "form_of_another.html", status=409, opened_by=opened_by, now=request.user)
