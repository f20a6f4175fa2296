"""The progress report equals the dashboards of its day, and its charts refer to its tables."""

import re
import zipfile
from datetime import date
from functools import cache
from io import BytesIO

import pytest
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone, translation
from openpyxl import Workbook, load_workbook

from assignments.models import Assignment, Role, Unit
from plan.actions.filters import ActionFilter
from plan.as_of import on_day
from plan.models import Due, Plan, Status
from pmqa_tracker import thai
from reports.figures.groups import BAR_ORDER
from reports.figures.maturity import build_map
from reports.figures.overview import OVERVIEW_FILTERS, read_overview
from reports.progress.totals import DATA_SHEET
from reports.progress.workbook import build_progress_report, build_unit_report
from spreadsheets.downloads import finished_workbook
from spreadsheets.styles import sheet_title
from submissions.returned import annotate_returned
from tests import sizes

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
        return finished_workbook(report(Plan.objects.get(), day, since)).getvalue()

    with translation.override("th"):
        yield inner


def rows_under(sheet, heading: str, column: str = "A") -> list[list]:
    """Return the rows of the table with this first heading, up to an empty row."""
    top = next(cell for cell in sheet[column] if cell.value == heading)
    rows = []
    for row in sheet.iter_rows(min_row=top.row + 1, min_col=top.column, values_only=True):
        if row[0] is None:
            break
        rows.append(list(row))
    return rows


@pytest.mark.parametrize(("day", "since"), DAYS)
def test_figures_equal_the_dashboard(written, day, since):
    plan = Plan.objects.get()
    book = load_workbook(BytesIO(written(day, since)), data_only=True)
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
    curve = rows_under(book["สรุป"], "สิ้นเดือน", "O")
    assert [row[1:4] for row in curve] == [
        [pytest.approx(point.expected), point.actual and pytest.approx(point.actual),
         point.forecast and pytest.approx(point.forecast)]
        for point in board.curve.points
    ]  # fmt: skip
    assert thai.format_date(day) in {row[0] for row in curve}
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
    changes = book["การเปลี่ยนแปลง"]
    kinds = [row[3] for row in rows_under(changes, "รหัส")] if day != since else []
    for change, figure in board.changes:
        if str(change) not in ("FORWARD", "SILENT"):
            assert sum(str(change.label) in kind for kind in kinds) == figure.count
            assert f"{change.label} {figure.count}" in changes["A2"].value


def test_each_unit_sees_what_needs_attention_and_its_report_stands_alone(written):
    """Build the workbook of a single unit for three units, and in a full run for every unit."""
    plan, (day, since) = Plan.objects.get(), DAYS[0]
    book = load_workbook(BytesIO(written(day, since)))
    as_of = on_day(plan, day, plan.periods.all())
    urgent = Q(due=Due.OVERDUE) | Q(status_on=Status.BLOCKED)
    for place, unit in enumerate(Unit.objects.divisions().in_order()):
        actions = annotate_returned(plan.actions.as_of(as_of), [unit.pk])
        silent = Q(pk__in=actions.silent_in(as_of, [unit.pk]).values("pk"))
        leads, supports = (
            Q(Exists(Assignment.objects.filter(action=OuterRef("pk"), unit=unit, role=role))) for role in Role
        )
        due = Q(due=Due.NOW, last_period=as_of.period)
        expected = actions.filter(leads & (urgent | due | silent) | supports & urgent | Q(return_reason__isnull=False))
        alone = build_unit_report(plan, unit, as_of, as_of, days=[]) if sizes.IS_FULL or place < 3 else None
        for sheet in (book[unit.abbreviation], *([alone.active] if alone else [])):
            rows = [row for row in sheet.iter_rows(values_only=True) if re.match(r"\d\.\d", str(row[0]))]
            assert sorted(row[0] for row in rows) == sorted(expected.values_list("ref", flat=True))
            assert all(row[3] for row in rows)
            returned = expected.filter(return_reason__isnull=False).values_list("ref", flat=True)
            assert {row[0] for row in rows if "ส่งกลับให้แก้ไข: " in row[3]} == set(returned)
        if alone:
            refs = plan.actions.for_units([unit]).in_order().values_list("ref", flat=True)
            assert [row[0] for row in rows_under(alone[DATA_SHEET], "รหัส")] == list(refs)
    refs = plan.actions.in_order().values_list("ref", flat=True)
    assert [row[0] for row in rows_under(book[DATA_SHEET], "รหัส")] == list(refs)
    late = plan.actions.as_of(as_of).filter(due=Due.OVERDUE).count()
    blocked = plan.actions.as_of(as_of).filter(status_on=Status.BLOCKED).exclude(due=Due.OVERDUE).count()
    assert len(rows_under(book["ล่าช้าและติดปัญหา"], "รหัส")) == late + blocked


def test_a_unit_without_actions_of_its_own_reads_so(written):
    sheet = load_workbook(BytesIO(written(*DAYS[0])))["กสว."]
    texts = [cell.value for cell in sheet["A"] if cell.value]
    assert any("ไม่มีรายการของหน่วยงานโดยตรงที่ต้องติดตามในงวดนี้" in text for text in texts)
    assert any(text.startswith("รับผิดชอบร่วมกับทุกหน่วยงาน 34 รายการ") for text in texts)


def test_each_list_is_a_table_with_filters_and_repeats_its_headings(written):
    book = load_workbook(BytesIO(written(*DAYS[0])))
    lists = [sheet for sheet in book if sheet.tables]
    assert len(lists) == len(book.sheetnames) - 2 - 4  # cover, summary, four units with a sentence instead of a table
    for sheet in lists:
        (table,) = sheet.tables.values()
        head = int(re.search(r"\d+", table.ref).group())
        assert table.autoFilter.ref == table.ref
        assert (sheet.print_title_rows, sheet.freeze_panes) == (f"${head}:${head}", f"B{head + 1}"), sheet.title
    summary = book["สรุป"]
    assert (summary.page_setup.fitToWidth, summary.page_setup.fitToHeight) == (1, 1)


def test_charts_are_native_and_refer_to_their_table(written):
    data = written(*DAYS[0])
    with zipfile.ZipFile(BytesIO(data)) as parts:
        names = parts.namelist()
        charts = [parts.read(name).decode() for name in names if name.startswith("xl/charts/chart")]
    assert len(charts) == 5
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


@pytest.mark.both_databases(only_full=True)
def test_number_of_queries_is_limited(django_assert_max_num_queries, demo):
    plan = Plan.objects.get()
    with django_assert_max_num_queries(20):
        report(plan, date(2020, 5, 15), date(2020, 4, 10))
