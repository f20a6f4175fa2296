"""Workbooks saved by other programs: valid ones are read like those of Excel, others are refused with a sentence."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache

import pytest
from django.utils.translation import override

from assignments.models import Unit, User
from exchange.models import ImportJobState
from exchange.whole_plan.export import build_template
from plan.models import Plan
from spreadsheets.read import ReadWorkbook, WorkbookRefusedError, read_workbook
from tests.exchange.workbooks import exported, preview, saved
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory, default_organization
from tests.odd_workbooks import ODDITIES
from tests.refused_workbooks import REFUSED

pytestmark = [pytest.mark.django_db, pytest.mark.long]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A plan of three actions with two units, its coordinator, and its data sheets: of all units, and of one."""

    plan: Plan
    unit: Unit
    person: User
    data: bytes
    unit_data: bytes


@pytest.fixture(scope="module")
def sample(rolled_back: None) -> Iterator[Sample]:
    """Made once; the tests change workbooks and write only their import jobs."""
    plan = PlanFactory()
    units = [UnitFactory(abbreviation="กทก."), UnitFactory(abbreviation="กทข.")]
    for number in range(3):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=units[:1], support=units[1:])
    with override("th"):
        yield Sample(
            plan=plan,
            unit=units[0],
            person=UserFactory(roles=["coordinator"]),
            data=exported(plan),
            unit_data=exported(plan, units[0]),
        )


def cells(book: ReadWorkbook) -> list[dict]:
    """The content of the sheets that this site wrote."""
    return [asdict(sheet) for sheet in book.sheets if sheet.name != "ของฉัน"]


@cache
def plain_cells(data: bytes) -> list[dict]:
    """The cells of a workbook that nobody changed."""
    return cells(read_workbook(data, "a.xlsx"))


@cache
def template() -> bytes:
    """The workbook of a new plan."""
    return saved(build_template(default_organization()))


@pytest.mark.parametrize("oddity", ODDITIES)
def test_valid_workbook_of_other_program_changes_nothing(sample, oddity):
    odd = ODDITIES[oddity](sample.data)
    job = preview(odd, sample.plan, sample.person)
    assert (job.refusal, job.findings.get("errors"), job.findings.get("rows")) == ("", [], [])
    assert (job.state, job.findings["unchanged"], job.findings["absent"]) == (ImportJobState.UNCHANGED, 3, [])
    job = preview(ODDITIES[oddity](sample.unit_data), sample.plan, sample.person)
    assert (job.state, job.unit, job.findings["unchanged"]) == (ImportJobState.UNCHANGED, sample.unit, 3)
    for book, changed in ((sample.data, odd), (template(), ODDITIES[oddity](template()))):
        assert cells(read_workbook(changed, "a.xlsx")) == plain_cells(book)


@pytest.mark.parametrize("kind", REFUSED)
def test_invalid_workbook_is_refused_with_one_sentence(sample, kind):
    make, words = REFUSED[kind]
    data = make(sample.data)
    with override("en"), pytest.raises(WorkbookRefusedError, match=words):
        read_workbook(data, "a.xlsx").sheet("ข้อมูลแผน")
    job = preview(data, sample.plan, sample.person)
    assert (job.state, bool(job.refusal), words in job.refusal) == (ImportJobState.REFUSED, True, False)
