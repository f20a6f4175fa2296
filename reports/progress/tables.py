"""Styles of the tables of the progress report, and cells of statuses."""

from plan.models import Due, Status
from plan.models.status import status_look
from spreadsheets.styles import HEADING_SIZE, Style
from spreadsheets.tables import STYLES, ColumnKind

HEADING = Style(bold=True, size=HEADING_SIZE, border="", vertical="center", color="2B2A6C", wrap=False)
TEXT = STYLES[ColumnKind.TEXT]
CENTER = Style(horizontal="center")
ONE_DECIMAL = STYLES[ColumnKind.PERCENT].replace(number_format='0.0"%"')
SIGNED = STYLES[ColumnKind.NUMBER].replace(number_format="+0;-0;0")


def status_cell(status: str, due: str) -> tuple[str, Style]:
    """Return a status as (text, style): its label in its colours, with a note if the action is overdue."""
    colours = status_look(status, due).colours
    label = str(Status(status).label)
    text = f"{label} ({Due.OVERDUE.label})" if due == Due.OVERDUE else label
    return text, CENTER.replace(bold=True, color=colours.text, fill=colours.background)
