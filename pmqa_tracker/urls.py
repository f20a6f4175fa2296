"""Addresses of the site: the way in, the rooms' pages, the admin screens."""

import re

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, register_converter
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language


class TextConverter:
    """A piece of an address that a person can type: anything but a slash and NUL, which PostgreSQL refuses.

    What no address can hold as it is (a slash, dots only, nothing) is written with "%", so that `reverse` never fails
    and a page that links to it opens. Which names a record may have is decided by `pmqa_tracker.address_names`.
    """

    regex = r"[^/\x00]+"
    signs = {"%": "%25", "/": "%2F", "\0": "%00"}
    whole = {"": "%", ".": "%2E", "..": "%2E%2E"}

    def to_python(self, value: str) -> str:
        return "" if value == "%" else re.sub("%(25|2F|2E)", lambda match: chr(int(match[1], 16)), value)

    def to_url(self, value: str) -> str:
        return self.whole.get(str(value)) or str(value).translate(str.maketrans(self.signs))


register_converter(TextConverter, "text")

urlpatterns = [
    path("", include("assignments.urls")),
    # Without the token: the language of a page may be changed however long the page was open, and changes nothing else.
    path("language/", csrf_exempt(login_not_required(set_language)), name="set_language"),
    path("admin/", admin.site.urls),
    path("", include("plan.urls")),
    path("", include("exchange.urls")),
    path("", include("submissions.urls")),
    path("", include("worklist.urls")),
    path("", include("reports.urls")),
]

handler400 = "pmqa_tracker.too_large.bad_request"
handler403 = "assignments.views.permission_denied"
handler404 = "pmqa_tracker.views.page_not_found"
