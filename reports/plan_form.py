"""แบบแผน: the plan as a workbook in the document's own layout, with how each action stands on a day beside it.

It is a Thai document whatever the page's language; its words are those the document prints.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.utils import timezone, translation
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from criteria.models import Category
from plan.as_of import AsOf
from plan.models import ActionItem, Due, Plan, Status
from pmqa_tracker import thai
from reports.form_rows import Block, Entry, read_form
from reports.sheets import (
    HIGHEST_ROW,
    POINTS_PER_CHARACTER,
    QUIET,
    SIZE,
    Style,
    line_height,
    rich,
    set_up_page,
    text_height,
    write,
    write_box,
)

INDIGO = "2B2A6C"
PRINTABLE = (784.0, 510.0)  # width and height, in points, of A4 landscape inside the margins of `set_up_page`

CELL = Style()
HEADER = Style(bold=True, horizontal="center", vertical="center", fill="ECEBF5")
MONTHS = HEADER.but(size=12)
HEADING = Style(bold=True, vertical="center", fill="F8F6F3")
UNITS = Style(horizontal="center")
ARROW = Style(font="Arial", size=10, bold=True, color=INDIGO, vertical="center", wrap=False)
STATED = ARROW.but(fill="DCDAF0")
INFERRED = ARROW.but(fill="C9C8E4", pattern="lightUp")
NOTE = Style(size=12, italic=True, color=QUIET, horizontal="center", vertical="center")

STATUS_COLORS = {
    Status.DONE: ("1B7F4B", "E3F3EA"),
    Status.IN_PROGRESS: ("1F5FBF", "E4EDFA"),
    Status.BLOCKED: ("9A5200", "FDF0D9"),
    Status.NOT_STARTED: ("6A655F", "EEEBE7"),
    Status.CANCELLED: ("6A655F", "F3F1EE"),
}
OVERDUE_COLORS = ("B3261E", "FBE7E5")

INFERRED_LEGEND = "ช่วงเวลาอนุมานจากรูปแบบตารางของเอกสาร รอผู้ประสานงานยืนยัน"
STATED_LEGEND = "ช่วงเวลาตามเอกสารหรือที่ยืนยันแล้ว"
UNSCHEDULED = "ไม่ปรากฏในเอกสาร"


@dataclass(frozen=True)
class Layout:
    """Which column holds what, and how wide each is; columns count from 1."""

    widths: tuple[float, ...]
    periods: int
    with_status: bool

    @classmethod
    def of(cls, periods: int, *, with_status: bool) -> "Layout":
        """The columns for a number of periods, which share the width that five have."""
        each = max((27.5 if with_status else 40) / max(periods, 1), 5)
        widths = (27, 16, 38, *[each] * periods, 10, 12.5) if with_status else (32, 19, 46, *[each] * periods, 12, 15)
        return cls(widths + ((12, 7, 26, 10) if with_status else ()), periods, with_status)

    @property
    def lead(self) -> int:
        return 4 + self.periods

    @property
    def support(self) -> int:
        return 5 + self.periods

    @property
    def status(self) -> int:
        return 6 + self.periods

    @property
    def last(self) -> int:
        return len(self.widths)

    def width(self, column: int, last: int | None = None) -> float:
        """The width of a column, or of those up to `last`."""
        return sum(self.widths[column - 1 : last or column])

    @property
    def page(self) -> float:
        """How many points of rows a page holds once the sheet is shrunk to its width."""
        return PRINTABLE[1] * max(sum(self.widths) * POINTS_PER_CHARACTER / PRINTABLE[0], 1)


def build_plan_form(plan: Plan, as_of: AsOf, *, with_status: bool) -> Workbook:
    """A sheet per category, the document again; `with_status` adds how each action stood on the day."""
    book = Workbook()
    book.remove(book.active)
    book.properties.title = plan.title
    book.properties.creator = plan.organization
    book.properties.language = "th-TH"
    with translation.override("th"):
        layout = Layout.of(len(as_of.periods), with_status=with_status)
        for category, entries in read_form(plan, as_of):
            sheet = book.create_sheet(f"หมวด {thai_digits(category.number)}")
            CategorySheet(sheet, layout, plan, as_of).fill(category, entries)
        if not book.worksheets:
            write(book.create_sheet("แบบแผน").cell(1, 1), plan.title, Style(bold=True, border="", wrap=False))
    return book


def thai_digits(number: int) -> str:
    """A number as the document prints those of its categories: "๑"."""
    return str(number).translate(thai.TO_THAI)
