"""Security headers of every response, and no cache for anything but static files."""

from functools import cache
from typing import Any

from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseFileResponse

NO_STORE = "private, no-store"
# Features of the browser that no page uses.
UNUSED_FEATURES = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope", "hid",
    "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-get",
    "screen-wake-lock", "serial", "usb", "web-share", "xr-spatial-tracking",
)  # fmt: skip


@cache
def security_headers(*, is_secure: bool) -> dict[str, str]:
    """Return the headers that each response has, unless its view chose stricter ones.

    Args:
        is_secure: whether the request came by HTTPS; browsers take HSTS only from there.
    """
    headers = {
        "Content-Security-Policy": build_policy(),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in UNUSED_FEATURES),
    }
    if is_secure and settings.SECURE_HSTS_SECONDS:
        subdomains = "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
        preload = "; preload" if settings.SECURE_HSTS_PRELOAD else ""
        headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}{subdomains}{preload}"
    return headers


class HeadersMiddleware(CSPMiddleware):
    """Add the security headers, and let nobody keep a page or file that is behind the login.

    The first of all middleware: the others and their errors answer inside it.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Add the headers that are missing; only static files may be kept by browsers and proxies."""
        has_policy = "Content-Security-Policy" in super().process_response(request, response).headers
        for name, value in security_headers(is_secure=request.is_secure()).items():
            if name != "Content-Security-Policy" or has_policy:  # Django's own debug pages have inline styles
                response.headers.setdefault(name, value)
        is_static = isinstance(response, WhiteNoiseFileResponse)
        if not is_static and "no-store" not in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = NO_STORE
        if getattr(request, "is_logged_out", False):
            response.headers["Clear-Site-Data"] = '"cache"'
        return response


@receiver(user_logged_out)
def clear_after_logout(request: HttpRequest | None, **_kwargs: Any) -> None:
    """Ask the browser to clear its cache with the answer to a logout.

    Only the cache. "storage" would delete the unsent drafts of other users of the browser; those of this user are
    deleted by static/session.js. "cookies" would log the user out of every site below the same domain; the session
    itself is deleted on the server.
    """
    if request is not None:
        request.is_logged_out = True


@receiver(setting_changed)
def _forget_headers(**_kwargs: Any) -> None:
    """Tests change settings; a server never does."""
    security_headers.cache_clear()
