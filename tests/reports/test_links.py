"""Every figure of the dashboards is a link to exactly the rows it counts, on the department's own plan."""

import re
from html import unescape

import pytest

pytestmark = pytest.mark.django_db
LINK = re.compile(r'<a href="(/plans/[^"]*/actions/[^"]*)">(?:<b>)?(\d+)(?:</b>|</a>)')


@pytest.mark.parametrize("where", ["dashboard/", "units/", "units/กพร./", "units/สพม./", "dashboard/?as_of=2020-02-10"])
def test_every_figure_is_a_link_to_exactly_the_rows_it_counts(demo, client, manager, where):
    client.force_login(manager)
    links = set(LINK.findall(client.get(f"/plans/2562-2563/{where}").content.decode()))
    assert len(links) > 10
    wrong = {}
    for address, count in links:
        shown = client.get(unescape(address)).context["page"].paginator.count
        if shown != int(count):
            wrong[address] = (int(count), shown)
    assert wrong == {}
