"""The revision rises once in a transaction, right before its commit, and writers never lock each other."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from assignments.access import Access
from assignments.models import Unit
from plan.models import ActionItem, Meeting, Plan
from plan.revision import raise_revision
from plan.updates.record import UpdateInput, record_update
from pmqa_tracker import clock
from pmqa_tracker.transactions import write_transaction
from tests import revision_guard
from tests.factories import ActionItemFactory, MeetingFactory, PlanFactory, UserFactory
from tests.statements import Statements

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
ROUNDS = 8


@pytest.fixture
def actions(plan, unit):
    return [ActionItemFactory(plan=plan, ref=f"1.1-A-{number}", lead=[unit]) for number in (1, 2, 3)]


@pytest.fixture
def access(unit):
    return Access.of(UserFactory(roles=["staff"], units=[unit]))


def update(action, access):
    action = ActionItem.objects.with_details().get(pk=action.pk)
    data = UpdateInput(result=str(uuid4()))
    record_update(action=action, version=action.version, op_id=uuid4(), access=access, at=clock.now(), data=data)


def revision_of(plan):
    return Plan.objects.values_list("revision", flat=True).get(pk=plan.pk)


def together(*works):
    """Run functions at the same time, each in its own thread with its own connection."""
    barrier = Barrier(len(works))

    def inner(work):
        barrier.wait()
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(inner, works))


def test_transaction_raises_once_at_its_end(plan, actions, access):
    before = revision_of(plan)
    with Statements("several updates") as statements, write_transaction():
        for action in actions * 3:
            update(action, access)
    raised = [number for number, sql in enumerate(statements.sql) if sql.startswith(revision_guard.RAISE)]
    assert raised == [len(statements) - 4], statements.listing  # then the two statements of the chain of the log
    assert statements.sql[-1] == "COMMIT"
    assert revision_of(plan) == before + 1


def test_failed_or_rolled_back_block_raises_nothing(plan, actions, access):
    before = revision_of(plan)

    @write_transaction()
    def fail():
        update(actions[0], access)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with Statements("savepoints") as statements, write_transaction():
        with pytest.raises(ZeroDivisionError):
            fail()
        with write_transaction():
            update(actions[0], access)
            transaction.set_rollback(True)
    assert not any(sql.startswith(revision_guard.RAISE) for sql in statements.sql)
    update(actions[0], access)
    assert revision_of(plan) == before + 1


def test_long_transaction_keeps_nobody_waiting(plan, actions, access):
    """Only PostgreSQL has several writers at a time."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    before, written, others_done = revision_of(plan), Event(), Event()

    def long_import():
        with write_transaction():
            update(actions[0], access)
            written.set()
            assert others_done.wait(60)

    def others():
        assert written.wait(60)
        update(actions[1], access)
        assert revision_of(plan) == before + 1
        others_done.set()

    together(long_import, others)
    assert revision_of(plan) == before + 2


def test_writers_at_the_same_time_raise_every_time_and_never_lock_each_other(plan, unit, actions, access):
    """Staff report, coordinators edit both plans in either order, and a unit of both plans gets other names."""
    other = PlanFactory()
    first = [MeetingFactory(plan=each, held_on="2020-02-02") for each in (plan, other)]
    second = [MeetingFactory(plan=each, held_on="2020-03-03") for each in (other, plan)]
    before = [revision_of(each) for each in (plan, other)]

    def staff(action):
        for _round in range(ROUNDS):
            update(action, access)

    def coordinator(records):
        for _round in range(ROUNDS):
            with write_transaction():
                for record in records:
                    Meeting.objects.get(pk=record.pk).save()

    def administrator():
        for number in range(ROUNDS):
            record = Unit.objects.get(pk=unit.pk)
            record.name_th = f"หน่วยงาน {number}"
            record.save()

    together(
        *(lambda action=action: staff(action) for action in actions),
        lambda: coordinator(first),
        lambda: coordinator(second),
        administrator,
    )
    common = 3 * ROUNDS  # by two coordinators and the administrator
    assert [revision_of(each) for each in (plan, other)] == [before[0] + common + 3 * ROUNDS, before[1] + common]


def run_in_product(source, **names):
    """Run a Python statement as if it stood in a file of the project."""
    exec(compile(source, revision_guard.ROOT / "plan" / "example.py", "exec"), names)  # noqa: S102


def test_guard_finds_a_write_that_raises_no_revision(unit, plan):
    found = revision_guard.guard.found
    write = "units.update(name_th='ใหม่')"
    units = Unit.objects.all()
    run_in_product(write, units=units)
    assert [line.split(":")[0] for line in found] == ["plan/example.py"]
    found.clear()
    with transaction.atomic():
        run_in_product(write, units=units)
        assert found == []
    assert len(found) == 1
    found.clear()
    units.update(name_th="ของการทดสอบ")
    with transaction.atomic():
        run_in_product(write, units=units)
        raise_revision([plan.pk], [plan.pk])
    with transaction.atomic():
        run_in_product(write, units=units)
        transaction.set_rollback(True)
    assert found == []
    with transaction.atomic():
        run_in_product(write, units=units)
        raise_revision([plan.pk])  # figures are counted from units
    assert len(found) == 1
    found.clear()
