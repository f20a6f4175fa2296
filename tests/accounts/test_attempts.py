"""Guessing is bounded: passwords, codes and links, in a row and side by side."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections
from django.db.models import F
from django.test import Client
from django.utils.http import urlsafe_base64_encode

from accounts.attempts import GUESSES, NAMES, PasswordAttempt, TooManyAttemptsError, locked_rows
from accounts.backend import find_by_address
from accounts.models import Attempts, Purpose
from audit.models import Event
from pmqa_tracker import clock
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}, {"REMOTE_ADDR": "192.0.2.8"}
NEW = "another long password"


def log_in(username, password, **where):
    """Try to log in; return the status of the answer."""
    return Client().post("/login/", {"username": username, "password": password}, **where).status_code


def change_password(person, password, **where):
    """Try to change the password of a user who is logged in."""
    browser = Client()
    browser.force_login(person)
    fields = {"old_password": password, "new_password1": NEW, "new_password2": NEW}
    return browser.post("/password/", fields, **where).status_code


def let_time_pass(minutes):
    Attempts.objects.update(last_at=F("last_at") - timedelta(minutes=minutes))


@pytest.mark.parametrize(("page", "is_set_back"), [("login", False), ("password", True)])
def test_right_password_is_not_checked_after_ten_wrong_ones(page, is_set_back):
    """The lock ends after a quarter of an hour, and when the clock is set back by more than that."""
    person, neighbour = UserFactory(email="Person@x.go.th"), UserFactory()
    names = [person.username, f" {person.username.upper()}", "person@X.go.th"]

    def guess(number, password, **where):
        if page == "password":
            return change_password(person, password, **where)
        return log_in(names[number % 3], password, **where)

    assert [guess(number, "wrong", **HERE) for number in range(12)] == [200] * GUESSES + [429] * 2
    assert guess(0, PASSWORD, **HERE) == 429
    assert [log_in(name, PASSWORD, **HERE) for name in names] == [429] * 3
    assert change_password(person, PASSWORD, **HERE) == 429
    # The colleague next to them, the person at another place, and everybody later.
    assert log_in(neighbour.username, PASSWORD, **HERE) == 302
    assert log_in(person.username, PASSWORD, **ELSEWHERE) == 302
    let_time_pass(14)
    assert log_in(person.username, PASSWORD, **HERE) == 429
    assert locked_rows(at=clock.now()).exists()
    let_time_pass(-60 if is_set_back else 1)
    assert not locked_rows(at=clock.now()).exists()
    assert log_in(person.username, PASSWORD, **HERE) == 302
    assert Attempts.objects.exclude(purpose=Purpose.NAMES).count() == 0


def test_login_begins_to_count_anew():
    person = UserFactory()
    for _time in range(2):
        assert [log_in(person.username, "wrong") for _number in range(GUESSES - 1)] == [200] * (GUESSES - 1)
        assert log_in(person.username, PASSWORD) == 302
        assert Attempts.objects.count() == 0


@pytest.mark.both_databases
def test_letters_that_look_alike_make_another_address():
    person = UserFactory(email="Somchai@x.go.th")
    typed = ["somchai@X.go.th", "somcha\u0131@x.go.th", "\u017fomchai@x.go.th", "s\u043emchai@x.go.th"]
    assert [find_by_address(address) for address in typed] == [person, None, None, None]


@pytest.mark.parametrize("is_behind_proxy", [False, True])
def test_address_written_by_the_browser_does_not_evade_the_lock(settings, is_behind_proxy):
    settings.PMQA_BEHIND_PROXY = is_behind_proxy
    person = UserFactory()
    proxy = ", 192.0.2.7" if is_behind_proxy else ""

    def guess(number):
        return log_in(person.username, "wrong", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}{proxy}")

    assert Counter(map(guess, range(15))) == {200: GUESSES, 429: 5}
    # Two browsers behind the proxy have two addresses.
    other = log_in(person.username, PASSWORD, REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="10.0.0.1, 192.0.2.9")
    assert other == (302 if is_behind_proxy else 429)


def test_all_ipv6_addresses_of_a_computer_count_together():
    person = UserFactory()
    found = Counter(log_in(person.username, "wrong", REMOTE_ADDR=f"2001:db8:1:2::{number}") for number in range(15))
    assert found == {200: GUESSES, 429: 5}
    assert log_in(person.username, PASSWORD, REMOTE_ADDR="2001:db8:1:3::1") == 302
    assert Counter(log_in(person.username, "wrong", REMOTE_ADDR=odd) for odd in ["", "unix:"] * 6) == {200: 10, 429: 2}


def test_unknown_closed_and_open_accounts_look_the_same(monkeypatch):
    """The same answers, and the same number of hashed passwords, which is what takes time."""
    hashed, at = [], clock.now()
    monkeypatch.setattr("pmqa_tracker.clock.now", lambda: at)  # the answers name the time when the lock ends
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: hashed.append(1) or encode(*args))
    people = {
        "open": UserFactory(email="open@x.go.th"),
        "closed": UserFactory(is_active=False),
        "invited": UserFactory(password="!"),
    }
    names = {name: person.username for name, person in people.items()} | {
        "address": "open@x.go.th", "unknown": "nobody", "unknown address": "nobody@x.go.th",
    }  # fmt: skip
    seen = {}
    for name, username in names.items():
        answers = []
        for _number in range(GUESSES + 1):
            hashed.clear()
            page = Client().post(
                "/login/", {"username": username, "password": "wrong"}, REMOTE_ADDR=f"198.51.100.{len(seen)}"
            )
            answers.append((page.status_code, len(hashed), str(page.context["form"].non_field_errors())))
        seen[name] = answers
    assert [answer[:2] for answer in seen["open"]] == [(200, 1)] * GUESSES + [(429, 0)]
    assert {name for name, answers in seen.items() if answers != seen["open"]} == set()


@pytest.mark.both_databases
def test_one_password_is_not_tried_on_every_name(monkeypatch):
    """An office behind one address goes on working: who logged in from there before is still checked."""
    assert NAMES == 50
    monkeypatch.setattr("accounts.attempts.NAMES", 8)
    known, mistyper, new = (UserFactory() for _number in range(3))
    assert log_in(known.username, PASSWORD, **HERE) == 302
    assert [log_in(mistyper.username, word, **HERE) for word in ("wrong", "wrong", PASSWORD)] == [200, 200, 302]
    names = [f"name{number}" for number in range(8)]
    assert {log_in(name, "wrong", **HERE) for name in names} == {200}
    assert [log_in(name, "wrong", **HERE) for name in ("one more", new.username, "one more")] == [429] * 3
    assert log_in(names[0], "wrong", **HERE) == 200  # it counts already
    assert [log_in(person.username, PASSWORD, **HERE) for person in (new, known, mistyper)] == [429, 302, 302]
    assert log_in(new.username, PASSWORD, **ELSEWHERE) == 302
    assert log_in("one more", "wrong", **HERE) == 429  # a login from there does not lift the lock
    lock = Attempts.objects.get(purpose=Purpose.NAMES)
    assert (lock.address, Event.objects.filter(kind=Event.Kind.LOCKED).count()) == ("192.0.2.7", 1)
    let_time_pass(60)
    assert log_in(new.username, PASSWORD, **HERE) == 302


def test_admin_has_no_login_and_no_change_of_password_of_its_own():
    person = UserFactory(is_superuser=True, is_staff=True, organization=None)
    browser = Client()
    browser.force_login(person)
    for page in ("/admin/password_change/", "/admin/password_change/done/"):
        fields = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
        assert [browser.get(page).url, browser.post(page, fields).url] == ["/password/"] * 2
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
    browser = Client()
    answer = browser.post("/admin/login/?next=/admin/", {"username": person.username, "password": PASSWORD})
    assert (answer.status_code, answer.url) == (302, "/login/?next=/admin/")
    assert "_auth_user_id" not in browser.session


def test_wrong_links_are_bounded():
    uids = [urlsafe_base64_encode(str(UserFactory().pk).encode()), "nobody"]
    pages = [Client().get(f"/password/{uids[number % 2]}/c0-{number}/") for number in range(24)]
    assert [page.status_code for page in pages] == [410] * 2 * GUESSES + [429] * 4
    assert "โปรดลองใหม่หลังเวลา" in pages[-1].content.decode()


@pytest.mark.both_databases(every=True)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tries", ["one name", "a name each", "two for a name"])
def test_no_more_are_checked_side_by_side_than_in_a_row(tries, monkeypatch):
    monkeypatch.setattr("accounts.attempts.NAMES", GUESSES)
    person, together = UserFactory(), Barrier(8)

    def guess(number):
        who = {
            "one name": {"person": person}, "a name each": {"name": f"name{number}"},
            "two for a name": {"name": f"name{number // 2}"},
        }[tries]  # fmt: skip
        together.wait(timeout=60)
        try:
            PasswordAttempt(**who, address="192.0.2.7").begin(at=clock.now())
        except TooManyAttemptsError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        found = Counter(pool.map(guess, range(24)))
    assert found[True] <= GUESSES * (2 if tries == "two for a name" else 1)
    assert tries == "two for a name" or found[True] == GUESSES


def test_administrator_sees_and_lifts_locks(client):
    page = "/admin/accounts/attempts/"
    person = UserFactory(first_name="สมหญิง")
    for name in (person.username, "my-secret-password"):
        assert [log_in(name, "wrong", **HERE) for _number in range(GUESSES + 1)][-1] == 429
    log_in("somebody", "wrong", **HERE)  # not locked
    client.force_login(UserFactory(roles=["coordinator"]))
    assert client.get(page).status_code == 403
    client.force_login(UserFactory(is_superuser=True, organization=None))
    shown = client.get(page)
    assert {(row.person, row.address) for row in shown.context["cl"].result_list} == {
        (person, "192.0.2.7"), (None, "192.0.2.7"),
    }  # fmt: skip
    assert "สมหญิง" in shown.content.decode()
    assert "my-secret-password" not in shown.content.decode()
    row = Attempts.objects.get(person=person)
    client.post(page, {"action": "lift", "_selected_action": [row.pk]})
    assert log_in(person.username, PASSWORD, **HERE) == 302
    assert LogEntry.objects.get().object_repr == str(row)
    kinds = Event.objects.filter(kind__in=[Event.Kind.LOCKED, Event.Kind.UNLOCKED]).order_by("pk")
    seen = list(kinds.values_list("kind", "person__first_name", "about", "address"))
    assert seen[:2] == [("LOCKED", "สมหญิง", person.username, "192.0.2.7"), ("LOCKED", None, "", "192.0.2.7")]
    assert [(kind, about) for kind, _person, about, _address in seen[2:]] == [("UNLOCKED", str(row))]
