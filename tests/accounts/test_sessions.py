"""Sessions end without use and after some hours; users see and end their own."""

import sqlite3
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Session
from accounts.sessions.views import name_device
from tests.accounts.test_second_factor import SECRET, code_of
from tests.factories import PASSWORD, UserFactory
from tests.plan.posting import typed

pytestmark = pytest.mark.django_db
HERE = "/plans/2563/actions/"
WORDS = "ข้อความที่พิมพ์ค้างไว้"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)


def log_in(person, **extra):
    client = Client(**extra)
    client.force_login(person)
    client.get("/sessions/left/")
    return client


def last_used(**ago):
    Session.objects.update(seen_at=timezone.now() - timedelta(**ago))


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        ({"seen_at": timedelta(minutes=-119)}, True),
        ({"seen_at": timedelta(minutes=-121)}, False),
        ({"seen_at": timedelta(), "expire_date": timedelta(seconds=90)}, True),
        ({"seen_at": timedelta(), "expire_date": timedelta(seconds=-1)}, False),
        ({"seen_at": timedelta(minutes=4)}, True),
        ({"seen_at": timedelta(minutes=6)}, False),
    ],
    ids=["used lately", "unused", "nearly too old", "too old", "clock of another machine", "clock set back"],
)
def test_session_ends_without_use_and_after_some_hours(client, staff, action, settings, state, is_open):
    data = typed(action, result=WORDS, progress_to=20, status_to="IN_PROGRESS")
    here = f"{HERE}{action.ref}/"
    Session.objects.update(**{name: timezone.now() + shift for name, shift in state.items()})
    key = client.session.session_key
    assert client.get(here).status_code == (200 if is_open else 302)
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    answer = client.post(here, data)
    assert answer.status_code == (302 if is_open else 403)
    assert is_open or f"{WORDS}</textarea>" in answer.content.decode()
    call_command("clean_up", verbosity=0)
    assert Session.objects.count() == is_open


def test_use_is_noted_once_a_minute_and_never_by_a_page_that_reloads_itself(client, staff, action):
    last_used(minutes=30)
    before = Session.objects.get().seen_at
    client.get(HERE, headers={"X-Background": "1"})
    assert Session.objects.get().seen_at == before
    client.get(HERE, headers={"User-Agent": CHROME})
    session = Session.objects.get()
    assert timezone.now() - session.seen_at < timedelta(minutes=1)
    assert (session.device, session.address, session.user) == (CHROME, "127.0.0.1", staff)
    with CaptureQueriesContext(connection) as queries:
        client.get(HERE)
    assert [each["sql"] for each in queries if "UPDATE" in each["sql"]] == []


@pytest.mark.parametrize("way", ["password", "code", "directory or provider"])
def test_use_never_moves_the_latest_end(client, staff, settings, way):
    if way != "directory or provider":
        client.logout()
        if way == "code":
            TOTP.activate(staff, SECRET)
        client.post("/login/", {"username": staff.username, "password": PASSWORD})
        client.post("/login/code/", {"code": code_of(SECRET)})
    ends_at = Session.objects.get().expire_date
    assert abs(ends_at - timezone.now() - timedelta(hours=12)) < timedelta(minutes=1)
    # Eleven hours later the session is saved, by the secret of a new second factor and by a changed password.
    Session.objects.update(expire_date=ends_at - timedelta(hours=11))
    client.get("/second-factor/setup/")
    session = client.session
    session["anything"] = 1
    session.save()
    client.post("/sessions/left/")
    new = PASSWORD * 2
    client.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert Session.objects.get().expire_date == ends_at - timedelta(hours=11)
    settings.PMQA_IDLE_MINUTES = 13 * 60
    assert client.get("/sessions/left/").json()["is_last"] is True


def test_time_left_is_told_and_prolonged_only_on_request(client, staff):
    last_used(minutes=119)
    asked = {"X-Background": "1"}
    assert client.get("/sessions/left/", headers=asked).json()["left"] <= 60
    assert client.get("/sessions/left/", headers=asked).json()["left"] <= 60
    answer = client.post("/sessions/left/", headers=asked).json()
    assert answer == {"left": answer["left"], "is_last": False}
    assert answer["left"] > 119 * 60
    assert Client().get("/sessions/left/").json() == {"left": 0, "is_last": False}


def test_page_is_shown_if_its_use_cannot_be_noted(client, staff, action, monkeypatch):
    last_used(minutes=30)

    def full(*args, **kwargs):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise OperationalError from error

    monkeypatch.setattr(QuerySet, "update", full)
    assert client.get(HERE).status_code == 200


def test_user_sees_and_ends_their_own_sessions_only(staff, client):
    phone = log_in(staff, HTTP_USER_AGENT="Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Version/17.0 Mobile Safari/604.1")
    tablet, other = log_in(staff), log_in(UserFactory())
    page = client.get("/sessions/")
    rows = page.context["rows"]
    assert [row.is_current for row in rows].count(True) == 1
    assert len(rows) == 3
    body = page.content.decode()
    assert not [each.session_key for each in Session.objects.all() if each.session_key in body]
    # One of somebody else's, one of mine, all others of mine.
    stranger = Session.objects.get(session_key=other.session.session_key).public_id
    client.post("/sessions/", {"session": stranger})
    assert Session.objects.count() == 4
    client.post("/sessions/", {"session": Session.objects.get(session_key=phone.session.session_key).public_id})
    assert phone.get("/sessions/").status_code == 302
    client.post("/sessions/")
    assert [each.get("/sessions/").status_code for each in (client, tablet, other)] == [200, 302, 200]
    mine = Session.objects.get(session_key=client.session.session_key).public_id
    assert client.post("/sessions/", {"session": mine}).url == "/login/"
    assert Session.objects.filter(user=staff).count() == 0


def test_changed_password_ends_the_other_sessions(staff, client):
    other = log_in(staff)
    new = {"old_password": PASSWORD, "new_password1": "another-long-word-9", "new_password2": "another-long-word-9"}
    assert client.post("/password/", new).status_code == 302
    assert other.get("/sessions/").status_code == 302
    assert [row.is_current for row in client.get("/sessions/").context["rows"]] == [True]


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (CHROME, "Chrome · Windows"),
        (f"{CHROME} Edg/120.0", "Edge · Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0", "Firefox · Linux"),
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36 Line/13.2",
            "LINE · Android",
        ),
        ("curl/8", "ไม่ทราบชนิดอุปกรณ์"),
    ],
)
def test_device_is_named(user_agent, name):
    assert name_device(user_agent) == name
