"""Login, logout and password change."""

import pytest

from tests.factories import PASSWORD, PlanFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_login_redirects_to_the_requested_page(client):
    UserFactory(username="สมหญิง")
    plan = PlanFactory()
    where = f"/plans/{plan.slug}/timeline/"
    response = client.post("/login/", {"username": "สมหญิง", "password": PASSWORD, "next": where})
    assert response.url == where
    elsewhere = client.post("/login/", {"username": "สมหญิง", "password": PASSWORD, "next": "https://example.org/"})
    assert elsewhere.url == "/"


def test_wrong_password_gives_an_error_and_keeps_the_username(client):
    UserFactory(username="somying")
    response = client.post("/login/", {"username": "somying", "password": "wrong"})
    body = response.content.decode()
    assert response.status_code == 200
    assert 'value="somying"' in body
    assert response.context["form"].non_field_errors()


def test_logout(client):
    client.force_login(UserFactory())
    assert client.post("/logout/").url == "/login/"
    assert client.get("/").status_code == 302


def test_password_change_is_confirmed(client):
    person = UserFactory()
    client.force_login(person)
    new = "another long password"
    wrong = client.post("/password/", {"old_password": "x", "new_password1": new, "new_password2": new})
    assert list(wrong.context["form"].errors) == ["old_password"]
    weak = client.post("/password/", {"old_password": PASSWORD, "new_password1": "12345", "new_password2": "12345"})
    assert list(weak.context["form"].errors) == ["new_password2"]
    right = client.post(
        "/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}, follow=True
    )
    assert len(list(right.context["messages"])) == 1
    person.refresh_from_db()
    assert person.check_password(new)
