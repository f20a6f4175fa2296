"""Invitations: from the mail to the login, links that no longer work, a mail server that is down, no mail server."""

import re
from smtplib import SMTPServerDisconnected

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client

from assignments.models import Invitation, User
from tests.assignments.test_people import (  # noqa: F401 - fixtures
    ADDRESS,
    LIST,
    NAME,
    admin_client,
    coordinators,
    import_people,
    preview,
)
from tests.factories import PASSWORD, OrganizationFactory, UnitFactory, UserFactory, default_organization
from tests.test_pages import no_inline

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "ลิงก์จากอีเมล-2569"
SOMCHAI = {ADDRESS: "somchai@x.go.th", NAME: "สมชาย"}


def link_in(message):
    """Return the path of the link in a mail."""
    return re.search(r"https?://[^/\s]+(/password/\S+)", message.body)[1]


def open_link(browser, link):
    """Open a link as a browser does; return the page, after the redirect that hides the token."""
    return browser.get(link, follow=True)


def set_password(browser, page, password):
    return browser.post(page.request["PATH_INFO"], {"new_password1": password, "new_password2": password}, follow=True)


class BrokenServer(EmailBackend):
    """A mail server that takes no mail for addresses with “broken”."""

    def send_messages(self, messages):
        assert not connection.savepoint_ids  # no transaction of the site is open
        if any("broken" in address for message in messages for address in message.to):
            raise SMTPServerDisconnected("Connection unexpectedly closed")
        return super().send_messages(messages)


class NoServer(EmailBackend):
    def open(self):
        raise ConnectionRefusedError(111, "Connection refused")


@pytest.fixture
def invited(admin_client):  # noqa: F811
    """A person added by the workbook, and their mail."""
    import_people(admin_client, [SOMCHAI])
    return User.objects.get(email="somchai@x.go.th"), mail.outbox[-1]


def test_link_of_the_mail_leads_to_the_login(invited):
    _person, message = invited
    assert (message.to, message.content_subtype) == (["somchai@x.go.th"], "plain")
    assert message.subject == "ระบบติดตามแผนพัฒนาองค์การ: โปรดตั้งรหัสผ่านของท่าน"
    assert message.body.startswith("เรียน สมชาย\n")
    assert "somchai@x.go.th" in message.body
    assert "กรมสวัสดิการและคุ้มครองแรงงาน" in message.body
    browser = Client(enforce_csrf_checks=False)
    page = open_link(browser, link_in(message))
    assert page.status_code == 200
    assert "somchai@x.go.th" in page.content.decode()
    assert no_inline(page.content.decode()) == []
    for weak in ("123", "somchai@x.go.th"):
        assert set_password(browser, page, weak).context["form"].errors
    login = set_password(browser, page, NEW_PASSWORD)
    assert login.redirect_chain == [("/login/", 302)]
    assert "ชื่อผู้ใช้ somchai@x.go.th" in login.content.decode()
    typed = {"username": "Somchai@X.go.th", "password": NEW_PASSWORD}  # as a phone writes it
    assert browser.post("/login/", typed).url == "/"
    assert Invitation.objects.get().accepted_at
    again = open_link(Client(), link_in(message))
    assert again.status_code == 410
    assert "แจ้งผู้ประสานงาน PMQA ให้ส่งคำเชิญอีกครั้ง" in again.content.decode()


@pytest.mark.parametrize("why", ["expired", "another address", "deactivated", "another person", "nonsense"])
def test_link_that_no_longer_works_says_what_to_do(invited, settings, why):
    person, message = invited
    link = link_in(message)
    if why == "expired":
        settings.PASSWORD_RESET_TIMEOUT = -1
    elif why == "another address":
        User.objects.update(email="")
    elif why == "deactivated":
        User.objects.filter(pk=person.pk).update(is_active=False)
    elif why == "another person":
        link = link.replace(link.split("/")[2], "MQ")
    else:
        link = "/password/%/x-y/"
    page = open_link(Client(), link)
    assert page.status_code == 410
    assert "ลิงก์นี้ใช้ไม่ได้แล้ว" in page.content.decode()
    person.refresh_from_db()
    assert not person.has_usable_password()


@pytest.mark.both_databases(only_full=True)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("server", "sent"), [("BrokenServer", 1), ("NoServer", 0)])
def test_mail_server_that_is_down_loses_nobody(admin_client, settings, server, sent):  # noqa: F811
    settings.EMAIL_BACKEND = f"{__name__}.{server}"
    rows = [SOMCHAI, {ADDRESS: "broken@x.go.th", NAME: "มาลี"}]
    page = import_people(admin_client, rows).content.decode()
    assert User.objects.filter(email__in=["somchai@x.go.th", "broken@x.go.th"]).count() == 2
    assert "ส่งคำเชิญไม่สำเร็จ" in page
    assert "Connection" in page
    assert len(mail.outbox) == sent
    failed = admin_client.get(f"{LIST}?invitation=failed").context["cl"].queryset
    assert failed.count() == 2 - sent
    assert f'href="{LIST}?invitation=failed"' in page
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    action = {"action": "send_again", "_selected_action": [person.pk for person in failed]}
    page = admin_client.post(f"{LIST}?invitation=failed", action, follow=True).content.decode()
    assert len(mail.outbox) == 2
    assert "มาลี" in page
    assert not admin_client.get(f"{LIST}?invitation=failed").context["cl"].queryset.exists()


def test_without_a_mail_server_the_administrator_passes_the_link_on(admin_client, settings):  # noqa: F811
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "ยังไม่ได้ตั้งค่าเครื่องแม่ข่ายอีเมล" in preview(admin_client, [SOMCHAI]).content.decode()
    assert "ยังไม่ได้ตั้งค่าเครื่องแม่ข่ายอีเมล" in import_people(admin_client, [SOMCHAI]).content.decode()
    person = User.objects.get(email="somchai@x.go.th")
    assert admin_client.get(f"{LIST}?invitation=failed").context["cl"].queryset.get() == person
    shown = admin_client.post(LIST, {"action": "show_links", "_selected_action": [person.pk]}).content.decode()
    link = re.search(r'value="http://testserver(/password/[^"]+)"', shown)[1]
    shown = admin_client.get(f"{LIST}{person.pk}/invitation/").content.decode()
    assert f"http://testserver{link.rsplit('/', 2)[0]}/" in shown
    assert no_inline(shown) == []
    browser = Client()
    assert set_password(browser, open_link(browser, link), NEW_PASSWORD).redirect_chain == [("/login/", 302)]
    assert browser.post("/login/", {"username": person.username, "password": NEW_PASSWORD}).url == "/"
    # Or sets a first password.
    password = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert admin_client.post(f"{LIST}{person.pk}/password/", password).status_code == 302
    assert browser.post("/login/", {"username": person.username, "password": PASSWORD}).url == "/"


# The form.


def typed(**fields):
    return {"first_name": "มาลี", "last_name": "งามดี", "email": "Malee@x.go.th", **fields}


@pytest.mark.both_databases(only_full=True)
@pytest.mark.django_db(transaction=True)
def test_new_person_gets_units_roles_and_a_mail_on_one_page(admin_client, settings):  # noqa: F811
    settings.EMAIL_BACKEND = f"{__name__}.BrokenServer"
    unit, staff = UnitFactory(), Group.objects.get(name="staff")
    organization = default_organization().pk
    response = admin_client.post(
        f"{LIST}add/", typed(organization=organization, units=[unit.pk], groups=[staff.pk]), follow=True
    )
    person = User.objects.get(username="malee@x.go.th")
    assert response.redirect_chain[-1][0] == f"{LIST}{person.pk}/change/"
    assert (person.email, person.memberships.get().unit, person.groups.get()) == ("malee@x.go.th", unit, staff)
    assert [each.to for each in mail.outbox] == [["malee@x.go.th"]]
    assert "ส่งคำเชิญแล้ว" in response.content.decode()
    # The same address again, and one with a mail server that is down.
    again = admin_client.post(f"{LIST}add/", typed(organization=organization, email="MALEE@x.go.th"))
    assert "มาลี งามดี (malee@x.go.th)" in again.context["adminform"].form.errors["email"][0]
    lost = admin_client.post(f"{LIST}add/", typed(organization=organization, email="broken@x.go.th"), follow=True)
    assert "ส่งคำเชิญไม่สำเร็จ" in lost.content.decode()
    assert User.objects.filter(username="broken@x.go.th").exists()


def test_units_of_another_organization_are_refused(admin_client):  # noqa: F811
    unit = UnitFactory(organization=OrganizationFactory())
    response = admin_client.post(f"{LIST}add/", typed(organization=default_organization().pk, units=[unit.pk]))
    assert set(response.context["adminform"].form.errors) == {"units"}
    person = UserFactory()
    page = f"{LIST}{person.pk}/change/"
    response = admin_client.post(
        page, typed(username=person.username, organization=unit.organization_id, is_active="on")
    )
    assert response.status_code == 302
    person.refresh_from_db()
    assert person.organization == unit.organization
    assert set(admin_client.get(page).context["adminform"].form.fields["units"].queryset) == {unit}


def test_coordinator_changes_their_people_but_not_what_is_the_administrators(client):
    me = UserFactory(roles=["coordinator"])
    staff, chief = Group.objects.get(name="staff"), Group.objects.get(name="coordinator")
    unit = UnitFactory()
    person = UserFactory(username="person", roles=["coordinator"])
    client.force_login(me)
    page = f"{LIST}{person.pk}/change/"
    fields = client.get(page).context["adminform"].form.fields
    assert {"username", "is_superuser", "is_staff", "organization"}.isdisjoint(fields)
    data = typed(units=[unit.pk], groups=[staff.pk], is_active="on", is_superuser="on", is_staff="on", username="x",
                 organization=OrganizationFactory().pk)  # fmt: skip
    assert client.post(page, data).status_code == 302
    person.refresh_from_db()
    assert (person.username, person.first_name, person.is_superuser, person.is_staff) == ("person", "มาลี", False, False)
    assert (person.organization, person.memberships.get().unit) == (me.organization, unit)
    assert set(person.groups.all()) == {staff, chief}  # they neither give nor take the role of a coordinator
    assert client.post(page, data | {"groups": [chief.pk]}).context["adminform"].form.errors
    assert client.post(f"{LIST}{person.pk}/password/", {}).status_code == 403
    assert "/password/M" not in client.get(f"{LIST}{person.pk}/invitation/").content.decode()
    other = UserFactory(organization=OrganizationFactory(), email="foreign@x.go.th", first_name="ลับเฉพาะ")
    response = client.post(page, data | {"email": other.email})
    assert "ลับเฉพาะ" not in response.content.decode()
    assert response.context["adminform"].form.errors["email"]
    client.post(f"{LIST}add/", typed(email="new@x.go.th", organization=other.organization_id))
    assert User.objects.get(email="new@x.go.th").organization == me.organization
