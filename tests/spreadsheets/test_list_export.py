"""Export of a list as a workbook: its layout, and texts that stay texts."""

import re
import zipfile
from datetime import UTC, date, datetime

import pytest
from django.utils import translation
from openpyxl import load_workbook

from spreadsheets.list_export import LIST_NOTE, Table, list_response, write_list
from spreadsheets.styles import FONT, HIGHEST_ROW, PADDING, Style, line_height, text_height
from spreadsheets.tables import Column, ColumnKind

PAYLOADS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=cmd|'/C calc'!A0", '=HYPERLINK("http://x.example","y")',
    "{=1}", "＝1+1", "=\x0b1", "http://x.example/", "mailto:a@x.example", "internal:Sheet1!A1", "file:///etc/passwd",
    "TRUE", "0012", "1e5", "12345678901234567890", "'=1", " lead", "trail ", "a\nb", "<b>&amp;</b>", '"', "#N/A",
    "น้ำ ก\u0e4d\u0e32", "_x0041_", "😀" * 3, "\u200b", "]]>",
)  # fmt: skip
MIDNIGHT = datetime(2020, 1, 1)  # noqa: DTZ001 - as a workbook holds it, without a time zone


def table(rows, **changes):
    columns = [Column("ข้อความ", 30), Column("จำนวน", 8, ColumnKind.NUMBER), Column("ร้อยละ", 8, ColumnKind.PERCENT)]
    given = {
        "title": "รายการ",
        "name": "List",
        "notes": ["แผน", "", "ตัวกรอง"],
        "columns": columns,
        "rows": rows,
        "empty": "ไม่มีรายการ",
    }
    return Table(**{**given, **changes})


def sheet_of(made):
    return load_workbook(write_list(made)).active


def test_title_notes_headings_and_rows():
    sheet = sheet_of(table(iter([["ก", 3, 41], ["ข", None, None]])))
    assert [[cell.value for cell in row] for row in sheet] == [
        ["รายการ", None, None],
        ["แผน", None, None],
        ["ตัวกรอง", None, None],
        ["ข้อความ", "จำนวน", "ร้อยละ"],
        ["ก", 3, 0.41],
        ["ข", None, None],
    ]
    assert sheet.title == "รายการ"
    assert sheet.freeze_panes == "B5"
    assert sheet.tables.items() == [("List", "A4:C6")]
    assert sheet.tables["List"].autoFilter.ref == "A4:C6"
    assert sheet.tables["List"].column_names == ["ข้อความ", "จำนวน", "ร้อยละ"]
    assert sheet.auto_filter.ref is None
    assert sorted(str(area) for area in sheet.merged_cells.ranges) == ["A1:C1", "A2:C2", "A3:C3"]
    assert sheet.print_title_rows == "$4:$4"
    assert sheet["C5"].number_format == "0%"
    assert {cell.font.name for row in sheet.iter_rows(min_row=5) for cell in row if cell.value} == {FONT}


def test_empty_list_has_headings_and_a_sentence():
    sheet = sheet_of(table([]))
    assert [cell.value for cell in sheet[4]] == ["ข้อความ", "จำนวน", "ร้อยละ"]
    assert [cell.value for cell in sheet[5]] == ["ไม่มีรายการ", None, None]
    assert sheet.max_row == 5
    assert not sheet.tables  # Excel knows no table without rows


def test_text_never_becomes_a_formula_link_or_number():
    made = table([[text, None, None] for text in PAYLOADS], title="=1+1", notes=["=1+1"], empty="=1")
    file = write_list(made)
    sheet = load_workbook(file).active
    cells = [row[0] for row in sheet.iter_rows()]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    raw = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()
    assert not re.search(r"<f[ />]", raw)
    assert "hyperlink" not in raw
    # A text that looks like an escape must itself be escaped.
    expected = {"\r=1": "\n=1", "=\x0b1": "=1", "_x0041_": "_x005F_x0041_"}
    assert [cell.value for cell in cells[3:]] == [expected.get(text, text) for text in PAYLOADS]
    assert [cell.value for cell in cells[:3]] == ["=1+1", "=1+1", "ข้อความ"]


def test_forbidden_characters_are_removed():
    texts = ["ก\x00ข\x1f\x7f", "\ud800ค", "\ufffeง\uffff", "\x00", "ย" * 40_000]
    sheet = sheet_of(table([[text, None, None] for text in texts]))
    found = [row[0].value for row in sheet.iter_rows(min_row=5)]
    assert found == ["กข\x7f", "ค", "ง", None, "ย" * 32_767]


def test_any_text_in_a_heading_and_a_title():
    columns = [Column("=ก\x00", 9), Column("=ก", 9), Column("", 9)]
    sheet = sheet_of(table([["1", "2", "3"]], columns=columns, title="[a]:*?/\\'" + "ย" * 50))
    assert [cell.value for cell in sheet[4]] == ["=ก", "=ก (2)", "#3"]
    assert [cell.value for cell in sheet[5]] == ["1", "2", "3"]
    assert len(sheet.title) == 31


@pytest.mark.parametrize(
    ("language", "number_format"), [("th", "[$-107041E]d mmm yyyy"), ("en", "[$-1070409]d mmm yyyy")]
)
def test_day_is_a_date_shown_in_the_buddhist_era(language, number_format):
    # 22:00 in London is the next morning here.
    days = [None, date(2020, 2, 29), datetime(2020, 5, 14, 22, tzinfo=UTC), date(1457, 1, 2)]
    with translation.override(language):
        sheet = sheet_of(
            table([[day, "x"] for day in days], columns=[Column("วันที่", 14, ColumnKind.DAY), Column("ก", 9)])
        )
    cells = [row[0] for row in sheet.iter_rows(min_row=5)]
    assert [cell.value for cell in cells[:3]] == [
        None,
        MIDNIGHT.replace(month=2, day=29),
        MIDNIGHT.replace(month=5, day=15),
    ]
    assert {cell.number_format for cell in cells[1:3]} == {number_format}
    assert cells[3].value is None  # Excel knows no day before 1900


def test_cell_with_a_style_of_its_own_and_a_legend_in_colours():
    bar = Style(fill="4B4799", border="mediumDashed", border_color="B9B7DA")
    columns = [Column("ก", 9), Column("ข", 9)]
    rows = [["■", ("■", bar)], [None, "■"]]
    file = write_list(table(rows, columns=columns, legend=[("■", "4B4799"), (" ทำอยู่", "")]))
    sheet = load_workbook(file, rich_text=True).active
    fills = [[cell.fill.fgColor.rgb[2:] for cell in row] for row in sheet["A6:B7"]]
    assert fills == [["000000", "4B4799"], ["000000", "000000"]]
    assert (sheet["B6"].border.left.style, sheet["B6"].border.left.color.rgb[2:]) == ("mediumDashed", "B9B7DA")
    assert [(part.text, part.font.color.rgb[2:]) for part in sheet["A4"].value] == [
        ("■", "4B4799"),
        (" ทำอยู่", LIST_NOTE.color),
    ]


def test_every_row_and_cell_stands_once_in_the_file():
    """Excel repairs a file with two rows of the same number, and says so to the user."""
    for count in (0, 1, 2, 1_000, 2_001):
        file = write_list(table([[str(number), number, None] for number in range(count)]))
        raw = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml").decode()
        numbers = [int(number) for number in re.findall(r'<row [^>]*?r="(\d+)"', raw)]
        assert numbers == list(range(1, 5 + max(count, 1)))
        places = re.findall(r'<c [^>]*?r="([A-Z]+\d+)"', raw)
        assert len(places) == len(set(places))
        assert re.findall(r'<dimension ref="([^"]+)"', raw) == [f"A1:C{4 + max(count, 1)}"]


def test_lines_above_the_table_are_as_high_as_their_texts_and_freeze_only_if_low():
    long = "หน่วยงาน: กพร. · สถานะ: อยู่ระหว่างดำเนินการ · " * 14
    sheet = sheet_of(table([["ก", 1, 1]], notes=["แผน", long]))
    assert sheet.row_dimensions[3].height >= text_height(long, 46, LIST_NOTE.size)
    assert sheet["A3"].alignment.wrap_text
    assert sheet_of(table([["ก", 1, 1]])).freeze_panes == "B5"
    assert sheet.freeze_panes == "B1"  # no room would be left for the rows


def test_row_must_have_a_value_for_each_column():
    with pytest.raises(ValueError, match="argument"):
        write_list(table([["ก"]]))


def test_list_response_is_a_download():
    response = list_response(table([]), "รายการ.xlsx")
    assert response.headers["Content-Type"].endswith("spreadsheetml.sheet")
    assert response.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''%E0%B8%A3")


def test_number_keeps_its_fraction_after_a_whole_number():
    sheet = sheet_of(table([["ก", 1, 1], ["ข", 1.5, 12.5], ["ค", None, None], ["ง", 0, 0]]))
    assert [[cell.value for cell in row[1:]] for row in sheet.iter_rows(min_row=5)] == [
        [1, 0.01],
        [1.5, 0.125],
        [None, None],
        [0, 0],
    ]


def test_row_is_as_high_as_its_longest_text():
    """LibreOffice does not fit the height of rows."""
    long = "จัดทำแนวทางการสื่อสารวิสัยทัศน์ ค่านิยม และทิศทางองค์การ " * 4
    rows = [["สั้น", 1, 1], [long, 1, 1], ["ก\nข\nค", 1, 1], ["ย" * 30_000, 1, 1]]
    sheet = sheet_of(table(rows, columns=[*table([]).columns[:2], Column("หัวที่ยาวกว่าความกว้าง", 8, ColumnKind.PERCENT)]))
    heads, short, wrapped, broken, longest = (sheet.row_dimensions[number].height for number in range(4, 9))
    line = line_height()
    assert short == pytest.approx(line + PADDING, abs=0.01)
    assert broken == pytest.approx(3 * line + PADDING, abs=0.01)
    assert 6 * line < wrapped == pytest.approx(text_height(long, 30), abs=0.01)
    assert heads > 3 * line
    assert longest == pytest.approx(HIGHEST_ROW, abs=0.5)
