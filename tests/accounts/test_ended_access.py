"""What ends access ends what depends on it: sessions, logins that wait for a code, and links to set a password."""

from urllib.parse import urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.forms import PasswordChangeForm, PasswordSetForm
from accounts.reset import reset_tokens
from assignments.models import User
from assignments.people.forms import FirstPasswordForm
from assignments.people.invitations import invitation_url
from assignments.people.write import load_person, save_people
from tests.accounts.test_second_factor import SECRET, code_of, is_in, log_in
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def save_form(person, admin):
    person.is_active = False
    person.save()


def save_field(person, admin):
    person.is_active = False
    person.save(update_fields=["is_active"])


def update(person, admin):
    User.objects.filter(is_active=True, pk=person.pk).update(is_active=False)


def upload_workbook(person, admin):
    load_person(person, [])
    person.is_active = False
    save_people([], [person])


def press_button(person, admin):
    admin.post(reverse("admin:assignments_user_delete", args=[person.pk]), {"deactivate": "1"})


def reset_second_factor(person, admin):
    key = person.authenticator_set.get(type="totp").pk
    admin.post(reverse("admin:accounts_secondfactor_changelist"), {"action": "reset", "_selected_action": key})


def rename(person, admin):
    load_person(person, [])
    person.first_name = "สมหญิง"
    save_people([], [person])


WAYS = (upload_workbook, save_form, save_field, update, press_button, reset_second_factor, rename)


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_of_before_opens_an_account_that_is_activated_again(way):
    person = UserFactory(email="somying@x.go.th")
    TOTP.activate(person, SECRET)
    admin, session, (waiting, _answer) = Client(), Client(), log_in(person)
    admin.force_login(UserFactory(is_superuser=True, is_staff=True))
    session.force_login(person)
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    invitation = urlsplit(invitation_url(person, site="")).path
    reset = reverse("password_reset_link", args=[uid, reset_tokens.make_token(person)])
    way(User.objects.get(pk=person.pk), admin)
    if way not in (reset_second_factor, rename):
        assert session.get("/sessions/").status_code == 302
        person = User.objects.get(pk=person.pk)
        person.is_active = True
        person.save()
    if way is reset_second_factor:
        TOTP.activate(person, SECRET)
    links = [Client().get(link).status_code for link in (invitation, reset)]
    waiting.post("/login/code/", {"code": code_of(SECRET)})
    found = (session.get("/sessions/").status_code, is_in(waiting), *links)
    assert found == ((200, True, 302, 302) if way is rename else (302, False, 410, 410))


@pytest.mark.parametrize("form", [PasswordChangeForm, PasswordSetForm, FirstPasswordForm])
def test_password_set_at_the_same_moment_does_not_activate_the_account(form, monkeypatch):
    monkeypatch.setattr(PasswordChangeForm, "clean_old_password", lambda filled: PASSWORD)  # asks with a request
    person = UserFactory()
    names = ("old_password", "new_password1", "new_password2", "password1", "password2", "usable_password")
    typed = dict.fromkeys(names, "another-1-password") | {"old_password": PASSWORD, "usable_password": "true"}
    filled = form(person, typed)
    assert filled.is_valid(), filled.errors
    User.objects.filter(pk=person.pk).update(is_active=False)
    filled.save()
    found = User.objects.get(pk=person.pk)
    assert (found.is_active, bool(found.login_key), found.check_password("another-1-password")) == (False, True, True)


def test_login_of_the_secret_key_before_ends_with_all_logins(settings):
    person = UserFactory()
    session = Client()
    session.force_login(person)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-secret-key"
    found = [session.get("/sessions/").status_code]
    session.force_login(person)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a-third-secret-key"
    User.objects.filter(pk=person.pk).update(login_key="new")
    assert [*found, session.get("/sessions/").status_code] == [200, 302]
