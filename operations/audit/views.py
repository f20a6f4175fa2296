"""Page and workbook of the audit, for coordinators and administrators."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assignments.access import access_of
from operations.audit.forms import AuditForm
from operations.audit.read import PER_PAGE, AuditFilter, AuditRow, read_audit
from operations.audit.table import audit_table
from pmqa_tracker import clock, thai
from spreadsheets.list_export import list_response

MOST_PAGES = 200
MOST_ROWS, AT_ONCE = 5000, 1000  # of the workbook; each time that many are read


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Show who did what, when and from where, newest first."""
    check_may_audit(request)
    form = AuditForm(request.GET, user=request.user, today=clock.today())
    asked = request.GET.get("page", "")
    number = min(max(int(asked), 1), MOST_PAGES) if asked.isdecimal() and len(asked) < 6 else 1
    start = (number - 1) * PER_PAGE
    rows = read_audit(request.user, form.chosen, start, start + PER_PAGE + 1)
    has_next = len(rows) > PER_PAGE and number < MOST_PAGES
    context = {"form": form, "rows": rows[:PER_PAGE], "number": number, "has_next": has_next}
    return render(request, "operations/audit.html", context, status=422 if form.errors else 200)


@require_safe
def audit_workbook(request: HttpRequest) -> FileResponse:
    """Download the newest rows that the filters leave."""
    check_may_audit(request)
    form = AuditForm(request.GET, user=request.user, today=clock.today())
    rows = _read_all(request.user, form.chosen)
    notes = [
        " · ".join([_("as of %(day)s") % {"day": thai.format_date(clock.today())}, *form.describe()]),
        _("The newest %(count)s rows at most; narrow the days for earlier ones.") % {"count": MOST_ROWS},
    ]
    name = _("Audit as of %(day)s.xlsx") % {"day": thai.format_date(clock.today())}
    return list_response(audit_table(rows, notes=notes), name)


def check_may_audit(request: HttpRequest) -> None:
    """Raise PermissionDenied with the reason if the user may not see the audit."""
    if not access_of(request).is_coordinator:
        raise PermissionDenied(_("Only PMQA coordinators and administrators see who changed what and when."))


def _read_all(user: Any, chosen: AuditFilter) -> Iterator[AuditRow]:
    for start in range(0, MOST_ROWS, AT_ONCE):
        rows = read_audit(user, chosen, start, start + AT_ONCE)
        yield from rows
        if len(rows) < AT_ONCE:
            return
