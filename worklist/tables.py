"""Tables of the workbooks of งานของฉัน and of the bell's list."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from plan.actions.requirements import read_requirements
from plan.models import ActionItem, Due, Status
from plan.schedule import format_schedule
from spreadsheets.list_export import Table
from spreadsheets.tables import Column, ColumnKind
from worklist.owed import OwedList
from worklist.queue import SECTIONS, Work


def my_table(work: Work, *, notes: Sequence[str]) -> Table:
    """Return the rows of งานของฉัน for one role, section by section; see `worklist.views.my.read_my_page`."""
    labels = dict(SECTIONS)
    rows = [row for section in work.sections for row in (*section.own, *section.via_collective)]
    read_requirements([row.action for row in rows])
    return Table(
        title=_("My work"),
        name="Work",
        notes=[*notes, _("We lead") if work.is_lead else _("We support")],
        columns=[
            Column(_("Section"), 22, get=lambda row: labels[row.section]),
            Column(_("Ref"), 16, get=lambda row: row.action.ref),
            Column(_("Level"), 22, get=lambda row: _levels(row.action)),
            Column(_("What is to be done"), 70, get=lambda row: row.action.text),
            Column(_("Through"), 16, get=lambda row: row.collective),
            Column(_("Schedule"), 20, get=lambda row: format_schedule(row.action.first_period, row.action.last_period)),
            Column(_("Last updated"), 21, ColumnKind.DAY, get=lambda row: row.action.updated_at),
            Column(_("Updated this period"), 16, get=lambda row: _("yes") if row.updated_on else None),
            Column(_("Status"), 18, get=lambda row: Status(row.action.status_on).label),
            Column(_("Overdue"), 12, get=lambda row: Due.OVERDUE.label if row.action.due == Due.OVERDUE else None),
            Column(_("Progress"), 14, ColumnKind.PERCENT, get=lambda row: row.action.progress_on),
            Column(_("Expected"), 12, ColumnKind.PERCENT, get=lambda row: row.action.expected_on),
            Column(_("Reason for the return"), 32, get=lambda row: row.action.return_reason),
        ],
        rows=rows,
        empty=_("Your unit leads no action of this plan")
        if work.is_lead
        else _("Your unit supports no action of this plan"),
    )


def owed_table(owed: OwedList, *, notes: Sequence[str]) -> Table:
    """Return the bell's list: the period reports, then all actions, group by group."""
    return Table(
        title=_("To report"),
        name="Owed",
        notes=notes,
        columns=[
            Column(_("Section"), 22),
            Column(_("Assigned to"), 24),
            Column(_("Ref"), 16),
            Column(_("What is to be done"), 70),
            Column(_("Reason for the return"), 32),
            Column(_("Units"), 16),
            Column(_("Status"), 18),
            Column(_("Was due on"), 21, ColumnKind.DAY),
            Column(_("Report by"), 21, ColumnKind.DAY),
        ],
        rows=[*_owed_reports(owed), *_owed_actions(owed)],
        empty=_("Your unit has nothing to report now."),
    )


def _owed_reports(owed: OwedList) -> Iterator[list[Any]]:
    for cell in owed.reports:
        text = _("Report for %(period)s") % {"period": cell.period.label}
        was_due_on = cell.period.ends_on if cell.is_late else None
        report_by = None if cell.is_late else cell.period.ends_on
        yield [
            _("Period reports to send"),
            None,
            None,
            text,
            None,
            str(cell.unit),
            cell.state.label,
            was_due_on,
            report_by,
        ]


def _owed_actions(owed: OwedList) -> Iterator[list[Any]]:
    for group in owed.groups:
        for part, rows in group.parts:
            for row in rows:
                yield [
                    group.label,
                    part or _("Assigned to your own unit"),
                    row.action.ref,
                    row.action.text,
                    row.action.return_reason,
                    row.duty_names,
                    row.status_label,
                    row.was_due_on,
                    row.report_by,
                ]


def _levels(action: ActionItem) -> str:
    return ", ".join(requirement.get_level_display() for requirement in action.requirements.all())
