"""แบบแผน: the plan as a workbook in the document's own layout, with how each action stands on a day beside it.

It is a Thai document whatever the page's language; its words are those the document prints.
"""

from collections.abc import Sequence

from django.utils import translation
from openpyxl import Workbook

from plan.as_of import AsOf
from plan.models import Plan
from pmqa_tracker.tasks import Tell, to_nobody
from reports.plan_form.cells import as_of_words, thai_digits
from reports.plan_form.layout import Layout
from reports.plan_form.notes import reading_notes, write_asked, write_notes
from reports.plan_form.rows import read_form
from reports.plan_form.sheet import CategorySheet
from spreadsheets.styles import Style, new_book, write


def build_plan_form(
    plan: Plan, as_of: AsOf, *, with_status: bool, notes: Sequence[str] = (), tell: Tell = to_nobody
) -> Workbook:
    """A sheet per category, the document again; `with_status` adds how each action stood on the day.

    A last sheet says what was uncertain when the document was read. Where the address asked for something else than the
    workbook shows, `notes` say so on a first sheet. `tell` is told how many categories of how many are written.
    """
    book = new_book()
    book.properties.title = plan.title
    layout = Layout.of(len(as_of.periods), with_status=with_status)
    uncertain = []
    with translation.override("th"):
        if notes:
            write_asked(book.create_sheet("โปรดทราบ"), notes, footer=as_of_words(as_of))
        form = read_form(plan, as_of)
        for number, (category, entries) in enumerate(form):
            tell(number, len(form))
            sheet = book.create_sheet(f"หมวด {thai_digits(category.number)}")
            CategorySheet(sheet, layout, as_of).write(plan, category, entries)
            uncertain += reading_notes(entries)
        if uncertain:
            write_notes(book.create_sheet("หมายเหตุ"), uncertain, footer=as_of_words(as_of))
    if not book.worksheets:
        write(book.create_sheet("แบบแผน").cell(1, 1), plan.title, Style(bold=True, border="", wrap=False))
    return book
