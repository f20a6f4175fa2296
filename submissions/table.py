"""Workbook table of the grid of submissions."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pmqa_tracker import thai
from spreadsheets.list_export import Table
from spreadsheets.tables import Column
from submissions.grid import GridColumn, SubmissionCell, SubmissionCellState, SubmissionGrid


def submission_table(grid: SubmissionGrid, *, notes: Sequence[str]) -> Table:
    """Return the grid as a table. Like the page, it leaves out units with nothing to report."""
    return Table(
        title=_("Period reports"),
        name="Reports",
        notes=notes,
        columns=[
            Column(_("Unit"), 14, get=lambda row: row.unit.abbreviation),
            Column(_("Name"), 34, get=lambda row: row.unit.name_th),
            *(
                Column(_period_heading(column), 26, get=lambda row, index=index: _cell_text(row.cells[index]))
                for index, column in enumerate(grid.columns)
            ),
        ],
        rows=(row for row in grid.rows if not row.is_empty),
        empty=_("No unit has anything to report so far."),
    )


def _period_heading(column: GridColumn) -> str:
    """Return the heading of a period: its label, whether it is the current one, and how many units have sent."""
    facts = [_("this period")] if column.is_now else []
    if column.owed:
        facts.append(_("sent %(handed_in)s of %(owed)s") % {"handed_in": column.handed_in, "owed": column.owed})
    return "\n".join(filter(None, (column.period.label, " · ".join(facts))))


def _cell_text(cell: SubmissionCell) -> str:
    """Return the state, with the days late, the day of the last step or the period's end, as on the page."""
    if cell.state in (SubmissionCellState.NONE, SubmissionCellState.LATER):
        return str(cell.state.label)
    if cell.is_late:
        late = ngettext("%(days)s day after its end", "%(days)s days after its end", cell.days_late)
        fact = late % {"days": cell.days_late}
    elif cell.at:
        fact = thai.format_date(thai.timezone.localtime(cell.at))
    else:
        fact = _("ends %(day)s") % {"day": thai.format_date(cell.period.ends_on)}
    return f"{cell.state.label} · {fact}"
