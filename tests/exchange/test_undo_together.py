"""Concurrent undos: each import is undone once, and never before a later import of the same action."""

import pytest

from assignments.access import Access
from assignments.models import Unit
from exchange import undo
from exchange.data_sheet import planner
from exchange.data_sheet.write import write_changes
from exchange.models import ImportJob, ImportJobState
from exchange.undo import LaterImportsError, Undoable, UndoneAlreadyError, undo_import
from plan.models import Status
from pmqa_tracker import clock
from pmqa_tracker.write_once import StaleVersionError
from tests.exchange.workbooks import confirm, edited, exported, preview
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.plan.updates.test_record import _at_once as at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def plan(transactional_db):
    plan = PlanFactory(slug="2563")
    ActionItemFactory(plan=plan, ref="1.1-A-1", lead=[UnitFactory()])
    return plan


def imported(plan, person, progress):
    changes = {("1.1-A-1", "status"): "อยู่ระหว่างดำเนินการ", ("1.1-A-1", "progress"): progress}
    return confirm(preview(edited(exported(plan), changes), plan, person), person)


def test_concurrent_undos_of_one_import_undo_once(plan):
    people = [UserFactory(roles=["coordinator"]) for _number in range(4)]
    job = imported(plan, people[0], 30)
    answers = at_once(4, lambda n: undo_import(job=job, access=Access.of(people[n]), at=clock.now()))
    assert sorted(type(each).__name__ for each in answers) == ["Undoable", *["UndoneAlreadyError"] * 3]
    assert plan.actions.get().updates.filter(source="UNDO").count() == 1
    assert plan.actions.get().status == Status.NOT_STARTED


def test_import_that_is_undone_while_its_rows_are_read_is_undone_already(plan, monkeypatch):
    person = UserFactory(roles=["coordinator"])
    job, read = imported(plan, person, 30), undo.read_undoable

    def read_late(job):
        monkeypatch.setattr(undo, "read_undoable", read)
        undo_import(job=ImportJob.objects.get(pk=job.pk), access=Access.of(person), at=clock.now())
        return read(job)

    monkeypatch.setattr(undo, "read_undoable", read_late)
    with pytest.raises(UndoneAlreadyError):
        undo_import(job=job, access=Access.of(person), at=clock.now())


def test_concurrent_undos_of_two_imports_keep_order(plan):
    people = [UserFactory(roles=["coordinator"]) for _number in range(2)]
    stack = [imported(plan, people[0], progress) for progress in (30, 60)]
    below, above = at_once(2, lambda n: undo_import(job=stack[n], access=Access.of(people[n]), at=clock.now()))
    assert isinstance(above, Undoable)
    assert isinstance(below, (Undoable, LaterImportsError, StaleVersionError))
    stack[0].refresh_from_db()
    is_undone = stack[0].state == ImportJobState.UNDONE
    assert isinstance(below, Undoable) == is_undone
    assert plan.actions.get().progress == (0 if is_undone else 30)
    with pytest.raises(UndoneAlreadyError):
        undo_import(job=stack[1], access=Access.of(people[0]), at=clock.now())


@pytest.mark.parametrize("is_undo", [False, True])
def test_unit_that_is_deleted_meanwhile_is_a_change_of_another_user(plan, monkeypatch, is_undo):
    """The database says so only as the transaction ends; nothing is written."""
    person, old = UserFactory(roles=["coordinator"]), Unit.objects.get()
    unit = UnitFactory(abbreviation="กทฮ.")
    job = preview(edited(exported(plan), {("1.1-A-1", "lead"): "กทฮ."}), plan, person)
    if is_undo:
        job = confirm(job, person)
        assert job.state == ImportJobState.WRITTEN

    def write_late(*args):
        gone = Unit.objects.filter(pk=old.pk if is_undo else unit.pk)
        gone._raw_delete(gone.db)
        write_changes(*args)

    for module in (planner, undo):
        monkeypatch.setattr(module, "write_changes", write_late)
    if is_undo:
        with pytest.raises(StaleVersionError):
            undo_import(job=job, access=Access.of(person), at=clock.now())
    else:
        job = confirm(job, person)
        assert (job.state, bool(job.refusal)) == (ImportJobState.PREVIEW, True)
    assert [each.unit for each in plan.actions.with_details().get().lead] == [unit if is_undo else old]
