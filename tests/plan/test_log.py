"""The hash chain of a plan's log: every entry that is changed behind the site is found and named."""
# ruff: noqa: S608 - the statements of somebody who tampers with the database

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from assignments.access import Access
from plan.log.verify import What, verify_chains
from plan.models import Evidence, EvidenceWithdrawal, LogLink, ProgressUpdate, RemovedUpdate
from plan.updates.record import Attachment, withdraw_evidence
from submissions.models import SubmissionLine, SubmissionStep
from tests.append_only import triggers_off
from tests.factories import ActionItemFactory, ProgressUpdateFactory, SubmissionFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

AT = datetime(2020, 2, 10, 3, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def log(action, coordinator, report_progress):
    """A log with seven updates, two pieces of evidence, a withdrawal, a removed update and a submission's step."""
    for number in range(1, 7):
        at = AT + timedelta(days=number)
        links = (Attachment(title="รายงาน", link=f"https://example.org/{number}"),) if number < 3 else ()
        report_progress(action, coordinator, progress=10 * number, result=f"ครั้งที่ {number}", at=at, attachments=links)
    evidence = Evidence.objects.order_by("pk").first()
    withdraw_evidence(evidence=evidence, access=Access.of(coordinator), reason="แนบผิดไฟล์", at=AT + timedelta(days=9))
    step = SubmissionStep.objects.create(
        submission=SubmissionFactory(unit=action.lead[0].unit, period=action.plan.periods.get(number=1)),
        op_id="6e1e47a5-6d5c-4a8a-b7bb-c9cfdd8a0001", version=1, state="SENT", by=coordinator, at=AT, note="ครบถ้วน",
    )  # fmt: skip
    SubmissionLine.objects.bulk_create([SubmissionLine(step=step, action=action, reason="เดิม")])
    imported = ProgressUpdateFactory(
        action=ActionItemFactory(plan=action.plan), source="IMPORT", import_key="6e1e47a5-6d5c-4a8a-b7bb-c9cfdd8a0002"
    )
    imported.action.updates.remove_imported(by=coordinator, at=AT, reason="ยกเลิกการนำเข้า")
    return action.plan


@contextmanager
def tampering(*statements):
    """Run statements as somebody with the database's password would, and take them back afterwards."""
    with transaction.atomic():
        with triggers_off(), connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA defer_foreign_keys = ON")
            for statement in statements:
                cursor.execute(statement)
        yield
        transaction.set_rollback(True)


def found():
    return [(each.what, each.kind, each.entry) for verified in verify_chains() for each in verified.findings]


def test_untouched_log_is_whole(log):
    (verified,) = verify_chains(log.slug)
    assert verified.findings == []
    last = LogLink.objects.order_by("-number").first()
    assert (verified.head.name, verified.head.number, verified.head.hash) == (log.slug, last.number, last.hash)
    kinds = list(LogLink.objects.order_by("number").values_list("kind", flat=True))
    assert kinds == [
        *["plan.ProgressUpdate", "plan.Evidence"] * 2, *["plan.ProgressUpdate"] * 4, "plan.EvidenceWithdrawal",
        "submissions.SubmissionStep", "submissions.SubmissionLine", "plan.ProgressUpdate", "plan.RemovedUpdate",
    ]  # fmt: skip
    assert not ProgressUpdate.objects.filter(source="IMPORT").exists()


def test_every_tampered_row_is_found_and_named(log, coordinator):
    other = UserFactory().pk
    first, second, *_rest = (each.pk for each in ProgressUpdate.objects.order_by("version"))
    last = ProgressUpdate.objects.order_by("-version").first().pk
    _withdrawn, whole = Evidence.objects.order_by("pk").values_list("pk", flat=True)
    withdrawal, step, line, removed = (
        model.objects.get().pk for model in (EvidenceWithdrawal, SubmissionStep, SubmissionLine, RemovedUpdate)
    )
    imported = RemovedUpdate.objects.get().update_id
    changes = {
        ("plan.ProgressUpdate", first): (
            "result = 'อื่น'", f"author_id = {other}", "at = '2020-02-11 03:00:01+00'", "progress_to = 11",
            "op_id = '6e1e47a56d5c4a8ab7bbc9cfdd8a0009'", "file_name = 'x.xlsx'", "source = 'DEMO'", "unit_id = NULL",
            "result = result || ' '", "version = 99",
        ),
        ("plan.Evidence", whole): (
            "title = 'อื่น'", "link = 'https://example.org/x'", f"added_by_id = {other}", f"update_id = {last}",
        ),
        ("plan.EvidenceWithdrawal", withdrawal): ("reason = 'อื่น'", f"evidence_id = {whole}"),
        ("submissions.SubmissionStep", step): ("note = ''", "state = 'ACCEPTED'", f"by_id = {other}"),
        ("submissions.SubmissionLine", line): ("reason = 'อื่น'", f"update_id = {second}"),
        ("plan.RemovedUpdate", removed): ("reason = 'อื่น'",),
    }  # fmt: skip
    logs = (ProgressUpdate, Evidence, EvidenceWithdrawal, SubmissionStep, SubmissionLine, RemovedUpdate)
    tables = {model._meta.label: model._meta.db_table for model in logs}
    tampered = 0
    for (kind, pk), columns in changes.items():
        for column in columns:
            with tampering(f"UPDATE {tables[kind]} SET {column} WHERE id = {pk}"):
                assert found() == [(What.CHANGED, kind, pk)], column
                tampered += 1
    with tampering(f"DELETE FROM plan_evidencewithdrawal WHERE id = {withdrawal}"):
        (finding,) = next(verify_chains()).findings
        assert (finding.what, finding.kind, finding.ref) == (What.MISSING, "plan.EvidenceWithdrawal", "1.1-A-1")
        assert (finding.who, finding.at) == (str(coordinator), AT + timedelta(days=9))
    with tampering(f"DELETE FROM plan_progressupdate WHERE id = {last}"):
        assert found() == [(What.MISSING, "plan.ProgressUpdate", last)]
    with tampering(f"UPDATE plan_removedupdate SET content = '{{}}' WHERE id = {removed}"):
        assert (What.CHANGED, "plan.ProgressUpdate", imported) in found()
    same = {field.column for field in ProgressUpdate._meta.concrete_fields} - {"id", "op_id", "version"}
    copy = ", ".join(sorted(same))
    with tampering(
        f"INSERT INTO plan_progressupdate (id, op_id, version, {copy}) "
        f"SELECT 9999, '6e1e47a56d5c4a8ab7bbc9cfdd8a0008', 77, {copy} FROM plan_progressupdate WHERE id = {last}"
    ):
        assert found() == [(What.ADDED, "plan.ProgressUpdate", 9999)]
    swapped = "UPDATE plan_loglink SET number = CASE number WHEN 1000 THEN 3 WHEN 3 THEN 5 ELSE 1000 END WHERE number ="
    with tampering(f"{swapped} 5", f"{swapped} 3", f"{swapped} 1000"):
        assert [each[0] for each in found()] == [What.MOVED] * len(found()) != []
    with tampering("DELETE FROM plan_loglink WHERE number = 4"):
        third = ProgressUpdate.objects.get(version=4).pk
        assert found() == [(What.MOVED, "plan.ProgressUpdate", third), (What.ADDED, "plan.Evidence", whole)]
    with tampering(f"UPDATE plan_loglink SET by_id = {other} WHERE number = 1"):
        assert found() == [(What.MOVED, "plan.ProgressUpdate", first)]
    assert tampered >= 20
    assert found() == []


def test_command_names_what_is_wrong_and_compares_kept_ends(log, tmp_path):
    out = StringIO()
    call_command("verify_log", stdout=out)
    kept = tmp_path / "ends"
    kept.write_text(out.getvalue(), encoding="utf-8")
    call_command("verify_log", plan=log.slug, kept=kept, stdout=out)
    with tampering("UPDATE plan_progressupdate SET result = 'อื่น' WHERE version = 2"):
        out = StringIO()
        with pytest.raises(CommandError) as error:
            call_command("verify_log", stdout=out)
        assert error.value.returncode == 1
        assert "1.1-A-1 v2" in out.getvalue()
        assert "2020-02-11" in out.getvalue()
    # Whoever removes the last entry with its link leaves no gap; only a kept end tells.
    ends = ("DELETE FROM plan_loglink WHERE kind = 'plan.RemovedUpdate'", "DELETE FROM plan_loglink WHERE number = 12")
    with tampering(*ends, "DELETE FROM plan_removedupdate"):
        assert found() == []
        with pytest.raises(CommandError):
            call_command("verify_log", kept=kept, stdout=StringIO())
    # A plan may have another address since; one that is gone with its whole chain is named.
    kept.write_text(out.getvalue().replace(log.slug, "renamed"), encoding="utf-8")
    call_command("verify_log", kept=kept, stdout=StringIO())
    kept.write_text(f"gone\t3\t{'a' * 64}\n", encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("verify_log", kept=kept, stdout=StringIO())


def test_an_update_costs_two_statements_more(action, coordinator, report_progress):
    report_progress(action, coordinator, progress=10)
    with CaptureQueriesContext(connection) as queries:
        report_progress(
            action, coordinator, progress=20, attachments=(Attachment(title="x", link="https://example.org/"),)
        )
    assert sum("plan_loglink" in each["sql"] for each in queries) == 2
    assert LogLink.objects.count() == 3


def test_many_entries_cost_few_statements(action, coordinator):
    rows = [ProgressUpdateFactory.build(action=action, author=coordinator, version=2 + n) for n in range(200)]
    with CaptureQueriesContext(connection) as queries:
        ProgressUpdate.objects.bulk_create(rows)
    assert sum("plan_loglink" in each["sql"] for each in queries) <= 4
    assert found() == []
