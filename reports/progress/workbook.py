"""รายงานความก้าวหน้า: the dashboards of a day as a workbook, for who hands in a report.

It is a Thai document whatever the page's language. Every figure is the dashboard's own.
"""

from collections.abc import Sequence
from datetime import date, datetime

from django.utils import translation
from openpyxl import Workbook

from assignments.models import Unit
from plan.as_of import AsOf
from plan.models import Plan
from pmqa_tracker.tasks import ProgressCallback, ignore_progress
from reports.progress.read import read_report
from reports.progress.rows import pressing, write_actions, write_changes, write_unit, write_verdicts
from reports.progress.sheets import GroupRow, write_cover, write_groups, write_summary
from spreadsheets.styles import new_book, sheet_title

COVER, SUMMARY, CATEGORIES, UNITS = "ปก", "สรุป", "รายหมวด", "รายหน่วยงาน"
PRESSING, VERDICTS, CHANGES = "ล่าช้าและติดปัญหา", "ผลการประเมิน", "การเปลี่ยนแปลง"


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
    """The report of a plan on a day, in a fixed number of queries.

    Args:
        plan: whose.
        as_of: the day.
        since: the earlier day that “changes since” compares with.
        days: (name, day) of the days that have a name.
        made_by: who makes it.
        made_at: when.
        notes: what the address asked for and the report does not show.
        on_progress: is told how many units' sheets of how many are written.
    """
    with translation.override("th"):
        reading = read_report(plan, as_of, since, days)
        overview = reading.overview
        book = _new(plan)
        cover = book.create_sheet(COVER)
        write_summary(book.create_sheet(SUMMARY), reading)
        categories = [GroupRow(str(group.subject), group) for group in overview.categories]
        write_groups(book.create_sheet(CATEGORIES), reading, "ความก้าวหน้ารายหมวด", "หมวด", categories)
        leads = [GroupRow(_name(group.subject), group) for group in overview.leads if group.total.count]
        write_groups(book.create_sheet(UNITS), reading, "ความก้าวหน้ารายหน่วยงาน (ในฐานะหน่วยงานหลัก)", "หน่วยงาน", leads)
        write_actions(book.create_sheet(PRESSING), reading, "รายการที่ล่าช้าและติดปัญหา", pressing(reading))
        write_verdicts(book.create_sheet(VERDICTS), reading)
        write_changes(book.create_sheet(CHANGES), reading)
        own = []
        for number, unit in enumerate(reading.units):
            on_progress(number, len(reading.units))
            own.append(sheet_title(unit.abbreviation, book.sheetnames))
            write_unit(book.create_sheet(own[-1]), reading, unit)
        write_cover(cover, reading, made_by, made_at, _contents(own), notes)
    return book


def build_unit_report(
    plan: Plan, unit: Unit, as_of: AsOf, since: AsOf, *, days: Sequence[tuple[str, date]], notes: Sequence[str] = ()
) -> Workbook:
    """One unit's sheet of the report, alone; `notes` as in the whole report."""
    with translation.override("th"):
        reading = read_report(plan, as_of, since, days)
        book = _new(plan)
        write_unit(book.create_sheet(sheet_title(unit.abbreviation, ())), reading, unit, notes)
    return book


def _contents(units: Sequence[str]) -> list[tuple[str, str]]:
    """(sheet, what it holds) for the cover."""
    return [
        (SUMMARY, "ตัวเลขสำคัญเทียบสองวัน กราฟแผนเทียบกับผล และระยะเวลาที่ล่าช้า"),
        (CATEGORIES, "สถานะและความก้าวหน้าของแต่ละหมวด พร้อมกราฟ"),
        (UNITS, f"สถานะและความก้าวหน้าของแต่ละหน่วยงาน พร้อมกราฟ และแผ่นงานของแต่ละหน่วยงาน: {', '.join(units) or '–'}"),
        (PRESSING, "รายการที่ล่าช้าหรือติดปัญหา พร้อมปัญหาอุปสรรคและขั้นตอนต่อไป"),
        (VERDICTS, "ผลการประเมินทุกข้อกำหนด เหตุผล และความพร้อมรับการประเมินใหม่"),
        (CHANGES, "สิ่งที่เปลี่ยนแปลงตั้งแต่วันที่เปรียบเทียบ"),
    ]


def _new(plan: Plan) -> Workbook:
    book = new_book()
    book.properties.title = plan.title
    return book


def _name(unit: Unit) -> str:
    return unit.abbreviation if unit.name_th == unit.abbreviation else f"{unit.abbreviation} {unit.name_th}"
