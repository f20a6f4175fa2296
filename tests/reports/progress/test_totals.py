"""The totals of the progress report are formulas that LibreOffice calculates to the figures of the site."""

from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook

from assignments.models import Unit
from plan.as_of import on_day
from plan.models import Due, Plan, Status
from reports.progress.totals import DATA_SHEET, one_decimal
from reports.progress.workbook import build_unit_report
from spreadsheets.downloads import finished_workbook
from tests.exchange.workbooks import saved
from tests.reports.progress.calculated import calculated, check_results
from tests.reports.progress.test_workbook import report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo"), pytest.mark.long]
DAY, SINCE = date(2020, 5, 15), date(2020, 4, 10)


def edited(data: bytes) -> bytes:
    """Return the report after a user has set the first overdue action to done, and turned the order of the rows."""
    book = load_workbook(BytesIO(data))
    sheet = book[DATA_SHEET]
    cells = {cell.value: cell.column for cell in sheet[4]}
    results = load_workbook(BytesIO(data), data_only=True)[DATA_SHEET]
    late = next(row for row in range(5, sheet.max_row + 1) if results.cell(row, cells["ล่าช้า (วัน)"]).value)
    sheet.cell(late, cells["สถานะ"]).value = str(Status.DONE.label)
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=5)]
    for number, row in enumerate(reversed(rows), start=5):
        for column, value in enumerate(row, start=1):
            if column != cells["ล่าช้า (วัน)"]:  # a formula follows its own row
                sheet.cell(number, column).value = value
    return saved(book)


@pytest.mark.apart
def test_libreoffice_calculates_the_figures_and_follows_an_edit(tmp_path):
    plan = Plan.objects.get()
    as_of = on_day(plan, DAY, plan.periods.all())
    unit = Unit.objects.get(abbreviation="กพร.")
    books = {
        "report": report(plan, DAY, SINCE),
        "unit": build_unit_report(plan, unit, as_of, as_of, days=[]),
    }
    data = finished_workbook(books["report"]).getvalue()
    again = calculated({**{name: saved(book) for name, book in books.items()}, "edited": edited(data)}, tmp_path)
    for name, book in books.items():
        check_results(book, again[name])
    before, after = again["report"]["สรุป"], again["edited"]["สรุป"]
    moved = {before.cell(row, 1).value: after.cell(row, 3).value - before.cell(row, 3).value for row in range(4, 12)}
    was = next(name for name, difference in moved.items() if difference == -1 and name in map(str, Status.labels))
    assert {name: difference for name, difference in moved.items() if difference} == {
        str(Status.DONE.label): 1, was: -1, str(Due.OVERDUE.label): -1, "ยังไม่รายงานในงวดนี้": -1,
    }  # fmt: skip


def test_a_number_is_rounded_as_in_excel():
    assert [one_decimal(value) for value in (46.25, 46.35, 0.04999, 100.0)] == ["46.3", "46.4", "0.0", "100.0"]
