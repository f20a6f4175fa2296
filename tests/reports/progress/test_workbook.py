"""The progress report equals the dashboards of its day, and its charts refer to its tables."""

import re
import zipfile
from datetime import date
from functools import cache
from io import BytesIO

import pytest
from django.utils import timezone, translation
from openpyxl import Workbook, load_workbook

from assignments.models import Role, Unit
from plan.actions.filters import ActionFilter
from plan.as_of import on_day
from plan.models import Due, Plan, Status
from pmqa_tracker import thai
from reports.figures.groups import BAR_ORDER
from reports.figures.maturity import build_map
from reports.figures.overview import OVERVIEW_FILTERS, read_overview
from reports.progress.workbook import build_progress_report, build_unit_report
from spreadsheets.styles import sheet_title
from tests import sizes
from tests.exchange.workbooks import saved

pytestmark = pytest.mark.django_db
DAYS = (
    (date(2020, 5, 15), date(2020, 4, 10)),
    (date(2020, 2, 10), date(2019, 12, 31)),
    (date(2019, 8, 1), date(2019, 8, 1)),
)


def report(plan: Plan, day: date, since: date) -> Workbook:
    periods = plan.periods.all()
    return build_progress_report(
        plan, on_day(plan, day, periods), on_day(plan, since, periods), days=[("ประชุม", since)],
        made_by="ผู้ประสานงาน", made_at=timezone.now(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def written(demo, django_db_blocker):
    """Return `written(day, since)`, which builds the report of a day once and returns its bytes."""

    @cache
    def inner(day: date, since: date) -> bytes:
        return saved(report(Plan.objects.get(), day, since))

    with translation.override("th"):
        yield inner


def rows_under(sheet, heading: str) -> list[list]:
    """Return the rows of the table with this first heading, up to an empty row."""
    top = next(cell.row for cell in sheet["A"] if cell.value == heading)
    rows = []
    for row in sheet.iter_rows(min_row=top + 1, values_only=True):
        if row[0] is None:
            break
        rows.append(list(row))
    return rows


@pytest.mark.parametrize(("day", "since"), DAYS)
def test_figures_equal_the_dashboard(written, day, since):
    plan = Plan.objects.get()
    book = load_workbook(BytesIO(written(day, since)))
    as_of, then = on_day(plan, day, plan.periods.all()), on_day(plan, since, plan.periods.all())
    chosen = ActionFilter({}, plan, as_of=as_of, since=then, only=OVERVIEW_FILTERS)
    board = read_overview(plan, chosen, then, {})
    figures = {row[0]: row[1:] for row in rows_under(book["สรุป"], "ตัวเลข")}
    assert figures["รายการทั้งหมด"][:2] == [board.then.total.count, board.whole.total.count]
    for each in board.compared:
        assert figures[str(each.label)][:3] == [
            each.then.count,
            each.now.count,
            each.now.count - each.then.count,
        ]
    assert figures["ความก้าวหน้าเฉลี่ย (%)"][1] == pytest.approx(board.whole.progress)
    curve = rows_under(book["สรุป"], "วันที่")
    assert [row[:4] for row in curve] == [
        [thai.format_date(point.day), pytest.approx(point.expected), point.actual and pytest.approx(point.actual),
         point.forecast and pytest.approx(point.forecast)]
        for point in board.curve.points
    ]  # fmt: skip
    assert [row[1] for row in rows_under(book["สรุป"], "ล่าช้ามาแล้ว")] == [figure.count for _age, figure in board.ages]
    for sheet, heading, groups in (
        ("รายหมวด", "หมวด", board.categories),
        ("รายหน่วยงาน", "หน่วยงาน", [group for group in board.leads if group.total.count]),
    ):
        assert [row[1:9] for row in rows_under(book[sheet], heading)] == [
            [
                group.total.count,
                *(group.by_status[status].count for status in BAR_ORDER),
                group.overdue.count,
                group.silent.count,
            ]
            for group in groups
        ]
    scores = build_map(plan, as_of, {})
    judged = rows_under(book["ผลการประเมิน"], "เกณฑ์")
    cells = [(row, cell) for row in scores.rows for cell in row.cells if cell.requirement]
    assert [(row[0], row[5], row[6], row[7]) for row in judged] == [
        (row.criterion.code, cell.done, cell.total, str(cell.state.label)) for row, cell in cells
    ]
    for change, figure in board.changes:
        heading = f"{change.label} ({figure.count} รายการ)"
        if str(change) not in ("FORWARD", "SILENT"):
            assert heading in {cell.value for cell in book["การเปลี่ยนแปลง"]["A"]}


def test_each_unit_has_its_rows_and_its_sheet_stands_alone(written):
    """Build the workbook of a single unit for three units, and in a full run for every unit."""
    plan, (day, since) = Plan.objects.get(), DAYS[0]
    book = load_workbook(BytesIO(written(day, since)))
    as_of = on_day(plan, day, plan.periods.all())
    for place, unit in enumerate(Unit.objects.divisions().in_order()):
        led = list(plan.actions.for_units([unit], role=Role.LEAD).in_order().values_list("ref", flat=True))
        supported = list(plan.actions.for_units([unit], role=Role.SUPPORT).in_order().values_list("ref", flat=True))
        alone = [build_unit_report(plan, unit, as_of, as_of, days=[]).active] if sizes.IS_FULL or place < 3 else []
        for sheet in (book[unit.abbreviation], *alone):
            refs = [cell.value for cell in sheet["A"] if re.match(r"\d\.\d", str(cell.value))]
            assert refs == [*led, *supported]
    late = plan.actions.as_of(as_of).filter(due=Due.OVERDUE).count()
    blocked = plan.actions.as_of(as_of).filter(status_on=Status.BLOCKED).exclude(due=Due.OVERDUE).count()
    assert len(rows_under(book["ล่าช้าและติดปัญหา"], "รหัส")) == late + blocked


def test_charts_are_native_and_refer_to_their_table(written):
    data = written(*DAYS[0])
    with zipfile.ZipFile(BytesIO(data)) as parts:
        names = parts.namelist()
        charts = [parts.read(name).decode() for name in names if name.startswith("xl/charts/chart")]
    assert len(charts) == 4
    assert not [name for name in names if name.startswith("xl/media/")]
    book = load_workbook(BytesIO(data))
    for chart in charts:
        for reference in re.findall(r"<(?:c:)?f>([^<]+)</", chart):
            name, cells = reference.rsplit("!", 1)
            found = book[name.strip("'")][cells.replace("$", "")]
            flat = [found] if not isinstance(found, tuple) else [cell for row in found for cell in row]
            assert any(cell.value is not None for cell in flat), reference
    assert "ดำเนินการแล้วเสร็จ" in book["รายหมวด"].cell(3, 3).value


def test_sheet_title_of_any_unit_is_valid():
    assert sheet_title("ก/ข:[ค]*?", ()) == "ก ข ค"
    assert sheet_title("'", ()) == "-"
    assert sheet_title("ก" * 40, ()) == "ก" * 31
    assert sheet_title("สรุป", ["สรุป"]) == "สรุป 2"
    assert len(sheet_title("ก" * 40, ["ก" * 31])) == 31


@pytest.mark.both_databases
def test_number_of_queries_is_limited(django_assert_max_num_queries, demo):
    plan = Plan.objects.get()
    with django_assert_max_num_queries(20):
        report(plan, date(2020, 5, 15), date(2020, 4, 10))
