"""Import of a data sheet: preview, confirmation, unit sheets, undo and edits of others."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import translation

from assignments.access import Access
from assignments.models import Unit
from exchange import jobs
from exchange.models import ImportJobState
from exchange.undo import UndoneAlreadyError, read_undoable, undo_import
from plan.models import ActionItem, Plan, ProgressUpdate, Status
from pmqa_tracker import clock
from pmqa_tracker.tasks.models import prepared_storage
from spreadsheets.uploads import UploadStorage
from tests.exchange.workbooks import confirm, edited, exported, fingerprint, first_empty, opened, places, preview, saved
from tests.factories import UserFactory
from tests.odd_workbooks import ODDITIES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo"), pytest.mark.long]


@pytest.fixture
def plan():
    return Plan.objects.get()


@pytest.fixture(scope="module")
def data_sheet(demo, django_db_blocker):
    """The data sheet of the plan before any test changed it."""
    with django_db_blocker.unblock(), translation.override("th"):
        return exported(Plan.objects.get())


@pytest.fixture
def started(plan):
    """Refs of the actions in progress."""
    return [each.ref for each in plan.actions.filter(status=Status.IN_PROGRESS).in_order()]


def test_unchanged_file_changes_nothing(plan, data_sheet, coordinator):
    before = fingerprint()
    job = preview(data_sheet, plan, coordinator)
    assert (job.state, job.findings["rows"], job.findings["unchanged"]) == (ImportJobState.UNCHANGED, [], 141)
    assert fingerprint() == before


def test_file_saved_by_other_programs_changes_nothing(plan, data_sheet, coordinator):
    for oddity in ("Strict Open XML", "rich texts with phonetic hints", "two bytes a letter", "prefixed elements"):
        job = preview(ODDITIES[oddity](data_sheet), plan, coordinator)
        assert (job.state, job.findings["unchanged"]) == (ImportJobState.UNCHANGED, 141), oddity


def test_preview_shows_values_before_and_after_and_writes_nothing(plan, data_sheet, coordinator, started):
    ref = started[0]
    action = plan.actions.with_details().get(ref=ref)
    before = fingerprint()
    data = edited(
        data_sheet,
        {
            (ref, "progress"): "๙๐%",
            (ref, "result"): "จัดทำคู่มือแล้วเสร็จ",
            (ref, "lead"): "กพร และ กค.",
            (ref, "last"): "ไตรมาส 4/2563",
            (ref, "basis"): "CONFIRMED",
        },
    )
    job = preview(data, plan, coordinator)
    assert job.state == ImportJobState.PREVIEW
    [row] = job.findings["rows"]
    assert (row["kind"], row["name"]) == ("CHANGED", ref)
    changes = {cell["heading"]: (cell["before"], cell["after"]) for cell in row["cells"]}
    assert changes["ความก้าวหน้า (%)"] == (str(action.progress), "90")
    assert changes["หน่วยงานหลัก"] == (", ".join(str(each.unit) for each in action.lead), "กพร., กค.")
    assert changes["ผลการดำเนินการ (รายงานครั้งนี้)"] == ("", "จัดทำคู่มือแล้วเสร็จ")
    assert changes["ที่มาของช่วงเวลา"][1] == "ผู้ประสานงานยืนยันแล้ว"
    assert fingerprint() == before


@pytest.mark.both_databases
def test_confirmation_writes_one_entry_per_row_with_source_and_file(plan, data_sheet, coordinator, started):
    updated, content = started[0], started[1]
    data = edited(
        data_sheet, {(updated, "progress"): 95, (updated, "next_step"): "ขอความเห็นชอบ", (content, "text"): "=1+1"}
    )
    counts = ProgressUpdate.objects.count(), ActionItem.history.count()
    job = confirm(preview(data, plan, coordinator, name="จากกอง.xlsx"), coordinator)
    assert job.state == ImportJobState.WRITTEN
    assert (ProgressUpdate.objects.count(), ActionItem.history.count()) == (counts[0] + 1, counts[1] + 1)
    update = plan.actions.get(ref=updated).updates.latest("version")
    assert (update.source, update.import_key, update.author) == (ProgressUpdate.Source.IMPORT, job.key, coordinator)
    assert update.file_name == "จากกอง.xlsx"
    assert (update.progress_to, update.next_step, update.status_to) == (95, "ขอความเห็นชอบ", Status.IN_PROGRESS)
    entry = plan.actions.get(ref=content).history.latest("history_id")
    assert (entry.text, entry.history_user) == ("=1+1", coordinator)
    assert "จากกอง.xlsx" in entry.history_change_reason


def test_status_alone_sets_progress(plan, data_sheet, coordinator, started):
    ref = started[0]
    data = edited(data_sheet, {(ref, "status"): "ดำเนินการแล้วเสร็จ", (ref, "result"): "เผยแพร่แล้ว"})
    confirm(preview(data, plan, coordinator), coordinator)
    action = plan.actions.get(ref=ref)
    assert (action.status, action.progress) == (Status.DONE, 100)


@pytest.mark.both_databases
def test_new_rows_get_ref_and_all_values(plan, data_sheet, coordinator):
    row = first_empty(data_sheet)
    data = edited(
        data_sheet,
        {
            (row, "criterion"): "1.2.1", (row, "levels"): "A", (row, "text"): "จัดทำคู่มือ", (row, "first"): 2,
            (row, "last"): "ก.ค.-ก.ย. 2563", (row, "lead"): "สลก.", (row, "support"): "กพร. กค.",
            (row, "status"): "อยู่ระหว่างดำเนินการ", (row, "progress"): 0.2,
        },
    )  # fmt: skip
    job = preview(data, plan, coordinator)
    assert [each["kind"] for each in job.findings["rows"]] == ["NEW"]
    job = confirm(job, coordinator)
    made = plan.actions.with_details().get(pk=job.changes[0]["pk"])
    assert made.ref.startswith("1.2.1-A-")
    assert (made.status, made.progress, made.first_period.number) == (Status.IN_PROGRESS, 20, 2)
    assert [str(each.unit) for each in made.lead + made.support] == ["สลก.", "กพร.", "กค."]
    assert made.history.count() == 1
    assert made.history.get().history_type == "+"


def test_rows_missing_from_file_stay(plan, data_sheet, coordinator):
    book, sheet, _columns = opened(data_sheet)
    gone = [sheet.cell(row, 1).value for row in (5, 6)]
    sheet.delete_rows(5, 2)
    job = preview(saved(book), plan, coordinator)
    assert (job.state, job.findings["absent"]) == (ImportJobState.UNCHANGED, gone)
    assert plan.actions.count() == 141


def test_with_one_error_nothing_is_written(plan, data_sheet, coordinator, started):
    before = fingerprint()
    data = edited(data_sheet, {(started[0], "progress"): 95, (started[1], "progress"): 101})
    job = preview(data, plan, coordinator)
    assert (job.state, len(places(job))) == (ImportJobState.REFUSED, 1)
    assert confirm(job, coordinator).state == ImportJobState.REFUSED
    assert fingerprint() == before


def test_status_rules_are_reported_at_their_columns(plan, data_sheet, coordinator, started):
    waiting = plan.actions.filter(status=Status.NOT_STARTED).in_order().first().ref
    data = edited(
        data_sheet,
        {
            (started[0], "status"): "ติดปัญหา",
            (started[1], "status"): "ดำเนินการแล้วเสร็จ",
            (started[2], "status"): "ยกเลิก",
            (started[3], "progress"): 0,
            (waiting, "progress"): 40,
        },
    )
    job = preview(data, plan, coordinator)
    _book, sheet, columns = opened(data)
    rows = {sheet.cell(row, 1).value: row for row in range(4, sheet.max_row + 1)}
    wanted = {
        (started[0], "problem"),
        (started[1], "result"),
        (started[2], "reason"),
        (started[3], "reason"),
        (waiting, "progress"),
    }
    letters = {name: sheet.cell(3, column).column_letter for name, column in columns.items()}
    assert places(job) == sorted(f"{letters[name]}{rows[ref]}" for ref, name in wanted)


@pytest.mark.both_databases(only_full=True)
def test_change_after_preview_makes_new_preview(plan, data_sheet, coordinator, started, report_progress):
    ref = started[0]
    job = preview(edited(data_sheet, {(ref, "progress"): 95}), plan, coordinator)
    report_progress(plan.actions.get(ref=ref), coordinator, progress=99, result="คืบหน้า")
    before = fingerprint()
    job = confirm(job, coordinator)
    assert (job.state, [row["kind"] for row in job.findings["rows"]]) == (ImportJobState.PREVIEW, ["CONFLICT"])
    assert job.refusal
    assert fingerprint() == before


def test_changed_or_missing_file_is_not_confirmed(plan, data_sheet, coordinator, started):
    job = preview(edited(data_sheet, {(started[0], "progress"): 95}), plan, coordinator)
    file = Path(prepared_storage().path(UploadStorage(name=job.staged).path))
    file.write_bytes(edited(data_sheet, {(started[0], "progress"): 99}))
    with pytest.raises(jobs.StalePreviewError):
        confirm(job, coordinator)
    file.unlink()
    with pytest.raises(jobs.StalePreviewError):
        confirm(job, coordinator)


@pytest.mark.both_databases
def test_two_confirmations_write_once(plan, data_sheet, coordinator, started):
    job = preview(edited(data_sheet, {(started[0], "progress"): 95}), plan, coordinator)
    count = ProgressUpdate.objects.count()
    confirm(job, coordinator)
    confirm(job, coordinator)
    assert ProgressUpdate.objects.count() == count + 1


# A unit's own sheet.


def test_unit_sheet_has_its_actions_and_imports_progress(plan, coordinator):
    unit = Unit.objects.get(abbreviation="สพม.")
    data = exported(plan, unit)
    _book, sheet, columns = opened(data)
    refs = [sheet.cell(row, 1).value for row in range(4, sheet.max_row + 1) if sheet.cell(row, 1).value]
    assert refs == list(plan.actions.for_units([unit]).in_order().values_list("ref", flat=True))
    assert sheet.cell(4, columns["text"]).protection.locked
    assert not sheet.cell(4, columns["status"]).protection.locked
    led = plan.actions.filter(status=Status.IN_PROGRESS).for_units([unit], role="LEAD").in_order().first()
    job = confirm(preview(edited(data, {(led.ref, "progress"): 97}), plan, coordinator), coordinator)
    assert (job.kind, job.unit) == ("UNIT_SHEET", unit)
    update = led.updates.latest("version")
    assert (update.progress_to, update.unit, update.author) == (97, unit, coordinator)


def test_unit_sheet_cannot_change_content_or_other_actions(plan, data_sheet, coordinator):
    unit = Unit.objects.get(abbreviation="สพม.")
    led = plan.actions.filter(status=Status.IN_PROGRESS).for_units([unit], role="LEAD").in_order()
    supported = (
        plan.actions.filter(status=Status.IN_PROGRESS).for_units([unit], role="SUPPORT").exclude(pk__in=led).in_order()
    )
    data = edited(
        exported(plan, unit),
        {(led[0].ref, "text"): "ข้อความใหม่", (led[1].ref, "lead"): "กพร.", (supported[0].ref, "progress"): 99},
    )
    job = preview(data, plan, coordinator)
    _book, sheet, columns = opened(data)
    rows = {sheet.cell(row, 1).value: row for row in range(4, sheet.max_row + 1)}
    letters = {name: sheet.cell(3, column).column_letter for name, column in columns.items()}
    wanted = [(led[0].ref, "text"), (led[1].ref, "lead"), (supported[0].ref, "progress")]
    assert places(job) == sorted(f"{letters[name]}{rows[ref]}" for ref, name in wanted)
    # The whole plan's sheet, called a unit's: rows of others are refused.
    other = plan.actions.filter(status=Status.IN_PROGRESS).exclude(pk__in=plan.actions.for_units([unit])).first()
    job = preview(edited(data_sheet, {(other.ref, "progress"): 99}), plan, coordinator, unit=unit)
    assert [error["heading"] for error in job.findings["errors"]] == ["รหัสรายการ"]


def test_supporting_units_add_results(plan, coordinator):
    unit = Unit.objects.get(abbreviation="สพม.")
    led = plan.actions.for_units([unit], role="LEAD")
    supported = (
        plan.actions.filter(status=Status.IN_PROGRESS).for_units([unit], role="SUPPORT").exclude(pk__in=led).first()
    )
    data = edited(exported(plan, unit), {(supported.ref, "result"): "ส่งข้อมูลแล้ว"})
    confirm(preview(data, plan, coordinator), coordinator)
    update = supported.updates.latest("version")
    assert (update.result, update.unit, update.progress_from) == ("ส่งข้อมูลแล้ว", unit, update.progress_to)


# Undo.


@pytest.mark.both_databases
def test_undo_restores_rows_nobody_edited(plan, data_sheet, coordinator, started, report_progress):
    content, moved, edited_since = started[:3]
    row = first_empty(data_sheet)
    before = {each.ref: (each.text, each.status, each.progress) for each in plan.actions.all()}
    changes = {
        (content, "text"): "ข้อความใหม่", (content, "lead"): "กพร.", (moved, "progress"): 95,
        (edited_since, "progress"): 96, (row, "criterion"): "1.2.1", (row, "levels"): "A", (row, "text"): "รายการใหม่",
    }  # fmt: skip
    leads = [str(each.unit) for each in plan.actions.with_details().get(ref=content).lead]
    job = confirm(preview(edited(data_sheet, changes), plan, coordinator), coordinator)
    report_progress(plan.actions.get(ref=edited_since), coordinator, progress=99, result="คืบหน้า")
    assert read_undoable(job).edited == [edited_since]
    undo_import(job=job, access=Access.of(coordinator), at=clock.now())
    after = {each.ref: (each.text, each.status, each.progress) for each in plan.actions.all()}
    assert {ref for ref in after if after[ref] != before.get(ref)} == {edited_since}
    assert set(after) == set(before)
    assert [str(each.unit) for each in plan.actions.with_details().get(ref=content).lead] == leads
    assert plan.actions.get(ref=moved).updates.latest("version").reason
    with pytest.raises(UndoneAlreadyError):
        undo_import(job=job, access=Access.of(coordinator), at=clock.now())


def test_undo_of_done_and_blocked_keeps_rules(plan, data_sheet, coordinator, started):
    done = plan.actions.filter(status=Status.DONE).in_order().first().ref
    blocked = plan.actions.filter(status=Status.BLOCKED).in_order().first()
    data = edited(
        data_sheet,
        {
            (done, "status"): "อยู่ระหว่างดำเนินการ", (done, "progress"): 80, (done, "reason"): "ทบทวนอีกครั้ง",
            (blocked.ref, "status"): "อยู่ระหว่างดำเนินการ", (blocked.ref, "progress"): blocked.progress + 1,
        },
    )  # fmt: skip
    job = confirm(preview(data, plan, coordinator), coordinator)
    assert job.state == ImportJobState.WRITTEN
    undo_import(job=job, access=Access.of(coordinator), at=clock.now())
    assert plan.actions.get(ref=done).status == Status.DONE
    back = plan.actions.get(ref=blocked.ref)
    assert (back.status, back.progress) == (Status.BLOCKED, blocked.progress)


# Others edit while the file is out.


@pytest.mark.both_databases(only_full=True)
def test_fifty_edits_of_others_are_not_overwritten_silently(plan, data_sheet, coordinator, report_progress):
    refs = [each.ref for each in plan.actions.filter(status=Status.IN_PROGRESS).in_order()]
    refs += [each.ref for each in plan.actions.filter(status=Status.NOT_STARTED).in_order()]
    theirs, mine = refs[:50], refs[:60]
    other = UserFactory(roles=["coordinator"], first_name="ผู้อื่น")
    for number, ref in enumerate(theirs):
        action = plan.actions.with_details().get(ref=ref)
        kind = number % 3
        if kind == 0:
            report_progress(action, other, progress=max(action.progress, 1), result=f"งานของผู้อื่น {number}")
        elif kind == 1:
            action.text = f"ผู้อื่นแก้ {number}"
            action.save()
        else:
            action.assignments.create(
                unit=Unit.objects.exclude(assignments__action=action).first(), role="SUPPORT", position=99
            )
    changes = {(ref, "text"): f"แก้ในไฟล์ {ref}" for ref in mine}
    job = preview(edited(data_sheet, changes), plan, coordinator)
    kinds = {row["name"]: row["kind"] for row in job.findings["rows"]}
    assert {ref for ref, kind in kinds.items() if kind == "CONFLICT"} == set(theirs[1::3])
    assert {ref for ref, kind in kinds.items() if kind == "MERGED"} == set(theirs) - set(theirs[1::3])
    assert {ref for ref, kind in kinds.items() if kind == "CHANGED"} == set(mine) - set(theirs)
    conflict = next(row for row in job.findings["rows"] if row["name"] == theirs[1])
    assert [(cell["before"], cell["after"]) for cell in conflict["cells"]] == [("ผู้อื่นแก้ 1", f"แก้ในไฟล์ {theirs[1]}")]
    stood = {each.ref: each.text for each in plan.actions.all()}
    file_rows = [row["row"] for row in job.findings["rows"] if row["name"] in theirs[:2]]
    confirm(job, coordinator, file_rows=file_rows)
    now = {each.ref: each.text for each in plan.actions.all()}
    assert {ref for ref in now if now[ref] != stood[ref]} == set(mine) - set(theirs[4::3])
    assert plan.actions.get(ref=theirs[0]).updates.latest("version").result == "งานของผู้อื่น 0"


@pytest.mark.both_databases
def test_conflict_writes_only_columns_changed_in_file(plan, data_sheet, coordinator, started, report_progress):
    ref = started[0]
    data = edited(data_sheet, {(ref, "text"): "แก้ในไฟล์"})
    report_progress(plan.actions.get(ref=ref), coordinator, status=Status.DONE, op_id=uuid4())
    job = preview(data, plan, coordinator)
    [row] = job.findings["rows"]
    assert [cell["heading"] for cell in row["cells"]] == ["สิ่งที่ต้องดำเนินการ"]
    confirm(job, coordinator, file_rows=[row["row"]])
    action = plan.actions.get(ref=ref)
    assert (action.text, action.status) == ("แก้ในไฟล์", Status.DONE)


def test_unchanged_row_is_no_conflict(plan, data_sheet, coordinator, started, report_progress):
    report_progress(plan.actions.get(ref=started[0]), coordinator, progress=97, result="คืบหน้า")
    job = preview(data_sheet, plan, coordinator)
    assert (job.state, job.findings["rows"]) == (ImportJobState.UNCHANGED, [])
