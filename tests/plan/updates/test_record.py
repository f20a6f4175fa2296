"""Recording updates: rights, rules, and concurrent writes."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone, translation

from assignments.access import Access
from plan.as_of import on_day
from plan.models import ActionItem, AppendOnlyError, Evidence, ProgressUpdate, Status
from plan.updates.record import Attachment, UpdateInput, record_update
from pmqa_tracker import clock
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError
from tests.factories import ActionItemFactory, ProgressUpdateFactory, UnitFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def unit():
    return UnitFactory()


@pytest.fixture
def action(unit):
    return ActionItemFactory(lead=[unit])


@pytest.fixture
def staff(unit):
    return UserFactory(roles=["staff"], units=[unit])


def write(action, author, *, version=1, op_id=None, at=None, **fields):
    return record_update(
        action=ActionItem.objects.with_details().get(pk=action.pk),
        version=version,
        op_id=op_id or uuid4(),
        access=Access.of(author),
        at=at or clock.now(),
        data=UpdateInput(**fields),
    )


def stored(action):
    return ActionItem.objects.values("status", "progress", "version").get(pk=action.pk)


@pytest.mark.both_databases(only_full=True)
def test_update_changes_the_action_and_adds_a_row(action, staff):
    update = write(action, staff, status=Status.IN_PROGRESS, progress=40, result="จัดทำร่างแล้ว", next_step="เวียนร่าง")
    assert stored(action) == {"status": "IN_PROGRESS", "progress": 40, "version": 2}
    row = ProgressUpdate.objects.get()
    assert (row, row.version, row.author, timezone.localdate(row.at)) == (update, 2, staff, clock.today())
    assert (row.status_from, row.status_to, row.progress_from, row.progress_to) == ("NOT_STARTED", "IN_PROGRESS", 0, 40)
    assert (row.result, row.next_step, row.source) == ("จัดทำร่างแล้ว", "เวียนร่าง", "WEB")


def test_same_op_id_twice_makes_one_row(action, staff):
    op_id = uuid4()
    first = write(action, staff, op_id=op_id, status=Status.IN_PROGRESS, progress=40)
    again = write(action, staff, op_id=op_id, status=Status.IN_PROGRESS, progress=40)
    assert first == again
    assert ProgressUpdate.objects.count() == 1
    assert stored(action)["version"] == 2


def test_stale_version_writes_nothing(action, staff):
    write(action, staff, status=Status.IN_PROGRESS, progress=40)
    with pytest.raises(StaleVersionError):
        write(action, staff, version=1, status=Status.IN_PROGRESS, progress=60)
    assert stored(action) == {"status": "IN_PROGRESS", "progress": 40, "version": 2}
    assert ProgressUpdate.objects.count() == 1


@pytest.mark.both_databases(only_full=True)
def test_op_id_of_another_user_is_stale(action, staff, unit):
    op_id = uuid4()
    write(action, staff, op_id=op_id, status=Status.IN_PROGRESS, progress=40)
    colleague = UserFactory(roles=["staff"], units=[unit])
    with pytest.raises(StaleVersionError):
        write(action, colleague, version=2, op_id=op_id, status=Status.IN_PROGRESS, progress=50)
    assert stored(action) == {"status": "IN_PROGRESS", "progress": 40, "version": 2}


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"status": Status.NOT_STARTED, "progress": 10}, "progress_to", "An action that has not started is at 0 %"),
        (
            {"status": Status.DONE, "progress": 90, "result": "เสร็จ"},
            "progress_to",
            "An action that is done is at 100 %",
        ),
        ({"status": Status.DONE, "progress": 100}, "result", "write the result or attach evidence"),
        ({"status": Status.BLOCKED, "progress": 10}, "problem", "say what the problem is"),
        ({"status": Status.IN_PROGRESS, "progress": 101}, "progress_to", "100"),
        ({"status": Status.IN_PROGRESS, "progress": -1}, "progress_to", "0"),
        ({"status": "ASLEEP", "progress": 0}, "status_to", "ASLEEP"),
    ],
)
def test_broken_rule_is_an_error_of_its_field(action, staff, fields, field, rule):
    with translation.override("en"):
        with pytest.raises(ValidationError) as error:
            write(action, staff, **fields)
        assert field in error.value.message_dict
        assert rule in " ".join(error.value.message_dict[field])
    assert stored(action) == {"status": "NOT_STARTED", "progress": 0, "version": 1}


def test_rule_checked_only_by_the_database_has_its_message(action, staff):
    with translation.override("en"), pytest.raises(ValidationError) as error:
        write(action, staff, is_unchanged=True, status=Status.IN_PROGRESS, progress=10)
    assert error.value.messages == ["“No change” leaves the status and the progress as they are."]
    assert stored(action) == {"status": "NOT_STARTED", "progress": 0, "version": 1}


@pytest.mark.both_databases(only_full=True)
def test_action_in_memory_gets_the_new_status(action, staff):
    update = write(action, staff, status=Status.IN_PROGRESS, progress=40)
    now = update.action
    assert (now.status, now.progress, now.version) == ("IN_PROGRESS", 40, 2)


@pytest.mark.both_databases(only_full=True)
def test_evidence_alone_is_enough_for_done(action, staff):
    write(
        action,
        staff,
        status=Status.DONE,
        progress=100,
        attachments=(Attachment(title="รายงาน", link="https://example.org/1"),),
    )
    evidence = Evidence.objects.get()
    assert (evidence.action, evidence.update.version, evidence.added_by) == (action, 2, staff)


@pytest.mark.both_databases(only_full=True)
def test_going_back_needs_a_reason(action, staff):
    write(action, staff, status=Status.IN_PROGRESS, progress=60)
    with pytest.raises(ValidationError) as error:
        write(action, staff, version=2, status=Status.IN_PROGRESS, progress=30)
    assert list(error.value.message_dict) == ["reason"]
    write(action, staff, version=2, status=Status.IN_PROGRESS, progress=30, reason="นับรวมงานที่ยังไม่ได้ทำ")
    assert stored(action)["progress"] == 30


@pytest.mark.both_databases(only_full=True)
def test_only_a_coordinator_cancels_and_with_a_reason(action, staff, coordinator):
    with pytest.raises(NotAllowedError):
        write(action, staff, status=Status.CANCELLED, progress=0, reason="ไม่จำเป็นแล้ว")
    with pytest.raises(ValidationError) as error:
        write(action, coordinator, status=Status.CANCELLED, progress=0)
    assert list(error.value.message_dict) == ["reason"]
    write(action, coordinator, status=Status.CANCELLED, progress=0, reason="รวมกับกิจกรรมอื่น")
    assert stored(action)["status"] == "CANCELLED"
    with pytest.raises(NotAllowedError):
        write(action, staff, version=2, status=Status.IN_PROGRESS, progress=10, reason="ทำต่อ")


@pytest.mark.both_databases(only_full=True)
def test_supporting_unit_adds_text_but_no_status(action):
    helper = UnitFactory()
    action.assignments.create(unit=helper, role="SUPPORT")
    colleague = UserFactory(roles=["staff"], units=[helper])
    with pytest.raises(NotAllowedError):
        write(action, colleague, status=Status.IN_PROGRESS, progress=20)
    update = write(action, colleague, result="ส่งข้อมูลสนับสนุนแล้ว")
    assert (update.status_to, update.progress_to, update.result) == ("NOT_STARTED", 0, "ส่งข้อมูลสนับสนุนแล้ว")
    assert stored(action)["version"] == 2


@pytest.mark.both_databases(only_full=True)
def test_member_writes_for_its_collective(staff, unit):
    everyone = UnitFactory(is_collective=True, members=[unit])
    action = ActionItemFactory(lead=[everyone])
    write(action, staff, status=Status.IN_PROGRESS, progress=10)
    assert stored(action)["progress"] == 10


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("roles", [["staff"], ["management"], ["assessor"], []])
def test_other_users_write_nothing(action, roles):
    stranger = UserFactory(roles=roles, units=[UnitFactory()])
    with pytest.raises(NotAllowedError) as error:
        write(action, stranger, result="ผ่านมาเห็น")
    assert str(action.assignments.get().unit) in str(error.value)
    assert not ProgressUpdate.objects.exists()


@pytest.mark.both_databases(only_full=True)
def test_membership_without_the_staff_role_writes_nothing(action, unit):
    with pytest.raises(NotAllowedError):
        write(action, UserFactory(roles=["management"], units=[unit]), status=Status.IN_PROGRESS, progress=10)


def test_failed_attachment_rolls_back_the_update(action, staff):
    broken = Attachment(title="ทั้งไฟล์และลิงก์ไม่มี")
    with translation.override("en"), pytest.raises(ValidationError) as error:
        write(action, staff, status=Status.IN_PROGRESS, progress=10, attachments=(broken,))
    assert error.value.messages == ["Evidence is a file or a link, one of the two."]
    assert stored(action) == {"status": "NOT_STARTED", "progress": 0, "version": 1}
    assert not ProgressUpdate.objects.exists()


def test_updates_cannot_be_changed_or_deleted():
    update = ProgressUpdateFactory()
    with pytest.raises(AppendOnlyError):
        update.save()
    with pytest.raises(AppendOnlyError):
        update.delete()
    with pytest.raises(AppendOnlyError):
        ProgressUpdate.objects.update(progress_to=1)
    with pytest.raises(AppendOnlyError):
        ProgressUpdate.objects.all().delete()


@pytest.mark.both_databases(every=True)
@pytest.mark.parametrize(
    "wrong",
    [
        {"status_to": "NOT_STARTED", "progress_to": 5},
        {"status_to": "DONE", "progress_to": 5},
        {"status_to": "BLOCKED", "problem": ""},
        {"status_to": "CANCELLED", "reason": ""},
        {"progress_from": 50, "progress_to": 40, "reason": ""},
        {"progress_to": 101},
        {"status_to": "ASLEEP"},
    ],
)
def test_database_enforces_the_rules(wrong):
    action, author = ActionItemFactory(), UserFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        ProgressUpdateFactory(action=action, author=author, **wrong)


def _at_once(count, job):
    """Run `job(n)` in `count` threads that start together; return results or exceptions in the order of n."""
    barrier = Barrier(count)

    def inner(n):
        barrier.wait()
        try:
            return job(n)
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(inner, range(count)))


@pytest.mark.django_db(transaction=True)
def test_one_of_many_concurrent_writers_wins_and_the_others_get_an_error(unit, action, staff):
    answers = _at_once(8, lambda n: write(action, staff, status=Status.IN_PROGRESS, progress=10 + n))
    won = [answer for answer in answers if isinstance(answer, ProgressUpdate)]
    assert [type(answer) for answer in answers if answer not in won] == [StaleVersionError] * 7
    assert stored(action) == {"status": "IN_PROGRESS", "progress": won[0].progress_to, "version": 2}
    assert ProgressUpdate.objects.count() == len(won) == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_double_click_makes_one_row(unit, action, staff):
    op_id = uuid4()
    answers = _at_once(6, lambda n: write(action, staff, op_id=op_id, status=Status.IN_PROGRESS, progress=10))
    assert {answer.pk for answer in answers} == {ProgressUpdate.objects.get().pk}
    assert stored(action)["version"] == 2


@pytest.mark.django_db(transaction=True)
def test_many_writers_on_many_actions_lose_nothing(unit, staff):
    actions = [ActionItemFactory(lead=[unit]) for _ in range(8)]

    def job(n):
        for version in range(1, 6):
            write(actions[n], staff, version=version, status=Status.IN_PROGRESS, progress=version)
        return stored(actions[n])

    assert _at_once(8, job) == [{"status": "IN_PROGRESS", "progress": 5, "version": 6}] * 8
    assert ProgressUpdate.objects.count() == 40


def test_state_on_a_past_day_comes_from_the_updates(action, staff):
    write(action, staff, at=clock.now() - timedelta(days=60), status=Status.IN_PROGRESS, progress=20)
    write(action, staff, version=2, status=Status.IN_PROGRESS, progress=70)
    plan = action.plan

    def progress_on(days_ago):
        as_of = on_day(plan, clock.today() - timedelta(days=days_ago), plan.periods.all())
        return plan.actions.as_of(as_of).get().progress_on

    assert [progress_on(days) for days in (61, 60, 1, 0)] == [0, 20, 20, 70]


def test_database_engine_is_the_configured_one():
    wanted = "postgresql" if os.environ.get("TEST_DATABASE_URL", "").startswith("postgres") else "sqlite"
    assert connection.vendor == wanted
