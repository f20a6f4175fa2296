"""Cached pages equal freshly computed ones for every reader, for each part of the key, and while somebody writes.

`tests/plan/test_revision.py` compares them after a write in every way.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import timezone

from plan import cached_page
from plan.models import ActionItem, Plan
from pmqa_tracker import page_cache
from pmqa_tracker.clock import now
from pmqa_tracker.views import OWNER_FIELD
from reports.views import dashboard
from tests.factories import (
    ActionItemFactory,
    CriterionFactory,
    FrameworkFactory,
    OrganizationFactory,
    PlanFactory,
    UnitFactory,
    UserFactory,
)
from tests.kept_pages import HERE, OWN, body, client_of, fresh
from tests.plan.conftest import world  # noqa: F401

pytestmark = pytest.mark.django_db
FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
TOKEN = re.compile(r'csrfmiddlewaretoken" value="(\w+)"')


@pytest.fixture(autouse=True)
def _cache_may_be_asked():
    page_cache._quiet_until = 0.0
    yield
    page_cache._quiet_until = 0.0
    page_cache.version.cache_clear()


@contextmanager
def computed(monkeypatch):
    """Count the pages that are computed: those that are kept. The number on the bell is kept too, and no page."""
    found, keep = [], page_cache.keep
    with monkeypatch.context() as patch:
        patch.setattr(
            page_cache, "keep", lambda key, value: (isinstance(value, dict) and found.append(key)) or keep(key, value)
        )
        yield found


def readers(world):  # noqa: F811
    """One reader of each kind, all of whom may read the plan."""
    world.organization.parent = None
    above = OrganizationFactory()
    world.plan.organization.parent = above
    world.plan.organization.save()
    return {
        "administrator": world.person,
        "coordinator": UserFactory(roles=["coordinator"]),
        "staff": UserFactory(roles=["staff"], units=[world.unit]),
        "staff of another unit": UserFactory(roles=["staff"], units=[UnitFactory()]),
        "manager": UserFactory(roles=["management"]),
        "nobody": UserFactory(),
        "coordinator above who manages": UserFactory(roles=["management", "coordinator"], organization=above),
    }


def test_no_reader_gets_the_page_of_another(world, monkeypatch, settings):  # noqa: F811
    settings.PMQA_TODAY = world.plan.ends_on + timedelta(days=3)  # coordinators are asked to close the plan
    clients = {name: client_of(user) for name, user in readers(world).items()}
    unit = world.unit.abbreviation
    pages = ("dashboard/", "dashboard/?unit={unit}&level=3", "criteria/8.9/", "units/{unit}/", "actions/")
    own = {(page, name): body(clients[name], page, unit) for page in ("my/", "actions/1.1-A-1/") for name in clients}
    with computed(monkeypatch) as found:
        served = {(page, name): body(clients[name], page, unit) for page in pages for name in clients}
    assert len(found) == 2 * len(pages)  # for coordinators, and for everybody else
    served |= own | {(page, name): body(clients[name], page, unit) for page, name in own}
    with fresh(monkeypatch):
        assert {(page, name): body(clients[name], page, unit) for page, name in served} == served
    assert len({seen for (page, _name), seen in served.items() if page == "dashboard/"}) == len(clients)


# Each part of the key: a change of nothing else, which the page shows.


def bare_update(place):
    """Change a page without a new revision."""
    ActionItem.objects.filter(plan=place.plan).update(text="ข้อความหลังกู้คืน")


def another_plan(place):
    revision = Plan.objects.get(pk=place.plan.pk).revision
    other = PlanFactory(slug="2564", title="แผนอื่น")
    Plan.objects.filter(pk=place.plan.pk).update(slug="x")
    Plan.objects.filter(pk=other.pk).update(slug="2563", revision=revision)


def write(place):
    place.plan.actions.get().delete()


def restored_backup(place):
    """The same revisions as before, other content."""
    bare_update(place)
    MigrationRecorder(connection).record_applied("plan", "0001_initial")


def next_day(place):
    later = now() + timedelta(days=20)
    place.monkeypatch.setattr("pmqa_tracker.clock.now", lambda: later)


def other_language(place):
    place.language = "en"


def other_day(place):
    place.page = "dashboard/?as_of=2020-03-01"


def other_unit(place):
    place.page = f"units/{place.second.abbreviation}/"


def other_reader(place):
    place.client = place.coordinator


def first_neighbour(place):
    OrganizationFactory()


def other_setting(place):
    place.settings.PMQA_LIVE_SECONDS = 77


def other_release(place):
    """New files of the site, which a restart of the server sees."""
    bare_update(place)
    place.monkeypatch.setattr(page_cache, "_digest_of_files", lambda: "new")
    page_cache.version.cache_clear()


def next_edition(place):
    """The edition of another plan renames a criterion that continues one of this plan's."""
    place.following.title = "ชื่อใหม่ในฉบับถัดไป"
    place.following.save()


def next_minute(place):
    later = timezone.now() + timedelta(minutes=7)
    place.monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    place.monkeypatch.setattr("django.template.defaulttags.datetime", SimpleNamespace(now=lambda tz: later))


DIFFERENCES = {
    another_plan: "dashboard/",
    write: "dashboard/",
    restored_backup: "units/{unit}/",
    next_day: "dashboard/",
    other_language: "dashboard/",
    other_day: "dashboard/",
    other_unit: "units/{unit}/",
    other_reader: "units/",
    first_neighbour: "timeline/",
    other_setting: "dashboard/?live=1",
    other_release: "units/{unit}/",
    next_edition: "criteria/{code}/",
    next_minute: "dashboard/?live=1",
}


@pytest.fixture
def place(plan, unit, settings, monkeypatch):
    """A plan with one action, and a page that a manager reads."""
    action = ActionItemFactory(plan=plan, lead=[unit], runs=(1, 4))
    following = CriterionFactory(category__framework=FrameworkFactory())
    following.predecessors.add(action.criterion)
    PlanFactory(assessment__framework=following.category.framework, slug="2565", state="RUNNING")
    second = UnitFactory()
    client, coordinator = (client_of(UserFactory(roles=[role])) for role in ("management", "coordinator"))
    code = action.criterion.code
    return SimpleNamespace(**locals(), language="th")


@pytest.mark.parametrize("change", DIFFERENCES, ids=lambda change: change.__name__)
def test_each_part_of_the_key_leads_to_another_page(place, change):
    def see():
        return main_of(body(place.client, place.page, place.unit.abbreviation, place.language))

    place.page = DIFFERENCES[change].replace("{code}", place.code)
    if change is other_reader:
        place.settings.PMQA_TODAY = place.plan.ends_on + timedelta(days=3)
        place.page = "dashboard/"
    before = see()
    assert before == see()
    change(place)
    served = see()
    with fresh(place.monkeypatch):
        assert served == see()
    assert served != before


def main_of(page):
    return page.partition('<div id="not-sent')[2] or page.partition("</template>")[2]


# What is around the content, and what is not kept.


def test_warm_page_carries_the_person_who_reads_it(place):
    people = [UserFactory(roles=["management"], first_name=name) for name in ("สมศรี", "สมชาย")]
    for user in (*people, *people):
        client = client_of(user)
        page = client.get(f"{HERE}/dashboard/?as_of=2020-03-31").content.decode()
        assert f'href="{HERE}/timeline/?as_of=2020-03-31"' in page  # the menu keeps the day
        assert [each.first_name in page for each in people] == [each is user for each in people]
        assert f'name="{OWNER_FIELD}" value="{user.pk}"' in page
        data = {"language": "en", "next": "/", "csrfmiddlewaretoken": TOKEN.search(page)[1]}
        careful = Client(enforce_csrf_checks=True)
        careful.cookies = client.cookies
        assert careful.post("/language/", {**data, OWNER_FIELD: user.pk}).status_code == 302


def test_form_of_a_kept_page_records_once_and_shows_a_conflict(place):
    action = ActionItem.objects.get()
    here, staff = f"{HERE}/actions/{action.ref}/", UserFactory(roles=["staff"], units=[place.unit])
    client, other = client_of(staff), Client(enforce_csrf_checks=True)
    other.cookies = client.cookies

    def send(form, text):
        fields = dict(FIELD.findall(form)) | {"status_to": "IN_PROGRESS", "progress_to": 20, "result": text}
        return other.post(here, fields)

    first, second = (client.get(here).content.decode() for _ in range(2))
    assert [send(first, "ทำแล้ว").status_code for _ in range(2)] == [302, 302]
    assert action.updates.count() == 1
    conflict = send(second, "ข้อความอื่น")
    assert (conflict.status_code, "ข้อความอื่น</textarea>" in conflict.content.decode()) == (409, True)
    assert 'name="version" value="2"' in client.get(here).content.decode()
    assert send(client.get(here).content.decode(), "ข้อความอื่น").status_code == 302
    assert action.updates.count() == 2


def test_two_people_and_two_tabs_record_from_kept_pages(place):
    """Nobody's text is taken for a repetition of another person's, or of the same person's in another tab."""
    action = ActionItem.objects.get()
    people = [UserFactory(roles=["staff"], units=[place.unit]) for _ in range(2)]
    clients = [client_of(person) for person in people for _tab in range(2)]
    for here in (f"{HERE}/actions/{action.ref}/", f"{HERE}/my/"):
        pages = [client.get(here).content.decode() for client in clients]
        ids = [re.search(r'op_id" value="([^"]+)|\|([0-9a-f]{32})@', page)[0] for page in pages]
        assert (ids[0], ids[2]) == (ids[1], ids[3])  # it is kept
        assert ids[0] != ids[2]
    forms = [client.get(f"{HERE}/actions/{action.ref}/").content.decode() for client in clients]
    answers = [
        client.post(
            f"{HERE}/actions/{action.ref}/",
            dict(FIELD.findall(form)) | {"status_to": "IN_PROGRESS", "progress_to": 20, "result": f"ผลที่ {number}"},
        )
        for number, (client, form) in enumerate(zip(clients, forms, strict=True))
    ]
    assert [answer.status_code for answer in answers] == [302, 409, 409, 409]
    assert all(f"ผลที่ {number}</textarea>" in answers[number].content.decode() for number in (1, 2, 3))
    rows = [re.search(r'name="row" value="([^"]+)"', client.get(f"{HERE}/my/").content.decode()) for client in clients]
    assert rows == [None] * 4


def test_form_in_a_kept_part_gets_the_fields_of_each_reader(place):
    template = Template("{% part x %}<form>{% csrf_token %}</form>{{ access }}{% endpart %}")
    parts = page_cache.Parts(context={"access": "seen", "user": page_cache.Hidden()})
    pages = []
    for pk in (41, 42):
        request = RequestFactory().get("/")
        request.user = SimpleNamespace(pk=pk, is_authenticated=True)
        pages.append(template.render(Context({"request": request, "parts": parts})))
        assert f'name="{OWNER_FIELD}" value="{pk}"' in pages[-1]
        assert "csrfmiddlewaretoken" in pages[-1]
    assert parts.html == {"x": f"<form>{page_cache.OWN_FIELDS}</form>seen"}


@pytest.mark.parametrize(
    "reads",
    [
        "{{ user.first_name }}", "{{ user }}", "{% if user %}x{% endif %}", "{% if not user.is_staff %}x{% endif %}",
        "{% if user.pk == 1 or True %}x{% endif %}", "{{ access.roles }}", "{{ request.user.email }}",
        "{% if request.user.email == '' %}x{% endif %}",
    ],
)  # fmt: skip
def test_part_reads_nothing_of_a_user(reads):
    request = RequestFactory().get("/")
    hidden = {"user": page_cache.Hidden(), "request": page_cache.KeptRequest(request)}
    parts = page_cache.Parts(context={"access": cached_page.Reader(is_coordinator=True), **hidden})
    with pytest.raises(page_cache.NotInPartError):
        Template(f"{{% part x %}}{reads}{{% endpart %}}").render(Context({"parts": parts, "request": request}))
    assert parts.html == {}


@pytest.mark.parametrize("page", ["dashboard/", "actions/1.1-A-1/", "actions/"])
def test_page_with_a_part_that_reads_of_a_user_is_computed_for_them(place, monkeypatch, caplog, page):
    """In tests it is an error; on a server the log says so."""
    ActionItem.objects.update(ref="1.1-A-1")
    headers = {"HX-Request": "true"} if page == "actions/" else {}
    right = OWN.sub("", place.client.get(f"{HERE}/{page}", headers=headers).content.decode())
    caches["pages"].clear()
    monkeypatch.setattr(cached_page, "HIDDEN", ("plan",))
    with pytest.raises(page_cache.NotInPartError):
        place.client.get(f"{HERE}/{page}", headers=headers)
    monkeypatch.setattr(cached_page, "RAISES", False)
    with computed(monkeypatch) as found:
        for _ in range(2):
            response = place.client.get(f"{HERE}/{page}", headers=headers)
            assert (response.status_code, OWN.sub("", response.content.decode())) == (200, right)
    assert found == []
    assert [record.levelname for record in caplog.records if record.name == "pmqa.cache"] == ["ERROR"] * 2


def test_page_is_computed_once_and_answers_that_are_not_plain_are_not_kept(place, monkeypatch):
    pages = {
        "dashboard/": 200, "dashboard/?x=1": 200, "dashboard/?as_of=never": 200, "units/x/": 404, "criteria/x/": 404,
    }  # fmt: skip
    with computed(monkeypatch) as found:
        for _ in range(2):
            for page, status in pages.items():
                response = place.client.get(f"{HERE}/{page}")
                assert response.status_code == status
                assert ("message-warning" in response.content.decode()) is ("?" in page)
        ActionItemFactory(plan=place.plan)
        body(place.client, "dashboard/")
    assert found[1:] == found[:1], "a page is kept once, however often somebody writes"


class DeadServer:
    """A cache whose server does not answer."""

    asked = 0

    def get(self, *args):
        self.asked += 1
        raise ConnectionRefusedError

    set = get


def test_dead_cache_server_breaks_no_page_and_is_left_alone(place, monkeypatch, caplog):
    server = DeadServer()
    monkeypatch.setattr(page_cache, "caches", {"pages": server})
    for _ in range(3):
        body(place.client, "timeline/")
    assert server.asked == 1
    assert [record.levelname for record in caplog.records if record.name == "pmqa.cache"] == ["WARNING"]
    caches["pages"].set("page:broken", b"no page")
    monkeypatch.undo()
    assert page_cache.read("page:broken") is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_write_between_key_and_content_leaves_no_stale_page(place, monkeypatch):
    """Another thread reads the content before or after a write that commits in the middle of its request."""
    read, manager = dashboard._dashboard_context, client_of(UserFactory(roles=["management"]))
    for is_before in (True, False):
        ActionItemFactory(plan=place.plan, lead=[place.unit], runs=(1, 4))
        is_reading, is_written = Event(), Event()

        def wait(*args, is_before=is_before, is_reading=is_reading, is_written=is_written):
            context = read(*args) if is_before else None
            is_reading.set()
            assert is_written.wait(60)
            return context or read(*args)

        def ask():
            try:
                return main_of(body(manager, "dashboard/"))
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patch:
            patch.setattr(dashboard, "_dashboard_context", wait)
            answer = pool.submit(ask)
            assert is_reading.wait(60)
            ActionItemFactory(plan=place.plan, lead=[place.unit], runs=(1, 1))
            is_written.set()
            during = answer.result(60)
        served = main_of(body(place.client, "dashboard/"))
        assert (during == served) is not is_before
        with fresh(monkeypatch):
            assert served == main_of(body(place.client, "dashboard/"))
