"""Steps of a submission: rights, states, repeated forms and concurrent users."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from assignments.models import Unit
from plan.models import AppendOnlyError, Plan
from pmqa_tracker.write_once import NotAllowedError, StaleVersionError
from submissions.models import Submission, SubmissionLine, SubmissionStep
from submissions.returned import annotate_returned
from submissions.steps import accept_submission, return_submission
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.submissions.sending import on, period_of, review, send

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


@pytest.fixture
def unit():
    return UnitFactory()


@pytest.fixture
def plan():
    return PlanFactory()


@pytest.fixture
def action(plan, unit):
    return ActionItemFactory(plan=plan, lead=[unit])


@pytest.fixture
def staff(unit):
    return UserFactory(roles=["staff"], units=[unit])


def stored():
    return Submission.objects.values("state", "version").get()


# Sending.


@pytest.mark.both_databases
def test_sending_records_a_step_with_the_latest_updates(plan, unit, action, staff, report_progress):
    silent = ActionItemFactory(plan=plan, lead=[unit])
    report_progress(action, staff, at=on(2, 3), progress=10)
    last = report_progress(action, staff, at=on(4, 2), progress=20)
    step = send(plan, unit, staff, at=on(4, 3), note="  ส่งตามกำหนด ")
    assert stored() == {"state": "SENT", "version": 1}
    kept = SubmissionStep.objects.get()
    assert (kept, kept.version, kept.state, kept.by, kept.note) == (step, 1, "SENT", staff, "ส่งตามกำหนด")
    assert (kept.submission.unit, kept.submission.period) == (unit, period_of(plan, 2))
    assert set(kept.lines.values_list("action", "update", "reason")) == {
        (action.pk, last.pk, ""),
        (silent.pk, None, ""),
    }


@pytest.mark.both_databases
def test_lines_ignore_later_updates(plan, unit, action, staff, report_progress):
    known = report_progress(action, staff, at=on(3, 3), progress=10)
    report_progress(action, staff, at=on(4, 20), progress=60)
    assert send(plan, unit, staff, at=on(4, 3)).lines.get().update == known


def test_a_submission_can_be_sent_again_until_it_is_accepted(plan, unit, action, staff, coordinator):
    submission = send(plan, unit, staff).submission
    send(plan, unit, staff, version=1)
    review(return_submission, submission, coordinator, version=2, reasons={action.pk: "โปรดแนบหลักฐาน"})
    send(plan, unit, staff, version=3)
    review(accept_submission, submission, coordinator, version=4)
    with pytest.raises(NotAllowedError):
        send(plan, unit, staff, version=5)
    assert stored() == {"state": "ACCEPTED", "version": 5}
    assert list(SubmissionStep.objects.order_by("version").values_list("state", flat=True)) == [
        "SENT", "SENT", "RETURNED", "SENT", "ACCEPTED",
    ]  # fmt: skip


@pytest.mark.parametrize("roles", [["staff"], ["management"], ["assessor"], ["coordinator"], []])
def test_users_of_other_units_cannot_send(plan, unit, action, roles):
    with pytest.raises(NotAllowedError) as error:
        send(plan, unit, UserFactory(roles=roles, units=[UnitFactory()]))
    assert str(unit) in str(error.value)
    assert not Submission.objects.exists()


def test_members_without_the_staff_role_cannot_send(plan, unit, action):
    with pytest.raises(NotAllowedError):
        send(plan, unit, UserFactory(roles=["management"], units=[unit]))


def test_a_coordinator_can_send_for_their_own_unit(plan, unit, action):
    send(plan, unit, UserFactory(roles=["coordinator"], units=[unit]))
    assert stored() == {"state": "SENT", "version": 1}


def test_a_period_that_has_not_begun_cannot_be_sent(plan, unit, action, staff):
    with pytest.raises(NotAllowedError):
        send(plan, unit, staff, number=3, at=on(3, 31))
    send(plan, unit, staff, number=3, at=on(4, 1))
    assert stored() == {"state": "SENT", "version": 1}


def test_a_submission_without_actions_cannot_be_sent(plan, unit, staff):
    ActionItemFactory(plan=plan, lead=[unit], runs=(3, 4))
    with pytest.raises(NotAllowedError):
        send(plan, unit, staff)
    assert not Submission.objects.exists()


# Reviewing.


def test_returning_keeps_the_reason_of_each_action(plan, unit, action, staff, coordinator, report_progress):
    other = ActionItemFactory(plan=plan, lead=[unit])
    last = report_progress(action, staff, progress=10)
    submission = send(plan, unit, staff).submission
    step = review(
        return_submission, submission, coordinator, version=1, reasons={action.pk: " โปรดแนบหลักฐาน "}, note="รอบแรก"
    )
    assert stored() == {"state": "RETURNED", "version": 2}
    assert (step.by, step.note) == (coordinator, "รอบแรก")
    assert list(step.lines.values_list("action", "update", "reason")) == [(action.pk, last.pk, "โปรดแนบหลักฐาน")]
    assert other.submission_lines.count() == 1


def returned(plan, *units):
    found = annotate_returned(plan.actions.all(), Unit.objects.filter(pk__in=[unit.pk for unit in units]))
    return {action.pk: action.return_reason for action in found if action.return_reason is not None}


@pytest.mark.both_databases
def test_an_update_answers_a_return(plan, unit, action, staff, coordinator, report_progress):
    other = ActionItemFactory(plan=plan, lead=[unit])
    submission = send(plan, unit, staff).submission
    assert returned(plan, unit) == {}
    review(return_submission, submission, coordinator, version=1, reasons={action.pk: "ก", other.pk: "ข"})
    assert returned(plan, unit) == {action.pk: "ก", other.pk: "ข"}
    assert returned(plan, UnitFactory()) == {}
    report_progress(action, staff, progress=20)
    assert returned(plan, unit) == {other.pk: "ข"}
    send(plan, unit, staff, version=2)
    assert returned(plan, unit) == {}


def test_an_update_before_the_return_is_no_answer(plan, unit, action, staff, coordinator, report_progress):
    submission = send(plan, unit, staff).submission
    report_progress(action, staff, progress=20)
    review(return_submission, submission, coordinator, version=1, reasons={action.pk: "ก"})
    assert returned(plan, unit) == {action.pk: "ก"}


@pytest.mark.parametrize("reasons", [{}, {"own": ""}, {"own": "   "}, {"own": "ก", "second": ""}, {"foreign": "ก"}])
def test_each_returned_action_is_in_the_submission_and_has_a_reason(plan, unit, action, staff, coordinator, reasons):
    second, foreign = ActionItemFactory(plan=plan, lead=[unit]), ActionItemFactory(plan=plan, lead=[UnitFactory()])
    submission = send(plan, unit, staff).submission
    pks = {"own": action.pk, "second": second.pk, "foreign": foreign.pk}
    with pytest.raises(ValidationError):
        review(
            return_submission,
            submission,
            coordinator,
            version=1,
            reasons={pks[name]: text for name, text in reasons.items()},
        )
    assert stored() == {"state": "SENT", "version": 1}
    assert SubmissionStep.objects.count() == 1


@pytest.mark.parametrize("roles", [["staff"], ["management"], ["assessor"], []])
def test_only_a_coordinator_reviews(plan, unit, action, staff, roles):
    submission = send(plan, unit, staff).submission
    stranger = UserFactory(roles=roles, units=[unit])
    with pytest.raises(NotAllowedError):
        review(accept_submission, submission, stranger, version=1)
    with pytest.raises(NotAllowedError):
        review(return_submission, submission, stranger, version=1, reasons={action.pk: "ก"})
    assert stored() == {"state": "SENT", "version": 1}


@pytest.mark.parametrize("first", ["accept", "return"])
def test_only_a_submission_that_waits_for_review_can_be_reviewed(plan, unit, action, staff, coordinator, first):
    submission = send(plan, unit, staff).submission
    if first == "accept":
        review(accept_submission, submission, coordinator, version=1)
    else:
        review(return_submission, submission, coordinator, version=1, reasons={action.pk: "ก"})
    with pytest.raises(NotAllowedError):
        review(accept_submission, submission, coordinator, version=2)
    with pytest.raises(NotAllowedError):
        review(return_submission, submission, coordinator, version=2, reasons={action.pk: "ข"})
    assert stored()["version"] == 2


def test_a_submission_never_sent_cannot_be_reviewed(plan, unit, action, coordinator):
    submission = Submission(unit=unit, period=period_of(plan, 2))
    with pytest.raises(NotAllowedError):
        review(accept_submission, submission, coordinator, version=0)
    assert not Submission.objects.exists()


# Repeated forms and conflicts.


@pytest.mark.both_databases
def test_a_second_reviewer_gets_a_conflict(plan, unit, action, staff, coordinator):
    submission = send(plan, unit, staff).submission
    review(return_submission, submission, coordinator, version=1, reasons={action.pk: "ก"})
    with pytest.raises(StaleVersionError):
        review(accept_submission, submission, UserFactory(roles=["coordinator"]), version=1)
    assert stored() == {"state": "RETURNED", "version": 2}


def test_a_submission_sent_again_is_not_accepted_unseen(plan, unit, action, staff, coordinator):
    submission = send(plan, unit, staff).submission
    send(plan, unit, staff, version=1)
    with pytest.raises(StaleVersionError):
        review(accept_submission, submission, coordinator, version=1)
    assert stored() == {"state": "SENT", "version": 2}


@pytest.mark.both_databases
@pytest.mark.parametrize("version", [1, 7, 10**30])
def test_an_unknown_version_sends_nothing(plan, unit, action, staff, version):
    with pytest.raises(StaleVersionError):
        send(plan, unit, staff, version=version)
    assert not Submission.objects.exists()


@pytest.mark.both_databases
def test_the_same_form_posted_twice_makes_one_step(plan, unit, action, staff, coordinator):
    op_ids = [uuid4() for _ in range(3)]
    first = send(plan, unit, staff, op_id=op_ids[0])
    assert send(plan, unit, staff, op_id=op_ids[0]) == first
    why = {"reasons": {action.pk: "ก"}}
    back = review(return_submission, first.submission, coordinator, version=1, op_id=op_ids[1], **why)
    assert review(return_submission, first.submission, coordinator, version=1, op_id=op_ids[1], **why) == back
    send(plan, unit, staff, version=2)
    done = review(accept_submission, first.submission, coordinator, version=3, op_id=op_ids[2])
    assert review(accept_submission, first.submission, coordinator, version=3, op_id=op_ids[2]) == done
    assert SubmissionStep.objects.count() == 4
    assert SubmissionLine.objects.count() == 3


def test_a_changed_form_with_the_same_op_id_is_a_conflict(plan, unit, action, staff, coordinator):
    op_id = uuid4()
    submission = send(plan, unit, staff).submission
    review(return_submission, submission, coordinator, version=1, op_id=op_id, reasons={action.pk: "ก"})
    with pytest.raises(StaleVersionError):
        review(return_submission, submission, coordinator, version=1, op_id=op_id, reasons={action.pk: "ข"})
    with pytest.raises(StaleVersionError):
        review(accept_submission, submission, coordinator, version=1, op_id=op_id)
    assert SubmissionStep.objects.count() == 2


def test_the_op_id_of_another_user_is_a_conflict(plan, unit, action, staff):
    op_id = uuid4()
    send(plan, unit, staff, op_id=op_id)
    with pytest.raises(StaleVersionError):
        send(plan, unit, UserFactory(roles=["staff"], units=[unit]), version=1, op_id=op_id)
    assert stored() == {"state": "SENT", "version": 1}


@pytest.mark.both_databases
def test_steps_and_lines_cannot_be_changed_or_deleted(plan, unit, action, staff):
    step = send(plan, unit, staff)
    for row in (step, step.lines.get()):
        with pytest.raises(AppendOnlyError):
            row.save()
        with pytest.raises(AppendOnlyError):
            row.delete()


def _at_once(count, job):
    """Run `job(n)` in `count` threads that start together; answers in the order of n, exceptions as answers."""
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


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_one_of_many_concurrent_first_sendings_wins(plan, unit, action, staff):
    answers = _at_once(6, lambda n: send(plan, unit, staff, note=f"ฉบับที่ {n}"))
    won = [answer for answer in answers if isinstance(answer, SubmissionStep)]
    assert [type(answer) for answer in answers if answer not in won] == [StaleVersionError] * 5
    assert SubmissionStep.objects.get().note == won[0].note
    assert stored() == {"state": "SENT", "version": 1}


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_a_double_click_at_the_same_moment_makes_one_step(plan, unit, action, staff):
    op_id = uuid4()
    answers = _at_once(6, lambda n: send(plan, unit, staff, op_id=op_id))
    assert {answer.pk for answer in answers} == {SubmissionStep.objects.get().pk}
    assert stored() == {"state": "SENT", "version": 1}


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_one_of_many_concurrent_reviews_wins(plan, unit, action, staff, coordinator):
    submission = send(plan, unit, staff).submission

    def job(n):
        if n % 2:
            return review(accept_submission, submission, coordinator, version=1)
        return review(return_submission, submission, coordinator, version=1, reasons={action.pk: f"เหตุผลที่ {n}"})

    answers = _at_once(6, job)
    won = [answer for answer in answers if isinstance(answer, SubmissionStep)]
    assert [type(answer) for answer in answers if answer not in won] == [StaleVersionError] * 5
    assert stored() == {"state": won[0].state, "version": 2}
    assert SubmissionStep.objects.count() == 2


@pytest.mark.both_databases
def test_a_submission_contains_only_actions_of_its_plan(plan, unit, action, staff):
    """The actions are those of the period's plan."""
    other = PlanFactory()
    ActionItemFactory(plan=other, lead=[unit])
    step = send(plan, unit, staff)
    assert [line.action for line in step.lines.all()] == [action]
    assert Plan.objects.count() == 2
