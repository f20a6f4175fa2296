"""Nobody reports an undone update any more: no page, workbook, mail or figure reads from it."""

from datetime import date

import pytest

from assignments.access import Access
from assignments.models import Unit
from exchange.models import ImportState
from exchange.undo import undo_import
from plan.as_of import on_day
from plan.models import Plan, ProgressUpdate, Status
from pmqa_tracker import clock
from tests import sizes
from tests.exchange.bringing import bring, edited, exported, write
from tests.exchange.editing import random_changes
from tests.exchange.everything import read_everything, read_some
from tests.factories import ProgressUpdateFactory, WorkbookImportFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]

BASE = "/plans/2562-2563"
# Pages and workbooks that say something else while the import counts: else reading them twice would prove nothing.
ALWAYS_DIFFERS = [f"{BASE}/{each}" for each in ("actions/", "dashboard/", "units/", "data-sheet.xlsx", "plan.xlsx")]


@pytest.fixture
def plan():
    return Plan.objects.get()


def differing(before, after):
    """Where two readings differ, with both sides in short."""
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
def test_after_an_undo_everything_reads_as_before(client, plan, coordinator, settings):
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
    batch = write(bring(edited(data, changes), plan, coordinator), coordinator)
    assert batch.state == ImportState.WRITTEN, batch.found.get("errors")
    settings.PMQA_TODAY = date(2020, 5, 15)
    meanwhile = read_some(client, ALWAYS_DIFFERS)
    assert {address for address, said in meanwhile.items() if said == before[address]} == set()
    settings.PMQA_TODAY = date(2020, 5, 12)
    undo_import(job=batch, access=Access.of(coordinator), at=clock.now())

    settings.PMQA_TODAY = date(2020, 5, 15)
    assert differing(before, read_everything(client, plan, **asked)) == {}
    assert_cache_is_what_figures_say(plan)


def assert_cache_is_what_figures_say(plan):
    """The status and progress an action keeps are those of its last update that counts."""
    as_of = on_day(plan, date(2020, 5, 15), plan.periods.all())
    rows = list(plan.actions.as_of(as_of))
    assert [(each.ref, each.status, each.progress) for each in rows] == [
        (each.ref, each.status_on, each.progress_on) for each in rows
    ]


@pytest.mark.both_databases
def test_the_history_lists_undone_updates_and_marks_them(client, plan, coordinator):
    action = plan.actions.filter(status=Status.IN_PROGRESS).in_order().first()
    data = edited(exported(plan), {(action.ref, "result"): "คำที่ถูกยกเลิก"})
    batch = write(bring(data, plan, coordinator), coordinator)
    undo_import(job=batch, access=Access.of(coordinator), at=clock.now())
    client.force_login(coordinator)
    response = client.get(f"/plans/{plan.slug}/actions/{action.ref}/")
    undo, told, *others = response.context["history"].updates
    assert (undo.source, undo.is_undone, told.result, told.is_undone) == ("UNDO", True, "คำที่ถูกยกเลิก", True)
    assert not any(each.is_undone for each in others)
    assert response.content.decode().count("is-undone") == 2


@pytest.mark.both_databases
def test_only_what_was_taken_back_stops_counting(plan):
    """A row that somebody has edited since stays, so the words that came with it stay too."""
    one, other = plan.actions.filter(updates=None)[:2]
    batch = WorkbookImportFactory(plan=plan)
    brought = [ProgressUpdateFactory(action=each, import_key=batch.key, source="IMPORT") for each in (one, other)]
    ProgressUpdateFactory(action=one, import_key=batch.key, source="UNDO")
    assert list(ProgressUpdate.objects.without_undone().filter(import_key=batch.key)) == [brought[1]]
    marks = ProgressUpdate.objects.with_undone().filter(import_key=batch.key).order_by("pk")
    assert [each.is_undone for each in marks] == [True, False, True]
