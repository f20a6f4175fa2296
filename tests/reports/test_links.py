"""Figures of the dashboards link to exactly the rows they count, on the plan of the department.

A full run counts the rows of every figure, any other run those of twenty figures of each page.
"""

import json
import re
from html import unescape
from random import Random

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import RequestFactory

from plan.actions.views import read_action_listing
from plan.models import Plan
from tests import sizes

pytestmark = [pytest.mark.django_db, pytest.mark.apart]
LINK = re.compile(r'<a href="(/plans/[^"]*/actions/[^"]*)">(?:<b>)?(\d+)(?:</b>|</a>)')
COUNT = re.compile(r'id="count" data-count="(\d+)"')
CHART = re.compile(r'<script id="[\w-]+-data" type="application/json">(.*?)</script>', re.S)
WHERE = {
    "dashboard/": 70,
    "dashboard/?by=unit": 110,
    "dashboard/?by=support&as_of=2020-02-10&since=2019-12-31": 90,
    "dashboard/?by=period": 45,
    "dashboard/?unit=กพร.&role=LEAD&as_of=2020-05-15&since=2019-09-30": 40,
    "dashboard/?category=2&level=2&unit=สพม.&sort=done&as_of=2020-07-01": 20,
    "dashboard/?as_of=2019-08-01": 30,
    "units/": 170,
    "timeline/?as_of=2020-05-15": 30,
    "units/กพร./": 40,
    "units/กพร./?role=SUPPORT": 40,
    "units/สพม./?as_of=2020-01-15": 30,
    "units/ทุกหน่วยงาน/": 10,
    "criteria/?unlock=10": 5,
    "criteria/1.2.1/": 3,
    "criteria/1.1.3/?as_of=2020-05-15": 2,
    "reports/meeting/": 50,
    "reports/meeting/?as_of=2020-06-30&since=2020-03-31": 50,
}


def count_rows(plan, address):
    """Count the rows of the list at a URL with its queryset; no parameter may be ignored."""
    request = RequestFactory().get(address)
    request._messages = CookieStorage(request)
    count = read_action_listing(request, plan).actions.count()
    assert list(request._messages) == [], address
    return count


# Also on PostgreSQL: the meeting, which compares two days; in a full run the figures of one unit and the criteria too.
ON_BOTH = {
    "reports/meeting/": pytest.mark.both_databases,
    "units/กพร./": pytest.mark.both_databases(only_full=True),
    "criteria/?unlock=10": pytest.mark.both_databases(only_full=True),
}


@pytest.mark.parametrize("where", [pytest.param(each, marks=ON_BOTH.get(each, ())) for each in WHERE])
def test_figures_link_to_the_rows_they_count(demo, client, manager, where):
    client.force_login(manager)
    response = client.get(f"/plans/2562-2563/{where}")
    body, plan = response.content.decode(), Plan.objects.get()
    links = {(unescape(address), int(count)) for address, count in LINK.findall(body)}
    for chart in CHART.findall(body):
        for series in json.loads(chart)["series"]:
            links |= {(link, count) for link, count in zip(series.get("links", ()), series["data"], strict=False)}
    assert len(links) >= WHERE[where]
    by_count = sorted(links, key=lambda link: (link[1], link[0]))
    some = Random(sizes.SEED).sample(by_count, sizes.scaled(len(links), least=min(len(links), 20)))  # noqa: S311
    counted = {address: count_rows(plan, address) for address in {address for address, _count in some}}
    assert {(address, count, counted[address]) for address, count in some if counted[address] != count} == set()
    # The linked pages show the same count: checked for the largest figure and one in the middle.
    for address, count in (by_count[-1], by_count[len(by_count) // 2]):
        page = client.get(address)
        assert page.context["page"].paginator.count == count == int(COUNT.search(page.content.decode())[1])
        assert list(page.context["messages"]) == [], address


@pytest.mark.parametrize(
    "where", ["dashboard/?as_of=2020-02-10", "criteria/?unlock=3&as_of=2020-02-10", "units/?as_of=2020-02-10"]
)
def test_links_of_a_past_day_keep_the_day(demo, client, manager, where):
    client.force_login(manager)
    body = client.get(f"/plans/2562-2563/{where}").content.decode()
    addresses = [unescape(address) for address, _count in LINK.findall(body)]
    assert addresses
    assert [each for each in addresses if not re.search("as_of=20(20-02-10|19-12-31|20-01-17)", each)] == []
