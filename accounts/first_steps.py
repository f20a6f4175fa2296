"""What a user must do before anything else: change a first password, set up the second factor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect

from accounts.second_factor import PAGES as SECOND_FACTOR_PAGES
from accounts.second_factor import is_missing
from pmqa_tracker.views import render_refusal

ALWAYS_OPEN = {"logout", "set_language"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        page: URL name of its page; the user may open `pages` too.
        title: heading of the page.
        reason: why it comes first.
    """

    page: str
    title: Promise
    reason: Promise
    pages: frozenset[str] = frozenset()


PASSWORD = Step(
    page="password_change",
    title=_("Change the password"),
    reason=_("The system administrator has set your password. First choose one that only you know."),
)
SECOND_FACTOR = Step(
    page="mfa_activate_totp",
    title=_("Set up the second factor"),
    reason=_("Your role requires a code from your phone at the login. Set it up first."),
    pages=SECOND_FACTOR_PAGES,
)


def first_step(user: Any) -> Step | None:
    """Return the step that comes first for a user; None if there is none."""
    if user.must_change_password:
        return PASSWORD
    return SECOND_FACTOR if is_missing(user) else None


class FirstStepsMiddleware:
    """Lead a user to their first step; a posted form is refused and keeps its text."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *args: Any) -> HttpResponse | None:
        """Answer in place of the view if something else comes first."""
        name = request.resolver_match.view_name
        if not request.user.is_authenticated or not getattr(view, "login_required", True) or name in ALWAYS_OPEN:
            return None
        step = first_step(request.user)
        if step is None or name == step.page or name in step.pages:
            return None
        if request.method == "POST":
            return render_refusal(request, "accounts/step_first.html", status=403, step=step)
        is_htmx = request.headers.get("HX-Request") == "true"
        return HttpResponseClientRedirect(reverse(step.page)) if is_htmx else redirect(step.page)
