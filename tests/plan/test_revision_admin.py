"""Every form and table of the admin raises the revision of the plans that show the record."""

from types import SimpleNamespace

import pytest
from django.contrib import admin

from assignments.models import Assignment, Membership, Organization, Unit, User
from criteria.models import Assessment, Category, Criterion, Framework, Requirement, Verdict
from plan.models import ActionItem, Meeting, Period, Plan
from plan.revision import WATCHED
from tests.factories import (
    ActionItemFactory,
    AssignmentFactory,
    CategoryFactory,
    CriterionFactory,
    MeetingFactory,
    MembershipFactory,
    PlanFactory,
    RequirementFactory,
    UnitFactory,
    UserFactory,
    VerdictFactory,
)
from tests.plan.revisions import revisions, unchanged
from tests.pmqa_tracker.test_admin import address, posted
from tests.spreadsheets.test_admin_tables import confirm, download, table, upload, workbook

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]

# Every form of the admin: model → field to change, and how to make a record that can be deleted.

FORMS = {
    Organization: ("name", None),
    User: ("last_name", lambda world: UserFactory()),
    Unit: ("name_th", lambda world: UnitFactory()),
    Framework: ("name", None),
    Category: ("name", lambda world: CategoryFactory()),
    Criterion: ("title", lambda world: CriterionFactory()),
    Requirement: ("text", lambda world: RequirementFactory(level=3, criterion=world.criterion)),
    Assessment: ("name", None),
    Verdict: ("reason", lambda world: VerdictFactory(assessment=world.plan.assessment)),
    Plan: ("title", lambda world: PlanFactory()),
    Period: ("ends_on", lambda world: world.plan.periods.get(number=3)),
    Meeting: ("name", lambda world: MeetingFactory(plan=world.plan, held_on="2020-04-02")),
    ActionItem: ("text", lambda world: ActionItemFactory(plan=world.plan)),
    Assignment: ("position", lambda world: AssignmentFactory(action=world.action, unit=UnitFactory())),
    Membership: ("unit", lambda world: MembershipFactory(user=world.person, unit=UnitFactory())),
}


def shown_record(world, model):
    """Return the record of a model that the plan shows."""
    return {
        Organization: world.plan.organization, User: world.person, Unit: world.unit,
        Framework: world.plan.assessment.framework, Category: world.criterion.category, Criterion: world.criterion,
        Requirement: world.criterion.requirements.first(), Assessment: world.plan.assessment,
        Verdict: world.plan.assessment.verdicts.first(), Plan: world.plan, Period: world.plan.periods.get(number=1),
        Meeting: world.plan.meetings.first(), ActionItem: world.action, Assignment: world.action.assignments.first(),
        Membership: world.person.memberships.first(),
    }[model]  # fmt: skip


def test_every_form_of_the_admin_is_tested(world):
    request = SimpleNamespace(user=world.person)
    forms = {model for model, screen in admin.site._registry.items() if screen.has_change_permission(request)}
    assert {model for model in forms if model in WATCHED} == FORMS.keys() & admin.site._registry.keys()
    assert {model.__name__ for model in forms - WATCHED.keys()} == {"Group"}


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.__name__)
def test_admin_raises_the_revision(world, model):
    if model not in admin.site._registry:
        pytest.skip("has no page in the admin yet")
    field, make = FORMS[model]
    page = address(model, "change", shown_record(world, model).pk)
    changed = {"ends_on": "30/12/2562", "position": 7, "unit": UnitFactory().pk}
    before = revisions(world)
    data = posted(world.client.get(page))
    assert world.client.post(page, data | {field: changed.get(field, "ใหม่")}).status_code == 302
    after = revisions(world)
    assert after[0] == before[0] + 1  # once, even with inline rows
    # Somebody who gets another name may have written in any plan.
    assert (after[1] > before[1]) is (model is User)
    if make:
        record = make(world)
        before = revisions(world)
        question = {"post": "yes", "read_version": getattr(record, "version", "")}
        assert world.client.post(address(model, "delete", record.pk), question).status_code == 302
        assert not model.objects.filter(pk=record.pk).exists()
        assert revisions(world) == [before[0] + 1, before[1]]


@pytest.mark.both_databases
def test_inline_rows_and_relations_raise_the_revision(world):
    page = address(ActionItem, "change", world.action.pk)
    data = posted(world.client.get(page))
    other = UnitFactory()
    before = revisions(world)
    row = {"assignments-TOTAL_FORMS": "2", "assignments-1-unit": other.pk, "assignments-1-role": "SUPPORT"}
    row |= {"assignments-1-position": "1", "assignments-1-action": world.action.pk, "assignments-1-id": ""}
    assert world.client.post(page, data | row).status_code == 302
    assert Assignment.objects.filter(unit=other).exists()
    assert revisions(world) == [before[0] + 1, before[1]]


@pytest.mark.parametrize("model", [Category, Criterion, Requirement, Unit, Verdict], ids=lambda model: model.__name__)
def test_imported_table_raises_the_revision_once_and_its_preview_never(world, model):
    rows = table(download(world.client, model))
    field = FORMS[model][0]
    rows = [row | {field: f"ใหม่ {number}"} for number, row in enumerate(rows)]
    before = revisions(world)
    response = upload(world.client, model, workbook(rows))
    assert revisions(world) == before
    confirm(world.client, model, response)
    assert getattr(model.objects.first(), field).startswith("ใหม่")
    assert revisions(world)[0] == before[0] + 1


@pytest.mark.both_databases
def test_stale_copy_of_a_plan_keeps_the_stored_revision(world):
    stale = Plan.objects.get(pk=world.plan.pk)
    page = address(Plan, "change", world.plan.pk)
    data = posted(world.client.get(page))
    unchanged(world)
    before = revisions(world)[0]
    stale.title = "ใหม่"
    stale.save()
    assert revisions(world)[0] == before + 1
    stored = Plan.objects.get(pk=world.plan.pk)
    assert (stored.title, stored.version) == ("ใหม่", stale.version)
    data["read_version"] = stored.version
    assert world.client.post(page, data | {"title": "ใหม่กว่า"}).status_code == 302
    assert revisions(world)[0] == before + 2


def test_update_is_no_conflict_for_the_form_of_the_plan(world):
    page = address(Plan, "change", world.plan.pk)
    data = posted(world.client.get(page))
    unchanged(world)
    assert world.client.post(page, data | {"title": "ใหม่"}).status_code == 302
    assert "revision" not in {field.name for field in Plan.history.model._meta.get_fields()}
