"""Mails about changes of an account, to its owner."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.test import Client

from accounts.attempts import GUESSES
from tests.accounts.test_second_factor import SECRET, code_of, log_in
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
NEW = "another long password"


def administrator():
    browser = Client()
    browser.force_login(UserFactory(is_superuser=True, is_staff=True, organization=None))
    return browser


def change_password(person):
    log_in(person)[0].post("/password/", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})


def get_a_first_password(person):
    fields = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    administrator().post(f"/admin/assignments/user/{person.pk}/password/", fields)


def turn_it_on(person):
    browser, _answer = log_in(person)
    page = browser.get("/second-factor/setup/")
    browser.post("/second-factor/setup/", {"code": code_of(page.context["form"].secret)})


def lose_it(person):
    row = TOTP.activate(person, SECRET).instance
    administrator().post("/admin/accounts/secondfactor/", {"action": "reset", "_selected_action": [row.pk]})
    assert not Authenticator.objects.exists()


def be_attacked(person):
    TOTP.activate(person, SECRET)
    browser, _answer = log_in(person)
    for number in range(GUESSES + 2):
        browser.post("/login/code/", {"code": f"{number:06}"})


def forget_it(person):
    for _number in range(GUESSES + 2):
        Client().post("/login/", {"username": person.username, "password": "wrong"})


@pytest.mark.parametrize(
    ("happens", "sentence"),
    [
        (change_password, "รหัสผ่านของบัญชีของท่านถูกเปลี่ยนแล้ว"),
        (get_a_first_password, "รหัสผ่านของบัญชีของท่านถูกเปลี่ยนแล้ว"),
        (turn_it_on, "การยืนยันตัวตนขั้นที่สองของบัญชีของท่านมีการเปลี่ยนแปลง"),
        (lose_it, "การยืนยันตัวตนขั้นที่สองของบัญชีของท่านมีการเปลี่ยนแปลง"),
        (be_attacked, "มีผู้ที่ทราบรหัสผ่านของท่าน"),
        (forget_it, ""),
    ],
)
def test_owner_of_an_account_is_told(happens, sentence, django_capture_on_commit_callbacks):
    person = UserFactory(email="somchai@x.go.th")
    with django_capture_on_commit_callbacks(execute=True):
        happens(person)
    assert [message.to for message in mail.outbox] == ([["somchai@x.go.th"]] if sentence else [])
    assert sentence in "".join(message.body for message in mail.outbox)
    assert not sentence or "127.0.0.1" in mail.outbox[0].body
