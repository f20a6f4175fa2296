"""Workbooks saved by other programs: valid ones are read like those of Excel, others are refused with a sentence."""

from dataclasses import asdict
from functools import cache

import pytest
from django.utils.translation import override

from assignments.models import Unit
from exchange.models import ImportJobState
from exchange.whole_plan.export import build_template
from spreadsheets.read import ReadWorkbook, WorkbookRefusedError, read_workbook
from tests.exchange.workbooks import exported, preview, saved
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory, default_organization
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
    """The content of the sheets that this site wrote."""
    return [asdict(sheet) for sheet in book.sheets if sheet.name != "ของฉัน"]


@cache
def template() -> tuple[bytes, list[dict]]:
    """The workbook of a new plan, and its cells."""
    data = saved(build_template(default_organization()))
    return data, cells(read_workbook(data, "a.xlsx"))


@pytest.mark.parametrize("oddity", ODDITIES)
def test_valid_workbook_of_other_program_changes_nothing(small, oddity):
    person = UserFactory(roles=["coordinator"])
    data, unit = exported(small), Unit.objects.get(abbreviation="กทก.")
    job = preview(ODDITIES[oddity](data), small, person)
    assert (job.refusal, job.findings.get("errors"), job.findings.get("rows")) == ("", [], [])
    assert (job.state, job.findings["unchanged"], job.findings["absent"]) == (ImportJobState.UNCHANGED, 3, [])
    job = preview(ODDITIES[oddity](exported(small, unit)), small, person)
    assert (job.state, job.unit, job.findings["unchanged"]) == (ImportJobState.UNCHANGED, unit, 3)
    for book, plain in ((data, cells(read_workbook(data, "a.xlsx"))), template()):
        assert cells(read_workbook(ODDITIES[oddity](book), "a.xlsx")) == plain


@pytest.mark.parametrize("kind", REFUSED)
def test_invalid_workbook_is_refused_with_one_sentence(small, kind):
    make, words = REFUSED[kind]
    data = make(exported(small))
    with override("en"), pytest.raises(WorkbookRefusedError, match=words):
        read_workbook(data, "a.xlsx").sheet("ข้อมูลแผน")
    job = preview(data, small, UserFactory(roles=["coordinator"]))
    assert (job.state, bool(job.refusal), words in job.refusal) == (ImportJobState.REFUSED, True, False)
