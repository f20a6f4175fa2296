"""Headers of every kind of response: the score of HTTP Observatory, and no cache for private pages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from plan.models import Evidence
from pmqa_tracker.headers import UNUSED_FEATURES, security_headers
from tests.factories import ActionItemFactory, UnitFactory, UserFactory
from tests.observatory import score
from tests.plan.posting import typed

pytestmark = pytest.mark.django_db
LEAST_SCORE = 115
HOST = {"SERVER_NAME": "pmqa.example.org"}


@pytest.fixture
def site(settings, tmp_path):
    """A production site with HTTPS; returns a client of a coordinator."""
    settings.ALLOWED_HOSTS = ["pmqa.example.org"]
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.LANGUAGE_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH = tmp_path / "static", True
    settings.STATIC_ROOT.mkdir()
    (settings.STATIC_ROOT / "a.css").write_text("a{}")
    unit = UnitFactory()
    action = ActionItemFactory(plan__slug="2563", ref="1.1-A-1", lead=[unit])
    person = UserFactory(roles=["coordinator"], units=[unit], is_staff=True, is_superuser=True)
    client = Client(raise_request_exception=False, **HOST)
    client.force_login(person)
    file = SimpleUploadedFile("a.txt", b"proof")
    client.post("/plans/2563/actions/1.1-A-1/", typed(action, files=file, result="x"), secure=True)
    return client


def fail(*args, **kwargs):
    raise RuntimeError("a mistake in a view")


def responses(client, monkeypatch):
    """Yield (name, expected status, response) of each kind of response."""
    get = lambda path, **extra: client.get(path, secure=True, **extra)  # noqa: E731
    post = lambda path, data=None, **extra: client.post(path, data or {}, secure=True, **extra)  # noqa: E731
    yield "page", 200, get("/plans/2563/actions/")
    yield "redirect", 302, get("/")
    yield "login", 200, get("/login/")
    yield "admin", 200, get("/admin/")
    yield "language", 302, post("/language/", {"language": "en"})
    yield "workbook", 200, get("/plans/2563/actions.xlsx")
    yield "evidence", 200, get(f"/plans/2563/evidence/{Evidence.objects.get().pk}/")
    yield "static", 200, get("/static/a.css")
    yield "static missing", 404, get("/static/b.css")
    yield "host", 400, get("/", SERVER_NAME="other.example.org")
    yield "too many values", 413, post("/login/", "a=1&" * 10_100, content_type="application/x-www-form-urlencoded")
    yield "address", 414, get("/?q=" + "x" * 9000)
    yield "missing", 404, get("/nowhere/")
    yield "method", 405, get("/logout/")
    strict = Client(enforce_csrf_checks=True, **HOST)
    yield "csrf", 403, strict.post("/login/", {}, secure=True)
    yield "no login", 302, strict.get("/plans/2563/actions/", secure=True)
    yield "login ended", 403, Client(**HOST).post("/plans/2563/actions/1.1-A-1/", {"result": "x"}, secure=True)
    monkeypatch.setattr("plan.actions.views.find_plan", fail)
    yield "mistake", 500, get("/plans/2563/actions/")
    yield "logout", 302, post("/logout/")


def test_every_response_scores_at_least_115_and_is_not_kept(site, monkeypatch):
    low, kept, other = {}, {}, {}
    for name, status, response in responses(site, monkeypatch):
        points = score(response.headers, list(response.cookies.values()))
        if points < LEAST_SCORE:
            low[name] = points
        if "no-store" not in response.headers.get("Cache-Control", ""):
            kept[name] = response.headers.get("Cache-Control", "")
        if response.status_code != status:
            other[name] = response.status_code
        assert response.headers["Permissions-Policy"].count("=()") == len(UNUSED_FEATURES)
        assert response.headers.get("Clear-Site-Data") == ('"cache"' if name == "logout" else None), name
    assert (low, other) == ({}, {})
    assert kept == {"static": "max-age=60, public"}


def test_http_is_redirected_before_anything_else(site):
    response = site.get("/plans/2563/actions/")
    assert (response.status_code, response.url) == (301, "https://pmqa.example.org/plans/2563/actions/")
    assert "Strict-Transport-Security" not in response.headers  # browsers take it from HTTPS only


@pytest.mark.parametrize(
    ("seconds", "subdomains", "preload", "sent"),
    [
        (31_536_000, True, False, "max-age=31536000; includeSubDomains"),
        (300, False, False, "max-age=300"),
        (63_072_000, True, True, "max-age=63072000; includeSubDomains; preload"),
        (0, True, True, None),
    ],
)
def test_hsts_follows_the_settings(settings, seconds, subdomains, preload, sent):
    settings.SECURE_HSTS_SECONDS = seconds
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, settings.SECURE_HSTS_PRELOAD = subdomains, preload
    assert security_headers(is_secure=True).get("Strict-Transport-Security") == sent
    assert security_headers(is_secure=False).get("Strict-Transport-Security") is None


@pytest.mark.parametrize(
    ("name", "value", "points"),
    [
        (None, None, 130),
        ("Content-Security-Policy", "", 75),
        ("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'", 125),
        ("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; frame-ancestors 'none'", 80),
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'", 120),
        ("Strict-Transport-Security", "max-age=300", 120),
        ("Strict-Transport-Security", "", 80),
        ("Referrer-Policy", "unsafe-url", 120),
        ("X-Content-Type-Options", "", 125),
        ("Cross-Origin-Resource-Policy", "", 120),
        ("Access-Control-Allow-Origin", "*", 50),
    ],
)
def test_score_follows_the_published_rules(settings, name, value, points):
    settings.SECURE_HSTS_SECONDS = 31_536_000
    headers = security_headers(is_secure=True) | ({name: value} if name else {})
    assert score({name: value for name, value in headers.items() if value}, []) == points
