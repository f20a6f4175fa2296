"""Downloads of lists: the notes below the title, and the file name."""

from collections.abc import Iterable
from datetime import date

from django.http import FileResponse
from django.utils.translation import gettext as _

from plan.models import Plan
from plan.titles import title_of
from pmqa_tracker import thai
from spreadsheets.list_export import Table, list_response


def list_notes(plan: Plan, day: date, filters: Iterable[str] = (), warnings: Iterable[str] = ()) -> list[str]:
    """Return the lines below a list's title: plan and day, active filters, and warnings about the URL."""
    of_day = _("as of %(day)s") % {"day": thai.format_date(day)}
    return [f"{title_of(plan)} · {of_day}", " · ".join(filter(None, filters)), *warnings]


def send_list(table: Table, plan: Plan, day: date) -> FileResponse:
    """Return the list as a file named after its title, its plan and the day."""
    names = {"list": table.title, "plan": plan.slug, "day": thai.format_date(day)}
    return list_response(table, _("%(list)s %(plan)s as of %(day)s.xlsx") % names)
