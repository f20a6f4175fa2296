"""Rows copied to another file, mixed, sorted, filtered or next to other columns: each reports for its unit."""

import shutil
import subprocess
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter

from assignments.models import Unit
from exchange.data_sheet.export import SHEET
from exchange.models import ImportJobState
from exchange.whole_plan.export import build_template
from plan.models import ProgressUpdate
from tests.conftest import IS_REQUIRED
from tests.exchange.workbooks import HEADINGS, confirm, edited, exported, opened, places, preview, saved
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory, default_organization

pytestmark = pytest.mark.django_db
UNITS = ("กทก.", "กทข.", "กทค.")


@pytest.fixture
def small():
    """A plan with one action led by each of three units, and one led by the first and supported by the second."""
    plan = PlanFactory()
    units = [UnitFactory(abbreviation=name) for name in UNITS]
    for number, unit in enumerate(units, start=1):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number}", lead=[unit], runs=(1, 3))
    ActionItemFactory(plan=plan, ref="1.1-A-9", lead=units[:1], support=units[1:2], runs=(1, 3))
    return plan


@pytest.fixture
def person():
    return UserFactory(roles=["coordinator"])


def unit_of(name):
    return Unit.objects.get(abbreviation=name)


def reported(plan, name=None, ref="", **changes):
    """The sheet of a unit, or of the coordinator, with changes for one action; a result by default."""
    changes = changes or {"result": f"ผลของ {name or 'ผู้ประสานงาน'}"}
    return edited(exported(plan, unit_of(name) if name else None), {(ref, key): text for key, text in changes.items()})


def rows_of(data, *refs):
    _book, sheet, _columns = opened(data)
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=4)]
    return [row for row in rows if row[0] and (not refs or row[0] in refs)]


def pasted(*rows):
    """A new workbook with the headings and rows as values."""
    book = Workbook()
    book.active.title = "Sheet1"
    for row in (tuple(HEADINGS.values()), *rows):
        book.active.append(row)
    return saved(book)


def test_rows_pasted_into_new_workbook_report_for_their_unit(small, person):
    data = pasted(*rows_of(reported(small, "กทข.", "1.1-A-2")))
    job = preview(data, small, person)
    assert [note for note in job.findings["notes"] if "กทข." in note]
    assert (job.state, job.findings["absent"]) == (ImportJobState.PREVIEW, [])
    confirm(job, person)
    assert reported_texts(small) == {"1.1-A-2": ("กทข.", "ผลของ กทข.")}


def reported_texts(plan):
    updates = ProgressUpdate.objects.filter(action__plan=plan, source="IMPORT").select_related("action", "unit")
    return {each.action.ref: (each.unit and each.unit.abbreviation, each.result) for each in updates}


def test_unit_limits_hold_in_new_workbook(small, person):
    rows = rows_of(exported(small, unit_of("กทข.")))
    columns = list(HEADINGS)
    rows[0][columns.index("text")] = "ข้อความใหม่"
    [error] = preview(pasted(*rows), small, person).findings["errors"]
    assert error["heading"] == HEADINGS["text"]
    # Nor does a row without ref and version among them become a new action of the coordinator's.
    new = [None] * len(columns)
    new[columns.index("criterion")], new[columns.index("levels")], new[columns.index("text")] = "1.1", "A", "ใหม่"
    [error] = preview(pasted(*rows_of(exported(small, unit_of("กทข."))), new), small, person).findings["errors"]
    assert error["row"] == 4


@pytest.mark.parametrize("around", ["{}\u200b", "\u00a0{} ", "'{}"])
def test_characters_around_mark_do_not_hide_unit(small, person, around):
    """A row without a ref among rows of a unit belongs to the unit, whatever characters surround the marks."""
    columns = list(HEADINGS)
    rows = rows_of(exported(small, unit_of("กทข.")))
    for row in rows:
        row[columns.index("token")] = around.format(row[columns.index("token")])
    new = [None] * len(columns)
    new[columns.index("criterion")], new[columns.index("levels")], new[columns.index("text")] = "1.1", "A", "ใหม่"
    assert preview(pasted(*rows), small, person).state == ImportJobState.UNCHANGED
    [error] = preview(pasted(*rows, new), small, person).findings["errors"]
    assert error["row"] == len(rows) + 2


def test_rows_of_two_units_and_of_the_coordinator_in_one_workbook(small, person):
    mixed = [
        *rows_of(reported(small, "กทก.", "1.1-A-1")),
        *rows_of(reported(small, "กทข.", "1.1-A-2")),
        *rows_of(reported(small, None, "1.1-A-3", text="แก้โดยผู้ประสานงาน", result="ผล"), "1.1-A-3"),
    ]
    for base in (pasted(*mixed), _into(exported(small), mixed)):
        job = preview(base, small, person)
        assert (job.state, job.findings.get("errors")) == (ImportJobState.PREVIEW, [])
        assert len([note for note in job.findings["notes"] if "กทก." in note or "กทข." in note]) == 2
    confirm(job, person)
    assert reported_texts(small) == {
        "1.1-A-1": ("กทก.", "ผลของ กทก."), "1.1-A-2": ("กทข.", "ผลของ กทข."), "1.1-A-3": ("กทค.", "ผล"),
    }  # fmt: skip
    assert small.actions.get(ref="1.1-A-3").text == "แก้โดยผู้ประสานงาน"


def _into(data, rows):
    """An exported workbook with its rows replaced by pasted ones."""
    book, sheet, _columns = opened(data)
    sheet.delete_rows(4, sheet.max_row)
    for row in rows:
        sheet.append(row)
    return saved(book)


def test_a_row_of_one_unit_in_the_file_of_another(small, person):
    rows = [*rows_of(exported(small, unit_of("กทก."))), *rows_of(reported(small, "กทข.", "1.1-A-2"), "1.1-A-2")]
    job = confirm(preview(_into(exported(small, unit_of("กทก.")), rows), small, person), person)
    assert (job.state, job.unit.abbreviation) == (ImportJobState.WRITTEN, "กทก.")
    assert reported_texts(small) == {"1.1-A-2": ("กทข.", "ผลของ กทข.")}
    job = preview(pasted(*rows), small, person, unit=unit_of("กทก."))
    assert {error["heading"] for error in job.findings["errors"]} == {HEADINGS["token"]}


def test_two_units_report_on_one_action(small, person):
    """A row without a report is ignored; two rows that report on one action are an error."""
    first, second = reported(small, "กทก.", "1.1-A-9"), reported(small, "กทข.", "1.1-A-9")
    quiet = rows_of(exported(small, unit_of("กทข.")), "1.1-A-9")
    [error] = preview(pasted(*rows_of(first), *rows_of(second)), small, person).findings["errors"]
    assert error["heading"] == HEADINGS["ref"]
    confirm(preview(pasted(*rows_of(first), *quiet), small, person), person)
    assert reported_texts(small) == {"1.1-A-9": ("กทก.", "ผลของ กทก.")}


def test_rows_of_another_plan_or_with_a_mark_that_was_changed(small, person):
    other = PlanFactory()
    ActionItemFactory(plan=other, ref="1.1-A-2", lead=[unit_of("กทข.")], runs=(1, 3))
    for rows in (
        rows_of(reported(other, "กทข.", "1.1-A-2")),
        [[row[0], row[1].replace("กทข.", "กทก."), *row[2:]] for row in rows_of(exported(small, unit_of("กทข.")))[:1]],
        [[row[0], row[1].removesuffix("-กทข."), *row[2:]] for row in rows_of(exported(small, unit_of("กทข.")))[:1]],
        [["1.1-A-3", *row[1:]] for row in rows_of(exported(small), "1.1-A-2")],
    ):
        job = preview(pasted(*rows), small, person)
        assert [error["heading"] for error in job.findings["errors"]] == [HEADINGS["token"]]


def test_renamed_and_duplicated_sheet(small, person):
    data = reported(small, "กทข.", "1.1-A-2")
    book = load_workbook(BytesIO(data))
    book[SHEET].title = "ของกองเรา"
    job = preview(saved(book), small, person)
    assert (job.state, job.unit.abbreviation) == (ImportJobState.PREVIEW, "กทข.")
    assert "ของกองเรา" in job.findings["notes"][0]
    book.copy_worksheet(book["ของกองเรา"]).title = "สำรอง"
    assert "สำรอง" in preview(saved(book), small, person).findings["errors"][0]["message"]
    book["ของกองเรา"].title = SHEET
    job = preview(saved(book), small, person)
    assert (job.state, "สำรอง" in job.findings["notes"][0]) == (ImportJobState.PREVIEW, True)


# What the guide promises.


def test_no_sheet_is_protected_and_its_filter_spans_the_table(small):
    for data in (exported(small), exported(small, unit_of("กทก.")), saved(build_template(default_organization()))):
        for sheet in load_workbook(BytesIO(data)).worksheets:
            assert not sheet.protection.sheet
            for table in sheet.tables.values():
                assert table.autoFilter.ref == table.ref
                assert table.ref.startswith("A3:")
    _book, sheet, columns = opened(exported(small))
    assert sheet.tables.items() == [("Actions", f"A3:{get_column_letter(len(columns))}7")]


def _sort(sheet):
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=4, max_row=7)]
    for number, row in enumerate(sorted(rows, key=lambda row: str(row[0]), reverse=True), start=4):
        for column, value in enumerate(row, start=1):
            sheet.cell(number, column).value = value


def _filter(sheet):
    sheet.tables["Actions"].autoFilter.add_filter_column(0, ["1.1-A-2"])
    for row in (4, 6, 7):
        sheet.row_dimensions[row].hidden = True


def _own_columns(sheet):
    for place, heading in ((1, "ที่"), (7, "ผู้ตรวจ"), (sheet.max_column + 3, "หมายเหตุของกอง")):
        sheet.insert_cols(place)
        sheet.cell(3, place).value = heading
        sheet.cell(4, place).value, sheet.cell(9, place).value = 1, "รวม"


def _reordered(sheet):
    columns = [[cell.value for cell in column] for column in sheet.iter_cols(min_row=3, max_row=7)]
    for place, column in enumerate(reversed(columns), start=1):
        for row, value in enumerate(column, start=3):
            sheet.cell(row, place).value = value


ARRANGED = {
    "sorted": _sort,
    "filtered": _filter,
    "columns of one's own": _own_columns,
    "columns in another order": _reordered,
    "headings further down": lambda sheet: sheet.insert_rows(1, 25),
    "headings at the top": lambda sheet: sheet.delete_rows(1, 2),
    "a sheet of one's own": lambda sheet: sheet.parent.create_sheet("ของฉัน", 0).append(["รหัสรายการ", "สถานะ", 1]),
    "empty rows between": lambda sheet: sheet.insert_rows(6, 3),
}


@pytest.mark.parametrize("way", ARRANGED)
@pytest.mark.parametrize("name", [None, "กทก."])
def test_rearranged_sheet_is_read_like_the_original(small, person, way, name):
    data = reported(small, name, "1.1-A-1") if name else reported(small, None, "1.1-A-1", text="ใหม่", result="ผล")
    expected = preview(data, small, person).findings["rows"]
    book, sheet, _columns = opened(data)
    ARRANGED[way](sheet)
    job = preview(saved(book), small, person)
    assert (job.state, job.findings["errors"], job.findings["absent"]) == (ImportJobState.PREVIEW, [], [])
    assert [(row["name"], row["cells"]) for row in job.findings["rows"]] == [
        (row["name"], row["cells"]) for row in expected
    ]


def test_text_in_readonly_column_is_an_error(small, person):
    data = edited(exported(small), {("1.1-A-1", "latest_result"): "พิมพ์ผิดคอลัมน์"})
    job = preview(data, small, person)
    assert (job.state, len(places(job))) == (ImportJobState.REFUSED, 1)
    assert HEADINGS["result"] in job.findings["errors"][0]["message"]
    assert (
        preview(edited(exported(small), {("1.1-A-1", "latest_result"): None}), small, person).state
        == ImportJobState.UNCHANGED
    )


def _spaced(text):
    return f" {text}\u00a0\u200b".replace("\n", "\r\n")


def _spelled(text):
    return text.replace("ำ", "\u0e4d\u0e32").replace("แ", "เเ").replace("1", "๑")


@pytest.mark.parametrize("way", [_spaced, _spelled])
@pytest.mark.parametrize("name", ["ref", "latest_result", "criterion", "status", "levels"])
def test_other_spelling_of_cell_is_no_change(small, person, name, way):
    """Programs and users change the spelling of cells that identify a row or are read-only."""
    words = {("1.1-A-1", "result"): "กำลังทำ แล้วส่ง 1\nข้อสอง"}
    confirm(preview(edited(exported(small), words), small, person), person)
    data = exported(small)
    book, sheet, columns = opened(data)
    for row in range(4, sheet.max_row + 1):
        cell = sheet.cell(row, columns[name])
        if cell.value:
            cell.value = way(str(cell.value))
    assert saved(book) != data
    job = preview(saved(book), small, person)
    assert (job.state, job.findings["errors"], job.findings["absent"]) == (ImportJobState.UNCHANGED, [], [])


@pytest.mark.apart
def test_file_saved_by_libreoffice_changes_nothing(small, person, tmp_path):
    office = shutil.which("soffice")
    if office is None and not IS_REQUIRED:
        pytest.skip("LibreOffice is missing")
    assert office, "LibreOffice is missing"
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "แผน.xlsx"
    source.write_bytes(exported(small))
    subprocess.run(
        [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to",
         "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path), str(source)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    data = (tmp_path / "แผน.xlsx").read_bytes()
    assert preview(data, small, person).state == ImportJobState.UNCHANGED
    assert not load_workbook(BytesIO(data))[SHEET].protection.sheet
