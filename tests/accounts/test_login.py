"""Login and logout with several open tabs, and with closed accounts."""

import pytest
from django.conf import settings
from django.test import Client

from assignments.models import User
from tests.factories import PASSWORD, PlanFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser():
    """A client with CSRF checks."""
    return Client(enforce_csrf_checks=True)


def token_on(browser, address):
    """Return the CSRF token in the forms of a page."""
    response = browser.get(address)
    return response.context["csrf_token"]


def log_in(browser, person, token, **typed):
    data = {"username": person.username, "password": PASSWORD, "csrfmiddlewaretoken": token, **typed}
    return browser.post("/login/", data)


def who(browser):
    """Return the user that a client is logged in as."""
    return User.objects.filter(pk=browser.session.get("_auth_user_id")).first()


def test_second_login_page_redirects_the_same_user(browser):
    person, plan = UserFactory(), PlanFactory()
    first, second = token_on(browser, "/login/"), token_on(browser, "/login/")
    assert log_in(browser, person, first).url == "/"
    where = f"/plans/{plan.slug}/timeline/"
    response = log_in(browser, person, second, next=where)
    assert (response.status_code, response.url) == (302, where)
    assert log_in(browser, person, second, next="https://example.org/").url == "/"


def test_second_login_page_names_another_logged_in_user(browser):
    person, other = UserFactory(first_name="สมหญิง"), UserFactory(first_name="สมชาย")
    first, second = token_on(browser, "/login/"), token_on(browser, "/login/")
    log_in(browser, person, first)
    response = log_in(browser, other, second)
    body = response.content.decode()
    assert response.status_code == 403
    assert "เบราว์เซอร์นี้เข้าสู่ระบบในชื่อ สมหญิง อยู่แล้ว" in body
    assert f'value="{other.username}"' in body
    assert PASSWORD not in body
    assert who(browser) == person
    # The returned form has a valid token.
    assert log_in(browser, other, response.context["csrf_token"]).status_code == 302
    assert who(browser) == other


def test_login_page_without_its_cookie_asks_again(browser):
    person = UserFactory()
    token_on(browser, "/login/")
    browser.cookies.clear()
    response = log_in(browser, person, "x" * 64)
    assert response.status_code == 403
    assert "accounts/login.html" in [template.name for template in response.templates]
    assert f'value="{person.username}"' in response.content.decode()
    assert log_in(browser, person, response.context["csrf_token"]).url == "/"


def test_outdated_logout_form_asks_again(browser):
    person = UserFactory(first_name="สมหญิง")
    log_in(browser, person, token_on(browser, "/login/"))
    outdated = token_on(browser, "/password/")
    log_in(browser, person, token_on(browser, "/login/"))
    response = browser.post("/logout/", {"csrfmiddlewaretoken": outdated})
    assert response.status_code == 403
    assert "สมหญิง" in response.content.decode()
    assert who(browser) == person
    response = browser.post("/logout/", {"csrfmiddlewaretoken": response.context["csrf_token"]})
    assert (response.status_code, response.url, who(browser)) == (302, "/login/", None)
    # A third tab logs out again.
    response = browser.post("/logout/", {"csrfmiddlewaretoken": outdated})
    assert (response.status_code, response.url) == (302, "/login/")
    response = browser.post("/logout/", {"csrfmiddlewaretoken": token_on(browser, "/login/")})
    assert (response.status_code, response.url) == (302, "/login/")


def test_language_changes_from_an_outdated_page(browser):
    response = browser.post("/language/", {"language": "en", "next": "/login/", "csrfmiddlewaretoken": "x" * 64})
    assert (response.status_code, response.url) == (302, "/login/")
    assert browser.cookies[settings.LANGUAGE_COOKIE_NAME].value == "en"


def test_link_of_a_refused_form_opens_its_page(browser):
    """The URL that a form is posted to may not be a page."""
    person, plan = UserFactory(), PlanFactory()
    browser.force_login(person)
    page = f"/plans/{plan.slug}/my/?role=SUPPORT"
    for referer, link in ((f"http://testserver{page}", page), ("http://elsewhere.example/", "/password/")):
        response = browser.post("/password/", {"old_password": "x"}, headers={"Referer": referer})
        assert response.status_code == 403
        assert response.context["form_page_url"] == link


# Closed accounts.


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        ({"is_active": False}, "บัญชีนี้ถูกระงับการใช้งาน"),
        ({"is_demo": True}, "บัญชีนี้ใช้สำหรับการสาธิตเท่านั้น"),
        ({"is_demo": True, "is_active": False}, "บัญชีนี้ใช้สำหรับการสาธิตเท่านั้น"),
    ],
)
def test_closed_account_gets_the_reason_with_the_right_password(client, account, sentence):
    person = UserFactory(**account)
    errors = client.post("/login/", {"username": person.username, "password": PASSWORD}).context["form"]
    assert sentence in errors.non_field_errors()[0]
    assert "ผู้ดูแลระบบ" in errors.non_field_errors()[0]
    assert who(client) is None


def test_closed_account_is_not_revealed_without_its_password(client):
    closed, open_one = UserFactory(is_active=False), UserFactory()
    said = {
        str(client.post("/login/", {"username": name, "password": "wrong"}).context["form"].non_field_errors())
        for name in (closed.username, open_one.username, "nobody")
    }
    assert len(said) == 1


def test_account_deactivated_during_a_session_gets_the_reason_at_the_login(client):
    person = UserFactory()
    client.force_login(person)
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert client.get("/").url == "/login/?next=/"
    response = client.post("/login/", {"username": person.username, "password": PASSWORD})
    assert "ถูกระงับการใช้งาน" in response.content.decode()
