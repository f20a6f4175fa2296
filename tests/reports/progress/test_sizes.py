"""The progress report of plans that are empty, short or long."""

from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook

from reports.progress.totals import DATA_SHEET
from tests.exchange.workbooks import saved
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory
from tests.reports.progress.calculated import calculated, check_results, formulas
from tests.reports.progress.test_workbook import report

pytestmark = pytest.mark.django_db


def test_an_empty_plan_and_plans_of_one_and_twelve_periods():
    empty = load_workbook(BytesIO(saved(report(PlanFactory(), date(2020, 5, 15), date(2020, 4, 10)))))
    assert empty.sheetnames[:2] == ["ปก", "สรุป"]
    for count in (1, 12):
        firsts = [date(2019 + (each + 9) // 12, (each + 9) % 12 + 1, 1) for each in range(count)]
        plan = PlanFactory(periods=[(first, first.replace(day=28)) for first in firsts])
        ActionItemFactory(plan=plan, runs=(1, count), lead=[UnitFactory()])
        book = load_workbook(BytesIO(saved(report(plan, date(2020, 5, 15), date(2020, 4, 10)))))
        assert len(book.sheetnames) == 9


@pytest.mark.apart
def test_no_formula_holds_text_of_users_and_an_empty_plan_is_calculated(tmp_path):
    text = '=cmd|"/c calc"!A1'
    plan = PlanFactory(periods=[(date(2020, 1, 1), date(2020, 3, 31))])
    unit = UnitFactory(organization=plan.organization, abbreviation="=calc", name_th=text)
    ActionItemFactory(plan=plan, runs=(1, 1), lead=[unit], text=text)
    books = {
        name: report(each, date(2020, 5, 15), date(2020, 4, 10))
        for name, each in (("evil", plan), ("empty", PlanFactory()))
    }
    again = calculated({name: saved(book) for name, book in books.items()}, tmp_path)
    for name, book in books.items():
        check_results(book, again[name])
    assert [each for each in formulas(books["evil"]) if "calc" in each[2]] == []
    assert again["evil"][DATA_SHEET]["C5"].value == text
    assert again["evil"]["รายหน่วยงาน"]["A4"].value == f"=calc {text}"
