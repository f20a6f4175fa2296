"""The generated world obeys every rule that the site enforces when it writes, and repeats itself."""

from collections import Counter, defaultdict

import pytest

from assignments.access import Access
from assignments.models import Assignment, Organization, Unit, User
from criteria.models import Criterion, Framework, Verdict
from plan.log.chain import CHAINED
from plan.log.verify import verify_chains
from plan.models import ActionItem, Evidence, EvidenceWithdrawal, LogLink, Period, Plan, ProgressUpdate, Status
from pmqa_tracker import clock, thai
from submissions.models import Submission, SubmissionState
from submissions.steps import STEPS, last_sent_step, submission_actions, submission_day
from tests.factories import ProgressUpdateFactory
from tests.plan.test_duties import expect_agreement

# Rows that are the same on both databases are compared with rules in Python.
pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


def actions_with_updates():
    actions = ActionItem.objects.with_details().select_related("plan__assessment__framework", "plan__organization")
    return [(action, list(action.updates.order_by("version"))) for action in actions]


def test_world_has_everything_that_a_page_can_show(generated):
    assert Counter(Plan.objects.values_list("state", flat=True)) == {"RUNNING": 3, "ENDED": 3, "PREPARATION": 3}
    assert {each.previous.organization for each in Plan.objects.exclude(previous=None)} == {*Organization.objects.all()}
    ministry, below, apart = (Organization.objects.get(short_name__endswith=f"1-{number}") for number in (1, 2, 3))
    assert (ministry.parent, below.parent, apart.parent) == (None, ministry, None)
    assert set(ActionItem.objects.values_list("status", flat=True)) == set(Status.values)
    assert set(Submission.objects.values_list("state", flat=True)) == set(SubmissionState.values)
    assert set(Criterion.objects.values_list("change", flat=True)) == {"", *Criterion.Change.values}
    texts = ("result", "problem", "next_step", "reason")
    assert all(ProgressUpdate.objects.without_undone().exclude(**{text: ""}).exists() for text in texts)
    assert ProgressUpdate.objects.without_undone().filter(is_unchanged=True).exists()
    assert 0 < EvidenceWithdrawal.objects.count() < Evidence.objects.count()
    people = Counter(User.objects.values_list("organization", "groups__name", "is_active"))
    for each in (ministry, below, apart):
        assert [people[each.pk, role, True] for role in ("staff", "management", "coordinator", "assessor")] == [
            8, 1, 1, 1,
        ]  # fmt: skip
        assert each.plans.filter(meetings__isnull=False).exists()


def test_organizations_share_their_names_for_things(generated):
    shared = [
        Unit.objects.values_list("abbreviation", "organization"),
        Plan.objects.values_list("title", "organization"),
        Criterion.objects.values_list("code", "framework"),
        ActionItem.objects.filter(plan__state=Plan.State.RUNNING).values_list("ref", "plan__organization"),
    ]
    for rows in shared:
        owners = defaultdict(set)
        for name, owner in rows:
            owners[name].add(owner)
        assert max(map(len, owners.values())) == len({owner for _name, owner in rows}) > 1


def test_everything_of_a_plan_belongs_to_its_organization_and_framework(generated):
    for action, updates in actions_with_updates():
        organization, framework = action.plan.organization, action.plan.framework
        owners = {part.unit.organization for part in action.assignments.all()} | {
            update.author.organization for update in updates
        }
        assert owners | {action.plan.assessment.organization} == {organization}
        assert {requirement.criterion_id for requirement in action.requirements.all()} == {action.criterion_id}
        assert action.criterion.framework_id == action.criterion.category.framework_id == framework.pk
        assert str(organization) in action.text
    for verdict in Verdict.objects.select_related("assessment", "requirement__criterion"):
        verdict.clean()


def test_records_are_clean(generated):
    """The models accept every record: fields, and the rules that the database cannot check."""
    for model in (Framework, Organization, Unit, User, Criterion, Plan, Period, ActionItem, Assignment):
        relations = [field.name for field in model._meta.fields if field.is_relation]
        for record in model.objects.select_related(*relations):
            record.clean_fields(exclude=relations)
            record.clean()
    for action in ActionItem.objects.all():
        stored = action.search_text
        action.set_search_text()
        assert action.search_text == stored


def test_status_of_an_action_is_that_of_its_last_update(generated):
    for action, updates in actions_with_updates():
        states = [(Status.NOT_STARTED, 0), *((update.status_to, update.progress_to) for update in updates)]
        assert states[:-1] == [(update.status_from, update.progress_from) for update in updates]
        assert (action.status, action.progress) == states[-1]
        assert [update.version for update in updates] == list(range(2, action.version + 1))
        assert [update.at for update in updates] == sorted(update.at for update in updates)
        assert all(thai.start_of(action.plan.starts_on) <= update.at < thai.end_of(clock.today()) for update in updates)
        assert not updates or action.plan.state != Plan.State.PREPARATION
    for plan in Plan.objects.all():
        assert plan.revision == 1 + ProgressUpdate.objects.without_undone().filter(action__plan=plan).count()


def test_each_update_was_allowed(generated):
    access = {user: Access.of(user) for user in User.objects.all()}
    for action, updates in actions_with_updates():
        action.plan.state = Plan.State.RUNNING  # as it was when they were made
        for update in updates:
            update.has_evidence = update.evidence.exists()
            update.clean()
            author = access[update.author]
            moves = update.changes_status or update.is_unchanged
            assert author.may_change_status(action) if moves else author.may_add_result(action)
            assert update.unit is None or update.unit in author.reportable_units(action)
            assert update.unit is not None or author.is_coordinator
            assert Status.CANCELLED not in (update.status_from, update.status_to) or author.is_coordinator


def test_submissions_contain_what_the_rules_say(generated):
    for submission in Submission.objects.select_related("unit", "period__plan"):
        plan, period = submission.period.plan, submission.period
        steps = list(submission.steps.order_by("version"))
        assert [step.version for step in steps] == list(range(1, submission.version + 1))
        assert steps[-1].state == submission.state
        states = [SubmissionState(step.state) for step in steps]
        assert all(
            before in STEPS[after] for before, after in zip([SubmissionState.SENT, *states], states, strict=False)
        )
        moments = [thai.end_of(period.ends_on), *(step.at for step in steps), thai.end_of(clock.today())]
        assert moments == sorted(moments)
        for step in steps:
            as_of = submission_day(plan, period, step.at)
            due = submission_actions(plan, submission.unit, period, as_of)
            lines = dict(step.lines.values_list("action", "update"))
            if step.is_sent:
                assert lines.keys() == set(due.values_list("pk", flat=True))
            assert lines.keys() <= set(last_sent_step(submission).lines.values_list("action", flat=True))
            last = due.filter(pk__in=lines).with_last_update(as_of).values_list("pk", "last_update")
            assert dict(last) == lines
            assert Access.of(step.by).may_send_submission(submission.unit_id) or Access.of(step.by).is_coordinator


@pytest.mark.both_databases
def test_logs_and_keys_are_whole(generated):
    """Each entry has its link, and what is written next gets keys of its own."""
    assert LogLink.objects.count() == sum(model._base_manager.count() for model in CHAINED) > 0
    assert [each.findings for each in verify_chains()] == [[]] * Plan.objects.count()
    action = ActionItem.objects.filter(status=Status.IN_PROGRESS).earliest("pk")
    ProgressUpdateFactory(action=action, version=action.version + 1, status_to=Status.DONE, progress_to=100)
    action.save()  # adds to its history
    assert [each.findings for each in verify_chains(action.plan.slug)] == [[]]


def test_duties_agree_on_a_generated_plan(generated):
    plan = Plan.objects.filter(state=Plan.State.RUNNING).earliest("slug")
    expect_agreement(plan, list(plan.organization.units.divisions().active().in_order()))
