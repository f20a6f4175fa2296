"""The second factor: set up, asked for at the login, required by a role, lost."""

import re
import time
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.attempts import GUESSES
from accounts.models import Attempts
from audit.models import Event
from tests.factories import PASSWORD, PlanFactory, UserFactory
from tests.test_pages import no_inline

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _clock_of_codes(monkeypatch):
    """Hold the clock of the codes still: a new code comes every 30 seconds, perhaps in the middle of a test."""
    now = time.time()
    monkeypatch.setattr(totp, "time", SimpleNamespace(time=lambda: now))


def code_of(secret, later=0):
    """Return what the app shows, `later` codes from now."""
    return format_hotp_value(hotp_value(secret, int(totp.time.time()) // 30 + later))


def log_in(person, **fields):
    """Log in by password; return the browser and the answer."""
    browser = Client()
    return browser, browser.post("/login/", {"username": person.username, "password": PASSWORD, **fields})


def is_in(browser):
    return "_auth_user_id" in browser.session


@pytest.fixture
def person():
    """A person with the second factor."""
    person = UserFactory(first_name="สมหญิง")
    TOTP.activate(person, SECRET)
    RecoveryCodes.activate(person)
    return person


def test_set_up_then_log_in_with_a_code_of_each_kind():
    person = UserFactory()
    browser, _answer = log_in(person)
    assert "/second-factor/" in browser.get("/password/").content.decode()
    page = browser.get("/second-factor/setup/")
    key = re.search(r'secret-key">([A-Z2-7 ]+)<', page.content.decode())[1].replace(" ", "")
    image = browser.get("/second-factor/setup/image.svg")
    assert (image.headers["Content-Type"], image.headers["Cache-Control"]) == ("image/svg+xml", "no-store")
    assert b"<script" not in image.content
    wrong = browser.post("/second-factor/setup/", {"code": "12"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (200, ["code"])
    assert key == wrong.context["key"].replace(" ", "")
    typed = code_of(key, -1).translate({ord("0") + digit: chr(0x0E50 + digit) for digit in range(10)})
    codes = browser.post("/second-factor/setup/", {"code": f"{typed[:3]} {typed[3:]}"}, follow=True)
    unused = codes.context["unused_codes"]
    assert len(unused) == 10
    pages = [page, wrong, codes, *(browser.get(f"/second-factor/{name}") for name in ("", "remove/", "codes/new/"))]
    assert [(page.status_code, no_inline(page.content.decode())) for page in pages] == [(200, [])] * 6
    file = browser.get("/second-factor/codes/file/")
    assert unused[9] in file.content.decode()
    for number, code in enumerate([code_of(key), unused[0], unused[0], code_of(key), "", "๑" * 300, "a\0b", unused[1]]):
        browser, answer = log_in(person, next="/password/")
        assert (answer.url, is_in(browser)) == ("/login/code/", False)
        answer = browser.post("/login/code/", {"code": code})
        assert is_in(browser) == (number in (0, 1, 7)), number
        assert getattr(answer, "url", "") == ("/password/" if is_in(browser) else "")
    assert browser.get("/second-factor/").context["codes_left"] == 8
    assert no_inline(log_in(person)[0].get("/login/code/").content.decode()) == []


def test_codes_are_bounded_from_all_addresses(person):
    browser, _answer = log_in(person)
    statuses = [
        browser.post("/login/code/", {"code": f"{number:06}"}, REMOTE_ADDR=f"192.0.2.{number}").status_code
        for number in range(12)
    ]
    assert statuses == [200] * GUESSES + [429] * 2
    other, _answer = log_in(person)
    assert other.post("/login/code/", {"code": code_of(SECRET)}).status_code == 429
    assert not is_in(other)
    Attempts.objects.all().delete()  # as an administrator does
    other.post("/login/code/", {"code": code_of(SECRET)})
    assert is_in(other)


def test_a_form_without_a_code_is_answered(person):
    browser, _answer = log_in(person)
    assert browser.post("/login/code/", {}).status_code == 200
    assert Client().get("/login/code/").url == "/login/"


@pytest.mark.parametrize("change", ["closed", "password", "none"])
def test_code_is_not_enough_once_the_account_is_closed_or_has_another_password(person, change):
    browser, _answer = log_in(person)
    if change == "closed":
        person.is_active = False
    if change == "password":
        person.set_password("another long password")
    person.save()
    answer = browser.post("/login/code/", {"code": code_of(SECRET)})
    assert (answer.url, is_in(browser)) == (("/", True) if change == "none" else ("/login/", False))
    assert Event.objects.filter(kind=Event.Kind.LOGIN).exists() == (change == "none")


@pytest.mark.parametrize("is_same_key", [True, False])
def test_secrets_are_encrypted_in_the_database(person, settings, is_same_key):
    stored = {each.type: each.data for each in Authenticator.objects.all()}
    assert SECRET not in str(stored)
    assert stored["totp"]["secret"][:5] == stored["recovery_codes"]["seed"][:5] == "gAAAA"
    unused = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()
    old = UserFactory()  # whose secret was stored before they were encrypted
    Authenticator.objects.create(user=old, type="totp", data={"secret": SECRET})
    if not is_same_key:
        settings.SECRET_KEY = "another key of the site, long enough to sign something"
    for someone, code in ((old, code_of(SECRET)), (person, code_of(SECRET)), (person, unused[0])):
        browser, _answer = log_in(someone)
        browser.post("/login/code/", {"code": code})
        assert is_in(browser) == (is_same_key or someone == old)


def test_second_login_replaces_the_first_user_of_a_browser(person):
    other = UserFactory()
    browser = Client()
    browser.force_login(other)
    browser.post("/login/", {"username": person.username, "password": PASSWORD})
    assert not is_in(browser)
    browser.post("/login/code/", {"code": code_of(SECRET)})
    assert browser.session["_auth_user_id"] == str(person.pk)


def test_settings_of_an_old_login_ask_for_the_password_again(person):
    browser = Client()
    browser.force_login(person)
    for page in ("codes/", "codes/new/", "codes/file/", "remove/"):
        assert browser.get(f"/second-factor/{page}").url == f"/confirm/?next={quote(f'/second-factor/{page}', safe='')}"
    confirm = "/confirm/?next=%2Fsecond-factor%2Fremove%2F"
    assert no_inline(browser.get(confirm).content.decode()) == []
    wrong = [browser.post(confirm, {"password": "wrong"}).status_code for _number in range(GUESSES + 1)]
    assert wrong == [200] * GUESSES + [429]
    assert browser.post(confirm, {"password": PASSWORD}).status_code == 429
    Attempts.objects.all().delete()
    assert browser.post(confirm, {"password": PASSWORD}).url == "/second-factor/remove/"
    assert browser.post("/second-factor/remove/").url == "/second-factor/"
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(("role", "required"), [("coordinator", "coordinator"), ("", "administrator"), ("staff", "")])
def test_role_that_requires_it_is_led_to_set_it_up(settings, role, required):
    settings.PMQA_REQUIRE_SECOND_FACTOR = frozenset({"coordinator", "administrator"})
    person = UserFactory(roles=[role] if role else [], is_superuser=not role)
    plan = PlanFactory()
    browser, _answer = log_in(person)
    answer = browser.get(f"/plans/{plan.slug}/actions/")
    if not required:
        assert answer.status_code == 200
        return
    assert answer.url == "/second-factor/setup/"
    refused = browser.post(f"/plans/{plan.slug}/actions/", {"result": "ข้อความที่พิมพ์ไว้"})
    assert (refused.status_code, "ข้อความที่พิมพ์ไว้" in refused.content.decode()) == (403, True)
    page = browser.get("/second-factor/setup/")
    assert browser.get("/second-factor/setup/image.svg").status_code == 200
    codes = browser.post("/second-factor/setup/", {"code": code_of(page.context["form"].secret)})
    assert codes.url == "/second-factor/codes/"
    assert browser.get(f"/plans/{plan.slug}/actions/").status_code == 200
    # It stays on.
    assert browser.post("/second-factor/remove/").status_code == 200
    assert Authenticator.objects.filter(type="totp").exists()


def test_administrator_resets_a_lost_one(client, person):
    page = "/admin/accounts/secondfactor/"
    client.force_login(UserFactory(roles=["coordinator"]))
    assert client.get(page).status_code == 403
    client.force_login(UserFactory(is_superuser=True, organization=None))
    shown = client.get(page)
    assert "สมหญิง" in shown.content.decode()
    row = Authenticator.objects.get(user=person, type="totp")
    for address in (page, f"{page}{row.pk}/change/"):
        assert SECRET not in client.get(address).content.decode()
    assert "สมหญิง" in client.post(page, {"action": "reset", "_selected_action": [row.pk]}, follow=True).content.decode()
    assert LogEntry.objects.get().object_repr == "สมหญิง"
    assert Event.objects.get(kind=Event.Kind.SECOND_FACTOR).about == person.username
    assert is_in(log_in(person)[0])
