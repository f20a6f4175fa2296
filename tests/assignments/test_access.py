"""Access rights by role, and the constraints on roles and memberships."""

import pytest
from django.db import IntegrityError, transaction

from assignments.access import Access
from assignments.models import Assignment, Unit
from plan.models import ActionItem
from tests.factories import ActionItemFactory, AssignmentFactory, MembershipFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("roles", "part", "status", "result"),
    [
        (["staff"], "lead", True, True),
        (["staff"], "support", False, True),
        (["staff"], "collective lead", True, True),
        (["staff"], None, False, False),
        (["management"], "lead", False, False),
        (["assessor"], "lead", False, False),
        (["coordinator"], None, True, True),
        ([], "lead", False, False),
    ],
)
def test_rights_by_role_and_part(roles, part, status, result):
    unit = UnitFactory()
    everyone = UnitFactory(is_collective=True, members=[unit])
    assigned = {"lead": {"lead": [unit]}, "support": {"support": [unit]}, "collective lead": {"lead": [everyone]}}
    action = ActionItemFactory(**assigned.get(part, {"lead": [UnitFactory()]}))
    access = Access.of(UserFactory(roles=roles, units=[unit]))
    action = ActionItem.objects.with_details().get(pk=action.pk)
    assert (access.may_change_status(action), access.may_add_result(action)) == (status, result)


def test_administrator_has_the_rights_of_a_coordinator():
    assert Access.of(UserFactory(is_superuser=True)).is_coordinator


@pytest.mark.both_databases
def test_access_to_many_actions_needs_no_more_queries(django_assert_num_queries):
    unit = UnitFactory()
    for _ in range(3):
        ActionItemFactory(lead=[unit])
    access = Access.of(UserFactory(roles=["staff"], units=[unit]))
    actions = list(ActionItem.objects.select_related("plan").with_details())
    with django_assert_num_queries(0):
        assert [access.may_change_status(action) for action in actions] == [True] * 3


@pytest.mark.both_databases
def test_unit_has_a_role_in_an_action_only_once():
    assignment = AssignmentFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(action=assignment.action, unit=assignment.unit, role=assignment.role)
    Assignment.objects.create(action=assignment.action, unit=assignment.unit, role="SUPPORT")
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(action=assignment.action, unit=UnitFactory(), role="BOSS")


@pytest.mark.both_databases
def test_user_is_a_member_of_a_unit_only_once():
    membership = MembershipFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        MembershipFactory(user=membership.user, unit=membership.unit)


@pytest.mark.both_databases
def test_divisions_come_before_collectives():
    second, first = UnitFactory(position=2), UnitFactory(position=1)
    everyone = UnitFactory(position=0, is_collective=True)
    assert list(Unit.objects.in_order()) == [first, second, everyone]
    assert list(Unit.objects.divisions().in_order()) == [first, second]
