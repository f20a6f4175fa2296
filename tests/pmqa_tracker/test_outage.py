"""Outages: which errors are one, and what a page says in their place."""

import errno
import sqlite3

import pytest
from django.db import OperationalError, connection
from lxml import html

from pmqa_tracker.outage import Outage, find_outage, unless_outage
from pmqa_tracker.server_error import REASONS

pytestmark = pytest.mark.django_db
WORDS = "ข้อความที่พิมพ์ไว้"


def sqlite_error(code):
    error = sqlite3.OperationalError("of SQLite")
    error.sqlite_errorcode = code
    return error


class PostgresError(Exception):
    """An error as the driver of PostgreSQL raises it."""

    def __init__(self, pgcode):
        self.pgcode = pgcode


class InterfaceError(PostgresError):
    """Its error for a closed connection."""


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (OSError(errno.ENOSPC, "full"), Outage.FULL),
        (OSError(errno.EROFS, "read-only"), Outage.READ_ONLY),
        (FileNotFoundError(errno.ENOENT, "a bug"), None),
        (sqlite_error(sqlite3.SQLITE_FULL), Outage.FULL),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), Outage.BUSY),
        (sqlite_error(sqlite3.SQLITE_READONLY_DIRECTORY), Outage.READ_ONLY),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), Outage.GONE),
        (sqlite_error(sqlite3.SQLITE_ERROR), None),
        (sqlite3.OperationalError("no such table: plan_plan"), Outage.OUTDATED),
        (sqlite3.OperationalError("too many SQL variables"), None),
        (PostgresError("53100"), Outage.FULL),
        (PostgresError("25006"), Outage.READ_ONLY),
        (PostgresError("40P01"), Outage.BUSY),
        (PostgresError("57P01"), Outage.GONE),
        (PostgresError("42P01"), Outage.OUTDATED),
        (PostgresError("22003"), None),
        (InterfaceError(None), Outage.GONE),
        (PostgresError(None), None),
        (ValueError("a bug"), None),
    ],
)
def test_error_that_is_an_outage(error, outage):
    assert find_outage(error) == outage
    wrapped = OperationalError("of Django")
    wrapped.__cause__ = error
    assert find_outage(wrapped) == outage


def test_write_that_a_page_does_not_need(caplog):
    with unless_outage("session"):
        raise OSError(errno.ENOSPC, "full")
    assert "session" in caplog.text
    with pytest.raises(ZeroDivisionError), unless_outage("session"):
        1 / 0  # noqa: B018


@pytest.mark.both_databases
def test_table_that_is_missing_is_an_outage():
    with pytest.raises(Exception) as raised, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM nowhere")
    assert find_outage(raised.value) == Outage.OUTDATED


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), RuntimeError("a secret of the inside")])
@pytest.mark.parametrize("is_htmx", [False, True])
def test_failed_form_keeps_its_text_and_can_be_sent_again(client, staff, action, monkeypatch, error, is_htmx):
    def broken(*args, **kwargs):
        raise error

    monkeypatch.setattr("plan.actions.views.answer_update", broken)
    client.raise_request_exception = False
    path = f"/plans/2563/actions/{action.ref}/"
    fields = {"result": WORDS, "op_id": "1", "form_owner": str(staff.pk)}
    response = client.post(path, fields, headers={"HX-Request": "true"} if is_htmx else {})
    body = response.content.decode()
    assert response.status_code == (503 if isinstance(error, OSError) else 500)
    assert response.get("Retry-After") == ("60" if isinstance(error, OSError) else None)
    assert "a secret" not in body
    assert (str(REASONS[Outage.FULL].why) in body) == isinstance(error, OSError)
    assert response["X-Request-ID"] in body
    assert response.has_header("X-Refusal") == is_htmx
    if not is_htmx:
        [form] = html.fromstring(body).forms
        assert (form.method, form.action, dict(form.form_values())) == ("POST", path, fields)
        assert WORDS in [each.text for each in html.fromstring(body).iter("textarea")]


def test_password_is_never_in_a_form_to_send_again(client, monkeypatch):
    monkeypatch.setattr("django.contrib.auth.authenticate", lambda *args, **kwargs: 1 / 0)
    monkeypatch.setattr("accounts.backend.AccountBackend.authenticate", lambda *args, **kwargs: 1 / 0)
    client.raise_request_exception = False
    response = client.post("/login/", {"username": "somying", "login": "somying", "password": WORDS})
    assert response.status_code == 500
    assert WORDS not in response.content.decode()


def test_answer_that_fails_after_the_update_is_recorded_says_so(client, staff, action, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("plan.actions.views.redirect", broken)
    monkeypatch.setattr("plan.actions.views.messages.success", broken)
    client.raise_request_exception = False
    path = f"/plans/2563/actions/{action.ref}/"
    [form] = [each for each in html.fromstring(client.get(path).content).forms if "op_id" in each.fields]
    fields = dict(form.form_values()) | {"status_to": "IN_PROGRESS", "progress_to": "30", "result": WORDS}
    response = client.post(path, fields)
    assert response.status_code == 503
    assert action.updates.filter(result=WORDS).exists()
    assert "บันทึกข้อมูลที่ท่านส่งแล้ว" in response.content.decode()
    assert "ยังไม่ได้บันทึก" not in response.content.decode()
