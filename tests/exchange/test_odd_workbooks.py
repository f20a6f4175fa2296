"""Workbooks that other programs saved: good ones are read like Excel's own, others are refused in one sentence."""

from dataclasses import asdict
from functools import cache

import pytest
from django.utils.translation import override

from assignments.models import Unit
from exchange.models import ImportState
from exchange.whole_plan.export import build_template
from spreadsheets.read import ReadWorkbook, WorkbookRefusedError, read_workbook
from tests.exchange.bringing import bring, exported, saved
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.odd_workbooks import ODDITIES
from tests.refused_workbooks import REFUSED

pytestmark = [pytest.mark.django_db, pytest.mark.long]


@pytest.fixture
def small():
    """A plan of three actions with two units."""
    plan = PlanFactory()
    units = [UnitFactory(abbreviation="กทก."), UnitFactory(abbreviation="กทข.")]
    for number in range(3):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=units[:1], support=units[1:])
    return plan


def cells(book: ReadWorkbook) -> list[dict]:
    """What a workbook's own sheets hold."""
    return [asdict(sheet) for sheet in book.sheets if sheet.name != "ของฉัน"]


@cache
def template() -> tuple[bytes, list[dict]]:
    """The workbook of a new plan, and its cells."""
    data = saved(build_template())
    return data, cells(read_workbook(data, "a.xlsx"))


@pytest.mark.parametrize("oddity", ODDITIES)
def test_a_good_workbook_of_another_program_changes_nothing(small, oddity):
    person = UserFactory(roles=["coordinator"])
    data, unit = exported(small), Unit.objects.get(abbreviation="กทก.")
    batch = bring(ODDITIES[oddity](data), small, person)
    assert (batch.refusal, batch.found.get("errors"), batch.found.get("rows")) == ("", [], [])
    assert (batch.state, batch.found["unchanged"], batch.found["absent"]) == (ImportState.UNCHANGED, 3, [])
    batch = bring(ODDITIES[oddity](exported(small, unit)), small, person)
    assert (batch.state, batch.unit, batch.found["unchanged"]) == (ImportState.UNCHANGED, unit, 3)
    for book, plain in ((data, cells(read_workbook(data, "a.xlsx"))), template()):
        assert cells(read_workbook(ODDITIES[oddity](book), "a.xlsx")) == plain


@pytest.mark.parametrize("kind", REFUSED)
def test_what_must_not_be_read_is_refused_in_one_sentence(small, kind):
    make, words = REFUSED[kind]
    data = make(exported(small))
    with override("en"), pytest.raises(WorkbookRefusedError, match=words):
        read_workbook(data, "a.xlsx").sheet("ข้อมูลแผน")
    batch = bring(data, small, UserFactory(roles=["coordinator"]))
    assert (batch.state, bool(batch.refusal), words in batch.refusal) == (ImportState.REFUSED, True, False)
