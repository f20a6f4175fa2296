"""Update history of an action: order, units, and the filter by unit."""

import pytest

from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def world(client, report_progress):
    lead, helper = UnitFactory(abbreviation="สพม."), UnitFactory(abbreviation="กพร.")
    action = ActionItemFactory(plan=PlanFactory(slug="2563"), lead=[lead], support=[helper])
    first, second = UserFactory(roles=["staff"], units=[lead]), UserFactory(roles=["staff"], units=[helper])
    client.force_login(first)
    updates = [
        report_progress(action, first, progress=20, at="2020-05-02T09:30:15+07:00"),
        report_progress(action, second, result="ส่งข้อมูลแล้ว", at="2020-05-03T10:00:00+07:00"),
        report_progress(action, first, progress=40, at="2020-05-04T11:00:00+07:00"),
    ]
    return f"/plans/2563/actions/{action.ref}/", updates


def test_newest_first_with_its_unit(client, world):
    here, updates = world
    story = client.get(here).context["history"]
    assert list(story.updates) == updates[::-1]
    assert [str(update.unit) for update in story.updates] == ["สพม.", "กพร.", "สพม."]
    assert ([str(unit) for unit in story.units], story.count) == (["สพม.", "กพร."], 3)


def test_filter_by_unit(client, world):
    here, updates = world
    assert list(client.get(f"{here}?unit=กพร.").context["history"].updates) == [updates[1]]
    assert list(client.get(f"{here}?unit=ไม่มี").context["history"].updates) == updates[::-1]


@pytest.mark.both_databases(only_full=True)
def test_update_has_a_url_and_its_exact_time(client, world):
    here, updates = world
    body = client.get(f"{here}?unit=สพม.").content.decode()
    assert f'<li id="update-{updates[0].pk}">' in body
    assert f'href="{here}#update-{updates[0].pk}"' in body
    assert 'title="2 พ.ค. 2563 09:30:15 น."' in body
    assert ">2 พ.ค. 2563</time>" in body


@pytest.mark.both_databases(only_full=True)
def test_unit_is_the_one_reported_for(report_progress):
    own, other = UnitFactory(position=5), UnitFactory(position=1)
    everyone = UnitFactory(is_collective=True, members=[own, other])
    plan = PlanFactory()
    person = UserFactory(roles=["staff"], units=[own, other])
    led = ActionItemFactory(plan=plan, lead=[own], support=[other])
    helped = ActionItemFactory(plan=plan, lead=[UnitFactory()], support=[own])
    shared = ActionItemFactory(plan=plan, lead=[everyone])
    assert [report_progress(action, person, result="ทำแล้ว").unit for action in (led, helped)] == [own, own]
    assert report_progress(shared, UserFactory(roles=["staff"], units=[own]), result="ทำแล้ว").unit == own
    # A coordinator whose own unit does not lead the action reports for the unit that does.
    assert report_progress(led, UserFactory(roles=["coordinator"]), result="ติดตามแล้ว").unit == own
    assert report_progress(led, UserFactory(roles=["coordinator"], units=[other]), result="ติดตาม").unit == own
