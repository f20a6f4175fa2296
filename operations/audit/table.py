"""The audit as a table of a workbook."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from operations.audit.read import AuditRow
from pmqa_tracker import thai
from spreadsheets.list_export import Table
from spreadsheets.tables import Column


def audit_table(rows: Iterable[AuditRow], *, notes: Sequence[str]) -> Table:
    """Return the rows of the audit, with the values before and after in two columns."""
    return Table(
        title=_("Audit"),
        name="Audit",
        notes=notes,
        columns=[
            Column(_("When"), 26, get=lambda row: thai.format_datetime(row.at)),
            Column(_("Done by"), 28, get=lambda row: row.who),
            Column(_("Kind of event"), 34, get=lambda row: row.kind),
            Column(_("About"), 34, get=lambda row: row.about),
            Column(_("Before"), 50, get=lambda row: _lines(row, 1)),
            Column(_("After"), 50, get=lambda row: _lines(row, 2)),
            Column(_("Note"), 40, get=lambda row: row.what),
            Column(_("Network address"), 24, get=lambda row: row.address),
        ],
        rows=rows,
        empty=_("Nothing was recorded that these filters leave."),
    )


def _lines(row: AuditRow, place: int) -> str:
    return "\n".join(f"{change.label}: {change[place]}" for change in row.changes if change[place])
