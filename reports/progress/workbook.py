"""รายงานความก้าวหน้า (progress report): the figures of the dashboards on a day as a workbook, always in Thai."""

from collections.abc import Sequence
from datetime import date, datetime

from django.utils import translation
from openpyxl import Workbook

from assignments.models import Unit
from plan.as_of import AsOf
from plan.models import Plan
from plan.titles import title_of
from pmqa_tracker.tasks import ProgressCallback, ignore_progress
from reports.progress.read import read_report
from reports.progress.rows import list_urgent_actions, write_actions, write_changes, write_unit, write_verdicts
from reports.progress.sheets import GroupRow, write_cover, write_groups, write_summary
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
        overview = data.overview
        book = _new_book(plan)
        cover = book.create_sheet(COVER_SHEET)
        write_summary(book.create_sheet(SUMMARY_SHEET), data)
        categories = [GroupRow(str(group.subject), group) for group in overview.categories]
        write_groups(book.create_sheet(CATEGORIES_SHEET), data, "ความก้าวหน้ารายหมวด", "หมวด", categories)
        leads = [GroupRow(_unit_name(group.subject), group) for group in overview.leads if group.total.count]
        write_groups(book.create_sheet(UNITS_SHEET), data, "ความก้าวหน้ารายหน่วยงาน (ในฐานะหน่วยงานหลัก)", "หน่วยงาน", leads)
        write_actions(book.create_sheet(URGENT_SHEET), data, "รายการที่ล่าช้าและติดปัญหา", list_urgent_actions(data))
        write_verdicts(book.create_sheet(VERDICTS_SHEET), data)
        write_changes(book.create_sheet(CHANGES_SHEET), data)
        unit_sheets: list[str] = []
        for number, unit in enumerate(data.units):
            on_progress(number, len(data.units))
            unit_sheets.append(sheet_title(unit.abbreviation, book.sheetnames))
            write_unit(book.create_sheet(unit_sheets[-1]), data, unit)
        write_cover(cover, data, made_by, made_at, _contents(unit_sheets), notes)
    return book


def build_unit_report(
    plan: Plan, unit: Unit, as_of: AsOf, since: AsOf, *, days: Sequence[tuple[str, date]], notes: Sequence[str] = ()
) -> Workbook:
    """Build a workbook with the sheet of one unit only; arguments as in `build_progress_report`."""
    with translation.override("th"):
        data = read_report(plan, as_of, since, days)
        book = _new_book(plan)
        write_unit(book.create_sheet(sheet_title(unit.abbreviation, ())), data, unit, notes)
    return book


def _contents(units: Sequence[str]) -> list[tuple[str, str]]:
    """Return (name, description) of each sheet for the cover; `units` are the names of the unit sheets."""
    return [
        (SUMMARY_SHEET, "ตัวเลขสำคัญเทียบสองวัน กราฟแผนเทียบกับผล และระยะเวลาที่ล่าช้า"),
        (CATEGORIES_SHEET, "สถานะและความก้าวหน้าของแต่ละหมวด พร้อมกราฟ"),
        (UNITS_SHEET, f"สถานะและความก้าวหน้าของแต่ละหน่วยงาน พร้อมกราฟ และแผ่นงานของแต่ละหน่วยงาน: {', '.join(units) or '–'}"),
        (URGENT_SHEET, "รายการที่ล่าช้าหรือติดปัญหา พร้อมปัญหาอุปสรรคและขั้นตอนต่อไป"),
        (VERDICTS_SHEET, "ผลการประเมินทุกข้อกำหนด เหตุผล และความพร้อมรับการประเมินใหม่"),
        (CHANGES_SHEET, "สิ่งที่เปลี่ยนแปลงตั้งแต่วันที่เปรียบเทียบ"),
    ]


def _new_book(plan: Plan) -> Workbook:
    book = new_book()
    book.properties.title = title_of(plan)
    return book


def _unit_name(unit: Unit) -> str:
    return unit.abbreviation if unit.name_th == unit.abbreviation else f"{unit.abbreviation} {unit.name_th}"
