"""Compare writing the plan form with openpyxl writing the same cells with the same look, in one run."""

import sys
from collections.abc import Callable
from copy import copy
from datetime import date
from io import BytesIO
from statistics import median
from time import process_time

from openpyxl import Workbook
from openpyxl.cell import MergedCell

from plan.as_of import on_day
from plan.models import Plan
from reports.plan_form.workbook import build_plan_form
from spreadsheets.styles import count_lines

ROUNDS = 3
MAX_RATIO = 1.5


def ours(plan: Plan) -> Workbook:
    """Read the plan, build the form with status, and save it."""
    count_lines.cache_clear()
    book = build_plan_form(plan, on_day(plan, date(2020, 5, 15), plan.periods.all()), with_status=True)
    book.save(BytesIO())
    return book


def theirs(source: Workbook) -> None:
    """Write the cells of a workbook one by one to another, with their look, and save it."""
    book = Workbook()
    for sheet in source:
        copied = book.create_sheet(sheet.title)
        for row in sheet.iter_rows():
            for cell in row:
                other = copied.cell(cell.row, cell.column, None if isinstance(cell, MergedCell) else cell.value)
                other.font, other.alignment = copy(cell.font), copy(cell.alignment)
                other.border, other.fill = copy(cell.border), copy(cell.fill)
        for area in sheet.merged_cells.ranges:
            copied.merge_cells(str(area))
        for number, dimension in sheet.row_dimensions.items():
            copied.row_dimensions[number].height = dimension.height
    book.save(BytesIO())


def seconds(write: Callable[[], object]) -> float:
    """Return the time of the processor that writing takes."""
    start = process_time()
    write()
    return process_time() - start


def main() -> None:
    """Print both times and their ratio; the database has one plan."""
    plan = Plan.objects.get()
    source = ours(plan)  # warm up
    pairs = [(seconds(lambda: ours(plan)), seconds(lambda: theirs(source))) for _round in range(ROUNDS)]
    our, their = median(our for our, _their in pairs), median(their for _our, their in pairs)
    sys.stdout.write(
        f"\nThe plan form, median of {ROUNDS} rounds\nthe current view {our:.2f} s, openpyxl writing the same cells"
        f" {their:.2f} s: {our / their:.1f} times as long (at most {MAX_RATIO})\n"
    )
