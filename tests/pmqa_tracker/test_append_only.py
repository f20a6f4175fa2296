"""The database itself refuses to change, delete or replace rows of append-only tables."""
# ruff: noqa: S608 - the statements of somebody who tampers with the database

import pytest
from django.db import IntegrityError, connection, transaction

from plan.models import ActionItem, Evidence, EvidenceWithdrawal, ProgressUpdate
from pmqa_tracker.append_only_triggers import APPEND_ONLY, append_only_models, install, missing_triggers
from pmqa_tracker.constraints import explain_violation
from submissions.models import SubmissionStep
from tests.append_only import triggers_off
from tests.factories import EvidenceWithdrawalFactory, SubmissionStepFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

LOGS = {
    "audit_event", "plan_evidence", "plan_evidencewithdrawal", "plan_loglink", "plan_planstep", "plan_progressupdate",
    "plan_removedupdate", "submissions_submissionline", "submissions_submissionstep",
}  # fmt: skip
HISTORIES = {
    f"{app}_historical{name}"
    for app, names in {
        "assignments": ("assignment", "organization", "unit", "unit_members"),
        "criteria": (
            "assessment", "category", "criterion", "criterion_predecessors", "framework", "requirement", "verdict",
        ),
        "plan": ("actionitem", "actionitem_requirements", "meeting", "period", "plan"),
    }.items()
    for name in names
}  # fmt: skip


def refuse(statement: str) -> None:
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert explain_violation(error.value).code == APPEND_ONLY, statement


def test_every_log_and_history_has_its_triggers():
    assert {model._meta.db_table for model in append_only_models()} == LOGS | HISTORIES
    assert missing_triggers(connection) == []
    with triggers_off():
        if connection.vendor == "sqlite":
            assert {each.table for each in missing_triggers(connection)} == LOGS | HISTORIES
    with connection.cursor() as cursor:
        for table in ("plan_evidence", "plan_historicalplan"):
            trigger = next(each for each in _triggers(cursor) if each[1] == table)
            cursor.execute(f"DROP TRIGGER {trigger[0]}" + (f" ON {table}" if connection.vendor != "sqlite" else ""))
    assert {each.table for each in missing_triggers(connection)} == {"plan_evidence", "plan_historicalplan"}
    install()
    assert missing_triggers(connection) == []


def _triggers(cursor):
    if connection.vendor == "sqlite":
        cursor.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    else:
        cursor.execute(
            "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE tgname LIKE 'append_only%' ORDER BY tgname"
        )
    return cursor.fetchall()


def test_rows_can_be_added_and_nothing_else():
    EvidenceWithdrawalFactory()
    SubmissionStepFactory()
    action = ActionItem.objects.first()
    action.text = "แก้ไข"
    action.save()
    connection.check_constraints()  # PostgreSQL truncates no table with a foreign key that it still has to check
    for model in (ProgressUpdate, Evidence, EvidenceWithdrawal, SubmissionStep, ActionItem.history.model):
        table, key = model._meta.db_table, model._meta.pk.column
        assert model._base_manager.exists(), table
        refuse(f'UPDATE "{table}" SET "{key}" = "{key}"')
        refuse(f'DELETE FROM "{table}"')
        if connection.vendor == "sqlite":
            refuse(f'INSERT OR REPLACE INTO "{table}" SELECT * FROM "{table}"')
        else:
            refuse(f'TRUNCATE "{table}" CASCADE')
