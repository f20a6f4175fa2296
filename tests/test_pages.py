"""Rules for every page: it answers, needs a login, keeps the query budget, and obeys the CSP."""

import re
import sys
from urllib.parse import unquote

import pytest
from django.core.cache import caches
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from criteria.models import Level
from plan.models import Plan, Status
from tests.factories import (
    ActionItemFactory,
    CategoryFactory,
    CriterionFactory,
    EvidenceFactory,
    FrameworkFactory,
    OrganizationFactory,
    PlanFactory,
    ProgressUpdateFactory,
    RequirementFactory,
    UnitFactory,
    UserFactory,
    VerdictFactory,
)
from tests.pages import addresses, lists
from tests.rooms import ROOMS

pytestmark = pytest.mark.django_db
BUDGET = 22
NAMES = (
    "my", "owed", "actions", "action", "dashboard", "criteria", "criterion", "timeline", "units", "unit", "reports",
    "password", "reporting", "period_report", "part", "wall", "supposed", "some_lines", "meeting",
    "sessions",
)  # fmt: skip
CSP = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:",
    "font-src": "'self'", "connect-src": "'self'", "manifest-src": "'self'", "base-uri": "'none'",
    "form-action": "'self'", "frame-ancestors": "'none'",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(rolled_back):
    """A plan that can grow: `world.grow(n)` adds n of everything a page lists, until the end of the test."""

    class World:
        plan = PlanFactory()
        unit = UnitFactory()
        person = UserFactory(roles=["staff", "management"], units=[unit])

        def grow(self, times):
            for _ in range(times):
                other = UnitFactory()
                UnitFactory(is_collective=True, members=[self.unit, other])
                criterion = CriterionFactory(category=CategoryFactory())
                child = CriterionFactory(category=criterion.category, parent=criterion)
                for level in Level:
                    requirement = RequirementFactory(criterion=child, level=level)
                    VerdictFactory(assessment=self.plan.assessment, requirement=requirement)
                    ActionItemFactory(
                        plan=self.plan, criterion=child, requirements=[requirement], lead=[self.unit, other]
                    )
                where = first if (first := self.plan.actions.order_by("pk").first()) else None
                for criterion_of_it in {child, where.criterion if where else child}:
                    action = ActionItemFactory(
                        plan=self.plan, criterion=criterion_of_it, lead=[self.unit, other], support=[UnitFactory()]
                    )
                    update = ProgressUpdateFactory(action=action)
                    EvidenceFactory(update=update)
                if where:
                    EvidenceFactory(update=ProgressUpdateFactory(action=where))
                    where.assignments.create(unit=other, role="SUPPORT", position=9)

    world = World()
    world.grow(1)
    return world


def plan_elsewhere():
    """Return an empty plan of another organization, without units, and of another framework, without criteria."""
    return PlanFactory(organization=OrganizationFactory(), assessment__framework=FrameworkFactory())


def queries_of(client, address):
    caches["pages"].clear()  # what another page has just read
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return len(queries)


def test_no_page_and_no_file_needs_more_queries_for_more_rows(client, world):
    client.force_login(world.person)
    found = addresses(world.plan)
    asked = [found[name] for name in NAMES]
    asked += [f"/plans/{world.plan.slug}/reports/{file}" for file in ("plan-form.xlsx", "meeting.docx")]
    with_one = {address: queries_of(client, address) for address in asked}
    world.grow(3)
    assert {address: queries_of(client, address) for address in asked} == with_one
    assert {address: count for address, count in with_one.items() if count > BUDGET} == {}


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_page_answers_in_its_language_under_the_csp(client, world, name, language):
    client.force_login(world.person)
    client.cookies["django_language"] = language
    response = client.get(addresses(world.plan)[name])
    body = response.content.decode()
    assert response.status_code == 200
    assert f'<html lang="{language}">' in body
    assert no_inline(body) == []
    policy = dict(each.strip().split(" ", 1) for each in response.headers["Content-Security-Policy"].split(";"))
    assert policy == CSP


def no_inline(body):
    """Return what the CSP would refuse: inline scripts, styles and handlers, and content of other sites."""
    scripts = [
        tag for tag in re.findall(r"<script\b[^>]*>", body) if "src=" not in tag and "application/json" not in tag
    ]
    styles = re.findall(r"<style\b[^>]*>|\sstyle=\"[^\"]*\"|\son[a-z]+=\"[^\"]*\"", body)
    elsewhere = re.findall(r"(?:src|<link[^>]*href|action)=\"(?:https?:)?//[^\"]*\"", body)
    return scripts + styles + elsewhere


@pytest.fixture
def guarded(monkeypatch):
    """Refuse undeclared attributes that our code sets on a model instance from outside the instance."""
    set_attribute = Model.__setattr__

    def guard(record, name, value):
        caller = sys._getframe(1)
        is_ours = caller.f_globals["__name__"].split(".")[0] in ROOMS
        is_declared = name.startswith("_") or hasattr(type(record), name)
        if is_ours and not is_declared and caller.f_locals.get("self") is not record:
            raise AssertionError(f"{caller.f_code.co_filename}:{caller.f_lineno} sets {name} on {record!r}")
        set_attribute(record, name, value)

    monkeypatch.setattr(Model, "__setattr__", guard)


def test_pages_set_no_attributes_on_model_instances(client, world, guarded):
    client.force_login(world.person)
    lists_as_workbooks = [workbook for _page, workbook in lists(world.plan).values()]
    for address in [*addresses(world.plan).values(), *lists_as_workbooks]:
        assert client.get(address).status_code == 200, address


def test_attribute_set_on_a_model_instance_is_found(world, guarded):
    code = compile("action.shown = True", "page.py", "exec")
    with pytest.raises(AssertionError, match="sets shown on"):
        exec(code, {"__name__": "worklist.page", "action": world.plan.actions.first()})  # noqa: S102


@pytest.mark.parametrize("name", NAMES)
def test_every_page_needs_a_login(client, world, name):
    address = addresses(world.plan)[name]
    response = client.get(address)
    assert response.status_code == 302
    assert response.url.startswith("/login/?next=/")


EMPTY = (
    "my", "owed", "actions", "dashboard", "criteria", "timeline", "units", "reports", "reporting", "reports/meeting",
)  # fmt: skip


@pytest.mark.parametrize("path", EMPTY)
def test_page_of_an_empty_plan_answers(client, path):
    plan = plan_elsewhere()
    client.force_login(UserFactory(organization=plan.organization))
    response = client.get(f"/plans/{plan.slug}/{path}/")
    assert response.status_code == 200
    assert no_inline(response.content.decode()) == []


def test_first_page_without_a_plan_says_what_to_do(client):
    person = UserFactory(organization=OrganizationFactory())
    client.force_login(person)
    assert not Plan.objects.visible_to(person).exists()
    response = client.get("/")
    assert response.status_code == 200
    assert "plan/plan_none.html" in [template.name for template in response.templates]


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/plans/{slug}x/dashboard/", "/plans/{slug}/dashboard/"),
        ("/plans/{slug}/actions/{ref}9/", "/plans/{slug}/actions/{ref}/"),
        ("/plans/{slug}/criteria/{code}0/", "/plans/{slug}/criteria/{code}/"),
        ("/plans/{slug}/units/ไม่มี/", "/plans/{slug}/units/{unit}/"),
    ],
)
def test_unknown_name_offers_similar_pages(client, world, path, near):
    client.force_login(world.person)
    action = world.plan.actions.select_related("criterion").order_by("pk").first()
    names = {"slug": world.plan.slug, "ref": action.ref, "code": action.criterion.code, "unit": world.unit}
    response = client.get(path.format(**names))
    assert response.status_code == 404
    assert near.format(**names) in [unquote(address) for _label, address in response.context["nearest"]]
    assert no_inline(response.content.decode()) == []


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("path", ["/nowhere/", "/plans/%00/dashboard/", "/plans/{slug}/actions/%00/"])
def test_any_other_url_is_a_404_in_the_look_of_the_site(client, world, path):
    client.force_login(world.person)
    response = client.get(path.format(slug=world.plan.slug))
    assert response.status_code == 404
    assert "404.html" in [template.name for template in response.templates]


def test_world_has_updates_and_evidence(world):
    """The query budget is measured with updates and evidence."""
    assert world.plan.actions.filter(updates__status_to=Status.IN_PROGRESS, evidence__isnull=False).exists()


def test_unit_whose_name_is_its_abbreviation_is_named_once(client):
    name = "ทุกหน่วยงาน"
    unit = UnitFactory(abbreviation=name, name_th=name)
    plan = PlanFactory()
    ActionItemFactory(plan=plan, lead=[unit], ref="1.1-A-1")
    person = UserFactory(roles=["coordinator"], units=[unit], is_superuser=True, is_staff=True)
    client.force_login(person)
    pages = [*addresses(plan).values(), f"/plans/{plan.slug}/import/", f"/plans/{plan.slug}/exchange/returns/"]
    pages += ["/setup/units/", f"/admin/assignments/user/{person.pk}/change/", "/admin/assignments/user/add/"]
    twice = re.compile(rf".*{name}[\s(]+{name}.*")
    inline, other = r"</?(?:a|b|small|span)\b[^>]*>", r"<[^>]+>"
    texts = {page: re.sub(other, "|", re.sub(inline, " ", client.get(page).content.decode())) for page in pages}
    assert {page: found[0] for page, text in texts.items() if (found := twice.search(text))} == {}
    assert sum(name in text for text in texts.values()) > 15
