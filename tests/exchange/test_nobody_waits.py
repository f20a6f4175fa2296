"""An import keeps nobody waiting: a preview only reads, an import is a short transaction of few statements."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections, transaction
from django.test import Client

from assignments.models import Assignment
from exchange import jobs
from exchange.data_sheet import planner
from exchange.models import ImportJob, ImportJobState
from exchange.run import ChangedMeanwhileError
from plan.models import ActionItem, Plan, ProgressUpdate
from pmqa_tracker.transactions import write_transaction
from spreadsheets.read import read_workbook
from tests.exchange.workbooks import confirm, edited, exported, fingerprint, first_empty, preview, run_of
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.plan.test_many_editors import Editor
from tests.statements import Statements

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
MINE = 6  # actions of the plan
PREVIEW, INSIDE = 23, 28  # statements of a preview, and of an import in its transaction
WRITERS = 4


@pytest.fixture
def person():
    return UserFactory(roles=["coordinator"])


@pytest.fixture
def plan():
    plan = PlanFactory(slug="2563")
    units = [UnitFactory(abbreviation=f"หน่วย{number}.") for number in range(3)]
    units.append(UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True, members=units))
    for number in range(MINE):
        action = ActionItemFactory(
            plan=plan, ref=f"1.1-A-{number + 1}", lead=units[number % 4 :][:1], support=units[:1]
        )
        action.criterion.requirements.create(level=1, text="มีแนวทาง")
    return plan


def sheet_of(plan, rows):
    """A data sheet with `rows` rows of each kind: changed, new, and changed by others too."""
    data = exported(plan)
    refs = [action.ref for action in plan.actions.in_order()]
    changes = {}
    for ref in refs[: 2 * rows]:
        changes |= {(ref, "text"): f"ข้อความ {ref}", (ref, "status"): "อยู่ระหว่างดำเนินการ", (ref, "progress"): 40}
        changes |= {(ref, "lead"): "หน่วย2.", (ref, "support"): None, (ref, "levels"): "Basic", (ref, "result"): "ทำแล้ว"}
    code, top = plan.actions.first().criterion.code, first_empty(data)
    for row in range(top, top + rows):
        changes |= {(row, "criterion"): code, (row, "levels"): "A", (row, "text"): f"รายการใหม่ {row}"}
    data = edited(data, changes)
    for ref in refs[rows : 2 * rows]:
        action = plan.actions.get(ref=ref)
        action.text = "ของผู้อื่น"
        action.save()
    return data


def planned(plan, person, data):
    job = ImportJob(kind=ImportJob.Kind.DATA_SHEET, plan=plan, by=person, file_name="ข้อมูล.xlsx")
    return planner.plan_changes(run_of(job, read_workbook(data, "ข้อมูล.xlsx")))


def test_preview_needs_no_write_lock(plan, person):
    """Another connection holds the write lock of SQLite, and every row of the plan on PostgreSQL."""
    data, is_locked, is_over = sheet_of(plan, 1), Event(), Event()

    def hold_locks():
        try:
            with transaction.atomic():
                for model in (Plan, ActionItem, Assignment):
                    list(model.objects.order_by("pk").select_for_update())
                is_locked.set()
                is_over.wait(30)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold_locks)
        assert is_locked.wait(30)
        try:
            with Statements("preview") as statements:
                found = planned(plan, person, data)
        finally:
            is_over.set()
        holding.result()
    assert found.findings.errors == []
    assert sorted(row.kind for row in found.findings.rows) == ["CHANGED", "CONFLICT", "NEW"]
    assert [sql for sql in statements.sql if not sql.startswith("SELECT")] == []


@pytest.mark.parametrize("rows", [1, MINE // 2])
def test_statements_do_not_grow_with_rows(plan, person, rows):
    data = sheet_of(plan, rows)
    with Statements("preview") as reading:
        planned(plan, person, data)
    job = preview(data, plan, person)
    assert job.state == ImportJobState.PREVIEW, job.findings["errors"]
    with Statements("confirm") as writing:
        confirm(job, person, file_rows=[row["row"] for row in job.findings["rows"]])
    assert ProgressUpdate.objects.count() == 2 * rows
    assert (len(reading), writing.inside) == (PREVIEW, INSIDE), reading.listing + writing.listing


@pytest.mark.both_databases(every=True)
@pytest.mark.parametrize("what", ["update", "content", "units", "levels", "state"])
def test_change_after_planning_is_noticed(plan, person, report_progress, what):
    """Whoever is first wins: nothing of the file is written, whatever part of an action has changed."""
    found = planned(plan, person, sheet_of(plan, 1))
    action = plan.actions.in_order().first()
    if what == "update":
        report_progress(action, UserFactory(roles=["coordinator"]), result="ก่อนหน้า")
    elif what == "content":
        action.number = "7"
        action.save()
    elif what == "units":
        action.assignments.first().delete()
    elif what == "levels":
        action.requirements.clear()
    else:
        Plan.objects.filter(pk=plan.pk).update(state=Plan.State.ENDED)
    before = fingerprint()
    with pytest.raises(ChangedMeanwhileError), write_transaction():
        found.apply(())
    assert fingerprint() == before


@pytest.mark.parametrize("is_same", [True, False])
def test_import_is_planned_again_if_somebody_was_first(plan, person, monkeypatch, is_same):
    """It is written if the new plan of changes is what the user saw; otherwise the user sees the new preview."""
    action = plan.actions.in_order().first()
    job = preview(edited(exported(plan), {(action.ref, "result"): "ทำแล้ว"}), plan, person)
    found, plan_once = [], planner.plan_changes

    def plan_changes(run):
        found.append(plan_once(run))
        if len(found) == 1:
            part = action.assignments.first()
            unit, role, position = part.unit, part.role, part.position
            part.delete()
            if is_same:
                action.assignments.create(unit=unit, role=role, position=position)
        return found[-1]

    monkeypatch.setattr(jobs.data_sheet, "plan_changes", plan_changes)
    job = confirm(job, person)
    assert (job.state, bool(job.refusal)) == (("WRITTEN", False) if is_same else ("PREVIEW", True))
    assert ProgressUpdate.objects.count() == is_same


@pytest.mark.apart
def test_updates_go_on_during_an_import(live_server, person):
    """Over HTTP: people report while a coordinator previews and confirms; no error, and no update waits."""
    unit = UnitFactory()
    plan = PlanFactory(slug="2563")
    refs = [ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=[unit]).ref for number in range(120)]
    data = edited(exported(plan), {(ref, "text"): f"แก้ไข {ref}" for ref in refs[WRITERS:]})
    editors = [editor_of(live_server.url, number, unit) for number in range(WRITERS)]
    seconds, is_over = [], Event()

    def report(editor):
        try:
            while not is_over.is_set():
                started = time.monotonic()
                editor.report_progress(f"/plans/2563/my/{refs[editor.number]}/", "ทำต่อ")
                seconds.append(time.monotonic() - started)
        finally:
            connections.close_all()

    client = Client()
    client.force_login(person)
    with ThreadPoolExecutor(WRITERS) as pool:
        working = [pool.submit(report, editor) for editor in editors]
        try:
            answer = client.post("/plans/2563/import/", {"file": SimpleUploadedFile("แผน.xlsx", data)})
            assert client.post(answer.url).status_code == 302
        finally:
            is_over.set()
        for each in working:
            each.result()
    assert [error for editor in editors for error in editor.errors] == []
    assert ImportJob.objects.get().state == ImportJobState.WRITTEN
    assert plan.actions.filter(text__startswith="แก้ไข").count() == len(refs) - WRITERS
    assert ProgressUpdate.objects.count() == len(seconds) >= WRITERS


def editor_of(server, number, unit):
    """A user of a unit with a browser."""
    client = Client()
    client.force_login(UserFactory(roles=["staff"], units=[unit]))
    client.get("/plans/2563/my/")
    return Editor(server, number, {name: morsel.value for name, morsel in client.cookies.items()})
