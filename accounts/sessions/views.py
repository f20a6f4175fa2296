"""The user's own sessions, and how long the present one lasts."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.sessions.models import Session
from accounts.sessions.store import SessionStore
from assignments.models import User

SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "CrOS", "Linux")
# A browser also names those it descends from, so the first that fits is the right one.
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung", "Line": "LINE", "Firefox": "Firefox",
            "FxiOS": "Firefox", "CriOS": "Chrome", "Chrome": "Chrome", "Safari": "Safari"}  # fmt: skip


@dataclass
class SessionRow:
    """A session as the page shows it."""

    public_id: str
    device: str
    address: str
    began_at: datetime
    seen_at: datetime
    is_current: bool


@require_http_methods(["GET", "HEAD", "POST"])
def session_list(request: HttpRequest) -> HttpResponse:
    """List where the user is logged in; end one session or all the others."""
    sessions = sessions_of(request.user)
    if request.method == "POST":
        asked = request.POST.get("session", "")
        chosen = [each for each in sessions if (each.public_id == asked if asked else not is_current(request, each))]
        Session.objects.filter(pk__in=[each.pk for each in chosen]).delete()
        if any(is_current(request, each) for each in chosen):
            logout(request)
            return redirect("login")
        count = len(chosen)
        text = ngettext("%(count)s device was logged out.", "%(count)s devices were logged out.", count)
        messages.success(request, text % {"count": count})
        return redirect("session_list")
    rows = [
        SessionRow(
            public_id=each.public_id,
            device=name_device(each.device),
            address=each.address,
            began_at=each.began_at,
            seen_at=each.seen_at,
            is_current=is_current(request, each),
        )
        for each in sessions
    ]
    return render(request, "accounts/session_list.html", {"rows": rows, "has_others": len(rows) > 1})


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def session_left(request: HttpRequest) -> JsonResponse:
    """Return the seconds that the session lasts; POST keeps it alive.

    `is_last`: it ends then however much it is used.
    """
    if not request.user.is_authenticated:
        return JsonResponse({"left": 0, "is_last": False})
    if request.method == "POST":
        request.session.touch(request)
    row = request.session.row
    return JsonResponse({"left": row.seconds_left(timezone.now()), "is_last": row.ends_at() == row.expire_date})


def sessions_of(user: User) -> list[Session]:
    """Return the open sessions of a user, the one used last first; a changed password has ended the others."""
    sessions = Session.objects.open(timezone.now()).filter(user=user).select_related("user").order_by("-seen_at")
    return [each for each in sessions if SessionStore.is_of_current_password(each)]


def is_current(request: HttpRequest, session: Session) -> bool:
    """Return whether the session is the one of the request."""
    return session.session_key == request.session.session_key


def name_device(user_agent: str) -> str:
    """Return the browser and the system of a device, such as "Chrome · Windows"."""
    browser = next((name for sign, name in BROWSERS.items() if re.search(rf"\b{sign}\w*/", user_agent)), "")
    system = next((name for name in SYSTEMS if name in user_agent), "")
    return " · ".join(filter(None, (browser, system))) or _("unknown device")
