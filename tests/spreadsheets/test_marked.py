"""Marks in a workbook: a fill, a border and a comment at each wrong cell, and everything else as it was."""

import re
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from PIL import Image as Picture

from spreadsheets.edited import UneditableError
from spreadsheets.marked import ADDITION, AUTHOR, RULE, SIGN, Mark, mark_workbook
from spreadsheets.read import read_workbook
from tests.odd_workbooks import packed, unpacked


def mark(address, text="ผิด", sheet="ตาราง"):
    cell = Workbook().active[address]
    return Mark(sheet=sheet, row=cell.row, column=cell.column, text=text)


@pytest.fixture(scope="module")
def users_book():
    """A workbook with what users add: chart, picture, list, format, formula, hidden sheet, comment."""
    book = Workbook()
    sheet = book.active
    sheet.title = "ตาราง"
    for row in range(1, 30):
        sheet.append([f"แถว {row}", row, "=B1*2", None])
    sheet.column_dimensions["A"].width, sheet.row_dimensions[3].height = 33, 44
    sheet["A1"].font, sheet["B2"].fill = Font(bold=True), PatternFill("solid", fgColor="FF00FF00")
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=9))
    sheet.add_chart(chart, "F2")
    drawn = BytesIO()
    Picture.new("RGB", (9, 9)).save(drawn, "PNG")
    sheet.add_image(Image(drawn), "F20")
    sheet.conditional_formatting.add("B1:B9", CellIsRule(operator="equal", formula=["5"], font=Font(italic=True)))
    rule = DataValidation(type="list", formula1='"ก,ข"')
    rule.add("D1:D9")
    sheet.add_data_validation(rule)
    sheet["A5"].comment = Comment("ของฉันเอง", "สมชาย")
    sheet["A6"].comment = Comment("อีกอัน", "สมชาย")
    hidden = book.create_sheet("ซ่อน")
    hidden.sheet_state = "hidden"
    hidden["A1"] = "ก"
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def comments(data, sheet="ตาราง"):
    """Address → text of every comment, without the first words of a mark."""
    rows = load_workbook(BytesIO(data))[sheet].iter_rows()
    return {cell.coordinate: cell.comment.text.removeprefix(SIGN) for row in rows for cell in row if cell.comment}


def marked_areas(data, sheet="ตาราง"):
    """The addresses under the format of the marks, which has a fill and a border."""
    found = set()
    for area in load_workbook(BytesIO(data))[sheet].conditional_formatting:
        for rule in area.rules:
            if rule.formula == [RULE]:
                assert (rule.dxf.fill.fill_type, rule.dxf.border.left.style) == ("solid", "thin")
                found |= set(str(area.sqref).split())
    return found


def cells_of(data):
    """The text of the cells of each sheet, byte for byte."""
    parts = unpacked(data)
    return {
        name: content[content.find(b"<sheetData") : content.rfind(b"</sheetData>")]
        for name, content in parts.items()
        if name.startswith("xl/worksheets/sheet")
    }


def test_marked_cells_have_fill_border_and_comment_and_the_rest_is_equal(users_book):
    made = mark_workbook(users_book, [mark("D7", "ต้องเป็น ก"), mark("A5", "ซ้ำ"), mark("D7", "หรือ ข"), mark("B40")])
    assert comments(made) == {
        "A5": f"ของฉันเอง{ADDITION}ซ้ำ",
        "A6": "อีกอัน",
        "D7": "ต้องเป็น ก\n\nหรือ ข",
        "B40": "ผิด",
    }
    assert marked_areas(made) == {"D7", "A5", "B40"}
    assert cells_of(made) == cells_of(users_book)
    before, after = unpacked(users_book), unpacked(made)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {
        "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/comments/comment1.xml", "xl/drawings/commentsDrawing1.vml"
    }  # fmt: skip
    assert set(before) <= set(after)
    old, new = (load_workbook(BytesIO(data)) for data in (users_book, made))
    assert (new["ซ่อน"].sheet_state, len(new["ตาราง"]._charts), len(new["ตาราง"]._images)) == ("hidden", 1, 1)
    assert new["ตาราง"].data_validations.dataValidation == old["ตาราง"].data_validations.dataValidation
    for row in old["ตาราง"].iter_rows():
        for cell in row:
            same = new["ตาราง"][cell.coordinate]
            assert (same.value, same.style_id) == (cell.value, cell.style_id)
    assert read_workbook(made, "a.xlsx") == read_workbook(users_book, "a.xlsx")


def test_second_time_replaces_the_marks_of_the_first(users_book):
    once = mark_workbook(users_book, [mark("D7"), mark("A5", "หนึ่ง"), mark("A6", "สอง"), mark("A1", sheet="ซ่อน")])
    assert comments(once, "ซ่อน") == {"A1": "ผิด"}
    parts = unpacked(once)  # LibreOffice does not keep the author
    once = packed(
        {name: content.replace(f"<author>{AUTHOR}<".encode(), b"<author> <") for name, content in parts.items()}
    )
    twice = mark_workbook(once, [mark("A6", "สาม"), mark("B2")])
    assert comments(twice) == {"A5": "ของฉันเอง", "A6": f"อีกอัน{ADDITION}สาม", "B2": "ผิด"}
    assert (marked_areas(twice), comments(twice, "ซ่อน"), marked_areas(twice, "ซ่อน")) == ({"A6", "B2"}, {}, set())
    shapes = next(content for name, content in unpacked(twice).items() if name.endswith("Drawing1.vml"))
    assert len(re.findall(rb"<\w+:shape ", shapes)) == 3
    assert cells_of(twice) == cells_of(users_book)
    assert comments(mark_workbook(twice, [mark("A1", sheet="ซ่อน")])) == comments(users_book)


def test_error_without_a_cell_is_marked_at_a_first_cell(users_book):
    marks = [Mark(sheet="ตาราง", row=8, column=0, text="แถว"), Mark(sheet="ไม่มี", row=0, column=0, text="แผ่นงาน")]
    assert comments(mark_workbook(users_book, marks)) == comments(users_book) | {"A1": "แผ่นงาน", "A8": "แถว"}


def test_many_marks_can_be_read_again(users_book):
    marks = [
        Mark(sheet="ตาราง", row=row, column=column, text=f"ผิด {row}") for row in range(1, 1501) for column in (1, 4)
    ]
    made = mark_workbook(users_book, marks)
    assert len(comments(made)) == 3000
    shapes = next(content for name, content in unpacked(made).items() if name.endswith("Drawing1.vml"))
    numbers = [int(number) for number in re.findall(rb'id="_x0000_s(\d+)"', shapes)]
    assert len(numbers) == len(set(numbers)) == 3000
    assert read_workbook(made, "a.xlsx").sheet("ตาราง").rows == read_workbook(users_book, "a.xlsx").sheet("ตาราง").rows


ODD_PARTS = [
    ("[Content_Types].xml", rb"<Default", rb"<!-- x --><Default", True),
    ("xl/drawings/commentsDrawing1.vml", rb'data="[^"]*"', rb'data="1,,a"', True),
    ("xl/drawings/commentsDrawing1.vml", rb"_x0000_s\d+", b"_x0000_s" + b"9" * 5000, True),
    ("xl/drawings/commentsDrawing1.vml", rb"Row>\d+<", b"Row>" + b"9" * 5000 + b"<", True),
    ("xl/comments/comment1.xml", rb'ref="A5"', rb'ref="x"', False),
]


@pytest.mark.parametrize(("part", "old", "new", "is_marked"), ODD_PARTS)
def test_odd_values_in_parts_are_borne_or_refused(users_book, part, old, new, is_marked):
    parts = unpacked(users_book)
    parts[part], count = re.subn(old, new, parts[part])
    assert count
    drawing = "xl/drawings/commentsDrawing1.vml"
    if not is_marked:  # the shapes of all comments are drawn anew
        parts["xl/worksheets/_rels/sheet1.xml.rels"] = parts["xl/worksheets/_rels/sheet1.xml.rels"].replace(
            f"/{drawing}".encode(), b"/xl/none.vml"
        )
        parts["xl/worksheets/sheet1.xml"] = re.sub(rb"<legacyDrawing [^>]*>", b"", parts["xl/worksheets/sheet1.xml"])
    data, marks = packed(parts), [mark("D7", "ผิด\x01\ud800"), mark("A1", sheet="ซ่อน")]
    if is_marked:
        assert comments(mark_workbook(data, marks))["D7"] == "ผิด"
    else:
        with pytest.raises(UneditableError):
            mark_workbook(data, marks)
