"""รายงานความก้าวหน้า (progress report): the figures of the dashboards on a day as a workbook, always in Thai."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from django.utils import translation
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from assignments.models import Role, Unit
from plan.as_of import AsOf
from plan.models import Plan
from plan.titles import title_of
from pmqa_tracker.tasks.models import ProgressCallback, ignore_progress
from reports.progress.all_actions import data_ranges, write_all_actions
from reports.progress.read import ReportData, read_report
from reports.progress.rows import unit_name, write_changes, write_collective, write_unit, write_urgent, write_verdicts
from reports.progress.sheets import GroupRow, write_cover, write_groups, write_summary
from reports.progress.totals import DATA_SHEET, DataRanges, of_category, of_unit
from spreadsheets.styles import new_book, sheet_title

COVER_SHEET, SUMMARY_SHEET, CATEGORIES_SHEET, UNITS_SHEET = "ปก", "สรุป", "รายหมวด", "รายหน่วยงาน"
URGENT_SHEET, VERDICTS_SHEET, CHANGES_SHEET = "ล่าช้าและติดปัญหา", "ผลการประเมิน", "การเปลี่ยนแปลง"


def build_progress_report(
    plan: Plan,
    as_of: AsOf,
    since: AsOf,
    *,
    days: Sequence[tuple[str, date]],
    made_by: str,
    made_at: datetime,
    notes: Sequence[str] = (),
    on_progress: ProgressCallback = ignore_progress,
) -> Workbook:
    """Build the report of a plan on a day, in a fixed number of queries.

    Args:
        plan: the plan.
        as_of: the day.
        since: the earlier day to compare with.
        days: (name, day) of the days that have a name, such as meetings.
        made_by: name of the author.
        made_at: moment of creation.
        notes: lines on what the request asked for and the report does not show.
        on_progress: called with (unit sheets written, all units).
    """
    with translation.override("th"):
        data = read_report(plan, as_of, since, days)
        return write_report(data, made_by=made_by, made_at=made_at, notes=notes, on_progress=on_progress)


def write_report(
    data: ReportData,
    *,
    made_by: str,
    made_at: datetime,
    notes: Sequence[str] = (),
    on_progress: ProgressCallback = ignore_progress,
) -> Workbook:
    """Write what was read; the arguments are those of `build_progress_report`."""
    ranges = data_ranges(data)
    book = _new_book(data.plan)
    cover = book.create_sheet(COVER_SHEET)
    write_summary(book.create_sheet(SUMMARY_SHEET), data, ranges)
    categories, units = book.create_sheet(CATEGORIES_SHEET), book.create_sheet(UNITS_SHEET)
    write_urgent(book.create_sheet(URGENT_SHEET), data)
    write_verdicts(book.create_sheet(VERDICTS_SHEET), data)
    write_changes(book.create_sheet(CHANGES_SHEET), data)
    sheets = _add_sheets(book, [*data.units, *data.collectives])
    for number, unit in enumerate(data.units):
        on_progress(number, len(data.units))
        write_unit(sheets[unit], data, unit, ranges, sheets)
    for collective in data.collectives:
        write_collective(sheets[collective], data, collective)
    write_all_actions(book.create_sheet(DATA_SHEET), data, ranges)
    _write_totals(categories, units, data, ranges, sheets)
    write_cover(cover, data, made_by, made_at, _contents(sheets), notes)
    return book


def build_unit_report(
    plan: Plan, unit: Unit, as_of: AsOf, since: AsOf, *, days: Sequence[tuple[str, date]], notes: Sequence[str] = ()
) -> Workbook:
    """Build a workbook for one unit: its sheet, those of its collectives, and all its actions.

    The arguments are those of `build_progress_report`.
    """
    with translation.override("th"):
        data = read_report(plan, as_of, since, days).for_unit(unit)
        ranges = data_ranges(data)
        book = _new_book(plan)
        collectives = [each for each in data.collectives if data.shared_actions(unit, each)]
        sheets = _add_sheets(book, [unit, *collectives])
        write_unit(sheets[unit], data, unit, ranges, sheets, notes)
        for collective in collectives:
            write_collective(sheets[collective], data, collective)
        write_all_actions(book.create_sheet(DATA_SHEET), data, ranges)
    return book


def _add_sheets(book: Workbook, units: Iterable[Unit]) -> dict[Unit, Worksheet]:
    """Add an empty sheet for each unit; its name is not that of another sheet of the report."""
    return {unit: book.create_sheet(sheet_title(unit.abbreviation, [*book.sheetnames, DATA_SHEET])) for unit in units}


def _write_totals(
    categories: Worksheet, units: Worksheet, data: ReportData, ranges: DataRanges, sheets: Mapping[Unit, Worksheet]
) -> None:
    """Write the sheets of totals per category and per lead unit."""
    overview = data.overview
    by_category = [GroupRow(str(group.subject), of_category(ranges, group)) for group in overview.categories]
    write_groups(categories, data, "ความก้าวหน้ารายหมวด", "หมวด", by_category)
    leads = [group for group in overview.leads if group.total.count]
    by_unit = [GroupRow(unit_name(group.subject), of_unit(ranges, group, Role.LEAD)) for group in leads]
    links = {unit_name(unit): sheet.title for unit, sheet in sheets.items()}
    write_groups(units, data, "ความก้าวหน้ารายหน่วยงาน (ในฐานะหน่วยงานหลัก)", "หน่วยงาน", by_unit, links)


def _contents(sheets: Mapping[Unit, Worksheet]) -> list[tuple[str, str]]:
    """Return (name, description) of each sheet for the cover."""
    contents = [
        (SUMMARY_SHEET, "ตัวเลขสำคัญเทียบสองวัน กราฟแผนเทียบกับผล และระยะเวลาที่ล่าช้า"),
        (CATEGORIES_SHEET, "สถานะและความก้าวหน้าของแต่ละหมวด พร้อมกราฟ"),
        (UNITS_SHEET, "สถานะและความก้าวหน้าของแต่ละหน่วยงาน พร้อมกราฟ"),
        (URGENT_SHEET, "รายการที่ล่าช้าหรือติดปัญหา พร้อมปัญหาอุปสรรคและขั้นตอนต่อไป"),
        (VERDICTS_SHEET, "ผลการประเมินทุกข้อกำหนด เหตุผล และความพร้อมรับการประเมินใหม่"),
        (CHANGES_SHEET, "สิ่งที่เปลี่ยนแปลงตั้งแต่วันที่เปรียบเทียบ"),
    ]
    if sheets:
        first, *rest = (sheet.title for sheet in sheets.values())
        others = f" (แผ่นงานถัดไป: {', '.join(rest)})" if rest else ""
        contents.append((first, f"รายการที่ต้องติดตามของแต่ละหน่วยงาน แผ่นงานละหน่วยงาน{others}"))
    return [*contents, (DATA_SHEET, "ทุกรายการของแผน กรองตามหมวด สถานะ และหน่วยงานได้ ตัวเลขสรุปทุกแผ่นงานคำนวณจากแผ่นงานนี้")]


def _new_book(plan: Plan) -> Workbook:
    book = new_book()
    book.properties.title = title_of(plan)
    return book
