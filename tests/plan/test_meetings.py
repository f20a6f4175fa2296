"""Meetings, and the days that a page is compared with."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from plan.as_of import on_day
from plan.lookup import comparison_days, day_query, read_since
from plan.models import Meeting, Plan
from tests.factories import MeetingFactory, PlanFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    return PlanFactory()


def on(plan, *day):
    return on_day(plan, date(*day), plan.periods.all())


@pytest.mark.both_databases
def test_meeting_is_inside_its_plan_and_one_per_day(plan):
    MeetingFactory(plan=plan, held_on=date(2020, 1, 17)).full_clean()
    for day in (date(2019, 9, 30), date(2020, 10, 1)):
        with pytest.raises(ValidationError) as error:
            Meeting(plan=plan, held_on=day, name="การประชุม").full_clean()
        assert set(error.value.message_dict) == {"held_on"}
    with pytest.raises(ValidationError):
        Meeting(plan=plan, held_on=date(2020, 1, 17), name="อีกครั้ง").full_clean()


@pytest.mark.both_databases
def test_comparison_days(plan):
    for month in (11, 12):
        MeetingFactory(plan=plan, held_on=date(2019, month, 5), name=f"ครั้งที่ {month}")
    last = MeetingFactory(plan=plan, held_on=date(2020, 4, 10), name="ครั้งล่าสุด")
    MeetingFactory(plan=plan, held_on=date(2020, 6, 1), name="ครั้งหน้า")
    MeetingFactory(held_on=date(2020, 5, 1), name="ของแผนอื่น")
    days = comparison_days(plan, on(plan, 2020, 5, 15))
    assert [day for _name, day in days] == [
        date(2020, 4, 10), date(2019, 12, 5), date(2020, 3, 31), date(2019, 12, 31), date(2019, 10, 1),
    ]  # fmt: skip
    assert days[0][0] == last.name
    # The day of a meeting is compared with the previous meeting.
    assert comparison_days(plan, on(plan, 2020, 4, 10))[0][1] == date(2019, 12, 5)
    assert comparison_days(plan, on(plan, 2019, 10, 1)) == []


def test_first_comparison_day_without_meetings_is_the_last_period(plan):
    assert comparison_days(plan, on(plan, 2020, 5, 15))[0][1] == date(2020, 3, 31)
    assert comparison_days(plan, on(plan, 2019, 11, 15)) == [
        (str(comparison_days(plan, on(plan, 2019, 11, 15))[0][0]), date(2019, 10, 1))
    ]


@pytest.mark.parametrize(
    ("asked", "shown", "is_said"),
    [
        ("", date(2020, 3, 31), False),
        ("2020-01-31", date(2020, 1, 31), False),
        ("31/1/2563", date(2020, 1, 31), False),
        ("2563-01-31", date(2020, 1, 31), False),
        ("2020-05-15", date(2020, 5, 14), True),
        ("2020-09-01", date(2020, 5, 14), True),
        ("2019-01-01", date(2019, 10, 1), True),
        ("2020-02-31", date(2020, 3, 31), True),
        ("yesterday", date(2020, 3, 31), True),
        ("\x00", date(2020, 3, 31), True),
    ],
)
def test_since_from_the_url(plan, asked, shown, is_said, monkeypatch):
    said = []
    monkeypatch.setattr("plan.lookup.messages.warning", lambda request, text: said.append(text))
    as_of = on(plan, 2020, 5, 15)
    request = RequestFactory().get("/", {"since": asked} if asked else {})
    assert read_since(request, plan, as_of, comparison_days(plan, as_of)).day == shown
    assert bool(said) == is_said


def test_no_earlier_day_on_the_first_day(plan):
    as_of = on(plan, 2019, 10, 1)
    assert read_since(RequestFactory().get("/"), plan, as_of, comparison_days(plan, as_of)).day == plan.starts_on


def test_link_keeps_the_day_unless_it_is_the_default(plan):
    assert day_query(plan, on(plan, 2020, 5, 15)) == {}  # the day of the tests
    assert day_query(plan, on(plan, 2020, 5, 14)) == {"as_of": "2020-05-14"}


def test_demo_has_two_meetings(demo):
    plan = Plan.objects.get(slug="2562-2563")
    assert plan.meetings.count() == 2
    for meeting in plan.meetings.all():
        meeting.full_clean()
        assert "ตัวอย่าง" in meeting.name
