"""`manage.py demo`: accounts, history and submissions, the same on every machine and only once."""

from collections import Counter
from datetime import date

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.utils import timezone

from assignments.models import Role, Unit, User
from demo import history as demonstration
from plan.as_of import on_day
from plan.models import ActionItem, Evidence, Plan, ProgressUpdate
from pmqa_tracker import clock
from reports.figures.maturity import build_map
from submissions.grid import read_submission_grid
from submissions.models import Submission, SubmissionStep
from submissions.returned import annotate_returned
from tests.conftest import DEMO_PASSWORD
from tests.factories import default_organization

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


def test_there_is_an_account_for_each_role(demo):
    roles = {user.username: [group.name for group in user.groups.all()] for user in User.objects.all()}
    assert [roles[name] for name in ("staff", "manager", "coordinator", "assessor", "admin")] == [
        ["staff"], ["management"], ["coordinator"], ["assessor"], [],
    ]  # fmt: skip
    assert authenticate(username="staff", password=DEMO_PASSWORD) == User.objects.get(username="staff")
    assert not User.objects.filter(is_demo=False).exists()
    units = set(Unit.objects.filter(memberships__user__groups__name="staff"))
    assert units == set(Unit.objects.divisions())


def test_demo_accounts_have_undeliverable_addresses(demo):
    changed = User.objects.get(username="staff")
    assert changed.email == "staff@example.org"
    User.objects.filter(pk=changed.pk).update(email="somchai@example.net")
    demonstration.make_accounts(default_organization(), DEMO_PASSWORD)
    changed.refresh_from_db()
    assert changed.email == "somchai@example.net"


def test_demo_accounts_cannot_log_in_without_demo(demo, settings):
    settings.PMQA_DEMO = False
    assert authenticate(username="admin", password=DEMO_PASSWORD) is None


def test_history_has_every_status(demo):
    plan = Plan.objects.get()
    as_of = on_day(plan, clock.today(), plan.periods.all())
    actions = list(plan.actions.as_of(as_of))
    assert Counter(action.status_on for action in actions) == {
        "IN_PROGRESS": 60, "NOT_STARTED": 41, "DONE": 28, "BLOCKED": 9, "CANCELLED": 3,
    }  # fmt: skip
    health = Counter(action.health for action in actions)
    assert all(health[name] >= 5 for name in ("OVERDUE", "BEHIND", "SLIPPING", "ON_TRACK"))
    assert plan.actions.as_of(as_of).silent_in(as_of).count() > 20
    assert build_map(plan, as_of).counts["READY"] >= 4
    assert Evidence.objects.count() > 5
    leading = Unit.objects.filter(assignments__role=Role.LEAD, is_collective=False).distinct()
    reporting = Unit.objects.filter(memberships__user__updates__isnull=False).distinct()
    assert set(leading) <= set(reporting)
    days = [timezone.localtime(at) for at in ProgressUpdate.objects.values_list("at", flat=True)]
    assert max(days).date() <= date(2020, 5, 15)
    assert {(day.year, day.month) for day in days} >= {(2019, month) for month in (10, 11, 12)} | {
        (2020, month) for month in range(1, 6)
    }
    assert all(day.weekday() < 5 and 9 <= day.hour < 17 for day in days)
    assert set(ProgressUpdate.objects.values_list("source", flat=True)) == {"DEMO"}


@pytest.mark.both_databases
def test_stored_status_equals_last_update(demo):
    for action in ActionItem.objects.prefetch_related("updates"):
        rows = sorted(action.updates.all(), key=lambda row: row.version)
        last = (rows[-1].status_to, rows[-1].progress_to) if rows else ("NOT_STARTED", 0)
        assert (action.status, action.progress) == last


def test_past_submissions_have_every_state(demo):
    plan = Plan.objects.get()
    as_of = on_day(plan, clock.today(), plan.periods.all(), cutoff=clock.now())
    rows = [row for row in read_submission_grid(plan, as_of, list(Unit.objects.divisions())).rows if not row.is_empty]
    states = [Counter(row.cells[place].state.value for row in rows) for place in range(5)]
    assert states == [
        {"ACCEPTED": 11},
        {"ACCEPTED": 11},
        {"ACCEPTED": 6, "SENT": 2, "RETURNED": 2, "LATE": 1},
        {"OPEN": 11},
        {"LATER": 11},
    ]
    assert {row.unit.abbreviation: row.cells[2].state.value for row in rows}["สพม."] == "RETURNED"
    returned = SubmissionStep.objects.filter(state="RETURNED", submission__state="RETURNED")
    counts = {step.submission.unit.abbreviation: step.lines.count() for step in returned}
    assert (counts.pop("สพม."), list(counts.values())) == (1, [2])
    for unit in Unit.objects.filter(submissions__state="RETURNED"):
        answered = annotate_returned(plan.actions.all(), [unit]).filter(return_reason__isnull=False)
        assert answered.count() == (1 if unit.abbreviation == "สพม." else 2)
    corrected = Submission.objects.filter(steps__state="RETURNED", state="ACCEPTED")
    assert sorted(report.period.number for report in corrected) == [1, 2]


def test_submission_is_sent_and_reviewed_after_its_period(demo):
    for report in Submission.objects.select_related("period").prefetch_related("steps__lines__update"):
        steps = sorted(report.steps.all(), key=lambda step: step.version)
        moments = [timezone.localtime(step.at) for step in steps]
        assert moments == sorted(moments)
        assert (steps[0].state, steps[-1].state) == ("SENT", report.state)
        assert all(day.weekday() < 5 and 9 <= day.hour < 17 for day in moments)
        assert report.period.ends_on <= moments[0].date()
        assert (moments[-1].date() - report.period.ends_on).days <= 31
        for step in steps:
            update_moments = [line.update.at for line in step.lines.all() if line.update]
            assert all(timezone.localdate(at) <= timezone.localdate(step.at) for at in update_moments)


@pytest.mark.both_databases
def test_second_run_changes_nothing(demo):
    def state():
        return (
            sorted(SubmissionStep.objects.values_list("op_id", "version", "state")),
            sorted(ActionItem.objects.values_list("ref", "version", "status", "progress")),
            ProgressUpdate.objects.count(),
            sorted(User.objects.values_list("username", "password")),
        )

    action = ActionItem.objects.filter(updates__isnull=True).first()
    action.ref = "1.1.3-X-1"
    action.save()
    before = state()
    call_command("demo", verbosity=0)
    assert state() == before


def test_it_is_the_same_on_every_machine(demo):
    """The history depends on the refs alone: two of them have the result recorded here."""
    actions = list(Plan.objects.get().actions.in_order())
    endings = demonstration._endings(actions)
    assert endings == demonstration._endings(list(reversed(actions)))
    assert {action.ref: action.status for action in actions} == {ref: str(each) for ref, each in endings.items()}
    assert demonstration._pick("1.2.1-A-3", "ending", 1000) == 485
