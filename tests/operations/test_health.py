"""Health pages: what probes see, and who sees the details."""

import json
from ipaddress import ip_network

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from operations import health, state
from operations.findings import fault, ok, warning

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def applied(monkeypatch):
    """Return the applied migrations; tests create the tables without any."""
    found = set(state._own_migrations())
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: found)
    return found


def test_probe_needs_no_login_host_name_https_or_database(settings, django_assert_num_queries):
    settings.SECURE_SSL_REDIRECT = True
    with django_assert_num_queries(0):
        response = Client().get("/healthz", headers={"host": "10.9.8.7"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies
    ready = Client().get("/readyz", headers={"host": "10.9.8.7"})
    assert ready.status_code == 200
    assert {"database", "migrations", "disk", "worker", "mail"} == {each["part"] for each in ready.json()["parts"]}
    assert Client().post("/readyz").status_code == 405


@pytest.mark.parametrize(
    ("is_behind_proxy", "headers", "address", "sees"),
    [
        (False, {}, "127.0.0.1", True),
        (False, {}, "203.0.113.9", False),
        (False, {}, "10.1.2.3", True),
        (False, {"x-forwarded-for": "127.0.0.1"}, "127.0.0.1", False),
        (False, {"x-forwarded-for": "127.0.0.1", "authorization": "Bearer a-long-token"}, "127.0.0.1", True),
        (False, {"authorization": "Bearer a-long-toke"}, "203.0.113.9", False),
        (False, {"authorization": "Bearer ก"}, "", False),
        (True, {"x-forwarded-for": "127.0.0.1, 203.0.113.9"}, "127.0.0.1", False),
        (True, {"x-forwarded-for": "203.0.113.9, 10.1.2.3"}, "127.0.0.1", True),
        (True, {"x-forwarded-proto": "https"}, "127.0.0.1", False),
    ],
)
def test_details_are_for_this_machine_allowed_addresses_and_the_token(
    settings, is_behind_proxy, headers, address, sees
):
    settings.PMQA_BEHIND_PROXY = is_behind_proxy
    settings.PMQA_HEALTH_TOKEN = "a-long-token"
    settings.PMQA_HEALTH_ADDRESSES = [ip_network("10.0.0.0/8")]
    response = Client(REMOTE_ADDR=address).get("/readyz", headers=headers)
    assert ("parts" in response.json()) is sees


def test_missing_migration_and_full_disk_are_not_ready(settings, monkeypatch, applied):
    monkeypatch.setattr(state, "_own_migrations", lambda: applied | {("plan", "0009_of_the_next_release")})
    settings.PMQA_DISK_FREE_MB = 10_000_000
    response = Client().get("/readyz")
    assert response.status_code == 503
    states = {each["part"]: each["status"] for each in response.json()["parts"]}
    assert (states["migrations"], states["disk"], states["database"]) == ("fault", "fault", "ok")


def test_warning_is_ready_unless_the_probe_is_strict(monkeypatch):
    monkeypatch.setattr(
        health, "check_parts", lambda: [ok("database", ""), fault("worker", "", ""), warning("mail", "", "")]
    )
    assert Client().get("/readyz").status_code == 200
    assert json.loads(Client().get("/readyz?strict").content)["status"] == "warning"
    assert Client().get("/readyz?strict").status_code == 503
