"""Columns of the list of actions: which ones a user sees, and the links of their headings that sort by them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from plan.lookup import warn_ignored_parameters

TEXT = "text"  # what is to be done, always shown
# Name → (label, values of `sort` from the first click on).
COLUMNS = {
    TEXT: (_("What is to be done"), ("", "-plan")),
    "lead": (_("In charge"), ("lead", "-lead")),
    "support": (_("Support units"), ("support", "-support")),
    "level": (_("Level"), ("level", "-level")),
    "schedule": (_("Schedule"), ("due", "-due")),
    "status": (_("Status"), ("status", "-status")),
    "progress": (_("Progress"), ("progress", "-progress")),
    "health": (_("Health"), ("behind", "-behind")),
    "updated": (_("Last updated"), ("updated", "-updated")),
}
FIRST = ("lead", "schedule", "status", "progress")  # shown until the user chooses
DESCENDING = ("-plan", "-lead", "-support", "-level", "-due", "-status", "-progress", "behind", "updated")
YEAR = 365 * 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The heading of a shown column; `url` sorts by it, `direction` is its `aria-sort` or ""."""

    name: str
    label: Any
    url: str
    direction: str

    @property
    def arrow(self) -> str:
        """The sign of the direction."""
        return {"ascending": "↑", "descending": "↓"}.get(self.direction, "")


def read_columns(request: HttpRequest) -> list[str]:
    """Return the names of the columns that the browser keeps for this user, besides the text."""
    kept = request.COOKIES.get(settings.COLUMNS_COOKIE_NAME)
    chosen = FIRST if kept is None else kept.split(".")
    return [name for name in COLUMNS if name in chosen and name != TEXT]


def keep_columns(request: HttpRequest) -> HttpResponse:
    """Keep the columns of the URL in the browser, and show the list without that parameter."""
    query = request.GET.copy()
    asked = query.pop("columns")
    chosen = [name for name in COLUMNS if name in asked]
    unknown = [f"“{name[:40]}”" for name in asked if name and name not in COLUMNS]
    warn_ignored_parameters(request, request.GET, unknown)
    response = redirect(f"{request.path}?{query.urlencode()}" if query else request.path)
    response.set_cookie(
        settings.COLUMNS_COOKIE_NAME,
        ".".join(chosen),
        max_age=YEAR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def headings(request: HttpRequest, names: Sequence[str], sort: str) -> list[Heading]:
    """Return the headings of the text and the named columns; a second click on one turns its order around."""
    found = []
    for name in (TEXT, *names):
        label, (first, second) = COLUMNS[name]
        query = request.GET.copy()
        query.pop("page", None)
        query["sort"] = second if sort == first else first
        direction = "descending" if sort in DESCENDING else "ascending"
        found.append(
            Heading(
                name=name,
                label=label,
                url=f"?{query.urlencode()}",
                direction=direction if sort in (first, second) else "",
            )
        )
    return found
