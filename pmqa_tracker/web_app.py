"""The site as an app on a phone: its manifest, and the page that is shown without a connection.

Everybody may read these; they tell nothing about plans or people.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

INDIGO = "#2b2a6c"  # --indigo-700 in static/css/tokens.css
ICONS = (
    ("img/icon-192.png", 192, "any"),
    ("img/icon-512.png", 512, "any"),
    ("img/icon-maskable-512.png", 512, "maskable"),
)
STYLES = (
    "vendor/bootstrap/bootstrap-reboot.min.css",
    *(f"css/{name}.css" for name in ("fonts", "tokens", "base", "frame")),
)


@login_not_required
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Return the web app manifest, with which a browser installs the site as an app."""
    icons = [
        {"src": static(path), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for path, size, purpose in ICONS
    ]
    content = {
        "id": "/",
        "name": gettext("Improvement plan tracker"),
        "short_name": "PMQA",
        "lang": request.LANGUAGE_CODE,
        "start_url": reverse("home"),
        "scope": "/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": INDIGO,
        "icons": icons,
    }
    return JsonResponse(content, content_type="application/manifest+json")


@login_not_required
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """Return the script that shows the page `offline` when a page cannot be loaded; it keeps no other page.

    The address of that page names the language, so a browser fetches it anew after the user changed the language.
    """
    files = [f"{reverse('offline')}?{request.LANGUAGE_CODE}", *map(static, (*STYLES, "img/mark.svg", "offline.js"))]
    return render(request, "service_worker.js", {"files": files}, content_type="text/javascript")


@login_not_required
@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Render the page that a browser shows without a connection, with the drafts it keeps."""
    return render(request, "offline.html", {"styles": STYLES})
