"""Requests with NUL, which PostgreSQL refuses, are answered like unknown names."""

import pytest
from django.conf import settings
from django.urls import reverse

from assignments.models import Unit
from plan.models import ActionItem
from tests.factories import ActionItemFactory, UnitFactory, UserFactory
from tests.spreadsheets.test_admin_tables import download, errors_of, table, upload, workbook

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(every=True)]
NAMES = ("q", "unit", "partner", "criterion", "category", "as_of", "since", "pass", "role", "page", "sort", "state")
PAGES = ("actions/", "dashboard/", "criteria/", "timeline/", "units/", "my/", "owed/", "actions.xlsx")


@pytest.fixture
def action(client):
    unit = UnitFactory()
    person = UserFactory(is_superuser=True, is_staff=True, roles=["coordinator"])
    person.memberships.create(unit=unit)
    client.force_login(person)
    return ActionItemFactory(plan__slug="2563", lead=[unit], runs=(1, 4))


@pytest.mark.parametrize("where", PAGES)
def test_page_answers_a_query_with_nul(client, action, where):
    for query in (dict.fromkeys(NAMES, "\0"), dict.fromkeys(NAMES, "ก\0"), {"\0": "1"}):
        assert client.get(f"/plans/2563/{where}", query).status_code in (200, 302, 404), query


def test_filter_with_nul_is_reported_as_ignored(client, action):
    response = client.get("/plans/2563/actions/", {"unit": "\0"})
    assert list(response.context["messages"])


@pytest.mark.parametrize("piece", ["%00", "%2500", "%00x"])
def test_path_with_nul_is_not_found(client, action, piece):
    for path in ("/plans/{}/actions/", "/plans/2563/actions/{}/", "/plans/2563/units/{}/", "/plans/2563/criteria/{}/"):
        assert client.get(path.format(piece)).status_code == 404, path


def test_the_admin_answers_a_search_with_nul(client, action):
    assert client.get("/admin/plan/actionitem/", {"q": "\0"}).status_code == 200
    asked = {"term": "\0", "app_label": "plan", "model_name": "actionitem", "field_name": "criterion"}
    assert client.get(reverse("admin:autocomplete"), asked).status_code == 200


def test_ticked_row_with_nul_is_refused(client, action):
    row = f"{action.ref}\0|1|11111111-1111-4111-8111-111111111111"
    response = client.post("/plans/2563/my/unchanged/", {"row": row}, follow=True)
    assert response.status_code == 200
    assert not ActionItem.objects.get().updates.exists()


def test_table_cell_with_nul_matches_no_name(client, action):
    rows = table(download(client, Unit))
    rows[0]["abbreviation"] = "_x0000_"
    assert errors_of(upload(client, Unit, workbook(rows)))


def test_cookie_with_nul_is_no_session(client):
    for key in ('"abcdefgh\\000ijk"', "abcdefgh\0ijk"):
        response = client.get("/plans/", headers={"cookie": f"{settings.SESSION_COOKIE_NAME}={key}"})
        assert response.url.startswith("/login/"), key
