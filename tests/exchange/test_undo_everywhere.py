"""Undone updates no longer count: no page, workbook, mail or figure reads them."""

from datetime import date

import pytest

from assignments.access import Access
from assignments.models import Unit
from exchange.models import ImportJobState
from exchange.undo import undo_import
from plan.as_of import on_day
from plan.models import Plan, ProgressUpdate, Status
from pmqa_tracker import clock
from tests import sizes
from tests.exchange.random_edits import random_changes
from tests.exchange.site_texts import read_everything, read_some
from tests.exchange.workbooks import confirm, edited, exported, preview
from tests.factories import ImportJobFactory, ProgressUpdateFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]

BASE = "/plans/2562-2563"
# Pages and workbooks that say something else while the import counts: else reading them twice would prove nothing.
ALWAYS_DIFFERS = [f"{BASE}/{each}" for each in ("actions/", "dashboard/", "units/", "data-sheet.xlsx", "plan.xlsx")]


@pytest.fixture
def plan():
    return Plan.objects.get()


def differing(before, after):
    """URL → up to three differing lines of two results of `read_everything`."""
    return {
        name: [
            (one, other)
            for one, other in zip(_parts(before.get(name)), _parts(after.get(name)), strict=False)
            if one != other
        ][:3]
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }


def _parts(said):
    return sorted(said.items()) if isinstance(said, dict) else (said or "").splitlines()


@pytest.mark.apart
def test_pages_and_files_after_undo_equal_those_before_import(client, plan, coordinator, settings):
    client.force_login(coordinator)
    settings.PMQA_TODAY = date(2020, 5, 10)
    data = exported(plan)
    changes = random_changes(data, plan, 13, rows=12, new=2)
    refs = sorted({ref for ref, _name in changes if isinstance(ref, str)})
    leads = plan.actions.filter(ref__in=refs).values("assignments__unit")
    units = [str(unit) for unit in Unit.objects.divisions().filter(pk__in=leads).in_order()]
    asked = {
        "refs": refs[: 4 if sizes.IS_FULL else 2],
        "units": units[: 2 if sizes.IS_FULL else 1],
        "day": "2020-05-11",
    }
    settings.PMQA_TODAY = date(2020, 5, 15)
    before = read_everything(client, plan, **asked)

    settings.PMQA_TODAY = date(2020, 5, 10)
    job = confirm(preview(edited(data, changes), plan, coordinator), coordinator)
    assert job.state == ImportJobState.WRITTEN, job.findings.get("errors")
    settings.PMQA_TODAY = date(2020, 5, 15)
    meanwhile = read_some(client, ALWAYS_DIFFERS)
    assert {address for address, said in meanwhile.items() if said == before[address]} == set()
    settings.PMQA_TODAY = date(2020, 5, 12)
    undo_import(job=job, access=Access.of(coordinator), at=clock.now())

    settings.PMQA_TODAY = date(2020, 5, 15)
    assert differing(before, read_everything(client, plan, **asked)) == {}
    assert_cache_is_what_figures_say(plan)


def assert_cache_is_what_figures_say(plan):
    """The stored status and progress of each action equal those of its last update that counts."""
    as_of = on_day(plan, date(2020, 5, 15), plan.periods.all())
    rows = list(plan.actions.as_of(as_of))
    assert [(each.ref, each.status, each.progress) for each in rows] == [
        (each.ref, each.status_on, each.progress_on) for each in rows
    ]


@pytest.mark.both_databases(only_full=True)
def test_history_marks_undone_updates(client, plan, coordinator):
    action = plan.actions.filter(status=Status.IN_PROGRESS).in_order().first()
    data = edited(exported(plan), {(action.ref, "result"): "คำที่ถูกยกเลิก"})
    job = confirm(preview(data, plan, coordinator), coordinator)
    undo_import(job=job, access=Access.of(coordinator), at=clock.now())
    client.force_login(coordinator)
    response = client.get(f"/plans/{plan.slug}/actions/{action.ref}/")
    undo, update, *others = response.context["history"].updates
    assert (undo.source, undo.is_undone, update.result, update.is_undone) == ("UNDO", True, "คำที่ถูกยกเลิก", True)
    assert not any(each.is_undone for each in others)
    assert response.content.decode().count("is-undone") == 2


@pytest.mark.both_databases
def test_only_undone_updates_stop_counting(plan):
    """A row edited since its import stays, and so does its imported text."""
    one, other = plan.actions.filter(updates=None)[:2]
    job = ImportJobFactory(plan=plan)
    brought = [ProgressUpdateFactory(action=each, import_key=job.key, source="IMPORT") for each in (one, other)]
    ProgressUpdateFactory(action=one, import_key=job.key, source="UNDO")
    assert list(ProgressUpdate.objects.without_undone().filter(import_key=job.key)) == [brought[1]]
    marks = ProgressUpdate.objects.with_undone().filter(import_key=job.key).order_by("pk")
    assert [each.is_undone for each in marks] == [True, False, True]
