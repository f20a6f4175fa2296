"""URLs of the site: the pages of each room, the admin, and the language switch."""

import re

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, register_converter
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from pmqa_tracker import web_app
from pmqa_tracker.help.views import help_chapter, help_index
from pmqa_tracker.views import no_page_of_a_record


class TextConverter:
    """Path converter for any text except "/" and NUL, which PostgreSQL refuses.

    Texts that cannot be part of a path (with a slash, only dots, empty) are written with "%", so `reverse` never fails
    and a page that links to them opens. `pmqa_tracker.address_names` decides which names a record may have.
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
    path("", include("accounts.urls")),
    # Without a CSRF token: the switch must work on a page that was open for days, and it changes nothing else.
    path("language/", csrf_exempt(login_not_required(set_language)), name="set_language"),
    path("manifest.webmanifest", web_app.manifest, name="manifest"),
    path("service-worker.js", web_app.service_worker, name="service_worker"),
    path("offline/", web_app.offline, name="offline"),
    path("help/", help_index, name="help"),
    path("help/<text:chapter>/", help_chapter, name="help_chapter"),
    path("admin/r/<path:content_type_id>/<path:object_id>/", no_page_of_a_record),
    path("admin/", admin.site.urls),
    path("", include("assignments.urls")),
    path("", include("plan.urls")),
    path("", include("exchange.urls")),
    path("", include("submissions.urls")),
    path("", include("worklist.urls")),
    path("", include("reports.urls")),
    path("", include("operations.urls")),
]

handler400 = "pmqa_tracker.too_large.bad_request"
handler403 = "assignments.views.permission_denied"
handler404 = "pmqa_tracker.views.page_not_found"
handler500 = "pmqa_tracker.server_error.server_error"
