"""Rules for every list: its page links to its workbook with the same parameters, in few queries."""

import re
from html import unescape
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from tests.factories import UserFactory
from tests.pages import lists
from tests.test_pages import BUDGET, plan_elsewhere, world  # noqa: F401 - the plan that can grow

pytestmark = pytest.mark.django_db
NAMES = ("actions", "my", "owed", "reporting", "units", "criteria", "timeline")
TITLES = {
    "th": ("สิ่งที่ต้องดำเนินการ", "งานของฉัน", "งานที่ต้องรายงาน", "การส่งรายงาน", "หน่วยงาน", "แผนที่ระดับ", "แผนภาพเวลา"),
    "en": ("Actions", "My work", "To report", "Period reports", "Units", "Maturity map", "Timeline"),
}
LINK = re.compile(r'<a class="button button-quiet excel-link"\s+href="([^"]+)" download')


def open_sheet(response):
    """Return the sheet of a response with a workbook."""
    assert response.status_code == 200
    return load_workbook(BytesIO(response.getvalue())).active


def shape(sheet):
    """Return (lines above the headings, headings, rows) of a list."""
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    head = int(sheet.print_title_rows.rpartition("$")[2]) - 1
    return [row[0] for row in rows[:head]], rows[head], rows[head + 1 :]


@pytest.mark.parametrize("language", ["th", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_list_links_to_its_workbook(client, world, name, language):  # noqa: F811
    client.force_login(world.person)
    client.cookies["django_language"] = language
    page, file = lists(world.plan)[name]
    (link,) = LINK.findall(client.get(page).content.decode())
    assert unescape(link).rstrip("?") == file
    lines, headings, rows = shape(open_sheet(client.get(unescape(link))))
    assert lines[0] == TITLES[language][NAMES.index(name)]
    assert lines[1].startswith(f"{world.plan.title} · ")
    assert all(headings)
    assert rows
    assert any(len(list(filter(None, row))) > 1 for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_workbook_needs_no_more_queries_for_more_rows(client, world, name):  # noqa: F811
    client.force_login(world.person)
    _page, file = lists(world.plan)[name]

    def queries():
        with CaptureQueriesContext(connection) as found:
            rows = shape(open_sheet(client.get(file)))[2]
        return len(found), len(rows)

    with_few, few = queries()
    world.grow(3)
    with_more, more = queries()
    assert with_more == with_few <= BUDGET
    assert more > few or name in ("reporting", "units")  # they list the units, which the person's page does not add to


@pytest.mark.parametrize("name", NAMES)
def test_workbook_needs_a_login(client, world, name):  # noqa: F811
    response = client.get(lists(world.plan)[name][1])
    assert response.status_code == 302
    assert response.url.startswith("/login/?next=/")


@pytest.mark.parametrize("name", NAMES)
def test_workbook_of_an_empty_list_has_headings_and_a_sentence(client, name):
    plan = plan_elsewhere()
    client.force_login(UserFactory(organization=plan.organization))
    _lines, headings, rows = shape(open_sheet(client.get(f"/plans/{plan.slug}/{name}.xlsx")))
    assert all(headings)
    ((sentence, *others),) = rows
    assert len(sentence) > 10
    assert set(others) <= {None}
