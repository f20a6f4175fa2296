"""No page or mail shows an internal code instead of its label."""

import re
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.contrib import admin
from django.core import mail
from django.core.management import call_command
from django.db.models import TextChoices

from assignments.access import RoleGroup
from assignments.models import User
from plan.models import ActionItem, Plan
from tests.rooms import ROOMS
from tests.spreadsheets.test_admin_tables import download, table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo"), pytest.mark.long]
SHOWN = ("title", "aria-label", "alt", "placeholder", "content")


def below(kind):
    """Return all direct and indirect subclasses of a class."""
    return {each for child in kind.__subclasses__() for each in (child, *below(child))}


def codes():
    """Return every value of a choice, every name of a group, model and field, and Python's names of empty values."""
    models = [model for room in ROOMS for model in apps.get_app_config(room).get_models()]
    choices = [choice for kind in below(TextChoices) if kind.__module__.startswith(ROOMS) for choice in kind.values]
    fields = [field.name for model in models for field in model._meta.concrete_fields if "_" in field.name]
    names = {"None", "True", "False", "nan", "row 0", "แถวที่ 0", "แถว 0"}
    names |= {code for code in (*choices, *fields, *(model.__name__ for model in models)) if not code.isdecimal()}
    return names - {"Plan", "Unit", "Period", "User"}  # these also occur in ordinary text


CODES = sorted(codes(), key=len, reverse=True)
FIRST = "".join(map(re.escape, sorted({code[0] for code in CODES})))  # most letters of a page begin no code
WORDS = re.compile(rf"(?<![\w.@/-])(?=[{FIRST}])({'|'.join(map(re.escape, CODES))})(?![\w@/-])")


class Shown(HTMLParser):
    """Collect the texts and attributes of a page that users see or hear."""

    def __init__(self):
        super().__init__()
        self.texts, self.hidden = [], 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("script", "style")
        given = dict(attrs)
        names = SHOWN if tag != "meta" else ()
        if tag == "input" and given.get("type", "text") in ("text", "search", "submit"):
            names = (*names, "value")
        self.texts += [given[name] for name in names if given.get(name)]

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.hidden:
            self.texts.append(data)


def codes_in(texts):
    """Return the codes in the texts, each with its context."""
    found = ((match.group(), " ".join(text.split())[:80]) for text in texts for match in WORDS.finditer(text))
    return sorted(set(found))


def codes_on(body):
    """Return the codes that a page shows."""
    shown = Shown()
    shown.feed(body)
    return codes_in(shown.texts)


def rename_users():
    """Rename users whose username is also the name of a group."""
    for role in RoleGroup:
        User.objects.filter(username=role).update(username=f"user-{role.upper()[::-1]}")


@pytest.fixture(autouse=True)
def _usernames(demo):
    rename_users()


@pytest.fixture
def keeper(client):
    person = User.objects.get(username="admin")
    client.force_login(person)
    return person


def admin_pages():
    """Yield every admin page except import and export, which show column headings."""
    for model in admin.site._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        yield from (base, f"{base}add/")
        record = model._base_manager.order_by("pk").last()
        if record:
            yield from (f"{base}{record.pk}/change/", f"{base}{record.pk}/history/", f"{base}{record.pk}/delete/")


def test_no_page_for_administrators_shows_a_code(client, keeper):
    """test_form_owner looks for codes on the pages of a plan, as each role sees them."""
    plan = Plan.objects.get()
    confirmed = ActionItem.objects.first()
    confirmed.schedule_basis = ActionItem.Basis.CONFIRMED
    confirmed.save()  # the history shows a change of a choice
    pages = [
        f"/plans/{plan.slug}/my/?role=SUPPORT", "/nowhere/",
        f"/plans/{plan.slug}/actions/?status=DONE&due=OVERDUE", "/admin/", "/admin/auth/group/add/",
        f"/admin/plan/actionitem/{confirmed.pk}/history/", *admin_pages(),
    ]  # fmt: skip
    found = {page: codes_on(client.get(page).content.decode()) for page in pages}
    assert {page: codes for page, codes in found.items() if codes} == {}


def test_no_mail_shows_a_code(settings):
    settings.SITE_URL = "http://127.0.0.1:8000"
    call_command("send_reminders", verbosity=0)
    assert mail.outbox
    for each in mail.outbox:
        shown = Shown()
        shown.feed(each.alternatives[0].content)
        texts = [line for line in each.body.splitlines() if "://" not in line]
        assert codes_in([each.subject, *texts, *shown.texts]) == []


def test_admin_tables_show_labels_of_choices(client, keeper):
    rows = table(download(client, ActionItem))
    assert {row["status"] for row in rows} == {"ดำเนินการแล้วเสร็จ", "อยู่ระหว่างดำเนินการ", "ติดปัญหา", "ยังไม่ดำเนินการ", "ยกเลิก"}
    assert codes_in(str(value) for row in rows for value in row.values()) == []
