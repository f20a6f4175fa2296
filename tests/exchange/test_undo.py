"""Undo of several imports of the same actions, latest first: the earlier state comes back exactly."""

from datetime import timedelta
from io import BytesIO
from random import Random

import pytest
from openpyxl import load_workbook

from assignments.access import Access
from exchange.models import ImportJobState
from exchange.undo import LaterImportsError, NothingToUndoError, UndoneAlreadyError, read_undoable, undo_import
from exchange.undo_plan import InUseError, remove_new_plan
from exchange.whole_plan.export import build_plan_book
from plan.models import Evidence, Plan, ProgressUpdate, Status
from pmqa_tracker import clock
from submissions.returned import annotate_returned
from submissions.steps import return_submission
from tests import sizes
from tests.exchange.random_edits import random_changes
from tests.exchange.workbooks import confirm, edited, exported, fingerprint, first_empty, preview, saved
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.submissions.sending import review, send

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


@pytest.fixture
def plan():
    plan = PlanFactory(slug="2563")
    units = [UnitFactory(abbreviation=f"หน่วย{number}.") for number in range(5)]
    for number in range(6):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=units[number % 4 :][:2], support=units[4:])
    return plan


def state(plan):
    """The content of a plan, and the updates of each action that count."""
    rows = {}
    for action in plan.actions.with_details().in_order():
        updates = action.updates.without_undone().order_by("version")
        rows[action.ref] = {
            "content": (action.criterion.code, action.position, action.number, action.text, action.schedule_basis),
            "runs": (action.first_period, action.last_period),
            "levels": sorted(each.level for each in action.requirements.all()),
            "units": [(each.unit_id, each.role, each.position) for each in action.assignments.all()],
            "status": (action.status, action.progress),
            "updates": list(updates.values_list("pk", "result", "problem", "next_step", "reason", "status_to")),
        }
    assert not Evidence.objects.exists()
    return rows


def imported(plan, person, changes, name="ข้อมูล.xlsx"):
    job = confirm(preview(edited(exported(plan), changes), plan, person, name=name), person)
    assert job.state == ImportJobState.WRITTEN, job.findings
    return job


def undo(job, person):
    return undo_import(job=job, access=Access.of(person), at=clock.now())


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(40 * sizes.SEED, 40 * sizes.SEED + sizes.scaled(20)))
def test_random_imports_are_undone_step_by_step(plan, coordinator, seed):
    random = Random(seed)  # noqa: S311 - nothing here is secret
    stack = []
    for step in range(7):
        if stack and random.random() < 0.4:
            before, job = stack.pop()
            undo(job, coordinator)
            assert state(plan) == before
        before = state(plan)
        changes = random_changes(exported(plan), plan, seed * 100 + step, rows=4, new=random.randint(0, 1))
        stack.append((before, imported(plan, coordinator, changes)))
    for before, job in reversed(stack):
        undo(job, coordinator)
        assert state(plan) == before
    assert {action.status for action in plan.actions.all()} == {Status.NOT_STARTED}


@pytest.mark.both_databases
def test_later_import_must_be_undone_first(client, plan, coordinator):
    ref = plan.actions.first().ref
    first = imported(plan, coordinator, {(ref, "status"): "อยู่ระหว่างดำเนินการ", (ref, "progress"): 20}, "หนึ่ง.xlsx")
    second = imported(plan, coordinator, {(ref, "progress"): 30}, "สอง.xlsx")
    third = imported(plan, coordinator, {(ref, "lead"): "หน่วย3."}, "สาม.xlsx")
    before = state(plan)
    with pytest.raises(LaterImportsError) as error:
        undo(first, coordinator)
    assert error.value.args[0] == [third]
    client.force_login(coordinator)
    for job in (first, second):
        page = client.get(f"/plans/2563/import/{job.key}/")
        assert (page.context["later"], "undo/" in page.content.decode()) == ([third], False)
        page = client.post(f"/plans/2563/import/{job.key}/undo/", follow=True)
        assert "สาม.xlsx" in str(next(iter(page.context["messages"])))
        job.refresh_from_db()
        assert (job.state, state(plan)) == (ImportJobState.WRITTEN, before)
    for job in (third, second, first):
        client.post(f"/plans/2563/import/{job.key}/undo/")
        job.refresh_from_db()
        assert job.state == ImportJobState.UNDONE
    assert plan.actions.get(ref=ref).status == Status.NOT_STARTED


def test_later_import_of_other_actions_does_not_block_undo(plan, coordinator):
    one, other = (action.ref for action in plan.actions.all()[:2])
    first = imported(plan, coordinator, {(one, "result"): "หนึ่ง"})
    imported(plan, coordinator, {(other, "result"): "สอง"})
    undo(first, coordinator)
    assert [bool(state(plan)[ref]["updates"]) for ref in (one, other)] == [False, True]


def test_same_text_imported_twice_is_undone_twice(plan, coordinator):
    """Two undos by one user within a minute are not treated as a double click."""
    ref = plan.actions.first().ref
    before = state(plan)
    batches = [imported(plan, coordinator, {(ref, "result"): "คำเดิม"}) for _number in range(2)]
    assert plan.actions.get(ref=ref).updates.count() == 2
    for job in reversed(batches):
        undo(job, coordinator)
    assert state(plan) == before


def test_undo_without_effect_is_refused(client, plan, coordinator, report_progress):
    ref = plan.actions.first().ref
    job = imported(plan, coordinator, {(ref, "result"): "จากไฟล์"})
    report_progress(plan.actions.get(ref=ref), UserFactory(roles=["coordinator"]), progress=10, result="แก้เอง")
    before = state(plan)
    with pytest.raises(NothingToUndoError):
        undo(job, coordinator)
    client.force_login(coordinator)
    here = f"/plans/2563/import/{job.key}/"
    page = client.get(here).content.decode()
    assert ref in page[page.index('id="undo"') :]
    assert f"{here}undo/" not in page
    page = client.post(f"{here}undo/", follow=True)
    assert [each.level_tag for each in page.context["messages"]] == ["error"]
    job.refresh_from_db()
    assert (job.state, job.undone_at, state(plan)) == (ImportJobState.WRITTEN, None, before)


def test_edited_row_keeps_its_imported_text(client, plan, coordinator, report_progress):
    one, other = (action.ref for action in plan.actions.all()[:2])
    job = imported(plan, coordinator, {(one, "result"): "จากไฟล์", (other, "result"): "จากไฟล์"})
    report_progress(plan.actions.get(ref=other), coordinator, problem="แก้เอง", at=clock.now() + timedelta(minutes=1))
    assert read_undoable(job).edited == [other]
    undo(job, coordinator)
    client.force_login(coordinator)
    assert client.get(f"/plans/2563/import/{job.key}/").context["outcome"].text.endswith(f": {other}")
    assert state(plan)[one]["updates"] == []
    assert [row[1:3] for row in state(plan)[other]["updates"]] == [("จากไฟล์", ""), ("", "แก้เอง")]
    with pytest.raises(UndoneAlreadyError):
        undo(job, coordinator)


@pytest.mark.both_databases
def test_new_action_with_later_import_is_removed_after_both_undos(plan, coordinator):
    before = state(plan)
    row = first_empty(exported(plan))
    code = plan.actions.first().criterion.code
    new = {
        (row, "criterion"): code, (row, "levels"): "A", (row, "text"): "ใหม่", (row, "status"): "ดำเนินการแล้วเสร็จ",
        (row, "result"): "เสร็จ", (row, "lead"): "หน่วย1.",
    }  # fmt: skip
    first = imported(plan, coordinator, new)
    ref = first.changes[0]["ref"]
    second = imported(plan, coordinator, {(ref, "text"): "แก้", (ref, "next_step"): "ต่อ", (ref, "lead"): "หน่วย2."})
    for job in (second, first):
        undo(job, coordinator)
    assert state(plan) == before
    assert not ProgressUpdate.objects.filter(import_key=first.key).exists()


def whole_plan(plan, person, slug):
    """A plan made from the workbook of another."""
    book = load_workbook(BytesIO(saved(build_plan_book(plan))))
    head = {cell.value: book["แผน"].cell(cell.row, 2) for cell in book["แผน"]["A"]}
    head["รหัสแผน"].value, head["ชื่อการประเมิน"].value = slug, f"การประเมิน {slug}"
    job = confirm(preview(saved(book), None, person), person)
    assert job.state == ImportJobState.WRITTEN, job.findings["errors"]
    return job


def open_plan(plan):
    """Let the plan take progress, without a step in its history."""
    Plan.objects.filter(pk=plan.pk).update(state=Plan.State.RUNNING)
    plan.refresh_from_db()


@pytest.mark.both_databases
def test_new_plan_is_removed_after_later_imports(client, plan, coordinator):
    before = fingerprint()
    whole = whole_plan(plan, coordinator, "2570")
    made = whole.plan
    open_plan(made)
    changes = random_changes(exported(made), made, 5, rows=5, new=1)
    over = imported(made, coordinator, changes)
    client.force_login(coordinator)
    here = f"/new-plan/{whole.key}/"
    page = client.get(here)
    assert (page.context["later"], "undo/" in page.content.decode()) == ([over], False)
    page = client.post(f"{here}undo/", follow=True)
    assert over.file_name in str(next(iter(page.context["messages"])))
    assert Plan.objects.filter(slug="2570").exists()
    undo(over, coordinator)
    page = client.post(f"{here}undo/", follow=True)
    assert [each.level_tag for each in page.context["messages"]] == ["success"]
    assert fingerprint() == before


def test_second_workbook_is_removed_before_first(client, plan, coordinator):
    first = whole_plan(plan, coordinator, "2570")
    before = fingerprint()
    book = load_workbook(BytesIO(saved(build_plan_book(first.plan))))
    sheet = book["รายการ"]
    columns = {cell.value: cell.column for cell in sheet[3]}
    row = 4 + first.plan.actions.count()
    added = {"รหัสรายการ": "9.9-A-9", "สิ่งที่ต้องดำเนินการ": "เพิ่มภายหลัง"}
    for heading, column in columns.items():
        sheet.cell(row, column).value = added.get(heading, sheet.cell(4, column).value)
    second = confirm(preview(saved(book), None, coordinator), coordinator)
    assert (second.state, first.plan.actions.count()) == (ImportJobState.WRITTEN, plan.actions.count() + 1)
    with pytest.raises(LaterImportsError) as error:
        remove_new_plan(job=first, access=Access.of(coordinator), at=clock.now())
    assert error.value.args[0] == [second]
    remove_new_plan(job=second, access=Access.of(coordinator), at=clock.now())
    assert fingerprint() == before
    first.refresh_from_db()
    remove_new_plan(job=first, access=Access.of(coordinator), at=clock.now())
    assert not Plan.objects.filter(slug="2570").exists()


def test_undone_import_leaves_action_returned(plan, coordinator):
    action = plan.actions.first()
    unit = action.assignments.filter(role="LEAD").first().unit
    step = send(plan, unit, UserFactory(roles=["staff"], units=[unit]), number=2)
    review(return_submission, step.submission, coordinator, version=1, reasons={action.pk: "ขอหลักฐาน"})

    def reason():
        return annotate_returned(plan.actions.all(), [unit]).get(pk=action.pk).return_reason

    assert reason() == "ขอหลักฐาน"
    job = imported(plan, coordinator, {(action.ref, "result"): "แนบแล้ว"})
    assert reason() is None
    undo(job, coordinator)
    assert reason() == "ขอหลักฐาน"


def test_new_plan_with_updates_stays(plan, coordinator, report_progress):
    whole = whole_plan(plan, coordinator, "2570")
    action = whole.plan.actions.first()
    over = imported(whole.plan, coordinator, {(action.ref, "lead"): "หน่วย3."})
    undo(over, coordinator)
    open_plan(whole.plan)
    report_progress(action, coordinator, result="ทำแล้ว")
    with pytest.raises(InUseError):
        remove_new_plan(job=whole, access=Access.of(coordinator), at=clock.now())
    whole.refresh_from_db()
    assert (whole.state, whole.plan.slug) == (ImportJobState.WRITTEN, "2570")


def test_submission_shows_undone_import(client, plan, coordinator):
    unit = plan.actions.first().assignments.filter(role="LEAD").first().unit
    author = UserFactory(roles=["staff"], units=[unit])
    ref = plan.actions.first().ref
    period = plan.periods.get(starts_on__lte=clock.today(), ends_on__gte=clock.today())
    job = imported(
        plan, coordinator, {(ref, "status"): "อยู่ระหว่างดำเนินการ", (ref, "progress"): 70, (ref, "result"): "ผิดแถว"}
    )
    send(plan, unit, author, number=period.number)
    client.force_login(coordinator)
    here = f"/plans/2563/reporting/{unit}/{period.number}/"
    assert client.get(here).context["page"].changed == []
    undo(job, coordinator)
    response = client.get(here)
    [row] = response.context["page"].changed
    assert (row.action.ref, row.is_undone, row.progress, row.period_updates) == (ref, True, 70, [])
    assert "ผิดแถว" not in response.content.decode()


@pytest.mark.both_databases
def test_new_action_in_submission_stays(plan, coordinator):
    row = first_empty(exported(plan))
    unit = plan.actions.first().assignments.filter(role="LEAD").first().unit
    code = plan.actions.first().criterion.code
    new = {
        (row, "criterion"): code,
        (row, "levels"): "A",
        (row, "text"): "ใหม่",
        (row, "lead"): str(unit),
        (row, "first"): 1,
        (row, "last"): 4,
    }
    job = imported(plan, coordinator, new | {(plan.actions.first().ref, "result"): "ทำแล้ว"})
    send(plan, unit, UserFactory(roles=["staff"], units=[unit]), number=1)
    found = undo(job, coordinator)
    assert len(found.rows) == len(found.reported) == 1
    assert plan.actions.filter(ref=found.reported[0]).exists()


@pytest.mark.both_databases
def test_action_with_deleted_unit_stays(plan, coordinator):
    """The unit of the action before the import no longer exists."""
    action = plan.actions.first()
    gone = UnitFactory(abbreviation="ยุบ.")
    action.assignments.create(unit=gone, role="SUPPORT", position=9)
    job = imported(plan, coordinator, {(action.ref, "support"): "หน่วย1."})
    gone.delete()
    with pytest.raises(NothingToUndoError):
        undo(job, coordinator)
    assert read_undoable(job).lost == [action.ref]
