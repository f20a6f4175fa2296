"""A database that has lost its last writes: an older copy was put back, or a standby took over that lacked them."""

import pytest
from django.db.models import F

from plan.lookup import find_plan
from plan.models import ActionItem, Plan
from tests.factories import ActionItemFactory, UserFactory
from tests.kept_pages import HERE, client_of

pytestmark = pytest.mark.django_db


def test_page_does_not_show_what_the_database_has_lost(plan, unit):
    ActionItemFactory(plan=plan, lead=[unit], text="ข้อความเดิม")
    client = client_of(UserFactory(roles=["management"]))

    def see():
        return client.get(f"{HERE}/units/{unit.abbreviation}/").content.decode()

    ActionItem.objects.update(text="ข้อความที่หายไป")
    assert "ข้อความที่หายไป" in see()
    ActionItem.objects.update(text="ข้อความเดิม")
    Plan.objects.update(revision=F("revision") - 1)
    assert "ข้อความที่หายไป" not in see()
    assert "ข้อความเดิม" in see()


def test_periods_are_found_after_the_plan_was_read_again(plan, rf):
    request = rf.get("/")
    request.user = UserFactory(roles=["management"])
    found = find_plan(request, plan.slug)
    periods = found.periods.all()
    found.refresh_from_db()
    assert [*periods] == [*plan.periods.all()]
