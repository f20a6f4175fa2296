"""Formulas keep their results in the file."""

from io import BytesIO

from openpyxl import load_workbook

from spreadsheets.downloads import finished_workbook
from spreadsheets.formulas import Formula
from spreadsheets.styles import Style, new_book, write


def test_results_of_formulas_are_stored_and_text_stays_text():
    book = new_book()
    book.create_sheet("ว่าง")
    sheet = book.create_sheet("สรุป")
    number, text = Formula('COUNTIFS(A1:A3,">0",B1:B3,"<>ก")', 2.5), Formula('IF(1<2,"ก & ข","")', "ก & ข")
    for address, value in {"A1": 1, "C1": number, "D1": text, "E1": '=1+1&"<f>"'}.items():
        write(sheet[address], value, Style(number_format="0.0"))
    data = finished_workbook(book).getvalue()
    written, shown = load_workbook(BytesIO(data))["สรุป"], load_workbook(BytesIO(data), data_only=True)["สรุป"]
    assert [written[each].value for each in ("C1", "D1")] == [f"={number.text}", f"={text.text}"]
    assert (written["E1"].data_type, written["E1"].value) == ("s", '=1+1&"<f>"')
    assert [shown[each].value for each in ("A1", "C1", "D1", "E1")] == [1, 2.5, "ก & ข", '=1+1&"<f>"']
    assert shown["C1"].number_format == "0.0"
