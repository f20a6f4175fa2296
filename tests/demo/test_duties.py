"""The rule of duties on the department's own plan: every unit and period."""

import pytest

from assignments.models import Unit, User
from plan.models import ActionItem, Plan
from submissions.grid import SubmissionCellState
from tests.plan.test_duties import expect_agreement

pytestmark = pytest.mark.django_db


def test_all_agree_on_every_unit_and_period_of_the_demo(demo, report_progress):
    plan = Plan.objects.get()
    units = list(Unit.objects.divisions().active().in_order())
    expect_agreement(plan, units)
    author = User.objects.get(username="staff-kn")
    collective = plan.actions.filter(assignments__unit__abbreviation="ทุกหน่วยงาน", assignments__role="LEAD")
    report_progress(
        ActionItem.objects.get(pk=collective.earliest("pk").pk),
        author,
        result="ดำเนินการแล้ว",
    )
    own = set(Unit.objects.of_user(author))
    expect_agreement(plan, [*own, *[unit for unit in units if unit not in own][:2]])


def test_grid_and_page_of_division_in_collective(demo, client):
    client.force_login(User.objects.get(username="staff-kn"))
    response = client.get("/plans/2562-2563/reporting/กน./3/")
    assert response.context["cell"].state != SubmissionCellState.NONE
    assert response.context["page"].rows != []
    apart = [label for label, rows in response.context["groups"] if any(row.collective for row, _field in rows)]
    assert len(apart) == len([label for label in apart if "หลายหน่วยงาน" in label]) > 0
