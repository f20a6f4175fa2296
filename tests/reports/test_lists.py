"""Lists of the dashboards as workbooks, with the rows and order of the page."""

import pytest
from django.utils import translation
from openpyxl import load_workbook

from criteria.models import Level
from plan.as_of import on_day
from plan.models import Plan, Status
from reports.figures.maturity import level_name
from reports.list_tables import timeline_table
from spreadsheets.list_export import write_list
from spreadsheets.styles import INK
from tests.conftest import DAY
from tests.factories import UserFactory
from tests.test_lists import open_sheet, shape

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]
PLAN = "/plans/2562-2563"


@pytest.fixture
def reader(client):
    client.force_login(UserFactory())
    return client


def page_and_sheet(client, path):
    """Return the context of the page, and (lines, headings, rows) of its workbook."""
    name, _, query = path.partition("?")
    return client.get(f"{PLAN}/{name}/?{query}").context, shape(open_sheet(client.get(f"{PLAN}/{name}.xlsx?{query}")))


@pytest.mark.parametrize(
    ("sort", "words"),
    [
        ("", "เรียงจากหน่วยงานที่มีรายการล่าช้ามากที่สุด"),
        ("unit", "เรียงตาม: หน่วยงาน ↑"),
        ("-overdue", "เรียงตาม: ล่าช้า ↑"),
        ("progress", "เรียงตาม: ความก้าวหน้า ↓"),
    ],
)
def test_units_are_in_the_order_of_the_page(reader, sort, words):
    context, (lines, headings, rows) = page_and_sheet(reader, f"units?as_of=2020-03-31&sort={sort}")
    expected = [
        [
            name,
            group.subject.abbreviation,
            group.subject.name_th,
            *(figure.count for _column, figure in cells),
            pytest.approx(group.progress / 100),
            None if group.expected is None else pytest.approx(group.expected / 100),
        ]
        for name, matrix in (("ในฐานะหน่วยงานหลัก", context["lead"]), ("ในฐานะหน่วยงานสนับสนุน", context["support"]))
        for group, cells in matrix.rows
    ]
    assert rows == expected
    assert len(rows) > 15
    assert lines[1].endswith("ข้อมูล ณ 31 มี.ค. 2563")
    assert lines[2] == words
    labels = [str(heading.column.label) for heading in context["lead"].headings]
    assert headings == ["ในฐานะ", "หน่วยงาน", "ชื่อหน่วยงาน", *labels, "ความก้าวหน้า", "ตามแผน"]


@pytest.mark.parametrize(
    "query", ["", "state=FAILED", "pass=1.1.1-A&pass=1.2.1-S&pass=1.2.1-A", "state=READY&pass=2.1-S"]
)
def test_map_equals_the_page(reader, query):
    context, (lines, headings, rows) = page_and_sheet(reader, f"criteria?{query}")
    the_map, assumed = context["map"], context["assumed"]
    shown = [row for row in the_map.rows if row.is_shown]
    assert [row[1:3] for row in rows] == [[row.criterion.code, row.criterion.title] for row in shown]
    for row, values in zip(shown, rows, strict=True):
        cells = [values[3 + 3 * place : 6 + 3 * place] for place in range(len(Level))]
        if row.is_parent:
            assert cells == [[None] * 3] * 3
            continue
        for cell, (state, done, total) in zip(row.cells, cells, strict=True):
            assert state == f"{cell.state.label}{' (ตามข้อสมมติ)' if cell.is_assumed else ''}"
            assert (done, total) == ((cell.done, cell.total) if cell.total else (None, None))
        assert values[12] == (None if row.points is None else round(row.points, 1))
        assert values[13] == (level_name(row.reached) if row.is_assessed else None)
        if assumed:
            assert values[14] == (None if row.points_assumed is None else round(row.points_assumed, 1))
    assert len(headings) == (16 if assumed else 14)
    assert ("คะแนนตามข้อสมมติ" in lines[2]) == bool(assumed)
    assert all(code in lines[2] for code in assumed)
    assert (len(shown) < len(the_map.rows)) == ("state" in query)
    assert sum(bool(row[3] and "(ตามข้อสมมติ)" in " ".join(map(str, row[3:12]))) for row in rows) <= len(assumed)


@pytest.mark.parametrize(
    "query", ["", "as_of=2019-12-31&level=2", "unit=กพร.&role=LEAD&due=OVERDUE", "status=CANCELLED&level=1"]
)
def test_timeline_equals_the_page(reader, query):
    context, (lines, headings, rows) = page_and_sheet(reader, f"timeline?{query}")
    bars = [bar for group in context["timeline"].groups for bar in group.bars]
    periods = context["as_of"].periods
    assert headings[5:10] == [period.label for period in periods]
    if not bars:
        assert rows == [["ไม่มีรายการตรงกับเงื่อนไข", *[None] * 13]]
        return
    for bar, row in zip(bars, rows, strict=True):
        mark = "□" if bar.action.schedule_basis == "INFERRED" else "■"
        cells = [*[None] * bar.span.before, *[mark] * bar.span.periods, *[None] * bar.span.after]
        assert row[5:10] == cells
        assert row[2] == bar.action.ref
        assert row[4] == bar.action.text
        assert row[11:] == [
            Status(bar.action.status_on).label,
            "ล่าช้า" if bar.action.due == "OVERDUE" else None,
            bar.action.progress_on / 100,
        ]
    assert [str(words) for words in context["filter"].descriptions] == list(
        filter(None, lines[2].split(" · "))
    ) or not query
    assert "□" in lines[-1]


def test_bar_has_the_colour_of_its_status_and_shows_an_inferred_schedule():
    plan = Plan.objects.get()
    as_of = on_day(plan, DAY, plan.periods.all())
    actions = list(plan.actions.as_of(as_of).with_details().in_order())
    for number, action in enumerate(actions):
        action.schedule_basis = ("STATED", "INFERRED")[number % 2]
    sheet = load_workbook(write_list(timeline_table(actions, as_of, notes=[]))).active
    first = int(sheet.print_title_rows.rpartition("$")[2]) + 1
    seen = set()
    for row, action in enumerate(actions, start=first):
        colours = Status(action.status_on).look.colours
        for cell in filter(lambda cell: cell.value, sheet[row][5:10]):
            look = (cell.value, cell.fill.fgColor.rgb[2:], cell.font.color.rgb[2:], cell.border.left.style)
            if action.schedule_basis == "INFERRED":
                assert look == ("□", colours.tint, INK, "mediumDashed")
            else:
                assert look == ("■", colours.chart, colours.chart, "thin")
            seen.add((action.status_on, cell.value))
    assert len(seen) == 2 * len(Status)
    legend = sheet.cell(first - 2, 1).value
    assert [label for label in Status.labels if str(label) not in legend] == []


def test_workbook_is_in_the_language_of_the_page(reader):
    reader.cookies["django_language"] = "en"
    with translation.override("en"):
        _context, (lines, headings, rows) = page_and_sheet(reader, "timeline?status=DONE")
    assert lines[2] == "Status: Done"
    assert headings[-3:] == ["Status", "Overdue", "Progress"]
    assert {row[-3] for row in rows} == {"Done"}


def test_workbook_names_ignored_parameters(reader):
    _context, (lines, _headings, rows) = page_and_sheet(reader, "criteria?state=ASLEEP&pass=9.9-A&unlock=99&x=1")
    assert len(rows) == 34
    assert len(lines) == 7
    assert "“9.9-A”" in " ".join(lines)
