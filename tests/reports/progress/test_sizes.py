"""The progress report of plans that are empty, short or long."""

from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook

from tests.exchange.workbooks import saved
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory
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
        assert len(book.sheetnames) == 8
