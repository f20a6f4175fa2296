"""What people owe, as tables to download: งานของฉัน, the bell's list, who has sent which report."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assignments.models import Role
from plan.models import ActionItem, Due, Status
from plan.my_work import Work
from plan.owed import OwedList
from plan.report_grid import Cell, CellState, Grid, GridColumn
from plan.schedule import schedule_words
from pmqa_tracker import thai
from pmqa_tracker.table_export import Column, Kind, Table


def my_table(work: Work, *, notes: Sequence[str]) -> Table:
    """The sections of งานของฉัน one after another, in one role, as `plan.views.my.read_my` prepared the rows."""
    is_lead = work.role == Role.LEAD
    return Table(
        title=_("My work"),
        notes=[*notes, _("We lead") if is_lead else _("We support")],
        columns=[
            Column(_("Section"), 22),
            Column(_("Ref"), 14),
            Column(_("Level"), 17),
            Column(_("What is to be done"), 60),
            Column(_("Through"), 16),
            Column(_("Schedule"), 20),
            Column(_("Last updated"), 14, Kind.DAY),
            Column(_("Updated this period"), 13),
            Column(_("Status"), 16),
            Column(_("Overdue"), 11),
            Column(_("Progress"), 10, Kind.PERCENT),
            Column(_("Expected"), 10, Kind.PERCENT),
            Column(_("Reason for the return"), 32),
        ],
        rows=_my_rows(work),
        empty=_("Your unit leads no action of this plan")
        if is_lead
        else _("Your unit supports no action of this plan"),
    )


def _my_rows(work: Work) -> Iterator[list[Any]]:
    for section in work.sections:
        for action in (*section.own, *section.through):
            yield [
                section.label,
                action.ref,
                _levels(action),
                action.text,
                action.through,
                schedule_words(action.first_period, action.last_period),
                action.updated_at,
                _("yes") if action.is_reported else None,
                Status(action.status_on).label,
                Due.OVERDUE.label if action.due == Due.OVERDUE else None,
                action.progress_on,
                action.expected_on,
                action.returned_because,
            ]


def owed_table(owed: OwedList, *, notes: Sequence[str]) -> Table:
    """The bell's list: the period reports, then the groups of actions one after another, all their rows."""
    return Table(
        title=_("To report"),
        notes=notes,
        columns=[
            Column(_("Section"), 22),
            Column(_("Assigned to"), 24),
            Column(_("Ref"), 14),
            Column(_("What is to be done"), 60),
            Column(_("Reason for the return"), 32),
            Column(_("Units"), 16),
            Column(_("Status"), 16),
            Column(_("Was due on"), 14, Kind.DAY),
            Column(_("Report by"), 14, Kind.DAY),
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
        for part, actions in group.parts:
            for action in actions:
                yield [
                    group.label,
                    part or _("Assigned to your own unit"),
                    action.ref,
                    action.text,
                    action.returned_because,
                    ", ".join(map(str, action.owed_by)),
                    action.status_label,
                    action.was_due_on,
                    action.report_by,
                ]


def reporting_table(grid: Grid, *, notes: Sequence[str]) -> Table:
    """Unit × period: where each report stands. Units of which nothing is asked are left out, as on the page."""
    return Table(
        title=_("Period reports"),
        notes=notes,
        columns=[
            Column(_("Unit"), 14),
            Column(_("Name"), 34),
            *(Column(_period_heading(column), 26) for column in grid.columns),
        ],
        rows=(
            [row.unit.abbreviation, row.unit.name_th, *(_report_words(cell) for cell in row.cells)]
            for row in grid.rows
            if not row.is_empty
        ),
        empty=_("No unit has anything to report so far."),
    )


def _period_heading(column: GridColumn) -> str:
    """The period, whether it runs, and how many of its reports were sent."""
    facts = [_("this period")] if column.is_now else []
    if column.owed:
        facts.append(_("sent %(handed_in)s of %(owed)s") % {"handed_in": column.handed_in, "owed": column.owed})
    return "\n".join(filter(None, (column.period.label, " · ".join(facts))))


def _report_words(cell: Cell) -> str:
    """What the page's cell says: the state, and how late, since when, or until when."""
    if cell.state in (CellState.NONE, CellState.LATER):
        return str(cell.state.label)
    if cell.is_late:
        late = ngettext("%(days)s day after its end", "%(days)s days after its end", cell.days_late)
        fact = late % {"days": cell.days_late}
    elif cell.at:
        fact = thai.format_date(thai.timezone.localtime(cell.at))
    else:
        fact = _("ends %(day)s") % {"day": thai.format_date(cell.period.ends_on)}
    return f"{cell.state.label} · {fact}"


def _levels(action: ActionItem) -> str:
    return ", ".join(requirement.get_level_display() for requirement in action.requirements.all())
