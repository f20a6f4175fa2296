"""A first password that an administrator set, a forgotten password, and the end of other sessions."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from accounts.attempts import GUESSES
from accounts.reset import ResetTokens
from tests.factories import PASSWORD, PlanFactory, UserFactory
from tests.test_pages import no_inline

pytestmark = pytest.mark.django_db
NEW, NEWER = "another long password", "yet another password"


def log_in(browser, person, password):
    return browser.post("/login/", {"username": person.username, "password": password})


def change(browser, old, new):
    return browser.post("/password/", {"old_password": old, "new_password1": new, "new_password2": new})


def test_first_password_is_changed_before_anything_else(client):
    person, plan, administrator = UserFactory(roles=["staff"]), PlanFactory(), UserFactory(is_superuser=True)
    client.force_login(administrator)
    page = f"/admin/assignments/user/{person.pk}/password/"
    client.post(page, {"password1": NEW, "password2": NEW, "usable_password": "true"})
    assert client.get(page.replace(str(person.pk), str(administrator.pk))).url == "/password/"
    browser = Client()
    assert log_in(browser, person, NEW).url == "/"
    for address in ("/", f"/plans/{plan.slug}/actions/", "/second-factor/"):
        assert browser.get(address).url == "/password/"
    assert browser.get("/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/password/"
    refused = browser.post(f"/plans/{plan.slug}/actions/", {"result": "ข้อความที่พิมพ์ไว้"})
    assert refused.status_code == 403
    assert "ข้อความที่พิมพ์ไว้" in refused.content.decode()
    form = browser.get("/password/")
    assert "ผู้ดูแลระบบเป็นผู้กำหนดรหัสผ่านของท่าน" in form.content.decode()
    assert "new_password1" in change(browser, NEW, NEW).context["form"].errors
    assert change(browser, NEW, NEWER).url == "/"
    assert browser.get("/", follow=True).status_code == 200
    assert log_in(Client(), person, NEWER).url == "/"


def test_changed_password_ends_the_other_sessions():
    person, here, elsewhere = UserFactory(), Client(), Client()
    for browser in (here, elsewhere):
        log_in(browser, person, PASSWORD)
    change(here, PASSWORD, NEW)
    assert here.get("/password/").status_code == 200
    assert elsewhere.get("/password/").url == "/login/?next=/password/"


def test_forgotten_password_is_set_by_the_link_of_a_mail(client):
    person = UserFactory(email="somchai@x.go.th", must_change_password=True)
    assert "/password/forgotten/" in client.get("/login/").content.decode()
    assert [log_in(client, person, "wrong").status_code for _number in range(GUESSES + 1)][-1] == 429
    answer = client.post("/password/forgotten/", {"email": "Somchai@X.go.th"}, follow=True)
    assert "Somchai@X.go.th" in answer.content.decode()
    message = mail.outbox[0]
    assert (message.to, message.subject) == (["somchai@x.go.th"], "ระบบติดตามแผนพัฒนาองค์การ: ตั้งรหัสผ่านใหม่")
    link = re.search(r"http://testserver(/\S+)", message.body.replace("(http://testserver)", ""))[1]
    form = client.get(link, follow=True)
    assert no_inline(form.content.decode()) == []
    done = client.post(form.request["PATH_INFO"], {"new_password1": NEW, "new_password2": NEW}, follow=True)
    assert person.username in done.content.decode()
    assert log_in(client, person, NEW).url == "/"
    assert client.get("/").headers.get("Location") != "/password/"
    used = Client().get(link)
    assert (used.status_code, 'href="/password/forgotten/"' in used.content.decode()) == (410, True)


def test_link_expires_sooner_than_an_invitation(client, monkeypatch):
    UserFactory(email="somchai@x.go.th")
    client.post("/password/forgotten/", {"email": "somchai@x.go.th"})
    link = re.search(r"http://testserver(/password/\S+)", mail.outbox[0].body)[1]
    now = ResetTokens._now
    for hours, status in ((3.9, 302), (4.1, 410)):
        monkeypatch.setattr(ResetTokens, "_now", lambda self, hours=hours: now(self) + timedelta(hours=hours))
        assert Client().get(link).status_code == status
    monkeypatch.undo()
    assert Client().get(link.replace("/forgotten", "")).status_code == 410  # it is not an invitation


def test_answer_is_the_same_for_addresses_without_an_open_account(client):
    UserFactory(email="closed@x.go.th", is_active=False)
    UserFactory(email="demo@x.go.th", is_demo=True)
    UserFactory(email="open@x.go.th")
    pages = {}
    for name in ("closed", "demo", "open", "unknown"):
        answer = client.post("/password/forgotten/", {"email": f"{name}@x.go.th"}, follow=True)
        pages[name] = re.sub(rf'{name}@x|value="\w{{64}}"|csrftoken": "\w+', "", answer.content.decode())
    assert len(set(pages.values())) == 1
    assert [message.to for message in mail.outbox] == [["open@x.go.th"]]


def test_mails_are_bounded(client):
    UserFactory(email="open@x.go.th")
    statuses = [client.post("/password/forgotten/", {"email": "open@x.go.th"}).status_code for _number in range(5)]
    assert statuses == [302] * 3 + [429] * 2
    assert len(mail.outbox) == 3


def test_without_a_mail_server_the_page_says_whom_to_ask(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "ระบบนี้ส่งอีเมลไม่ได้" in client.get("/password/forgotten/").content.decode()
    assert client.post("/password/forgotten/", {"email": "open@x.go.th"}).status_code == 302
