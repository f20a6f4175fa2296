"""Every POST form carries its owner, and no page of a role shows a code; a form of another user is refused."""

import re
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern

from assignments.access import RoleGroup
from assignments.models import User
from plan.models import ActionItem, ProgressUpdate
from pmqa_tracker.views import OWNER_FIELD, WITHOUT_OWNER
from tests import sizes
from tests.factories import EvidenceFactory, UserFactory
from tests.pages import addresses
from tests.test_codes import codes_on, rename_users

pytestmark = [pytest.mark.django_db, pytest.mark.long]
WORDS = "ข้อความที่พิมพ์ค้างไว้"
PIECES = {"key": uuid4(), "pk": 1, "period": 1}


class Forms(HTMLParser):
    """The forms of a page, with their attributes and fields."""

    def __init__(self, body):
        super().__init__()
        self.forms, self.loose = [], []
        self.feed(body)
        for name, attrs in self.loose:
            for form in self.forms:
                if form["attrs"].get("id") == attrs["form"]:
                    form["fields"].append((name, attrs))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append({"attrs": attrs, "fields": []})
        elif tag in ("input", "select", "textarea") and attrs.get("form"):
            self.loose.append((tag, attrs))
        elif tag in ("input", "select", "textarea") and self.forms:
            self.forms[-1]["fields"].append((tag, attrs))

    @property
    def posting(self):
        return [form for form in self.forms if form["attrs"].get("method", "get").lower() == "post"]


@pytest.fixture
def superuser():
    return UserFactory(roles=["coordinator"], is_staff=True, is_superuser=True)


@pytest.fixture
def plan(demo):
    return ActionItem.objects.order_by("pk").first().plan


def pages(plan):
    """Return name → URL of every page of the plan, with an open row and the import pages."""
    base = f"/plans/{plan.slug}"
    action = plan.actions.filter(assignments__unit__abbreviation="สพม.", assignments__role="LEAD").first()
    extra = {"my_row": f"{base}/my/{action.ref}/", "import": f"{base}/import/", "new_plan": "/new-plan/"}
    sent = {f"report{number}": f"{base}/reporting/กค./{number}/" for number in (1, 2, 3)}
    return addresses(plan) | extra | sent


# An administrator sees the forms of a coordinator, and those of the admin.
@pytest.mark.parametrize("role", [*RoleGroup, *(["superuser"] if sizes.IS_FULL else [])])
def test_every_form_of_a_role_carries_its_owner_and_no_page_shows_a_code(client, plan, role, superuser, settings):
    settings.PMQA_LONG_PLAN = 1  # the reports page has forms of its own for a long plan
    rename_users()
    person = superuser if role == "superuser" else User.objects.filter(groups__name=role, is_demo=True).first()
    settings.PMQA_DEMO = True
    client.force_login(person)
    update = ProgressUpdate.objects.order_by("pk").first()
    EvidenceFactory(action=update.action, update=update, added_by=person)
    seen = 0
    for address in (*pages(plan).values(), "/admin/auth/group/"):
        response = client.get(address)
        body = response.content.decode()
        assert codes_on(body) == [], address
        if response.status_code != 200:
            continue
        found = Forms(body)
        for form in found.posting:
            owners = [attrs.get("value") for _tag, attrs in form["fields"] if attrs.get("name") == OWNER_FIELD]
            assert owners == [str(person.pk)], (address, form["attrs"])
            seen += 1
        # Browsers restore choices by position, so a form with choices must turn that off.
        for form in found.forms:
            placed = [
                attrs for tag, attrs in form["fields"] if tag == "select" or attrs.get("type") in ("checkbox", "radio")
            ]
            is_update = "data-draft" in form["attrs"]  # its fields are the same after it was sent
            kept = [attrs for attrs in placed if attrs.get("autocomplete") != "off"]
            assert is_update or not kept or form["attrs"].get("autocomplete") == "off", (address, form["attrs"], kept)
    assert seen > 30


def test_every_form_of_the_admin_carries_its_owner_and_is_not_restored(client, plan, superuser):
    client.force_login(superuser)
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        first = model._base_manager.first()
        asked = [reverse(f"{name}_changelist")]
        if model_admin.has_add_permission(request=_request(superuser)):
            asked.append(reverse(f"{name}_add"))
        if first is not None:
            asked.append(reverse(f"{name}_change", args=[first.pk]))
            asked.append(reverse(f"{name}_delete", args=[first.pk]))
        for kind in ("import", "export"):
            if hasattr(model_admin, f"{kind}_action"):
                asked.append(reverse(f"{name}_{kind}"))
        for address in asked:
            response = client.get(address)
            if response.status_code != 200:
                continue
            for form in Forms(response.content.decode()).posting:
                owners = [attrs.get("value") for _tag, attrs in form["fields"] if attrs.get("name") == OWNER_FIELD]
                assert owners == [str(superuser.pk)], (address, form["attrs"])
                ticks = [attrs for tag, attrs in form["fields"] if tag == "select" or attrs.get("type") == "checkbox"]
                assert not ticks or form["attrs"].get("autocomplete") == "off", (address, form["attrs"])


def _request(user):
    class Request:
        pass

    request = Request()
    request.user = user
    return request


def patterns(resolver=None, names=()):
    """Yield (view name, parameters of its URL) of every named page outside the admin."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if getattr(pattern, "app_name", "") == "admin":
            continue
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield pattern.name, pattern.pattern.converters
        else:
            yield from patterns(pattern)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_every_url_refuses_the_form_of_another_user_and_names_both(client, headers):
    owner, person = UserFactory(first_name="สมชาย"), UserFactory(first_name="สมหญิง", roles=["coordinator"])
    client.force_login(person)
    seen = 0
    for name, pieces in patterns():
        address = reverse(name, kwargs={piece: PIECES.get(piece, "x") for piece in pieces})
        response = client.post(address, {OWNER_FIELD: owner.pk, "result": WORDS}, headers=headers)
        if name in WITHOUT_OWNER:
            assert response.status_code != 409
            client.force_login(person)
            continue
        body = response.content.decode()
        assert response.status_code == 409, name
        assert "สมชาย" in body
        assert "สมหญิง" in body
        assert ("<html" in body) is not bool(headers)
        assert bool(headers) or name not in ("my_row", "action_detail") or f"{WORDS}</textarea>" in body
        seen += 1
    assert seen > 30


def test_form_is_not_recorded_for_the_next_user_who_logs_in(plan, settings):
    """A opens a form and B logs in; the form is refused with its old CSRF token and with a wrong one."""
    person, other = User.objects.get(username="staff"), User.objects.get(username="coordinator")
    action = plan.actions.filter(assignments__unit__abbreviation="สพม.", assignments__role="LEAD").first()
    here = f"/plans/{plan.slug}/actions/{action.ref}/"
    before = ProgressUpdate.objects.count()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    body = strict.get(here).content.decode()
    form = next(form for form in Forms(body).posting if "data-draft" in form["attrs"])
    data = {attrs["name"]: attrs.get("value", "") for tag, attrs in form["fields"] if attrs.get("type") == "hidden"}
    data |= {"status_to": "BLOCKED", "progress_to": "10", "problem": WORDS, "reason": "ปรับลด"}
    strict.force_login(other)
    for token in (data["csrfmiddlewaretoken"], "a" * 64):
        response = strict.post(here, data | {"csrfmiddlewaretoken": token})
        shown = response.content.decode()
        assert response.status_code == 409
        assert str(person) in shown
        assert str(other) in shown
        assert re.search(rf"<label>ปัญหาอุปสรรค<textarea[^>]*>{WORDS}</textarea>", shown)
        assert re.search(r"<textarea[^>]*>ติดปัญหา</textarea>", shown)
        assert "BLOCKED" not in shown.split("<main")[1]
    assert ProgressUpdate.objects.count() == before
    strict.force_login(person)
    assert (
        strict.post(here, data | {"csrfmiddlewaretoken": strict.cookies[settings.CSRF_COOKIE_NAME].value}).status_code
        == 302
    )
    assert ProgressUpdate.objects.count() == before + 1


@pytest.mark.parametrize("owner", ["", "0", "x", "9" * 40, "๑"])
def test_unknown_owner_is_refused(client, owner):
    client.force_login(UserFactory())
    assert client.post("/password/", {OWNER_FIELD: owner, "old_password": "ความลับ"}).status_code == 409


def test_the_admin_refuses_the_form_of_another_user(client, superuser):
    other = UserFactory(first_name="สมชาย")
    client.force_login(superuser)
    address = reverse("admin:assignments_unit_add")
    response = client.post(address, {OWNER_FIELD: other.pk, "abbreviation": "กทส.", "name_th": WORDS})
    assert response.status_code == 409
    assert f"{WORDS}</textarea>" in response.content.decode()
    assert not list(get_messages(response.wsgi_request))
