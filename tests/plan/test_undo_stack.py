"""Imports lie over each other, and are undone from the top: what was there before comes back, and nothing else."""

from datetime import timedelta
from random import Random

import pytest

from assignments.access import Access
from plan.models import Evidence, ImportState, ProgressUpdate, Status
from plan.workbooks.undo import LaterImportsError, NothingToUndoError, UndoneAlreadyError, read_undoable, undo_import
from pmqa_tracker import clock
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.plan.bringing import bring, edited, exported, first_empty, write
from tests.plan.editing import random_changes

pytestmark = pytest.mark.django_db


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
    return undo_import(batch=batch, access=Access.of(person), at=clock.now())


@pytest.mark.parametrize("seed", range(4))
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


def test_a_row_somebody_edited_stays_with_its_words(plan, coordinator, tell):
    one, other = (action.ref for action in plan.actions.all()[:2])
    batch = imported(plan, coordinator, {(one, "result"): "จากไฟล์", (other, "result"): "จากไฟล์"})
    tell(plan.actions.get(ref=other), coordinator, problem="แก้เอง", at=clock.now() + timedelta(minutes=1))
    assert read_undoable(batch).edited == [other]
    undo(batch, coordinator)
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
    assert not ProgressUpdate.objects.filter(workbook=first).exists()
