"""Imports lie over each other, and are undone from the top: what was there before comes back, and nothing else."""

from datetime import timedelta
from io import BytesIO
from random import Random

import pytest
from openpyxl import load_workbook

from assignments.access import Access
from exchange.models import ImportState
from exchange.undo import LaterImportsError, NothingToUndoError, UndoneAlreadyError, read_undoable, undo_import
from exchange.undo_plan import InUseError, remove_new_plan
from exchange.whole_plan.export import build_plan_book
from plan.models import Evidence, Plan, ProgressUpdate, Status
from pmqa_tracker import clock
from submissions.returned import annotate_returned
from submissions.steps import return_submission
from tests import sizes
from tests.exchange.bringing import bring, edited, exported, fingerprint, first_empty, saved, write
from tests.exchange.editing import random_changes
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.submissions.sending import review, send

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def plan():
    plan = PlanFactory(slug="2563")
    units = [UnitFactory(abbreviation=f"หน่วย{number}.") for number in range(5)]
    for number in range(6):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=units[number % 4 :][:2], support=units[4:])
    return plan


def state(plan):
    """All that a plan is made of, and what counts as the last report of each action."""
    rows = {}
    for action in plan.actions.with_details().in_order():
        told = action.updates.without_undone().order_by("version")
        rows[action.ref] = {
            "content": (action.criterion.code, action.position, action.number, action.text, action.schedule_basis),
            "runs": (action.first_period, action.last_period),
            "levels": sorted(each.level for each in action.requirements.all()),
            "units": [(each.unit_id, each.role, each.position) for each in action.assignments.all()],
            "status": (action.status, action.progress),
            "told": list(told.values_list("pk", "result", "problem", "next_step", "reason", "status_to")),
        }
    assert not Evidence.objects.exists()
    return rows


def imported(plan, person, changes, name="ข้อมูล.xlsx"):
    batch = write(bring(edited(exported(plan), changes), plan, person, name=name), person)
    assert batch.state == ImportState.WRITTEN, batch.found
    return batch


def undo(batch, person):
    return undo_import(job=batch, access=Access.of(person), at=clock.now())


@pytest.mark.parametrize("seed", range(40 * sizes.SEED, 40 * sizes.SEED + sizes.scaled(20)))
def test_a_random_stack_of_imports_comes_back_step_by_step(plan, coordinator, seed):
    random = Random(seed)  # noqa: S311 - nothing here is secret
    stack = []
    for step in range(7):
        if stack and random.random() < 0.4:
            before, batch = stack.pop()
            undo(batch, coordinator)
            assert state(plan) == before
        before = state(plan)
        changes = random_changes(exported(plan), plan, seed * 100 + step, rows=4, new=random.randint(0, 1))
        stack.append((before, imported(plan, coordinator, changes)))
    for before, batch in reversed(stack):
        undo(batch, coordinator)
        assert state(plan) == before
    assert {action.status for action in plan.actions.all()} == {Status.NOT_STARTED}


def test_the_one_below_waits_for_the_one_above(client, plan, coordinator):
    ref = plan.actions.first().ref
    first = imported(plan, coordinator, {(ref, "status"): "อยู่ระหว่างดำเนินการ", (ref, "progress"): 20}, "หนึ่ง.xlsx")
    second = imported(plan, coordinator, {(ref, "progress"): 30}, "สอง.xlsx")
    third = imported(plan, coordinator, {(ref, "lead"): "หน่วย3."}, "สาม.xlsx")
    before = state(plan)
    with pytest.raises(LaterImportsError) as error:
        undo(first, coordinator)
    assert error.value.args[0] == [third]
    client.force_login(coordinator)
    for batch in (first, second):
        page = client.get(f"/plans/2563/import/{batch.key}/")
        assert (page.context["later"], "undo/" in page.content.decode()) == ([third], False)
        page = client.post(f"/plans/2563/import/{batch.key}/undo/", follow=True)
        assert "สาม.xlsx" in str(next(iter(page.context["messages"])))
        batch.refresh_from_db()
        assert (batch.state, state(plan)) == (ImportState.WRITTEN, before)
    for batch in (third, second, first):
        client.post(f"/plans/2563/import/{batch.key}/undo/")
        batch.refresh_from_db()
        assert batch.state == ImportState.UNDONE
    assert plan.actions.get(ref=ref).status == Status.NOT_STARTED


def test_imports_of_other_actions_do_not_wait(plan, coordinator):
    one, other = (action.ref for action in plan.actions.all()[:2])
    first = imported(plan, coordinator, {(one, "result"): "หนึ่ง"})
    imported(plan, coordinator, {(other, "result"): "สอง"})
    undo(first, coordinator)
    assert [bool(state(plan)[ref]["told"]) for ref in (one, other)] == [False, True]


def test_the_same_words_twice_are_undone_twice(plan, coordinator):
    """Two undos of one person within a minute are not taken for a double click."""
    ref = plan.actions.first().ref
    before = state(plan)
    batches = [imported(plan, coordinator, {(ref, "result"): "คำเดิม"}) for _number in range(2)]
    assert plan.actions.get(ref=ref).updates.count() == 2
    for batch in reversed(batches):
        undo(batch, coordinator)
    assert state(plan) == before


def test_an_undo_that_changes_nothing_says_so_and_is_not_marked(client, plan, coordinator, tell):
    ref = plan.actions.first().ref
    batch = imported(plan, coordinator, {(ref, "result"): "จากไฟล์"})
    tell(plan.actions.get(ref=ref), UserFactory(roles=["coordinator"]), progress=10, result="แก้เอง")
    before = state(plan)
    with pytest.raises(NothingToUndoError):
        undo(batch, coordinator)
    client.force_login(coordinator)
    here = f"/plans/2563/import/{batch.key}/"
    page = client.get(here).content.decode()
    assert ref in page[page.index('id="undo"') :]
    assert f"{here}undo/" not in page
    page = client.post(f"{here}undo/", follow=True)
    assert [each.level_tag for each in page.context["messages"]] == ["error"]
    batch.refresh_from_db()
    assert (batch.state, batch.undone_at, state(plan)) == (ImportState.WRITTEN, None, before)


def test_a_row_somebody_edited_stays_with_its_words(client, plan, coordinator, tell):
    one, other = (action.ref for action in plan.actions.all()[:2])
    batch = imported(plan, coordinator, {(one, "result"): "จากไฟล์", (other, "result"): "จากไฟล์"})
    tell(plan.actions.get(ref=other), coordinator, problem="แก้เอง", at=clock.now() + timedelta(minutes=1))
    assert read_undoable(batch).edited == [other]
    undo(batch, coordinator)
    client.force_login(coordinator)
    assert client.get(f"/plans/2563/import/{batch.key}/").context["outcome"].text.endswith(f": {other}")
    assert state(plan)[one]["told"] == []
    assert [row[1:3] for row in state(plan)[other]["told"]] == [("จากไฟล์", ""), ("", "แก้เอง")]
    with pytest.raises(UndoneAlreadyError):
        undo(batch, coordinator)


def test_a_new_action_with_words_and_edits_over_it_is_gone_after_both_undos(plan, coordinator):
    before = state(plan)
    row = first_empty(exported(plan))
    code = plan.actions.first().criterion.code
    new = {
        (row, "criterion"): code, (row, "levels"): "A", (row, "text"): "ใหม่", (row, "status"): "ดำเนินการแล้วเสร็จ",
        (row, "result"): "เสร็จ", (row, "lead"): "หน่วย1.",
    }  # fmt: skip
    first = imported(plan, coordinator, new)
    ref = first.written[0]["ref"]
    second = imported(plan, coordinator, {(ref, "text"): "แก้", (ref, "next_step"): "ต่อ", (ref, "lead"): "หน่วย2."})
    for batch in (second, first):
        undo(batch, coordinator)
    assert state(plan) == before
    assert not ProgressUpdate.objects.filter(import_key=first.key).exists()


def whole_plan(plan, person, slug):
    """A plan made from the workbook of another."""
    book = load_workbook(BytesIO(saved(build_plan_book(plan))))
    head = {cell.value: book["แผน"].cell(cell.row, 2) for cell in book["แผน"]["A"]}
    head["รหัสแผน"].value, head["ชื่อการประเมิน"].value = slug, f"การประเมิน {slug}"
    batch = write(bring(saved(book), None, person), person)
    assert batch.state == ImportState.WRITTEN, batch.found["errors"]
    return batch


def test_a_whole_plan_is_removed_after_what_was_imported_over_it(client, plan, coordinator):
    before = fingerprint()
    whole = whole_plan(plan, coordinator, "2570")
    made = whole.plan
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


def test_what_a_second_workbook_added_to_a_plan_is_removed_before_the_plan(client, plan, coordinator):
    first = whole_plan(plan, coordinator, "2570")
    before = fingerprint()
    book = load_workbook(BytesIO(saved(build_plan_book(first.plan))))
    sheet = book["รายการ"]
    columns = {cell.value: cell.column for cell in sheet[3]}
    row = 4 + first.plan.actions.count()
    added = {"รหัสรายการ": "9.9-A-9", "สิ่งที่ต้องดำเนินการ": "เพิ่มภายหลัง"}
    for heading, column in columns.items():
        sheet.cell(row, column).value = added.get(heading, sheet.cell(4, column).value)
    second = write(bring(saved(book), None, coordinator), coordinator)
    assert (second.state, first.plan.actions.count()) == (ImportState.WRITTEN, plan.actions.count() + 1)
    with pytest.raises(LaterImportsError) as error:
        remove_new_plan(job=first, access=Access.of(coordinator), at=clock.now())
    assert error.value.args[0] == [second]
    remove_new_plan(job=second, access=Access.of(coordinator), at=clock.now())
    assert fingerprint() == before
    first.refresh_from_db()
    remove_new_plan(job=first, access=Access.of(coordinator), at=clock.now())
    assert not Plan.objects.filter(slug="2570").exists()


def test_an_undone_answer_leaves_an_action_returned(plan, coordinator):
    action = plan.actions.first()
    unit = action.assignments.filter(role="LEAD").first().unit
    step = send(plan, unit, UserFactory(roles=["staff"], units=[unit]), number=2)
    review(return_submission, step.submission, coordinator, version=1, reasons={action.pk: "ขอหลักฐาน"})

    def reason():
        return annotate_returned(plan.actions.all(), [unit]).get(pk=action.pk).return_reason

    assert reason() == "ขอหลักฐาน"
    batch = imported(plan, coordinator, {(action.ref, "result"): "แนบแล้ว"})
    assert reason() is None
    undo(batch, coordinator)
    assert reason() == "ขอหลักฐาน"


def test_a_whole_plan_that_somebody_reported_on_stays(plan, coordinator, tell):
    whole = whole_plan(plan, coordinator, "2570")
    action = whole.plan.actions.first()
    over = imported(whole.plan, coordinator, {(action.ref, "lead"): "หน่วย3."})
    undo(over, coordinator)
    tell(action, coordinator, result="ทำแล้ว")
    with pytest.raises(InUseError):
        remove_new_plan(job=whole, access=Access.of(coordinator), at=clock.now())
    whole.refresh_from_db()
    assert (whole.state, whole.plan.slug) == (ImportState.WRITTEN, "2570")


def test_a_period_report_says_that_what_it_sent_was_undone(client, plan, coordinator):
    unit = plan.actions.first().assignments.filter(role="LEAD").first().unit
    author = UserFactory(roles=["staff"], units=[unit])
    ref = plan.actions.first().ref
    period = plan.periods.get(starts_on__lte=clock.today(), ends_on__gte=clock.today())
    batch = imported(
        plan, coordinator, {(ref, "status"): "อยู่ระหว่างดำเนินการ", (ref, "progress"): 70, (ref, "result"): "ผิดแถว"}
    )
    send(plan, unit, author, number=period.number)
    client.force_login(coordinator)
    here = f"/plans/2563/reporting/{unit}/{period.number}/"
    assert client.get(here).context["page"].changed == []
    undo(batch, coordinator)
    response = client.get(here)
    [row] = response.context["page"].changed
    assert (row.action.ref, row.is_undone, row.progress, row.period_updates) == (ref, True, 70, [])
    assert "ผิดแถว" not in response.content.decode()


def test_a_new_action_that_a_period_report_holds_stays(plan, coordinator):
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
    batch = imported(plan, coordinator, new | {(plan.actions.first().ref, "result"): "ทำแล้ว"})
    send(plan, unit, UserFactory(roles=["staff"], units=[unit]), number=1)
    found = undo(batch, coordinator)
    assert len(found.rows) == len(found.reported) == 1
    assert plan.actions.filter(ref=found.reported[0]).exists()


def test_what_cannot_come_back_stays(plan, coordinator):
    """The unit an action had before the import is gone."""
    action = plan.actions.first()
    gone = UnitFactory(abbreviation="ยุบ.")
    action.assignments.create(unit=gone, role="SUPPORT", position=9)
    batch = imported(plan, coordinator, {(action.ref, "support"): "หน่วย1."})
    gone.delete()
    with pytest.raises(NothingToUndoError):
        undo(batch, coordinator)
    assert read_undoable(batch).lost == [action.ref]
