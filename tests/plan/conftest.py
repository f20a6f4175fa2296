"""Fixtures for the tests of plans."""

from types import SimpleNamespace

import pytest

from tests.factories import (
    ActionItemFactory,
    AssessmentFactory,
    CategoryFactory,
    CriterionFactory,
    EvidenceFactory,
    FrameworkFactory,
    MeetingFactory,
    OrganizationFactory,
    PlanFactory,
    UnitFactory,
    UserFactory,
)


@pytest.fixture
def world(client, unit, plan, report_progress):
    """A plan with a record of each model, a coordinator who is logged in, and a plan that shows none of it."""
    person = UserFactory(roles=["coordinator"], units=[unit], is_staff=True, is_superuser=True, first_name="สมศรี")
    criterion = CriterionFactory(code="8.9", category=CategoryFactory(number=98))
    action = ActionItemFactory(plan=plan, criterion=criterion, ref="1.1-A-1", lead=[unit])
    MeetingFactory(plan=plan)
    update = report_progress(action, person, progress=10, result="เริ่มแล้ว")
    evidence = EvidenceFactory(update=update)
    everyone = UnitFactory(is_collective=True, members=[unit])
    framework = FrameworkFactory()
    organization = OrganizationFactory()
    apart = AssessmentFactory(framework=framework, organization=organization)
    other = PlanFactory(organization=organization, assessment=apart)
    client.force_login(person)
    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "report_progress"})
