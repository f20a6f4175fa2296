"""A violated constraint gives the message of its model, for each kind of constraint."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from assignments.models import Membership
from plan.models import EvidenceWithdrawal, ProgressUpdate
from pmqa_tracker.constraints import UNIQUE, explain_violation
from tests.factories import (
    ActionItemFactory,
    EvidenceWithdrawalFactory,
    MembershipFactory,
    ProgressUpdateFactory,
    UnitFactory,
    VerdictFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(every=True)]


def check_with_message():
    ProgressUpdateFactory(progress_from=50, progress_to=40, reason="")


def check_of_another_table():
    action = ActionItemFactory()
    type(action).objects.filter(pk=action.pk).update(status="DONE", progress=40)


def check_without_message():
    ProgressUpdateFactory(source="UNDO")


def unique_fields_with_message():
    member = MembershipFactory()
    Membership.objects.create(user=member.user, unit=member.unit)


def unique_fields_without_message():
    update = ProgressUpdateFactory()
    ProgressUpdateFactory(action=update.action, version=update.version)


def unique_expression():
    UnitFactory(abbreviation="OPDC")
    UnitFactory(abbreviation="opdc")


def unique_field():
    ProgressUpdateFactory(op_id=ProgressUpdateFactory().op_id)


def unique_relation():
    withdrawal = EvidenceWithdrawalFactory()
    EvidenceWithdrawal.objects.create(evidence=withdrawal.evidence, reason="อีกครั้ง", by=withdrawal.by, at=withdrawal.at)


def foreign_key():
    update = ProgressUpdateFactory()
    update.pk, update.unit_id, update.version, update._state.adding = None, 10**6, 99, True
    update.op_id = "11111111-1111-1111-1111-111111111111"
    update.save()
    connection.check_constraints()


def null():
    VerdictFactory(passed=None)


def column():
    ProgressUpdateFactory(progress_from=-2, progress_to=-1)


def refuse(write):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        write()
    return refused.value


@pytest.mark.parametrize(
    ("write", "code", "message", "thai"),
    [
        (check_with_message, None, "Say why the progress goes back.", "โปรดระบุ"),
        (check_of_another_table, None, "An action that is done has a progress of 100.", "100"),
        (check_without_message, None, "Constraint “update_undo_names_import” is violated.", "“update_undo"),
        (unique_fields_with_message, UNIQUE, "This person is already a member of this unit.", "หน่วยงาน"),
        (unique_fields_without_message, UNIQUE, "Progress update with this Action item and Version", "มี"),
        (
            unique_expression,
            UNIQUE,
            "The organization already has a unit with this abbreviation",
            "หน่วยงาน",
        ),
        (unique_field, UNIQUE, "Progress update with this Operation already exists.", "มี"),
        (unique_relation, UNIQUE, "Withdrawal of evidence with this Evidence already exists.", "มี"),
    ],
)
def test_each_kind_of_constraint_has_its_message(write, code, message, thai):
    error = refuse(write)
    with translation.override("en"), CaptureQueriesContext(connection) as queries:
        explained = explain_violation(error)
        assert (explained.code, len(queries)) == (code, 0)
        assert explained.messages[0].startswith(message)
    assert thai in explain_violation(error).messages[0]


@pytest.mark.parametrize("write", [foreign_key, null, column])
def test_violation_without_a_model_constraint_has_no_message(write):
    assert explain_violation(refuse(write)) is None


def test_constraint_names_are_unique():
    """SQLite names a CHECK constraint without its table."""
    names = [constraint.name for model in apps.get_models() for constraint in model._meta.constraints]
    assert len(names) == len(set(names)) > 20


def test_saving_a_log_row_queries_no_constraint_beforehand():
    update = ProgressUpdate(progress_from=50, progress_to=40)
    with CaptureQueriesContext(connection) as queries:
        update.validate_constraints()
    assert len(queries) == 0
