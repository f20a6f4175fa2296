"""The grid of submissions as a table to download."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pmqa_tracker import thai
from spreadsheets.list_export import Table
from spreadsheets.tables import Column
from submissions.grid import GridColumn, SubmissionCell, SubmissionCellState, SubmissionGrid


def submission_table(grid: SubmissionGrid, *, notes: Sequence[str]) -> Table:
    """The state of each unit's report per period; like the page, it leaves out units with nothing to report."""
    return Table(
        title=_("Period reports"),
        notes=notes,
        columns=[
            Column(_("Unit"), 14, get=lambda row: row.unit.abbreviation),
            Column(_("Name"), 34, get=lambda row: row.unit.name_th),
            *(
                Column(_period_heading(column), 26, get=lambda row, place=place: _report_words(row.cells[place]))
                for place, column in enumerate(grid.columns)
            ),
        ],
        rows=(row for row in grid.rows if not row.is_empty),
        empty=_("No unit has anything to report so far."),
    )


def _period_heading(column: GridColumn) -> str:
    """The period, a mark if it is the current one, and how many of its reports were sent."""
    facts = [_("this period")] if column.is_now else []
    if column.owed:
        facts.append(_("sent %(handed_in)s of %(owed)s") % {"handed_in": column.handed_in, "owed": column.owed})
    return "\n".join(filter(None, (column.period.label, " · ".join(facts))))


def _report_words(cell: SubmissionCell) -> str:
    """The text of the page's cell: the state, and how late it is, when it was reached, or when the period ends."""
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
