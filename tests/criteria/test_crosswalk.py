"""The crosswalk: what a criterion was in the edition before; the same rules by every way in, and its page."""

import pytest
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from criteria.models import Criterion
from plan.models import Plan
from tests.exchange.test_editions import NEXT, book_with, errors_of
from tests.exchange.workbooks import preview
from tests.factories import (
    AssessmentFactory,
    CriterionFactory,
    FrameworkFactory,
    OrganizationFactory,
    PlanFactory,
    RequirementFactory,
    UserFactory,
)
from tests.pmqa_tracker.test_admin import address, posted
from tests.spreadsheets import test_admin_tables as tables

pytestmark = pytest.mark.django_db

# Change, codes of the predecessors ("x" is of another edition) → whether the model's rules allow it.
RULES = [
    ("", "", True),
    ("", "1.1", False),
    ("NEW", "", True),
    ("NEW", "1.1", False),
    ("SAME", "1.1", True),
    ("SAME", "", False),
    ("SAME", "1.1, 1.2", False),
    ("CHANGED", "1.2", True),
    ("CHANGED", "", False),
    ("SPLIT", "1.1", True),
    ("SPLIT", "1.1, 1.2", False),
    ("MERGED", "1.1, 1.2", True),
    ("MERGED", "1.1", False),
    ("MERGED", "", False),
    ("SAME", "9.9", False),
]
NEWEST = NEXT | {"framework": "pmqa-2570", "edition": "พ.ศ. 2570", "fiscal_year": 2570}


@pytest.fixture
def editions():
    """A plan with criteria 1.1 and 1.2; the next edition with 2.1; one before both with 9.9."""
    oldest = CriterionFactory(category__framework=FrameworkFactory(slug="pmqa-2550", fiscal_year=2550), code="9.9")
    plan = PlanFactory(slug="2563")
    one, two = (CriterionFactory(category__number=each, code=f"1.{each}", title=f"เดิม {each}") for each in (1, 2))
    later = FrameworkFactory(slug="pmqa-2566", fiscal_year=2566, previous=plan.framework)
    new = CriterionFactory(category__framework=later, category__number=1, code="2.1", title="รวมใหม่")
    for each in (one, two, new):
        RequirementFactory(criterion=each)
    return plan, later, {"1.1": one, "1.2": two, "9.9": oldest}, new


@pytest.mark.parametrize(("change", "codes", "is_allowed"), RULES)
def test_rules_are_the_same_in_form_table_and_workbook(client, coordinator, editions, change, codes, is_allowed):
    plan, _later, by_code, new = editions
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    page = address(Criterion, "change", new.pk)
    pks = [by_code[code].pk for code in codes.split(", ") if code]
    answer = client.post(page, posted(client.get(page)) | {"change": change, "predecessors": pks})
    assert (answer.status_code == 302) == is_allowed
    stored = Criterion.objects.get(pk=new.pk)
    assert (stored.change, stored.predecessors.count()) == ((change, len(pks)) if is_allowed else ("", 0))
    stored.predecessors.clear()
    Criterion.objects.filter(pk=new.pk).update(change="")
    rows = [each for each in tables.table(tables.download(client, Criterion)) if each["code"] == "2.1"]
    rows[0] |= {"change": change, "predecessors": codes}
    assert (tables.errors_of(tables.upload(client, Criterion, tables.workbook(rows))) == []) == is_allowed
    cells = {("เกณฑ์", 4, "change"): change or None, ("เกณฑ์", 4, "predecessors"): codes or None}
    job = preview(book_with(plan, NEWEST | {"previous_framework": "pmqa-2562"}, cells), None, coordinator)
    found = {heading for _sheet, heading in errors_of(job)}
    assert (found == set()) == is_allowed
    assert found <= {"เทียบกับฉบับก่อน", "รหัสเกณฑ์เดิม"}


def test_workbook_needs_the_edition_before(editions, coordinator):
    cells = {("เกณฑ์", 4, "change"): "ไม่เปลี่ยนแปลง", ("เกณฑ์", 4, "predecessors"): "1.1"}
    found = errors_of(preview(book_with(editions[0], NEWEST, cells), None, coordinator))
    assert "แผ่นงาน “เกณฑ์”" in found.pop(("แผน", "รหัสฉบับก่อนหน้า"))
    assert found == {}


@pytest.mark.both_databases
def test_predecessor_cannot_be_removed(client, editions):
    _plan, _later, by_code, new = editions
    new.change = "SAME"
    new.save()
    new.predecessors.set([by_code["1.1"]])
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    by_code["1.1"].requirements.all().delete()
    page = client.get(address(Criterion, "delete", by_code["1.1"].pk))
    assert page.context["protected"] == [str(new)]


@pytest.fixture
def merged(editions):
    """The next plan, in preparation: its criterion 2.1 is merged from 1.1 and 1.2."""
    plan, later, by_code, new = editions
    new.change = "MERGED"
    new.save()
    new.predecessors.set([by_code["1.1"], by_code["1.2"]])
    assessment = AssessmentFactory(framework=later)
    latest = PlanFactory(slug="2566", previous=plan, assessment=assessment, state=Plan.State.PREPARATION)
    PlanFactory(slug="2565", starts_on=plan.ends_on, ends_on=plan.ends_on, periods=[(plan.ends_on, plan.ends_on)])
    return plan, latest


def links(client, where, section):
    caches["pages"].clear()  # a kept page has no context
    response = client.get(where)
    assert response.status_code == 200
    related = getattr(response.context["crosswalk"], section)
    assert all(each.url in response.content.decode() for each in related)
    return [(each.criterion.code, str(each.change), each.url) for each in related]


@pytest.mark.both_databases(only_full=True)
def test_page_shows_criteria_of_the_other_edition_in_plans_the_user_may_see(client, merged):
    plan, latest = merged
    old, new = f"/plans/{plan.slug}/criteria/1.1/", f"/plans/{latest.slug}/criteria/2.1/"
    client.force_login(UserFactory(roles=["coordinator"]))
    before = [(code, "รวมจากหลายเกณฑ์", f"/plans/2563/criteria/{code}/") for code in ("1.1", "1.2")]
    assert links(client, new, "predecessors") == before
    assert links(client, old, "successors") == [("2.1", "รวมจากหลายเกณฑ์", new)]
    assert links(client, old, "predecessors") == []
    client.force_login(UserFactory(roles=["staff"]))
    assert links(client, old, "successors") == []  # the next plan is still in preparation
    other = PlanFactory(slug="other", organization=OrganizationFactory(), assessment__framework=latest.framework)
    person = UserFactory(organization=other.organization)
    person.groups.add(Group.objects.get_or_create(name="staff")[0])
    client.force_login(person)
    assert [each[2] for each in links(client, "/plans/other/criteria/2.1/", "predecessors")] == ["", ""]


@pytest.mark.both_databases
def test_page_needs_no_more_queries_for_more_predecessors(client, merged):
    plan, latest = merged
    client.force_login(UserFactory(roles=["coordinator"]))
    counts = []
    for extra in range(2):
        criterion = CriterionFactory(category=plan.framework.categories.first(), code=f"7.{extra}")
        latest.framework.criteria.get(code="2.1").predecessors.add(criterion)
        for where in (f"/plans/{plan.slug}/criteria/1.1/", f"/plans/{latest.slug}/criteria/2.1/"):
            with CaptureQueriesContext(connection) as queries:
                client.get(where)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
