"""แบบแผน (plan form): the plan as a workbook in the layout of the document, with the status of each action on a day.

The workbook is always in Thai, in the wording of the document.
"""

from collections.abc import Sequence

from django.utils import translation
from django.utils.translation import gettext as _
from openpyxl import Workbook

from plan.as_of import AsOf
from plan.models import Plan
from plan.titles import title_of
from pmqa_tracker import thai
from pmqa_tracker.tasks.models import ProgressCallback, ignore_progress
from reports.plan_form.cells import as_of_text, category_number
from reports.plan_form.layout import Layout
from reports.plan_form.notes import reading_notes, write_notes, write_request_notes
from reports.plan_form.rows import read_form
from reports.plan_form.sheet import CategorySheet
from spreadsheets.styles import Style, new_book, write


def name_plan_form(plan: Plan, as_of: AsOf, *, with_status: bool) -> str:
    """Return the name of the file, without the extension."""
    params = {"plan": plan.slug, "day": thai.format_date(as_of.day)}
    if with_status:
        return _("plan-form %(plan)s as of %(day)s") % params
    return _("plan-form without status %(plan)s as of %(day)s") % params


def build_plan_form(
    plan: Plan,
    as_of: AsOf,
    *,
    with_status: bool,
    notes: Sequence[str] = (),
    on_progress: ProgressCallback = ignore_progress,
) -> Workbook:
    """Build the plan form with a sheet per category, and a last sheet of reading notes if there are any.

    Args:
        plan: the plan.
        as_of: the day.
        with_status: add four columns with the status of each action on the day.
        notes: lines on a first sheet: what the request asked for and the workbook does not show.
        on_progress: called with (categories written, all categories).
    """
    book = new_book()
    book.properties.title = title_of(plan)
    layout = Layout.of(len(as_of.periods), with_status=with_status)
    reading: list[tuple[str, str]] = []
    with translation.override("th"):
        if notes:
            write_request_notes(book.create_sheet("โปรดทราบ"), notes, footer=as_of_text(as_of))
        form = read_form(plan, as_of)
        for number, (category, entries) in enumerate(form):
            on_progress(number, len(form))
            sheet = book.create_sheet(f"หมวด {category_number(category.number)}")
            CategorySheet(sheet, layout, as_of).write(plan, category, entries)
            reading += reading_notes(entries)
        if reading:
            write_notes(book.create_sheet("หมายเหตุ"), reading, footer=as_of_text(as_of))
    if not book.worksheets:
        write(book.create_sheet("แบบแผน").cell(1, 1), plan.title, Style(bold=True, border="", wrap=False))
    return book
