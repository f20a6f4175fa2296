"""The privacy page, and the download of a person's data by themselves or by an administrator."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.personal_data.read import personal_records
from assignments.models import User
from pmqa_tracker import clock, thai
from spreadsheets.downloads import workbook_response
from spreadsheets.styles import NOTE, TITLE, new_book, set_up_page, sheet_title, write
from spreadsheets.tables import Column, set_widths, write_table

WIDTH = 26  # characters


@login_not_required
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Say what the site keeps about people, why, and for how long."""
    return render(
        request,
        "accounts/privacy.html",
        {"kept_hours": settings.PMQA_KEPT_HOURS, "log_days": settings.PMQA_LOGIN_LOG_DAYS},
    )


@require_safe
def own_data(request: HttpRequest) -> FileResponse:
    """Download what the site holds about the user."""
    return send_data(request.user)


@require_safe
def data_of_person(request: HttpRequest, pk: int) -> FileResponse:
    """Download what the site holds about a person; for administrators."""
    if not request.user.is_superuser:
        raise PermissionDenied(_("Only an administrator may download the data of another person."))
    return send_data(get_object_or_404(User, pk=pk))


def send_data(person: User) -> FileResponse:
    """Return a workbook with a sheet for each kind of record that names the person."""
    book = new_book()
    for records in personal_records(person):
        sheet = book.create_sheet(sheet_title(records.title, book.sheetnames))
        columns = [Column(heading, WIDTH) for heading in records.headings]
        set_widths(sheet, [column.width for column in columns])
        write(sheet.cell(1, 1), records.title, TITLE)
        write(sheet.cell(2, 1), str(person), NOTE)
        write_table(sheet, 4, columns, records.rows)
        set_up_page(sheet, header_rows="4:4", footer=sheet.title)
    names = {"person": person.username, "day": thai.format_date(clock.today())}
    return workbook_response(book, _("Data of %(person)s as of %(day)s") % names)
