"""Logins, logouts, passwords and downloads leave an event, with the network address they came from."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone

from assignments.models import User
from audit.models import Event
from audit.record import record_event
from tests.factories import PASSWORD, UserFactory
from tests.plan.posting import typed
from tests.pmqa_tracker.test_append_only import refuse

pytestmark = pytest.mark.django_db
FROM = {"REMOTE_ADDR": "192.0.2.7"}


def events(*names):
    return list(Event.objects.order_by("pk").values_list(*(names or ("kind", "person__username", "address"))))


def test_logins_are_recorded(client):
    person = UserFactory(username="somchai")
    client.post("/login/", {"username": "somchai", "password": "wrong"}, **FROM)
    client.post("/login/", {"username": "my secret password", "password": PASSWORD}, **FROM)
    client.post("/login/", {"username": "somchai", "password": PASSWORD}, **FROM)
    new = PASSWORD * 2
    client.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}, **FROM)
    client.post("/logout/", **FROM)
    kinds = ("LOGIN_FAILED", "LOGIN_FAILED", "LOGIN", "PASSWORD", "LOGOUT")
    assert [each[0] for each in events()] == list(kinds)
    assert [each[1] for each in events()] == ["somchai", None, "somchai", "somchai", "somchai"]
    assert {each[2] for each in events()} == {"192.0.2.7"}
    assert "secret" not in str(Event.objects.values())
    kept = Event.objects.values_list("keep_until", "at")
    assert {until - at for until, at in kept} == {timedelta(days=180)}
    assert User.objects.get(pk=person.pk).check_password(PASSWORD * 2)


def test_a_password_set_by_the_administrator_names_both(client):
    person, administrator = UserFactory(username="somchai"), UserFactory(is_superuser=True, is_staff=True)
    client.force_login(administrator)
    page = reverse("admin:auth_user_password_change", args=[person.pk])
    client.post(page, {"password1": PASSWORD * 2, "password2": PASSWORD * 2, "usable_password": "true"}, **FROM)
    assert events("kind", "person", "about")[-1] == ("PASSWORD", administrator.pk, "somchai")


def test_downloads_are_recorded_and_pages_are_not(client, action, coordinator, monkeypatch):
    client.force_login(coordinator)
    Event.objects.get()  # of the login
    client.get(f"/plans/{action.plan.slug}/actions/")
    client.get(f"/plans/{action.plan.slug}/actions.xlsx?q=สมหญิง&status=DONE&token=abc&next=/x", **FROM)
    kind, person, organization, about, details, address, until = events(
        "kind", "person", "organization", "about", "details", "address", "keep_until"
    )[-1]
    assert (kind, person, organization) == ("FILE", coordinator.pk, action.plan.organization_id)
    assert about.startswith(f"{action.plan.slug} · ")
    assert about.endswith(".xlsx")
    assert (details.partition("?")[2], address, until) == (
        "q=…&status=DONE&token=…&next=…", "192.0.2.7", None,
    )  # fmt: skip
    assert Event.objects.count() == 2

    def fail(self, *args, **kwargs):
        raise DatabaseError("disk full")

    monkeypatch.setattr(Event, "save", fail)
    assert client.get(f"/plans/{action.plan.slug}/actions.xlsx").status_code == 200


def test_changes_know_where_they_came_from(client, action, unit):
    person = UserFactory(roles=["staff"], units=[unit])
    client.force_login(person)
    form = typed(action, status_to="IN_PROGRESS", progress_to=10, result="เริ่มแล้ว")
    client.post(f"/plans/{action.plan.slug}/actions/{action.ref}/", form, **FROM)
    assert action.updates.get().address == "192.0.2.7"
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    page = reverse("admin:assignments_unit_change", args=[unit.pk])
    form = client.get(page).context["adminform"].form
    posted = {name: value for name, value in form.initial.items() if value is not None} | {"name_en": "Welfare"}
    management = {f"memberships-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
    posted |= management | {"members": [], "read_version": unit.version}
    client.post(page, posted, **FROM)
    assert unit.history.latest().address == "192.0.2.7"


@pytest.mark.both_databases
def test_only_old_events_of_logins_can_be_deleted():
    for kind in ("LOGIN", "FILE"):
        record_event(kind)
    refuse("DELETE FROM audit_event")
    old = Event(kind="LOGIN", at=datetime(2020, 1, 1, tzinfo=UTC), keep_until=timezone.now() - timedelta(hours=2))
    old.save()
    refuse("UPDATE audit_event SET keep_until = NULL")
    call_command("clean_up", stdout=StringIO())
    assert events("kind") == [("LOGIN",), ("FILE",)]
