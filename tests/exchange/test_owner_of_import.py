"""Whole-plan workbooks and organizations: who learns of an import, for whom it is written, and who may undo it."""

import pytest

from criteria.models import Framework
from exchange.models import ImportJobState
from plan.models import Plan
from tests.exchange.test_editions import NEXT, book_with
from tests.exchange.workbooks import confirm, preview
from tests.factories import (
    ActionItemFactory,
    AssessmentFactory,
    CategoryFactory,
    CriterionFactory,
    FrameworkFactory,
    OrganizationFactory,
    PlanFactory,
    RequirementFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


@pytest.fixture
def plan():
    criterion = CriterionFactory(category=CategoryFactory(number=1), code="1.1")
    plan = PlanFactory(slug="2563")
    RequirementFactory(criterion=criterion, level=1)
    ActionItemFactory(plan=plan, criterion=criterion, ref="1.1-A-1", lead=[UnitFactory(abbreviation="กพร.")])
    return plan


@pytest.fixture
def stranger():
    return UserFactory(roles=["coordinator"], organization=OrganizationFactory(name="กรมอื่น", short_name="กอ."))


def test_file_that_another_organization_imported_is_no_repeat(plan, coordinator, stranger):
    data = book_with(plan, NEXT | {"organization": None})
    assert confirm(preview(data, None, coordinator), coordinator).state == ImportJobState.WRITTEN
    again, elsewhere = preview(data, None, coordinator), preview(data, None, stranger)
    assert (again.state, str(coordinator) in again.refusal) == (ImportJobState.UNCHANGED, True)
    assert elsewhere.state == ImportJobState.REFUSED  # the code of the plan is taken
    assert str(coordinator) not in f"{elsewhere.refusal} {elsewhere.findings}"


def test_history_names_the_coordinator_who_confirms(plan, coordinator):
    other = UserFactory(roles=["coordinator"])
    made = confirm(preview(book_with(plan, NEXT | {"organization": None}), None, coordinator), other).plan
    records = [made, made.actions.get(), made.periods.first(), made.assessment]
    assert {each.history.get().history_user for each in records} == {other}


def test_preview_of_an_administrator_is_not_that_of_their_organization(client, plan, stranger):
    """An administrator may name any organization in the file; a coordinator of their own has no part in it."""
    administrator = UserFactory(is_superuser=True, organization=stranger.organization)
    job = preview(book_with(plan, NEXT), None, administrator)
    assert job.state == ImportJobState.PREVIEW
    client.force_login(stranger)
    assert [getattr(client, method)(f"/new-plan/{job.key}/").status_code for method in ("get", "post")] == [404, 404]
    assert confirm(job, stranger).plan is None  # nor by any other way
    job = confirm(preview(book_with(plan, NEXT), None, administrator), administrator)
    assert (job.organization, job.plan.organization) == (plan.organization, plan.organization)
    assert client.post(f"/new-plan/{job.key}/undo/").status_code == 404
    assert Plan.objects.filter(slug="2564").exists()


@pytest.mark.both_databases
@pytest.mark.parametrize("is_administrator", [False, True])
def test_plan_belongs_to_the_organization_that_uploaded_it(plan, coordinator, stranger, is_administrator):
    """The person who uploaded the file has moved; who confirms it may be an administrator of another organization."""
    mover = UserFactory(roles=["coordinator"])
    job = preview(book_with(plan, NEXT | {"organization": None}), None, mover)
    mover.organization = stranger.organization
    mover.save()
    job.refresh_from_db()
    administrator = UserFactory(is_superuser=True, organization=stranger.organization)
    made = confirm(job, administrator if is_administrator else coordinator).plan
    assert made.organization == plan.organization


@pytest.mark.both_databases
def test_undo_leaves_criteria_that_others_need(client, plan, coordinator):
    """Criteria without a verdict or an action, in an edition that was there before the file."""
    framework = FrameworkFactory(slug="pmqa-2566", fiscal_year=2566)
    CategoryFactory(framework=framework, number=1, name=plan.framework.categories.get().name)
    head = NEXT | {"framework": "pmqa-2566", "framework_name": None, "edition": None, "fiscal_year": None}
    job = confirm(preview(book_with(plan, head), None, coordinator), coordinator)
    assert job.state == ImportJobState.WRITTEN, job.findings["errors"]
    client.force_login(coordinator)
    made = framework.criteria.get()
    later = CriterionFactory(category=CategoryFactory(framework=FrameworkFactory(slug="later"), number=1), code="1.1")
    foreign = AssessmentFactory(framework=framework, organization=OrganizationFactory())
    client.post(f"/new-plan/{job.key}/undo/")
    foreign.delete()
    later.predecessors.set([made])
    client.post(f"/new-plan/{job.key}/undo/")
    assert list(framework.criteria.all()) == list(later.predecessors.all()) == [made]
    later.predecessors.clear()
    client.post(f"/new-plan/{job.key}/undo/")
    assert not framework.criteria.exists()
    assert Framework.objects.filter(pk=framework.pk).exists()


def test_import_into_a_plan_that_ended_since_is_not_undone(client, plan, coordinator):
    row = {"criterion": "1.1", "levels": "Basic", "text": "จัดทำแผนสื่อสาร", "lead": "กพร."}
    data = book_with(plan, cells={("รายการ", 5, name): text for name, text in row.items()})
    job = confirm(preview(data, None, coordinator), coordinator)
    assert job.state == ImportJobState.WRITTEN, job.findings["errors"]
    client.force_login(coordinator)
    Plan.objects.filter(pk=plan.pk).update(state=Plan.State.ENDED)
    page = f"/new-plan/{job.key}/"
    assert f'action="{page}undo/"' not in client.get(page).content.decode()
    client.post(f"{page}undo/")
    assert plan.actions.count() == 2
    Plan.objects.filter(pk=plan.pk).update(state=Plan.State.RUNNING)
    client.post(f"{page}undo/")
    assert plan.actions.count() == 1
