"""Stored summaries of plans: they hold on later days, they are never out of date, and a wrong figure is found."""

from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from operations import summaries
from operations.summaries import store_next_summaries, store_summaries
from plan.models import Plan, PlanSummary
from pmqa_tracker import clock
from pmqa_tracker.tasks import chores
from reports.figures.summaries import count_summaries, read_summaries
from tests import revision_guard
from tests.factories import (
    ActionItemFactory,
    MeetingFactory,
    PlanFactory,
    ProgressUpdateFactory,
    UnitFactory,
    UserFactory,
)
from tests.plan.revisions import keep_summaries, shown_summaries
from tests.reports.test_plans import make_plan, thai_noon

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
ENDED, RUNNING = Plan.State.ENDED, Plan.State.RUNNING


def check(*options):
    """Return what `manage.py check_summaries` prints, and whether it failed."""
    out = StringIO()
    try:
        call_command("check_summaries", *options, stdout=out)
    except CommandError as error:
        return out.getvalue(), error.returncode
    return out.getvalue(), 0


def test_summaries_hold_on_every_later_day_without_a_write(settings):
    """Periods begin and end, between them a report counts for its day, and a plan ends."""
    today = settings.PMQA_TODAY = date(2021, 1, 10)
    gap = PlanFactory(
        starts_on=date(2020, 10, 1), ends_on=date(2021, 9, 30),
        periods=[(date(2020, 10, 1), date(2020, 12, 31)), (date(2021, 2, 1), date(2021, 6, 30))],
    )  # fmt: skip
    unit = UnitFactory()
    for plan, runs in [(gap, (1, 1)), (gap, (1, 2)), (gap, (2, 2)), (gap, (1, 2)), (make_plan(years=1), (1, 2))]:
        last = ActionItemFactory(plan=plan, runs=runs, lead=[unit])
    for each in [*gap.actions.all()[:2], last]:
        ProgressUpdateFactory(action=each, unit=unit, status_to="IN_PROGRESS", progress_to=50, at=thai_noon(today))
    next_year = PlanFactory(starts_on=date(2021, 10, 1), ends_on=date(2022, 9, 30))
    ActionItemFactory(plan=next_year, runs=(1, 2), lead=[unit])
    make_plan(state=ENDED, closed_on=date(2020, 2, 1))
    keep_summaries()
    for days in (0, 1, 2, 21, 22, 80, 81, 82, 171, 172, 263, 264, 265, 400, 800):
        settings.PMQA_TODAY = today + timedelta(days=days)
        with CaptureQueriesContext(connection) as queries:
            plans = Plan.objects.all()
            read_summaries(plans, [plan.pk for plan in plans], clock.today())
        assert len(queries) == 2, "a stored summary does not hold"
        shown_summaries()


@pytest.mark.both_databases(only_full=True)
def test_a_plan_that_has_changed_is_counted_until_a_worker_stores_it_again():
    plans = [make_plan(years=years) for years in (0, 1)]
    assert store_next_summaries() is False
    assert not summaries.plans_without_summary(clock.today()).exists()
    MeetingFactory(plan=plans[0])  # no figure is counted from it
    assert not summaries.plans_without_summary(clock.today()).exists()
    ProgressUpdateFactory(action=plans[0].actions.get(ref="1.1-A-2"), status_to="DONE", progress_to=100, result="–")
    assert [plan.pk for plan in summaries.plans_without_summary(clock.today())] == [plans[0].pk]
    assert shown_summaries()[plans[0].pk].done == 2
    assert chores.run_chores() is False
    assert not summaries.plans_without_summary(clock.today()).exists()
    assert shown_summaries()[plans[0].pk].done == 2


@pytest.mark.both_databases(only_full=True)
def test_a_plan_that_cannot_be_counted_does_not_hold_up_the_others(monkeypatch):
    plans = [make_plan(years=years) for years in range(3)]
    count = summaries.count_summaries

    def counted(chosen):
        if plans[0] in chosen:
            raise ValueError("this plan cannot be counted")
        return count(chosen)

    def waiting():
        return {each.pk for each in summaries.plans_without_summary(clock.today())}

    monkeypatch.setattr(summaries, "BATCH", 2)
    monkeypatch.setattr(summaries, "count_summaries", counted)
    assert (store_next_summaries(), waiting()) == (True, {plans[0].pk, plans[2].pk})
    assert (store_next_summaries(), waiting()) == (False, {plans[0].pk})
    monkeypatch.setattr(summaries, "count_summaries", count)
    assert (store_next_summaries(), waiting()) == (False, {plans[0].pk})
    MeetingFactory(plan=plans[0])  # the plan changes
    assert (store_next_summaries(), waiting()) == (False, set())


@pytest.mark.both_databases(only_full=True)
def test_an_upgrade_lets_figures_be_counted_anew():
    plan = make_plan()
    keep_summaries()
    plan.summaries.update(done=9)  # as the release before counted
    call_command("migrate", verbosity=0)
    assert shown_summaries()[plan.pk].done == 1
    assert store_next_summaries() is False
    assert check() == ("1 plans, 0 wrong figures, 0 plans not stored yet.\n", 0)


def test_a_plan_that_is_removed_or_changed_while_it_is_counted(monkeypatch):
    gone, changed = PlanFactory(), make_plan()
    count = summaries.count_all_days

    def counted(plans, today):
        found = count(plans, today)
        gone.delete()
        ProgressUpdateFactory(action=changed.actions.get(ref="1.1-A-2"), status_to="DONE", progress_to=100, result="–")
        return found

    monkeypatch.setattr(summaries, "count_all_days", counted)
    store_summaries(Plan.objects.all(), clock.today())
    assert set(PlanSummary.objects.values_list("plan", flat=True)) == {changed.pk}
    assert shown_summaries()[changed.pk].done == 2


DAMAGES = {
    "total": {"total": 9}, "done": {"done": 5}, "overdue": {"overdue": 4}, "silent": {"silent": 7},
    "progress": {"progress": 1}, "counted": {"counted": 1}, "spans": {"spans": [[1, 1, 9]]},
}  # fmt: skip


@pytest.mark.parametrize("figure", DAMAGES)
def test_check_names_a_wrong_figure_and_repairs_it(figure):
    make_plan(slug="right"), make_plan(slug="wrong", years=1)
    keep_summaries()
    assert check() == ("2 plans, 0 wrong figures, 0 plans not stored yet.\n", 0)
    today = PlanSummary.objects.current(on=clock.today()).filter(plan__slug="wrong")
    today.update(**DAMAGES[figure])
    text, code = check()
    assert (text.count(f": {figure} is stored as"), text.count("right,"), code) == (1, 0, 1)
    assert check("--plan", "right")[1] == 0
    before = Plan.objects.values_list("slug", "revision").order_by("slug")
    seen = dict(before)
    assert check("--repair")[1] == 0
    assert dict(before.all()) == seen | {"wrong": seen["wrong"] + 1}  # no kept page shows what was wrong
    assert check() == ("2 plans, 0 wrong figures, 0 plans not stored yet.\n", 0)


def test_check_finds_a_later_day_that_is_missing_or_wrong():
    plan = make_plan(slug="wrong", years=1)
    keep_summaries()
    later = plan.summaries.order_by("first_day").last()
    PlanSummary.objects.filter(pk=later.pk).delete()
    assert f"wrong, {later.first_day}: " in check()[0]
    assert check("--repair")[1] == check()[1] == 0
    plan.summaries.filter(first_day=later.first_day).update(overdue=99)
    assert check()[0].startswith(f"wrong, {later.first_day}: overdue is stored as 99, but the updates say ")


@pytest.mark.both_databases(only_full=True)
def test_a_revision_that_the_plan_has_not_reached_is_not_believed():
    plan = make_plan()
    keep_summaries()
    plan.summaries.update(revision=10**6, done=9)
    assert shown_summaries()[plan.pk].done == 1
    assert check()[0] == "1 plans, 0 wrong figures, 1 plans not stored yet.\n"


def test_summaries_are_counted_from_counted_tables_only():
    plan = make_plan()
    with CaptureQueriesContext(connection) as queries:
        count_summaries({Plan.objects.prefetch_related("periods").get(pk=plan.pk): clock.today()})
    text = " ".join(each["sql"] for each in queries)
    read = {table for table in revision_guard.tables() if f'"{table}"' in text}
    # The category of an action is read with it, and no figure of the plan depends on it.
    assert read - revision_guard.tables(is_counted=True) == {"criteria_category", "criteria_criterion"}


@pytest.mark.parametrize("is_stored", [True, False])
def test_list_shows_stored_and_counted_figures_alike(client, is_stored):
    for years in range(3):
        make_plan(years=years - 1, state=ENDED if years == 0 else RUNNING)
    client.force_login(UserFactory(roles=["coordinator"]))
    counted = rows_of_list(client)
    if is_stored:
        keep_summaries()
    assert rows_of_list(client) == counted


def rows_of_list(client):
    """Return the rows of the list, read anew; below them stands how long the login lasts: less a second later."""
    caches["pages"].clear()
    page = client.get("/plans/?sort=-overdue").content.decode()
    return page.split("<tbody>")[1].split("</tbody>")[0]
