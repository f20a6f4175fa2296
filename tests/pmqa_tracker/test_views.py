"""The way in and out, and an account's own password."""

import pytest

from tests.factories import PASSWORD, PlanFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_the_way_in_leads_where_one_was_going(client):
    UserFactory(username="สมหญิง")
    plan = PlanFactory()
    where = f"/plans/{plan.slug}/timeline/"
    response = client.post("/login/", {"username": "สมหญิง", "password": PASSWORD, "next": where})
    assert response.url == where
    elsewhere = client.post("/login/", {"username": "สมหญิง", "password": PASSWORD, "next": "https://example.org/"})
    assert elsewhere.url == "/"


def test_a_wrong_password_is_told_and_the_name_kept(client):
    UserFactory(username="somying")
    response = client.post("/login/", {"username": "somying", "password": "wrong"})
    body = response.content.decode()
    assert response.status_code == 200
    assert 'value="somying"' in body
    assert response.context["form"].non_field_errors()


def test_the_way_out(client):
    client.force_login(UserFactory())
    assert client.post("/logout/").url == "/login/"
    assert client.get("/").status_code == 302


def test_a_password_is_changed_and_said(client):
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
