"""A list of a plan as a download: its notes and its file name."""

from collections.abc import Iterable
from datetime import date

from django.http import FileResponse
from django.utils.translation import gettext as _

from plan.models import Plan
from pmqa_tracker import thai
from spreadsheets.list_export import Table, list_response


def list_notes(plan: Plan, day: date, filters: Iterable[str] = (), said: Iterable[str] = ()) -> list[str]:
    """The lines under a list's title: the plan and the day, the filters in words, what of the address was left out."""
    of_day = _("as of %(day)s") % {"day": thai.format_date(day)}
    return [f"{plan.title} · {of_day}", " · ".join(filter(None, filters)), *said]


def send_list(table: Table, plan: Plan, day: date) -> FileResponse:
    """The list as a download, named by its title, its plan and its day."""
    names = {"list": table.title, "plan": plan.slug, "day": thai.format_date(day)}
    return list_response(table, _("%(list)s %(plan)s as of %(day)s.xlsx") % names)
