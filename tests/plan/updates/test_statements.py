"""The SQL statements of an update: in the whole request, and in its write transaction."""

import pytest

from plan.models import Evidence, ProgressUpdate
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.plan.evidence.test_views import PNG, upload
from tests.statements import REQUEST, Statements, check, count
from tests.worklist.test_my import choice, typed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases(only_full=True)]
HTMX = {"HX-Request": "true"}
PAGES = {"action page": "/plans/2563/actions/1.1-A-1/", "my work": "/plans/2563/my/1.1-A-1/"}
by_page = pytest.mark.parametrize("page", PAGES)
by_htmx = pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])


@pytest.fixture
def unit():
    return UnitFactory(abbreviation="สพม.")


@pytest.fixture
def plan():
    return PlanFactory(slug="2563")


@pytest.fixture
def actions(plan, unit):
    """Three actions of the unit, also led through a collective, with everything that a row shows."""
    everyone = UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True, members=[unit, UnitFactory()])
    return [
        ActionItemFactory(plan=plan, ref=f"1.1-A-{n}", lead=[unit, everyone], support=[UnitFactory()])
        for n in (1, 2, 3)
    ]


@pytest.fixture
def staff(unit, client):
    person = UserFactory(roles=["staff"], units=[unit])
    client.force_login(person)
    return person


@pytest.mark.both_databases
@by_page
@by_htmx
@pytest.mark.parametrize("roles", [["staff"], ["coordinator"]], ids=["staff", "coordinator"])
def test_update(client, request, unit, actions, report_progress, page, headers, roles):
    author = UserFactory(roles=roles, units=[unit])
    client.force_login(author)
    report_progress(actions[0], author, progress=10, result="เริ่มแล้ว")
    data = typed(actions[0], status_to="IN_PROGRESS", progress_to=40, result="จัดทำร่างแล้ว", next_step="เวียนร่าง")
    statements = count(client, request.node.name, PAGES[page], data, status=200 if headers else 302, headers=headers)
    assert ProgressUpdate.objects.count() == 2
    check(statements, REQUEST, 7)


@by_page
@by_htmx
def test_update_with_evidence(client, request, staff, actions, page, headers):
    files = [upload(), upload("ภาพ.png", PNG)]
    data = typed(actions[0], result="ทำแล้ว", files=files, links="รายงานผล https://example.org/report")
    statements = count(client, request.node.name, PAGES[page], data, status=200 if headers else 302, headers=headers)
    assert Evidence.objects.count() == 3
    check(statements, REQUEST + 3, 9)  # a file is on record as pending before the row that names it


@pytest.mark.both_databases
@by_page
@by_htmx
def test_double_click(client, request, staff, actions, page, headers):
    data = typed(actions[0], result="ทำแล้ว")
    client.post(PAGES[page], data)
    statements = count(client, request.node.name, PAGES[page], data, status=200 if headers else 302, headers=headers)
    assert ProgressUpdate.objects.count() == 1
    check(statements, REQUEST, 0)


@by_page
def test_stale_update(client, request, staff, actions, report_progress, page):
    data = typed(actions[0], result="ทำแล้ว")
    report_progress(actions[0], staff, progress=10, result="เริ่มแล้ว")
    check(count(client, request.node.name, PAGES[page], data, status=409, headers=HTMX), REQUEST, 0)


@by_page
def test_update_that_breaks_a_rule(client, request, staff, actions, page):
    data = typed(actions[0], status_to="BLOCKED")
    check(count(client, request.node.name, PAGES[page], data, status=422, headers=HTMX), REQUEST, 0)


@by_htmx
@pytest.mark.parametrize("rows", [1, 3])
def test_no_change(client, request, staff, actions, rows, headers):
    """Each action gets its own update, with one query for its last update and seven statements in its transaction."""
    client.get("/plans/2563/my/")
    data = {"row": [choice(action) for action in actions[:rows]]}
    with Statements(request.node.name) as statements:
        response = client.post("/plans/2563/my/unchanged/", data, headers=headers)
    assert response.status_code in (200, 302)
    assert ProgressUpdate.objects.count() == rows
    check(statements, REQUEST - 8 + 8 * rows, 7 * rows)
