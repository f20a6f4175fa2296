"""The list of plans, the switcher of the header, and where the first page leads."""

import re
from datetime import date, timedelta
from html import unescape
from urllib.parse import unquote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plan.as_of import on_day
from plan.models import Plan
from pmqa_tracker import clock
from reports.figures import groups
from reports.figures.plans import read_plan_figures
from reports.figures.standings import read_plan_standings
from tests.factories import (
    ActionItemFactory,
    OrganizationFactory,
    PlanFactory,
    ProgressUpdateFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
PREPARATION, RUNNING, ENDED = Plan.State
LINKS = re.compile(r'<a href="([^"]+)">(\d+)(?: %)?</a>')


def make_plan(*, state=RUNNING, organization=None, years=0, **fields):
    """Return a plan with four actions in different states; `years` moves its days."""
    start, end = (day.replace(year=day.year + years) for day in (date(2019, 10, 1), date(2020, 9, 30)))
    half = start + timedelta(days=182)
    owner = {"organization": organization} if organization else {}
    plan = PlanFactory(
        state=state, starts_on=start, ends_on=end, periods=[(start, half), (half + timedelta(days=1), end)],
        **owner, **fields,
    )  # fmt: skip
    unit = UnitFactory(**owner)
    for number, (status, progress, runs) in enumerate(
        [("DONE", 100, (1, 1)), ("IN_PROGRESS", 40, (1, 2)), ("CANCELLED", 0, (2, 2)), ("IN_PROGRESS", 10, (1, 1))], 1
    ):
        action = ActionItemFactory(plan=plan, ref=f"1.1-A-{number}", runs=runs, lead=[unit])
        at = thai_noon(start + timedelta(days=40))
        ProgressUpdateFactory(action=action, status_to=status, progress_to=progress, at=at, unit=unit, reason="–")
    ActionItemFactory(plan=plan, ref="1.1-A-9", runs=None, lead=[unit])
    return plan


def thai_noon(day):
    return clock.now().replace(year=day.year, month=day.month, day=day.day, hour=12)


@pytest.mark.both_databases
def test_figures_of_many_plans_equal_those_of_each():
    bare = PlanFactory(periods=[], state=PREPARATION)
    bare.periods.all().delete()
    ActionItemFactory(plan=bare, runs=None)
    plans = [
        bare, make_plan(), make_plan(years=-1, state=ENDED), make_plan(years=1), PlanFactory(),
        make_plan(organization=OrganizationFactory()), make_plan(state=ENDED, closed_on=date(2020, 2, 1)),
    ]  # fmt: skip
    found = read_plan_figures(Plan.objects.prefetch_related("periods"), clock.today())
    for plan in plans:
        as_of = on_day(plan, clock.today(), plan.periods.all())
        assert found[plan.pk] == groups.group(plan, read_plan_standings(plan, as_of), {})
    running = found[plans[1].pk]
    assert (running.total.count, running.by_status["DONE"].count, running.overdue.count) == (5, 1, 1)


def test_every_figure_leads_to_its_rows(client, coordinator):
    make_plan()
    make_plan(years=-1, state=ENDED)
    make_plan(years=1, state=PREPARATION)
    client.force_login(coordinator)
    table = client.get("/plans/").content.decode().split("<tbody>")[1]
    links = [(unescape(url), int(count)) for url, count in LINKS.findall(table)]
    counts = [(url, count) for url, count in links if "scope=counted" not in url]
    assert {url.split("/")[2] for url, _count in counts} == set(Plan.objects.values_list("slug", flat=True))
    for url, count in counts:
        assert f'data-count="{count}"' in client.get(url).content.decode(), url


@pytest.mark.both_databases
@pytest.mark.parametrize("address", ["/plans/", "/plans/?sort=-overdue&q=แผน", "first/dashboard/", "first/units/"])
def test_more_plans_and_organizations_need_no_more_queries(client, address):
    ministry = OrganizationFactory()
    manager = UserFactory(roles=["management"], organization=ministry)
    client.force_login(manager)

    def grow(slug=""):
        owner = OrganizationFactory(parent=ministry)
        for years in (-1, 0):
            name = {"slug": slug} if slug and not years else {}
            make_plan(organization=owner, years=years, state=ENDED if years else RUNNING, **name)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            response = client.get(address if address.startswith("/") else f"/plans/{address}")
        assert response.status_code == 200
        return len(captured)

    grow("first")
    grow()
    few = queries()
    for _ in range(3):
        grow()
    assert queries() == few <= 24


def test_list_searches_sorts_and_names_organizations(client, coordinator):
    other = OrganizationFactory(name="กรมน้ำ", short_name="กน.", parent=coordinator.organization)
    make_plan(slug="a", title="แผนพัฒนา ๒๕๖๓", organization=other)
    make_plan(slug="b", title="แผนก่อนหน้า", years=-1, state=ENDED)
    PlanFactory(slug="c", title="แผนปีถัดไป", starts_on=date(2020, 10, 1), ends_on=date(2021, 9, 30), periods=[])
    PlanFactory(slug="hidden", organization=OrganizationFactory())
    client.force_login(UserFactory(roles=["coordinator", "management"]))

    def slugs(query):
        body = client.get(f"/plans/{query}").content.decode().split("<main")[1]
        return re.findall(r'<th scope="row">\s*<a href="/plans/([^/]+)/', body)

    for query, expected in {
        "": ["a", "c", "b"],
        "?q=เเผนพัฒนา+2563": ["a"],
        "?q=กรมนํ้า": ["a"],
        "?q=ไม่มี": [],
        "?sort=title": ["b", "c", "a"],
        "?sort=-title": ["a", "c", "b"],
        "?sort=days": ["b", "a", "c"],
        "?sort=-total": ["c", "a", "b"],
        "?sort=overdue": ["a", "b", "c"],
        "?sort=nonsense": ["a", "c", "b"],
    }.items():
        assert slugs(query) == expected, query
    body = client.get("/plans/?sort=title&q=แผน").content.decode()
    assert "กน." in body
    assert 'aria-sort="ascending"' in body
    assert 'name="sort" value="title"' in body
    assert "sort=-title" in body
    assert "จึงเรียงตามลำดับปกติแทน" in client.get("/plans/?sort=nonsense").content.decode()


@pytest.mark.parametrize(
    ("roles", "states", "leads_to"),
    [
        (["coordinator"], [RUNNING], "/plans/p0/dashboard/"),
        (["staff"], [ENDED, RUNNING], "/plans/p1/my/"),
        (["assessor"], [RUNNING, RUNNING], "/plans/p0/criteria/"),
        (["coordinator"], [PREPARATION], "/plans/p0/"),
        (["staff"], [PREPARATION], "plan/plan_none.html"),
        (["staff"], [], "plan/plan_none.html"),
        (["coordinator"], [ENDED], "reports/plan_ended.html"),
        (["management"], [ENDED, PREPARATION], "reports/plan_ended.html"),
    ],
)
def test_first_page_leads_to_the_plan_that_runs(client, roles, states, leads_to):
    for number, state in enumerate(states):
        make_plan(slug=f"p{number}", state=state, years=number)
    client.force_login(UserFactory(roles=roles))
    response = client.get("/")
    if leads_to.endswith(".html"):
        assert leads_to in [template.name for template in response.templates]
    else:
        assert response.headers["Location"] == leads_to


def test_first_page_of_a_ministry_is_the_list_of_plans(client):
    ministry = OrganizationFactory()
    make_plan(organization=OrganizationFactory(parent=ministry))
    client.force_login(UserFactory(roles=["management"], organization=ministry))
    assert client.get("/").headers["Location"] == "/plans/"


def test_list_of_a_ministry_follows_an_organization_that_moves_with_those_below_it(client):
    ministry, elsewhere = OrganizationFactory(), OrganizationFactory()
    office = OrganizationFactory(parent=ministry)  # has no plan itself
    make_plan(slug="below", organization=OrganizationFactory(parent=office))
    client.force_login(UserFactory(roles=["management"], organization=ministry))
    assert "/plans/below/" in client.get("/plans/").content.decode()
    office.parent = elsewhere
    office.save()
    assert "/plans/below/" not in client.get("/plans/").content.decode()


@pytest.mark.parametrize("role", ["coordinator", "staff"])
def test_a_plan_that_has_ended_says_what_it_reached(client, role):
    plan = make_plan(slug="old", state=ENDED)
    plan.closed_on = date(2020, 5, 1)
    plan.save()
    UserFactory(roles=["coordinator"], first_name="ปราณี", last_name="ใจดี")
    client.force_login(UserFactory(roles=[role]))
    result = "จากทั้งหมด 5 รายการ แล้วเสร็จ 1 รายการ ไม่แล้วเสร็จ 3 รายการ และ ยกเลิก 1 รายการ ความก้าวหน้าเฉลี่ยร้อยละ 38"
    first, board = (client.get(page).content.decode() for page in ("/", "/plans/old/dashboard/"))
    for body in (first, board):
        assert "แผนสิ้นสุดเมื่อ 1 พ.ค. 2563" in body
        assert result in " ".join(body.split()), re.search("จากทั้งหมด.*", body)
        assert not re.search(r"ช้ากว่าแผน \d", body)
        assert "สิ้นสุดโดยต่ำกว่าแผน" in body
    assert ("ปราณี ใจดี" in first) == (role == "staff")
    assert ("จัดทำแผนถัดไป" in first) == (role == "coordinator")


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("timeline/?status=DONE", "timeline/"),
        ("units/", "units/"),
        ("units/กองหนึ่ง/", "units/กองหนึ่ง/"),
        ("units/กองสอง/", "units/กองสอง/"),
        ("actions/1.1-A-1/", "actions/1.1-A-1/"),
        ("actions/1.1-A-7/", "actions/"),
        ("reporting/กองหนึ่ง/2/", "reporting/กองหนึ่ง/2/"),
        ("reporting/กองหนึ่ง/4/", "reporting/"),
        ("state/close/", ""),
        ("", ""),
    ],
)
def test_switcher_keeps_the_page(client, coordinator, address, same):
    make_plan(slug="b")
    a = PlanFactory(slug="a")
    unit, other = UnitFactory(abbreviation="กองหนึ่ง"), UnitFactory(abbreviation="กองสอง")
    for number in (1, 7):
        ActionItemFactory(plan=a, ref=f"1.1-A-{number}", lead=[unit, other])
    client.force_login(coordinator)
    body = client.get(f"/plans/a/{address}", follow=True).content.decode()
    links = re.findall(r'<a href="([^"]+)"', body.split('class="plan-switcher-panel')[1].split("</nav>")[0])
    assert [unquote(link) for link in links] == [f"/plans/a/{address.split('?')[0]}", f"/plans/b/{same}", "/plans/"]


def test_one_plan_needs_no_switcher(client, coordinator):
    PlanFactory(slug="a")
    PlanFactory(slug="b", organization=OrganizationFactory())
    client.force_login(coordinator)
    assert "plan-switcher" not in client.get("/plans/a/dashboard/").content.decode()


def test_the_list_of_plans_needs_no_switcher(client, coordinator):
    make_plan(slug="a"), PlanFactory(slug="b")
    client.force_login(coordinator)
    assert "plan-switcher" in client.get("/password/").content.decode()
    assert "plan-switcher" not in client.get("/plans/").content.decode()


def test_menu_of_the_user_leads_to_the_plan_and_the_list_even_with_one_plan(client, coordinator):
    make_plan(slug="only")
    client.force_login(coordinator)
    page = client.get("/plans/only/dashboard/").content.decode()
    assert {'<a href="/plans/only/">', '<a href="/plans/">'} <= set(re.findall(r'<a href="[^"]*">', page))


@pytest.mark.parametrize("role", ["coordinator", "management"])
@pytest.mark.parametrize("page", ["dashboard/", "actions/", "timeline/"])
def test_a_plan_without_actions_says_what_to_do(client, role, page):
    user = UserFactory(roles=[role])
    plan = PlanFactory(organization=user.organization)
    client.force_login(user)
    text = client.get(f"/plans/{plan.slug}/{page}").content.decode()
    assert "ไม่มีรายการตรงกับเงื่อนไข" not in text
    assert "ยังไม่มีสิ่งที่ต้องดำเนินการ" in text
    assert (f"/plans/{plan.slug}/import/" in text) == (role == "coordinator")
    filtered = client.get(f"/plans/{plan.slug}/{page}?level=2").content.decode()
    assert "ไม่มีรายการตรงกับเงื่อนไข" in filtered


def test_my_work_of_a_plan_that_has_ended_asks_for_nothing(client, plan, unit, action):
    client.force_login(UserFactory(roles=["staff"], units=[unit]))
    assert "ส่งรายงาน" in client.get(f"/plans/{plan.slug}/my/").content.decode()
    Plan.objects.filter(pk=plan.pk).update(state=ENDED, revision=plan.revision + 100)  # pages are kept by revision
    text = client.get(f"/plans/{plan.slug}/my/").content.decode()
    assert "submission-strip" not in text
    assert "แผนนี้สิ้นสุดเมื่อ" in text
