"""แบบแผน: the plan as a workbook in the document's own layout, with how each action stands on a day beside it.

It is a Thai document whatever the page's language; its words are those the document prints.
"""

from collections.abc import Sequence

from django.utils import translation
from openpyxl import Workbook

from plan.as_of import AsOf
from plan.models import Plan
from pmqa_tracker.tasks import ProgressCallback, ignore_progress
from reports.plan_form.cells import as_of_words, category_number
from reports.plan_form.layout import Layout
from reports.plan_form.notes import reading_notes, write_notes, write_request_notes
from reports.plan_form.rows import read_form
from reports.plan_form.sheet import CategorySheet
from spreadsheets.styles import Style, new_book, write


def build_plan_form(
    plan: Plan,
    as_of: AsOf,
    *,
    with_status: bool,
    notes: Sequence[str] = (),
    on_progress: ProgressCallback = ignore_progress,
) -> Workbook:
    """A sheet per category, the document again; `with_status` adds how each action stood on the day.

    A last sheet says what was uncertain when the document was read. Where the address asked for something else than the
    workbook shows, `notes` say so on a first sheet. `on_progress` is told how many categories of how many are written.
    """
    book = new_book()
    book.properties.title = plan.title
    layout = Layout.of(len(as_of.periods), with_status=with_status)
    uncertain = []
    with translation.override("th"):
        if notes:
            write_request_notes(book.create_sheet("โปรดทราบ"), notes, footer=as_of_words(as_of))
        form = read_form(plan, as_of)
        for number, (category, entries) in enumerate(form):
            on_progress(number, len(form))
            sheet = book.create_sheet(f"หมวด {category_number(category.number)}")
            CategorySheet(sheet, layout, as_of).write(plan, category, entries)
            uncertain += reading_notes(entries)
        if uncertain:
            write_notes(book.create_sheet("หมายเหตุ"), uncertain, footer=as_of_words(as_of))
    if not book.worksheets:
        write(book.create_sheet("แบบแผน").cell(1, 1), plan.title, Style(bold=True, border="", wrap=False))
    return book
