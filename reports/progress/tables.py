"""Styles and texts that the sheets of the progress report share."""

from openpyxl.cell import Cell
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from plan.models import ActionItem, Due, Status
from plan.models.status import status_look
from pmqa_tracker import thai
from reports.progress.read import ReportData
from spreadsheets.styles import HEADING_SIZE, PADDING, SMALL, Style, line_height, set_up_page, write
from spreadsheets.tables import STYLES, ColumnKind, finish_sheet

HEADING = Style(bold=True, size=HEADING_SIZE, border="", vertical="center", color="2B2A6C", wrap=False)
TEXT = STYLES[ColumnKind.TEXT]
SMALL_TEXT = TEXT.replace(size=SMALL)  # beside the texts that a reader looks for first
CENTER = Style(horizontal="center")
PERCENT = CENTER.replace(number_format='0"%"')
# "_)" keeps numbers away from the border; LibreOffice prints some of them without their indent.
NUMBER = Style(horizontal="right", number_format="#,##0_)")
ONE_DECIMAL = NUMBER.replace(number_format='0.0"%"_)')
SIGNED = NUMBER.replace(number_format="+#,##0_);-#,##0_);0_)")
SIGNED_POINTS = NUMBER.replace(number_format="+0.0_);-0.0_);0.0_)")
SENTENCE = Style(border="")
LINE = Style(border="", vertical="center", wrap=False)
LINK = Style(border="", color="4644A3", wrap=False)


def footer(data: ReportData) -> str:
    """Return the footer of every printed page, which also stands below the title of a sheet."""
    return f"ข้อมูล ณ วันที่ {thai.format_date(data.as_of.day)}"


def link_cell(cell: Cell, target: str) -> None:
    """Make a written cell a link to another sheet."""
    location = "'{}'!A1".format(target.replace("'", "''"))
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=location, display=str(cell.value))


def write_link(sheet: Worksheet, row: int, text: str, target: str) -> int:
    """Write a link to another sheet; return the number of the next row."""
    link_cell(write(sheet.cell(row, 1), text, LINK), target)
    sheet.row_dimensions[row].height = line_height() + PADDING
    return row + 1


def status_cell(status: str, due: str) -> tuple[str, Style]:
    """Return a status as (text, style): its label in its colours, with a note if the action is overdue."""
    colours = status_look(status, due).colours
    label = str(Status(status).label)
    text = f"{label} ({Due.OVERDUE.label})" if due == Due.OVERDUE else label
    return text, CENTER.replace(bold=True, color=colours.text, fill=colours.background)


def schedule(action: ActionItem) -> str:
    """Return the first and the last month of an action: "ส.ค. 62 – ก.ย. 63"."""
    first, last = action.first_period, action.last_period
    if first is None:
        return "ไม่ปรากฏในเอกสาร"
    months = dict.fromkeys(map(thai.format_month, (first.starts_on, last.ends_on)))
    return " – ".join(months)


def finish(
    sheet: Worksheet, data: ReportData, header_row: int = 1, *, columns: int = 0, last: int = 0, table: str = "Table"
) -> None:
    """Finish a sheet as `finish_sheet` does; its name and the day of the data are printed on every page."""
    frozen_columns = 1 if columns else 0
    finish_sheet(
        sheet, header_row, footer(data), columns=columns, last=last, table=table, frozen_columns=frozen_columns
    )
    _print_name(sheet)


def fit_to_a_page(sheet: Worksheet, data: ReportData) -> None:
    """Set up a sheet that is printed on one page."""
    set_up_page(sheet, header_rows="1:1", footer=footer(data))
    sheet.print_title_rows = None
    sheet.page_setup.fitToHeight = 1
    _print_name(sheet)


def _print_name(sheet: Worksheet) -> None:
    """Print the name of the sheet after the number of the page."""
    sheet.oddFooter.left.text += " · &A"


def latest_report(action: ActionItem) -> str:
    """Return the latest result, problem and next step, each on a line of its own."""
    texts = (("ผล", action.result_on), ("ปัญหา", action.problem_on), ("ต่อไป", action.next_step_on))
    return "\n".join(f"{name}: {text}" for name, text in texts if text)
