"""Error pages, and the page that refuses a form and shows its typed text."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from pmqa_tracker.scope import own_records
from pmqa_tracker.typed_text import typed_text

OWNER_FIELD = "form_owner"  # hidden field beside each CSRF token: pk of the user who opened the form
# URL names of forms that write nothing for the user.
WITHOUT_OWNER = {"login", "account_login", "logout", "set_language"}
REFUSAL_HEADER = "X-Refusal"  # header: htmx shows this answer beside the form or row instead of swapping it


class NotFound(Http404):
    """404 with a message and links to similar pages.

    Args:
        message: one sentence, in the language of the page.
        nearest: (label, URL) of pages the user may have meant.
    """

    def __init__(self, message: str, nearest: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.nearest = list(nearest)


def is_own_address(request: HttpRequest, url: str) -> bool:
    """Return whether a URL leads to a page of this site, so that it is safe to redirect to it."""
    return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404: what was not found, and where to go; a posted form keeps its typed text."""
    is_ours = isinstance(exception, NotFound)
    message = str(exception) if is_ours else ""
    return render_refusal(
        request, "404.html", status=404, message=message, nearest=exception.nearest if is_ours else []
    )


def no_page_of_a_record(request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
    """Answer 404 in place of the admin's redirect to the page of a record, which fails for what is no key.

    No model names such a page.
    """
    raise Http404(object_id)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form without a valid CSRF token: its page is too old, from another site, or of another user.

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
    """Render a page that says why a request is refused, with the typed text and choices of a posted form.

    For htmx, render only the template's `#message`; the page stays unchanged and shows the message beside the form or
    the row (static/app.js).
    """
    context |= {"typed": typed_text(request), "form_page_url": form_page_url(request)}
    if request.headers.get("HX-Request") == "true":
        response = render(request, f"{template}#message", context, status=status)
        response.headers[REFUSAL_HEADER] = "true"
        return response
    return render(request, template, context, status=status)


def form_page_url(request: HttpRequest) -> str:
    """Return the URL of the page with the posted form if the browser sends it; otherwise the URL of the request."""
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    is_ours = is_own_address(request, page)
    return urlsplit(page)._replace(scheme="", netloc="").geturl() if is_ours else request.get_full_path()


def is_foreign(request: HttpRequest) -> bool:
    """Return whether another user than the current one opened the posted form.

    A form without an owner is accepted: its page was open while the site was upgraded from a release without owners.
    The CSRF token and the versions still protect it.
    """
    user = getattr(request, "user", None)
    if request.method != "POST" or user is None or not user.is_authenticated:
        return False
    if getattr(request.resolver_match, "url_name", "") in WITHOUT_OWNER:
        return False
    return any(owner != str(user.pk) for owner in request.POST.getlist(OWNER_FIELD))


def refuse_foreign(request: HttpRequest) -> HttpResponse:
    """Answer 409 with the typed text, the user who opened the form, and the current user."""
    pk = next((each for each in request.POST.getlist(OWNER_FIELD) if each != str(request.user.pk)), "")
    is_pk = pk.isascii() and pk.isdecimal() and len(pk) < 19
    owner = own_records(get_user_model().objects.filter(pk=pk), request.user).first() if is_pk else None
    opened_by = owner or gettext("another person")
    return render_refusal(request, "form_of_another.html", status=409, opened_by=opened_by, now=request.user)
