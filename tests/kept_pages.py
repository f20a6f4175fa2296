"""Pages that users share, and whether they are fresh (`plan.cached_page`)."""

import re
from collections import OrderedDict
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

from django.test import Client

from pmqa_tracker import page_cache, prepared
from tests import sizes
from tests.factories import UserFactory

HERE = "/plans/2563"
CACHED = (
    "dashboard/", "dashboard/?as_of=2020-02-10&by=unit&sort=done", "dashboard/?unit={unit}&level=3", "criteria/",
    "criteria/?target=300&suppose=1", "criteria/8.9/", "timeline/?open=8.9", "units/", "units/{unit}/",
    "reports/meeting/", "dashboard/?live=1", "/plans/", "/plans/?sort=-overdue", "actions/",
    "actions/?unit={unit}&sort=-due&filters=1", "my/", "my/?q=1&show=LATER", "actions/1.1-A-1/",
)  # fmt: skip
OWN = re.compile(
    r'(csrfmiddlewaretoken" value="|x-csrftoken": "|data-left="|"op_id" value="|\|(?=[0-9a-f]{32}@))[^"@]*'
)
READERS = (("staff", "th"), ("management", "en"), ("coordinator", "en"), ("nobody", "th"))


@contextmanager
def fresh(monkeypatch):
    """Compute every page anew, with statements compiled anew: a key that lacks something would find an old one."""
    with monkeypatch.context() as patch:
        patch.setattr(prepared, "_kept", OrderedDict())
        patch.setattr(page_cache, "read", lambda key: None)
        patch.setattr(page_cache, "keep", lambda key, value: None)
        yield


def body(client, page, unit="", language="th"):
    client.cookies["django_language"] = language
    address = page if page.startswith("/") else f"{HERE}/{page.format(unit=unit)}"
    response = client.get(address)
    gone = page.startswith(("actions/", "my/")) and response.status_code == 404  # the action is deleted or renamed
    assert response.status_code == 200 or gone, (page, response.status_code)
    return OWN.sub("", response.content.decode())


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@contextmanager
def fresh_after_write(world, monkeypatch, way):
    """Open kept pages before the block and after it, which writes, and compare them with freshly computed ones.

    Each way to write gets two other pages and another reader; with the long forms it gets all pages.
    """
    if sizes.ON_POSTGRESQL:  # the keys are the same
        yield
        return
    number = sum(map(ord, way))
    role, language = READERS[number % len(READERS)]
    pages = CACHED if sizes.IS_FULL else [CACHED[(number + each) % len(CACHED)] for each in (0, 7)]
    client = client_of(UserFactory(roles=[] if role == "nobody" else [role], units=[world.unit]))

    def see():
        return [body(client, page, world.unit.abbreviation, language) for page in pages]

    with monkeypatch.context() as patch:
        now = datetime.now(UTC)  # the wall view shows the minute, which may pass meanwhile
        patch.setattr("django.template.defaulttags.datetime", SimpleNamespace(now=now.astimezone))
        see()
        yield
        served = see()
        with fresh(monkeypatch):
            assert served == see()
