"""A data sheet comes back: changes cell by cell, all or nothing, one entry a row, and back again."""

from uuid import uuid4

import pytest

from assignments.access import Access
from assignments.models import Unit
from exchange import jobs
from exchange.models import ImportState
from exchange.undo import UndoneAlreadyError, read_undoable, undo_import
from plan.models import ActionItem, Plan, ProgressUpdate, Status
from pmqa_tracker import clock
from tests.exchange.bringing import bring, edited, exported, fingerprint, first_empty, opened, places, saved, write
from tests.factories import UserFactory
from tests.odd_workbooks import ODDITIES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo"), pytest.mark.long]


@pytest.fixture
def plan():
    return Plan.objects.get()


@pytest.fixture
def started(plan):
    """Refs of actions under way, led by one unit alone."""
    return [each.ref for each in plan.actions.filter(status=Status.IN_PROGRESS).in_order()]


def test_an_unchanged_file_changes_nothing_and_says_so(plan, coordinator):
    before = fingerprint()
    batch = bring(exported(plan), plan, coordinator)
    assert (batch.state, batch.found["rows"], batch.found["unchanged"]) == (ImportState.UNCHANGED, [], 141)
    assert fingerprint() == before


def test_the_departments_plan_as_other_programs_save_it_changes_nothing(plan, coordinator):
    for oddity in ("Strict Open XML", "rich texts with phonetic hints", "two bytes a letter", "prefixed elements"):
        batch = bring(ODDITIES[oddity](exported(plan)), plan, coordinator)
        assert (batch.state, batch.found["unchanged"]) == (ImportState.UNCHANGED, 141), oddity


def test_the_preview_tells_every_cell_before_and_after_and_writes_nothing(plan, coordinator, started):
    ref = started[0]
    action = plan.actions.with_details().get(ref=ref)
    before = fingerprint()
    data = edited(
        exported(plan),
        {
            (ref, "progress"): "๙๐%",
            (ref, "result"): "จัดทำคู่มือแล้วเสร็จ",
            (ref, "lead"): "กพร และ กค.",
            (ref, "last"): "ไตรมาส 4/2563",
            (ref, "basis"): "CONFIRMED",
        },
    )
    batch = bring(data, plan, coordinator)
    assert batch.state == ImportState.PREVIEW
    [row] = batch.found["rows"]
    assert (row["kind"], row["name"]) == ("CHANGED", ref)
    told = {cell["heading"]: (cell["before"], cell["after"]) for cell in row["cells"]}
    assert told["ความก้าวหน้า (%)"] == (str(action.progress), "90")
    assert told["หน่วยงานหลัก"] == (", ".join(str(each.unit) for each in action.lead), "กพร., กค.")
    assert told["ผลการดำเนินการ (รายงานครั้งนี้)"] == ("", "จัดทำคู่มือแล้วเสร็จ")
    assert told["ที่มาของช่วงเวลา"][1] == "ผู้ประสานงานยืนยันแล้ว"
    assert fingerprint() == before


@pytest.mark.both_databases
def test_confirming_writes_one_entry_a_row_with_its_source_and_file(plan, coordinator, started):
    told, content = started[0], started[1]
    data = edited(
        exported(plan), {(told, "progress"): 95, (told, "next_step"): "ขอความเห็นชอบ", (content, "text"): "=1+1"}
    )
    counts = ProgressUpdate.objects.count(), ActionItem.history.count()
    batch = write(bring(data, plan, coordinator, name="จากกอง.xlsx"), coordinator)
    assert batch.state == ImportState.WRITTEN
    assert (ProgressUpdate.objects.count(), ActionItem.history.count()) == (counts[0] + 1, counts[1] + 1)
    update = plan.actions.get(ref=told).updates.latest("version")
    assert (update.source, update.import_key, update.author) == (ProgressUpdate.Source.IMPORT, batch.key, coordinator)
    assert update.file_name == "จากกอง.xlsx"
    assert (update.progress_to, update.next_step, update.status_to) == (95, "ขอความเห็นชอบ", Status.IN_PROGRESS)
    entry = plan.actions.get(ref=content).history.latest("history_id")
    assert (entry.text, entry.history_user) == ("=1+1", coordinator)
    assert "จากกอง.xlsx" in entry.history_change_reason


def test_a_status_alone_brings_the_progress_it_stands_for(plan, coordinator, started):
    ref = started[0]
    data = edited(exported(plan), {(ref, "status"): "ดำเนินการแล้วเสร็จ", (ref, "result"): "เผยแพร่แล้ว"})
    write(bring(data, plan, coordinator), coordinator)
    action = plan.actions.get(ref=ref)
    assert (action.status, action.progress) == (Status.DONE, 100)


@pytest.mark.both_databases
def test_new_rows_get_a_ref_and_all_they_say(plan, coordinator):
    data = exported(plan)
    row = first_empty(data)
    data = edited(
        data,
        {
            (row, "criterion"): "1.2.1", (row, "levels"): "A", (row, "text"): "จัดทำคู่มือ", (row, "first"): 2,
            (row, "last"): "ก.ค.-ก.ย. 2563", (row, "lead"): "สลก.", (row, "support"): "กพร. กค.",
            (row, "status"): "อยู่ระหว่างดำเนินการ", (row, "progress"): 0.2,
        },
    )  # fmt: skip
    batch = bring(data, plan, coordinator)
    assert [each["kind"] for each in batch.found["rows"]] == ["NEW"]
    batch = write(batch, coordinator)
    made = plan.actions.with_details().get(pk=batch.written[0]["pk"])
    assert made.ref.startswith("1.2.1-A-")
    assert (made.status, made.progress, made.first_period.number) == (Status.IN_PROGRESS, 20, 2)
    assert [str(each.unit) for each in made.lead + made.support] == ["สลก.", "กพร.", "กค."]
    assert made.history.count() == 1
    assert made.history.get().history_type == "+"


def test_rows_absent_from_the_file_are_left_alone(plan, coordinator):
    book, sheet, _columns = opened(exported(plan))
    gone = [sheet.cell(row, 1).value for row in (5, 6)]
    sheet.delete_rows(5, 2)
    batch = bring(saved(book), plan, coordinator)
    assert (batch.state, batch.found["absent"]) == (ImportState.UNCHANGED, gone)
    assert plan.actions.count() == 141


def test_with_one_error_nothing_is_written(plan, coordinator, started):
    before = fingerprint()
    data = edited(exported(plan), {(started[0], "progress"): 95, (started[1], "progress"): 101})
    batch = bring(data, plan, coordinator)
    assert (batch.state, len(places(batch))) == (ImportState.REFUSED, 1)
    assert write(batch, coordinator).state == ImportState.REFUSED
    assert fingerprint() == before


def test_the_rules_of_a_status_are_told_at_their_columns(plan, coordinator, started):
    waiting = plan.actions.filter(status=Status.NOT_STARTED).in_order().first().ref
    data = edited(
        exported(plan),
        {
            (started[0], "status"): "ติดปัญหา",
            (started[1], "status"): "ดำเนินการแล้วเสร็จ",
            (started[2], "status"): "ยกเลิก",
            (started[3], "progress"): 0,
            (waiting, "progress"): 40,
        },
    )
    batch = bring(data, plan, coordinator)
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
    assert places(batch) == sorted(f"{letters[name]}{rows[ref]}" for ref, name in wanted)


@pytest.mark.both_databases
def test_what_changed_after_the_preview_is_looked_at_again(plan, coordinator, started, tell):
    ref = started[0]
    batch = bring(edited(exported(plan), {(ref, "progress"): 95}), plan, coordinator)
    tell(plan.actions.get(ref=ref), coordinator, progress=99, result="คืบหน้า")
    before = fingerprint()
    batch = write(batch, coordinator)
    assert (batch.state, [row["kind"] for row in batch.found["rows"]]) == (ImportState.PREVIEW, ["CONFLICT"])
    assert batch.refusal
    assert fingerprint() == before


def test_the_file_confirmed_is_the_one_looked_at(plan, coordinator, started, settings):
    batch = bring(edited(exported(plan), {(started[0], "progress"): 95}), plan, coordinator)
    file = settings.DATA_DIR / "uploads" / batch.staged
    file.write_bytes(edited(exported(plan), {(started[0], "progress"): 99}))
    with pytest.raises(jobs.StalePreviewError):
        write(batch, coordinator)
    file.unlink()
    with pytest.raises(jobs.StalePreviewError):
        write(batch, coordinator)


@pytest.mark.both_databases
def test_two_clicks_write_once(plan, coordinator, started):
    batch = bring(edited(exported(plan), {(started[0], "progress"): 95}), plan, coordinator)
    count = ProgressUpdate.objects.count()
    write(batch, coordinator)
    write(batch, coordinator)
    assert ProgressUpdate.objects.count() == count + 1


# A unit's own sheet.


def test_a_units_sheet_holds_its_actions_and_brings_in_progress(plan, coordinator):
    unit = Unit.objects.get(abbreviation="สพม.")
    data = exported(plan, unit)
    _book, sheet, columns = opened(data)
    refs = [sheet.cell(row, 1).value for row in range(4, sheet.max_row + 1) if sheet.cell(row, 1).value]
    assert refs == list(plan.actions.for_units([unit]).in_order().values_list("ref", flat=True))
    assert sheet.cell(4, columns["text"]).protection.locked
    assert not sheet.cell(4, columns["status"]).protection.locked
    led = plan.actions.filter(status=Status.IN_PROGRESS).for_units([unit], role="LEAD").in_order().first()
    batch = write(bring(edited(data, {(led.ref, "progress"): 97}), plan, coordinator), coordinator)
    assert (batch.kind, batch.unit) == ("UNIT_SHEET", unit)
    update = led.updates.latest("version")
    assert (update.progress_to, update.unit, update.author) == (97, unit, coordinator)


def test_a_units_sheet_changes_no_content_and_no_actions_of_others(plan, coordinator):
    unit = Unit.objects.get(abbreviation="สพม.")
    led = plan.actions.filter(status=Status.IN_PROGRESS).for_units([unit], role="LEAD").in_order()
    supported = (
        plan.actions.filter(status=Status.IN_PROGRESS).for_units([unit], role="SUPPORT").exclude(pk__in=led).in_order()
    )
    data = edited(
        exported(plan, unit),
        {(led[0].ref, "text"): "ข้อความใหม่", (led[1].ref, "lead"): "กพร.", (supported[0].ref, "progress"): 99},
    )
    batch = bring(data, plan, coordinator)
    _book, sheet, columns = opened(data)
    rows = {sheet.cell(row, 1).value: row for row in range(4, sheet.max_row + 1)}
    letters = {name: sheet.cell(3, column).column_letter for name, column in columns.items()}
    wanted = [(led[0].ref, "text"), (led[1].ref, "lead"), (supported[0].ref, "progress")]
    assert places(batch) == sorted(f"{letters[name]}{rows[ref]}" for ref, name in wanted)
    # The whole plan's sheet, called a unit's: rows of others are refused.
    other = plan.actions.filter(status=Status.IN_PROGRESS).exclude(pk__in=plan.actions.for_units([unit])).first()
    batch = bring(edited(exported(plan), {(other.ref, "progress"): 99}), plan, coordinator, unit=unit)
    assert [error["heading"] for error in batch.found["errors"]] == ["รหัสรายการ"]


def test_supporting_units_add_results(plan, coordinator):
    unit = Unit.objects.get(abbreviation="สพม.")
    led = plan.actions.for_units([unit], role="LEAD")
    supported = (
        plan.actions.filter(status=Status.IN_PROGRESS).for_units([unit], role="SUPPORT").exclude(pk__in=led).first()
    )
    data = edited(exported(plan, unit), {(supported.ref, "result"): "ส่งข้อมูลแล้ว"})
    write(bring(data, plan, coordinator), coordinator)
    update = supported.updates.latest("version")
    assert (update.result, update.unit, update.progress_from) == ("ส่งข้อมูลแล้ว", unit, update.progress_to)


# Undo.


@pytest.mark.both_databases
def test_an_import_is_undone_where_nobody_has_edited_since(plan, coordinator, started, tell):
    content, moved, edited_since = started[:3]
    data = exported(plan)
    row = first_empty(data)
    before = {each.ref: (each.text, each.status, each.progress) for each in plan.actions.all()}
    changes = {
        (content, "text"): "ข้อความใหม่", (content, "lead"): "กพร.", (moved, "progress"): 95,
        (edited_since, "progress"): 96, (row, "criterion"): "1.2.1", (row, "levels"): "A", (row, "text"): "รายการใหม่",
    }  # fmt: skip
    leads = [str(each.unit) for each in plan.actions.with_details().get(ref=content).lead]
    batch = write(bring(edited(data, changes), plan, coordinator), coordinator)
    tell(plan.actions.get(ref=edited_since), coordinator, progress=99, result="คืบหน้า")
    assert read_undoable(batch).edited == [edited_since]
    undo_import(job=batch, access=Access.of(coordinator), at=clock.now())
    after = {each.ref: (each.text, each.status, each.progress) for each in plan.actions.all()}
    assert {ref for ref in after if after[ref] != before.get(ref)} == {edited_since}
    assert set(after) == set(before)
    assert [str(each.unit) for each in plan.actions.with_details().get(ref=content).lead] == leads
    assert plan.actions.get(ref=moved).updates.latest("version").reason
    with pytest.raises(UndoneAlreadyError):
        undo_import(job=batch, access=Access.of(coordinator), at=clock.now())


def test_undoing_done_and_blocked_keeps_the_rules(plan, coordinator, started):
    done = plan.actions.filter(status=Status.DONE).in_order().first().ref
    blocked = plan.actions.filter(status=Status.BLOCKED).in_order().first()
    data = edited(
        exported(plan),
        {
            (done, "status"): "อยู่ระหว่างดำเนินการ", (done, "progress"): 80, (done, "reason"): "ทบทวนอีกครั้ง",
            (blocked.ref, "status"): "อยู่ระหว่างดำเนินการ", (blocked.ref, "progress"): blocked.progress + 1,
        },
    )  # fmt: skip
    batch = write(bring(data, plan, coordinator), coordinator)
    assert batch.state == ImportState.WRITTEN
    undo_import(job=batch, access=Access.of(coordinator), at=clock.now())
    assert plan.actions.get(ref=done).status == Status.DONE
    back = plan.actions.get(ref=blocked.ref)
    assert (back.status, back.progress) == (Status.BLOCKED, blocked.progress)


# Others edit while the file is out.


@pytest.mark.both_databases
def test_fifty_edits_by_others_are_never_overwritten_in_silence(plan, coordinator, tell):
    data = exported(plan)
    refs = [each.ref for each in plan.actions.filter(status=Status.IN_PROGRESS).in_order()]
    refs += [each.ref for each in plan.actions.filter(status=Status.NOT_STARTED).in_order()]
    theirs, mine = refs[:50], refs[:60]
    other = UserFactory(roles=["coordinator"], first_name="ผู้อื่น")
    for number, ref in enumerate(theirs):
        action = plan.actions.with_details().get(ref=ref)
        kind = number % 3
        if kind == 0:
            tell(action, other, progress=max(action.progress, 1), result=f"งานของผู้อื่น {number}")
        elif kind == 1:
            action.text = f"ผู้อื่นแก้ {number}"
            action.save()
        else:
            action.assignments.create(
                unit=Unit.objects.exclude(assignments__action=action).first(), role="SUPPORT", position=99
            )
    changes = {(ref, "text"): f"แก้ในไฟล์ {ref}" for ref in mine}
    batch = bring(edited(data, changes), plan, coordinator)
    kinds = {row["name"]: row["kind"] for row in batch.found["rows"]}
    assert {ref for ref, kind in kinds.items() if kind == "CONFLICT"} == set(theirs[1::3])
    assert {ref for ref, kind in kinds.items() if kind == "MERGED"} == set(theirs) - set(theirs[1::3])
    assert {ref for ref, kind in kinds.items() if kind == "CHANGED"} == set(mine) - set(theirs)
    conflict = next(row for row in batch.found["rows"] if row["name"] == theirs[1])
    assert [(cell["before"], cell["after"]) for cell in conflict["cells"]] == [("ผู้อื่นแก้ 1", f"แก้ในไฟล์ {theirs[1]}")]
    stood = {each.ref: each.text for each in plan.actions.all()}
    taken = [row["row"] for row in batch.found["rows"] if row["name"] in theirs[:2]]
    write(batch, coordinator, taken=taken)
    now = {each.ref: each.text for each in plan.actions.all()}
    assert {ref for ref in now if now[ref] != stood[ref]} == set(mine) - set(theirs[4::3])
    assert plan.actions.get(ref=theirs[0]).updates.latest("version").result == "งานของผู้อื่น 0"


@pytest.mark.both_databases
def test_of_a_conflict_only_what_its_author_changed_is_written(plan, coordinator, started, tell):
    ref = started[0]
    data = edited(exported(plan), {(ref, "text"): "แก้ในไฟล์"})
    tell(plan.actions.get(ref=ref), coordinator, status=Status.DONE, op_id=uuid4())
    batch = bring(data, plan, coordinator)
    [row] = batch.found["rows"]
    assert [cell["heading"] for cell in row["cells"]] == ["สิ่งที่ต้องดำเนินการ"]
    write(batch, coordinator, taken=[row["row"]])
    action = plan.actions.get(ref=ref)
    assert (action.text, action.status) == ("แก้ในไฟล์", Status.DONE)


def test_a_row_its_author_left_alone_is_no_conflict(plan, coordinator, started, tell):
    data = exported(plan)
    tell(plan.actions.get(ref=started[0]), coordinator, progress=97, result="คืบหน้า")
    batch = bring(data, plan, coordinator)
    assert (batch.state, batch.found["rows"]) == (ImportState.UNCHANGED, [])
