"""Health pages for probes: /healthz says that the process answers, /readyz that the site can work.

A middleware answers them before the session, the login and the check of the host name, so a probe needs none of them.
"""

from collections.abc import Callable
from hmac import compare_digest
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from operations.findings import Finding, Level
from operations.state import check_database, check_disks, check_mail_settings, check_worker
from pmqa_tracker.client_address import client_address

STOPPING = {"database", "migrations", "disk"}  # without these parts a server should get no requests
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP")


class HealthMiddleware:
    """Answer the two health pages; everything else goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        page = {"/healthz": alive, "/readyz": ready}.get(request.path_info.rstrip("/"))
        if page is None:
            return self.get_response(request)
        return page(request) if request.method in ("GET", "HEAD") else HttpResponse(status=405)


def alive(request: HttpRequest) -> HttpResponse:
    """Say that the process answers; nothing else is read."""
    return JsonResponse({"status": Level.OK})


def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 if the site can work, otherwise 503; `?strict` also answers 503 for a warning.

    A stopped worker or missing mail is a warning: pages still work, so a balancer must not take the server away.
    """
    findings = check_parts()
    worst = overall(findings)
    is_ready = worst == Level.OK or (worst == Level.WARNING and "strict" not in request.GET)
    body: dict[str, object] = {"status": worst}
    if may_see_details(request):
        body["parts"] = [
            {"part": each.part, "status": each.level, **each.said_in("en")} for each in findings
        ]  # fmt: skip
    return JsonResponse(body, status=200 if is_ready else 503)


def check_parts() -> list[Finding]:
    """Return the state of each part, without connecting to anything but the database."""
    database = check_database()
    worker = [] if any(each.level == Level.FAULT for each in database) else [check_worker(timezone.now())]
    return [*database, *check_disks(), *worker, check_mail_settings()]


def overall(findings: list[Finding]) -> Level:
    """Return the state of the site: a fault only if a part has one without which no page works."""
    if any(each.level == Level.FAULT and each.part in STOPPING for each in findings):
        return Level.FAULT
    return Level.OK if all(each.level == Level.OK for each in findings) else Level.WARNING


def may_see_details(request: HttpRequest) -> bool:
    """Return whether the request comes from this machine or an allowed address, or has the token.

    A request through a proxy that `BEHIND_PROXY` does not announce has the address of the proxy; only the token counts.
    """
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if settings.PMQA_HEALTH_TOKEN and compare_digest(given, settings.PMQA_HEALTH_TOKEN.encode()):
        return True
    is_known = settings.PMQA_BEHIND_PROXY and "X-Forwarded-For" in request.headers
    if not is_known and any(name in request.headers for name in FORWARDED):
        return False
    try:
        address = ip_address(client_address(request))
    except ValueError:
        return False
    return address.is_loopback or any(address in each for each in settings.PMQA_HEALTH_ADDRESSES)
