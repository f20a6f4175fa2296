"""Login by an identity provider; a small one of our own answers on this machine."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from assignments.models import User
from tests.factories import UserFactory
from tests.test_pages import no_inline

pytestmark = pytest.mark.django_db
SECRET = "a secret of the site at the provider, long enough for HS256"


class Provider(ThreadingHTTPServer):
    """Answers as an OpenID Connect provider; `claims` is whom it names, `broken` an answer that is none."""

    claims: dict = {}
    broken: bytes | None = None
    asked: dict = {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path):
        if path.startswith("/.well-known/"):
            names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            ends = {f"{name}_endpoint": f"{self.url}/{page}" for name, page in names.items()}
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **ends}
        if path.startswith("/token"):
            claims = {"iss": self.url, "aud": "pmqa", "exp": time.time() + 60, "sub": "7", **self.claims}
            return {"access_token": "x", "token_type": "Bearer", "id_token": jwt.encode(claims, SECRET, "HS256")}
        return {"sub": "7", **self.claims}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.broken
        if body is None:
            body = json.dumps(self.server.answer(self.path)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.asked = parse_qs(self.rfile.read(length).decode())
        self.do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def provider(settings, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Provider(("127.0.0.1", 0), Handler)
    app = {"provider_id": "sso", "name": "กรม", "client_id": "pmqa", "secret": SECRET}
    app["settings"] = {"server_url": server.url}
    settings.PMQA_OIDC_NAME = "ระบบของกรม"
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def come_back(browser, start="/login/with/sso/", **answer):
    """Go to the provider and come back with its answer; return the last answer of the site."""
    away = urlsplit(browser.get(start).url)
    state = parse_qs(away.query)["state"][0]
    return browser.get("/login/with/sso/back/", {"state": state, **(answer or {"code": "abc"})})


def test_verified_address_logs_in_the_existing_account(provider, client):
    person = UserFactory(email="somchai@x.go.th")
    provider.claims = {"email": "Somchai@X.go.th", "email_verified": True}
    shown = client.get("/login/?next=/password/").content.decode()
    assert "ระบบของกรม" in shown
    assert 'href="/login/with/sso/?next=/password/"' in shown
    away = urlsplit(client.get("/login/with/sso/").url)
    assert f"{away.scheme}://{away.netloc}" == provider.url
    assert parse_qs(away.query)["code_challenge_method"] == ["S256"]
    answer = come_back(client, "/login/with/sso/?next=/password/&process=connect")
    assert (answer.status_code, answer.url) == (302, "/password/")
    assert client.session["_auth_user_id"] == str(person.pk)
    assert "code_verifier" in provider.asked
    assert come_back(Client(), "/login/with/sso/?next=https://example.org/").url == "/"


def test_second_factor_is_asked_for(provider, client):
    TOTP.activate(UserFactory(email="somchai@x.go.th"), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    provider.claims = {"email": "somchai@x.go.th", "email_verified": True}
    assert come_back(client).url == "/login/code/"
    assert "_auth_user_id" not in client.session


def test_first_steps_come_first_here_too(provider, settings):
    settings.PMQA_REQUIRE_SECOND_FACTOR = frozenset({"coordinator"})
    provider.claims = {"email": "somchai@x.go.th", "email_verified": True}
    person = UserFactory(email="somchai@x.go.th", roles=["coordinator"], must_change_password=True)
    for step in ("/password/", "/second-factor/setup/"):
        browser = Client()
        assert come_back(browser).url == "/"
        for page in ("/audit/", "/admin/", "/privacy/my-data.xlsx", "/admin/password_change/"):
            assert browser.get(page).url == step
            assert browser.get(page, headers={"HX-Request": "true"}).headers["HX-Redirect"] == step
            assert browser.post(page).status_code == 403
        User.objects.filter(pk=person.pk).update(must_change_password=False)


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"email": "somchai@x.go.th"}, "ไม่มีผู้ใช้งาน"),
        ({"email": "somcha\u0131@x.go.th", "email_verified": True}, "ไม่มีผู้ใช้งาน"),
        ({"email": "somchai@x.go.th", "email_verified": "false"}, "ไม่มีผู้ใช้งาน"),
        ({"email": "somchai@x.go.th", "email_verified": False}, "ไม่มีผู้ใช้งาน"),
        ({"email": "new@x.go.th", "email_verified": True}, "ไม่มีผู้ใช้งาน"),
        ({}, "ไม่มีผู้ใช้งาน"),
        ({"email": "closed@x.go.th", "email_verified": True}, "ถูกระงับการใช้งาน"),
        ({"email": "somchai@x.go.th", "email_verified": True, "aud": "another site"}, "ไม่สำเร็จ"),
        ({"email": "somchai@x.go.th", "email_verified": True, "iss": "http://elsewhere"}, "ไม่สำเร็จ"),
        ({"email": "somchai@x.go.th", "email_verified": True, "exp": 1}, "ไม่สำเร็จ"),
    ],
)
def test_nobody_else_gets_in(provider, client, claims, sentence):
    UserFactory(email="somchai@x.go.th")
    UserFactory(email="closed@x.go.th", is_active=False)
    provider.claims = claims
    before = set(User.objects.values_list("pk", flat=True))
    answer = come_back(client)
    page = answer.content.decode()
    assert (answer.status_code, no_inline(page)) == (403, [])
    assert sentence in page
    assert "_auth_user_id" not in client.session
    assert set(User.objects.values_list("pk", flat=True)) == before


def test_provider_that_fails_makes_a_page(provider, client):
    assert come_back(client, error="access_denied").status_code == 403
    assert client.get("/login/with/sso/back/?code=abc&state=forged").status_code == 403
    assert client.get("/login/with/another/").status_code == 404
    for broken in (b"", b"[]", b"{}", b'"x"'):
        provider.broken = None
        state = parse_qs(urlsplit(client.get("/login/with/sso/").url).query)["state"][0]
        provider.broken = broken
        assert client.get("/login/with/sso/").status_code == 502
        assert client.get("/login/with/sso/back/", {"state": state, "code": "abc"}).status_code in (403, 502)
    provider.shutdown()
    provider.socket.close()
    assert client.get("/login/with/sso/").status_code == 502


def test_without_a_provider_there_is_no_link(client):
    assert "/login/with/" not in client.get("/login/").content.decode()
    assert client.get("/login/with/sso/").status_code == 404
