"""Written cells: text stays text, and rows are high enough."""

from io import BytesIO

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from spreadsheets.styles import (
    HIGHEST_ROW,
    Style,
    count_lines,
    new_book,
    rich,
    row_heights,
    set_up_page,
    text_height,
    text_width,
    write,
    write_box,
)
from spreadsheets.tables import Column, add_excel_table, write_table
from spreadsheets.text import LONGEST_TEXT, clean_text


@pytest.fixture
def sheet() -> Worksheet:
    return new_book().create_sheet("หมวด ๑")


def reopened(sheet: Worksheet) -> Worksheet:
    file = BytesIO()
    sheet.parent.save(file)
    return load_workbook(file).active


@pytest.mark.parametrize("text", ["=1+1", '=HYPERLINK("http://x")', "+66", "-1", "@cmd", "#N/A", "007"])
def test_text_is_never_a_formula(sheet, text):
    write(sheet["A1"], text, Style())
    cell = reopened(sheet)["A1"]
    assert (cell.data_type, cell.value) == ("s", text)


def test_control_characters_do_not_break_the_file(sheet):
    write(sheet["A1"], "บรรทัด\x0bหนึ่ง\r\nสอง\x00\ud800\ufffe", Style())
    write(sheet["A2"], rich(("ก\x0b", True), ("ข\x1f", False)), Style())
    again = reopened(sheet)
    assert (again["A1"].value, again["A2"].value) == ("บรรทัดหนึ่ง\nสอง", "กข")


def test_text_is_cut_to_the_length_of_a_cell():
    assert len(clean_text("ก" * 40_000)) == LONGEST_TEXT


def test_numbers_stay_numbers_and_none_stays_empty(sheet):
    write(sheet["A1"], 40, Style(number_format='0"%"'))
    write(sheet["A2"], None, Style())
    again = reopened(sheet)
    assert (again["A1"].value, again["A1"].number_format, again["A2"].value) == (40, '0"%"', None)


def test_box_is_a_merged_cell_with_borders(sheet):
    write_box(sheet, (1, 1, 3, 2), "ก", Style())
    again = reopened(sheet)
    assert [str(each) for each in again.merged_cells.ranges] == ["A1:B3"]
    assert (again["A1"].border.left.style, again["B3"].border.bottom.style) == ("thin", "thin")


def test_marks_above_and_below_take_no_width():
    assert text_width("ที่นี้") == text_width("ทน") == 2 * text_width("ท")


def test_lines_are_counted_by_paragraph_and_by_width():
    assert count_lines("", 20) == 1
    assert count_lines("ก\n\nข", 20) == 3
    assert count_lines("การดำเนินงาน" * 10, 20) > count_lines("การดำเนินงาน" * 10, 40) > 1


def test_height_grows_with_text_and_font_size():
    assert text_height("ก", 20) < text_height("ก\nข", 20)
    assert text_height("ก", 20) < text_height("ก", 20, size=18)
    assert text_height("ผลการดำเนินงาน" * 3, 20) < text_height("ผลการดำเนินงาน" * 3, 20, bold=True)


def test_text_higher_than_the_highest_row_takes_several_rows():
    assert row_heights(HIGHEST_ROW) == [HIGHEST_ROW]
    assert row_heights(HIGHEST_ROW + 1) == [205.0, 205.0]


def test_page_is_a4_landscape_one_page_wide(sheet):
    set_up_page(sheet, header_rows="3:4", footer="ข้อมูล ณ วันที่ 15 พ.ค. 2563 & ต่อ")
    again = reopened(sheet)
    assert (again.page_setup.orientation, int(again.page_setup.paperSize)) == ("landscape", 9)
    assert again.sheet_properties.pageSetUpPr.fitToPage is True
    assert (int(again.page_setup.fitToWidth), int(again.page_setup.fitToHeight)) == (1, 0)
    assert again.print_title_rows == "$3:$4"
    assert again.oddFooter.left.text == "หน้า &P / &N"
    assert again.oddFooter.right.text == "ข้อมูล ณ วันที่ 15 พ.ค. 2563 && ต่อ"


def test_excel_table_has_a_name_of_its_own_and_headings_as_in_its_cells(sheet):
    headings = ["รหัส", "รหัส", "", "ไตรมาส\n1", "_x000D_", "ก" * 300]
    for row in (2, 6):
        for column, heading in enumerate(headings, start=2):
            write(sheet.cell(row, column), heading or None, Style())
        add_excel_table(sheet, "Actions", row, row + 2, len(headings), first=2)
    other = sheet.parent.create_sheet("อื่น")
    write(other["A1"], "actions", Style())
    assert add_excel_table(other, "actions", 1, 2, 1) == "actions_3"
    again = reopened(sheet)
    assert again.tables.items() == [("Actions", "B2:G4"), ("Actions_2", "B6:G8")]
    for table in again.tables.values():
        cells = [cell.value for cell in again[table.ref][0]]
        assert cells == ["รหัส", "รหัส (2)", "#3", "ไตรมาส\n1", "_x005F_x000D_", "ก" * 255]
        assert table.column_names == [text.replace("_x005F_", "_") for text in cells]  # decoded
        assert table.autoFilter.ref == table.ref


def test_text_too_long_for_the_highest_row_gets_smaller_letters(sheet):
    text = "แสดงตัวอย่างโครงการที่ร่วมดำเนินการกับเครือข่าย " * 25
    write_table(sheet, 1, [Column("รหัส", 12), Column("รายการ", 60)], [("1", text), ("2", "สั้น")])
    size, height = sheet["B2"].font.size, sheet.row_dimensions[2].height
    assert text_height(text, 60) > HIGHEST_ROW
    assert text_height(text, 60, size) == height <= HIGHEST_ROW < text_height(text, 60, size + 1)
    assert (sheet["A2"].font.size, sheet["B3"].font.size) == (14, 14)
