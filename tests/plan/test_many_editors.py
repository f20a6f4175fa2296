"""Many users update few actions over HTTP on a real server: nothing is lost, and a late user sees both texts."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from plan.models import ActionItem, ProgressUpdate
from plan.updates.record import record_update
from tests import sizes
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.plan.evidence.hostile import good_files
from tests.plan.posting import multipart

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.apart, pytest.mark.both_databases(only_full=True)]
PDF = next(content for _name, content, kind in good_files() if kind == "pdf")
EDITORS, ACTIONS = (16, 4) if sizes.IS_FULL else (6, 2)
ROUNDS = sizes.scaled(20, least=2)


@dataclass
class Editor:
    """One user with a browser; each update adds one to the progress shown."""

    server: str
    number: int
    cookies: dict[str, str]
    conflicts: int = 0
    errors: list[str] = field(default_factory=list)

    def ask(self, path, data=None, content_type="application/x-www-form-urlencoded"):
        connection = HTTPConnection(urlsplit(self.server).netloc, timeout=60)
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "HX-Request": "true",
            "X-CSRFToken": self.cookies[settings.CSRF_COOKIE_NAME],
            "Content-Type": content_type,
        }
        body = urlencode(data) if isinstance(data, dict) else data
        connection.request("POST" if data else "GET", path, body, headers)
        response = connection.getresponse()
        body = unescape(response.read().decode())
        connection.close()
        return response.status, body

    def report_progress(self, address, words):
        """Open the row, add one to the progress, and choose to keep mine for as long as somebody else was quicker."""
        status, body = self.ask(address)
        for attempt in range(400):
            seen = read(body, "version"), int(re.search(r'data-progress="(\d+)"', body)[1])
            data = {
                "version": seen[0],
                "op_id": read(body, "op_id"),
                "status_to": "IN_PROGRESS",
                "progress_to": seen[1] + 1,
                "result": words,
                "reason": "นับเพิ่มหนึ่ง",
            }
            status, body = self.ask(address, data)
            if status == 200:
                return
            if status != 409:
                self.errors.append(f"{status}: {body[:300]}")
                return
            self.conflicts += 1
            theirs = ProgressUpdate.objects.filter(action__ref=address.split("/")[-2], version__gt=seen[0])
            results = list(theirs.filter(version__lte=read(body, "version")).values_list("result", flat=True))
            shown = body.split("<form")[0]
            if (
                not results
                or any(each not in shown for each in results)
                or not re.search(f"<textarea[^>]*>\\s*{words}<", body)
            ):
                self.errors.append(f"not both texts: {results}")
            time.sleep((self.number * 7 + attempt * 13) % 40 / 100)
        self.errors.append("never got in")


def read(body, name):
    return re.search(rf'name="{name}" value="([^"]*)"', body)[1]


@pytest.fixture
def office(live_server):
    """Logged-in editors of one unit, and the URLs of the rows they all edit."""
    unit = UnitFactory()
    plan = PlanFactory(slug="2563")
    for number in range(ACTIONS):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=[unit])
    editors = []
    for number in range(EDITORS):
        client = Client()
        client.force_login(UserFactory(roles=["staff"], units=[unit]))
        client.get("/plans/2563/my/")
        cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        editors.append(Editor(live_server.url, number, cookies))
    return editors, [f"/plans/2563/my/1.1-A-{number + 1}/" for number in range(ACTIONS)]


def work(editors, addresses, rounds):
    """Let every editor post `rounds` updates, one action after the other; return the errors."""
    barrier = Barrier(len(editors))

    def inner(editor):
        barrier.wait()
        try:
            for step in range(rounds):
                editor.report_progress(addresses[(editor.number + step) % len(addresses)], f"{editor.number}/{step}")
        except Exception as error:
            editor.errors.append(repr(error))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(editors)) as pool:
        list(pool.map(inner, editors))
    return [error for editor in editors for error in editor.errors]


@pytest.mark.both_databases
def test_updates_of_many_editors_lose_nothing(office):
    editors, addresses = office
    assert work(editors, addresses, ROUNDS) == []
    count = EDITORS * ROUNDS
    words = sorted(ProgressUpdate.objects.values_list("result", flat=True))
    assert words == sorted(f"{editor}/{step}" for editor in range(EDITORS) for step in range(ROUNDS))
    share = count // ACTIONS
    rows = ActionItem.objects.order_by("ref").values_list("progress", "version")
    assert list(rows) == [(share, share + 1)] * ACTIONS
    assert sum(editor.conflicts for editor in editors) > 0  # else they never met


def test_updates_are_lost_without_the_version_check(office, monkeypatch):
    """Control for the test above: without the version check it must fail."""

    def write_on_the_stored_version(*, action, version, **words):
        return record_update(action=action, version=action.version, **words)

    monkeypatch.setattr("plan.updates.views.record_update", write_on_the_stored_version)
    editors, addresses = office
    work(editors, addresses, ROUNDS)
    counted = sum(ActionItem.objects.values_list("progress", flat=True))
    assert counted < ProgressUpdate.objects.count()


def test_five_copies_of_one_request_make_one_update(office, settings):
    editors, addresses = office
    _status, body = editors[0].ask(addresses[0])
    data = {
        "version": read(body, "version"),
        "op_id": str(uuid4()),
        "status_to": "IN_PROGRESS",
        "progress_to": 40,
        "result": "ส่งห้าครั้ง",
    }
    posted = multipart(data, "รายงาน.pdf", PDF)
    barrier = Barrier(5)

    def inner(_copy):
        barrier.wait()
        return editors[0].ask(addresses[0], *posted)[0]

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(inner, range(5))) == [200] * 5
    update = ProgressUpdate.objects.get()
    assert (update.version, update.progress_to, update.result) == (2, 40, "ส่งห้าครั้ง")
    evidence = update.evidence.get()
    stored = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    kept = [path.relative_to(settings.MEDIA_ROOT) for path in stored if path.parent.name != "staged"]
    assert list(map(str, kept)) == [evidence.file]
