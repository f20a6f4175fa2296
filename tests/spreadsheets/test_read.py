"""Reading of uploaded workbooks, and the messages for refused files."""

import random
import subprocess
import sys
import zipfile
from datetime import date, datetime, time
from io import BytesIO

import openpyxl
import pytest
from django.utils.translation import override
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from pmqa_tracker.parsing.cell import ReadCell
from spreadsheets.inspect import check_workbook
from spreadsheets.read import LIMITS, Limits, ReadWorkbook, WorkbookRefusedError, read_workbook
from spreadsheets.text import write_text
from tests import sizes
from tests.bombs import BOMBS, packed
from tests.mutations import mutated
from tests.plan.evidence.packing import Packed, forge

MOMENT = datetime(2020, 5, 15, 9, 30)  # noqa: DTZ001 - a workbook knows no zones
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def saved(book: Workbook) -> bytes:
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def book_of(*rows: list) -> Workbook:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    return book


def repacked(data: bytes, changes: dict[str, bytes | None]) -> bytes:
    """Return a workbook with changed, added or (None) removed parts."""
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            if content is not None:
                new.writestr(name, content)
    return file.getvalue()


def test_workbooks_are_read_by_defusedxml():
    assert openpyxl.DEFUSEDXML is True


def test_every_kind_of_value_is_read():
    book = book_of(["ก", " ข ", 3, 3.5, True, date(2020, 5, 15), MOMENT, time(9, 30), None, "007"])
    sheet = book.active
    sheet["A2"], sheet["A2"].number_format = 0.5, "0%"
    sheet["B2"], sheet["B2"].number_format = 40, '0"%"'
    sheet["C2"], sheet["C2"].data_type = "#VALUE!", "e"
    sheet["D2"] = "=1+1"
    sheet["E2"] = "บรรทัดหนึ่ง\nสอง"
    sheet["F2"] = "a_x000B_b"
    read = read_workbook(saved(book), "a.xlsx").sheets[0]
    assert [cell.value for cell in read.rows[0]] == [
        "ก", " ข ", 3, 3.5, True, date(2020, 5, 15), MOMENT, time(9, 30), None, "007",
    ]  # fmt: skip
    assert read.rows[1] == [
        ReadCell(0.5, is_percent=True), ReadCell(40), ReadCell("#VALUE!", error="ERROR"), ReadCell(error="FORMULA"),
        ReadCell("บรรทัดหนึ่ง\nสอง"), ReadCell("a\x0bb"),
    ]  # fmt: skip


def test_formula_is_read_by_its_value():
    data = saved(book_of(["=1+1"]))
    sheet = zipfile.ZipFile(BytesIO(data)).read("xl/worksheets/sheet1.xml")
    data = repacked(
        data, {"xl/worksheets/sheet1.xml": sheet.replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>")}
    )
    assert read_workbook(data, "a.xlsx").sheets[0].rows[0] == [ReadCell(2)]


def test_days_of_a_workbook_that_counts_from_1904():
    book = book_of([date(2020, 5, 15)])
    book.epoch = CALENDAR_MAC_1904
    book.active["A1"] = date(2020, 5, 15)
    assert read_workbook(saved(book), "a.xlsx").sheets[0].rows[0][0].value == date(2020, 5, 15)


def test_hidden_and_merged_areas_are_read():
    book = book_of(["a", "b"], ["c", "d"])
    book.active.merge_cells("A1:B1")
    book.active.row_dimensions[2].hidden = True
    book.active.column_dimensions["B"].hidden = True
    book.create_sheet("ลับ").sheet_state = "hidden"
    read = read_workbook(saved(book), "a.xlsx")
    first, second = read.sheets
    assert (first.merged, first.hidden_rows, first.hidden_columns) == (("A1:B1",), {2}, {2})
    assert (first.is_hidden, second.is_hidden) == (False, True)


GOOD = saved(book_of(["ก", 1], ["ข", 2]))
REFUSED = {
    "empty": (b"", "a.xlsx", "The file is empty"),
    "old kind": (OLE, "a.xls", "old format (.xls)"),
    "encrypted": (OLE + "EncryptedPackage".encode("utf-16-le"), "a.xlsx", "needs a password"),
    "pdf": (b"%PDF-1.7 ...", "a.xlsx", "This is a PDF"),
    "web page": (b"<html><table></table></html>", "a.xls", "web page"),
    "csv": ("รหัส,สถานะ\n1,2\n".encode(), "a.csv", "text file"),
    "unknown": (b"\x89PNG\r\n\x1a\n\0\0\0\xff\xfe", "a.png", "not an Excel workbook"),
    "ods": (None, "a.ods", "This is an OpenDocument"),
    "macros": (repacked(GOOD, {"xl/vbaProject.bin": b"x"}), "a.xlsm", "macros"),
    "binary": (packed(types="<Types/>") , "a.xlsb", "binary"),
    "other zip": (None, "a.zip", "not an Excel workbook"),
    "damaged": (GOOD[: len(GOOD) // 2], "a.xlsx", "damaged"),
    "a part without a name": (forge([Packed(name=b"\0")]), "a.xlsx", "damaged"),
    "a part with a password": (forge([Packed(name=b"a", flags=1)]), "a.xlsx", "needs a password"),
    "far away": (None, "a.xlsx", "far from the table"),
}  # fmt: skip


def _made(kind: str) -> bytes:
    file = BytesIO()
    if kind == "far away":
        book = book_of(["a"])
        book.active["XFD1048576"] = "x"
        return saved(book)
    with zipfile.ZipFile(file, "w") as archive:
        if kind == "ods":
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<a/>")
    return file.getvalue()


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_file_has_a_helpful_message(kind):
    data, name, words = REFUSED[kind]
    if kind == "binary":
        data = repacked(GOOD, {"xl/workbook.xml": None, "xl/workbook.bin": b"x"})
    with override("en"), pytest.raises(WorkbookRefusedError, match=words.replace("(", r"\(").replace(")", r"\)")):
        read_workbook(_made(kind) if data is None else data, name)
    with override("th"), pytest.raises(WorkbookRefusedError) as refused:
        read_workbook(_made(kind) if data is None else data, name)
    assert words not in str(refused.value)


def test_too_many_megabytes_rows_or_seconds_are_refused():
    with pytest.raises(WorkbookRefusedError), override("en"):
        read_workbook(GOOD, "a.xlsx", limits=Limits(megabytes=0))
    with pytest.raises(WorkbookRefusedError, match="far from"), override("en"):
        read_workbook(GOOD, "a.xlsx", limits=Limits(rows=1_000, columns=1))
    with pytest.raises(WorkbookRefusedError, match="1 rows"), override("en"):
        read_workbook(GOOD, "a.xlsx", limits=Limits(rows=1))
    with pytest.raises(WorkbookRefusedError, match="takes too long"), override("en"):
        read_workbook(GOOD, "a.xlsx", limits=Limits(seconds=0))


def test_child_process_ends_when_it_fills_the_memory():
    chance = random.Random(1)  # noqa: S311 - reproducible
    rows = [[chance.randbytes(60).hex() for _column in range(40)] for _row in range(3_000)]
    with pytest.raises(WorkbookRefusedError, match="more memory or time"), override("en"):
        read_workbook(saved(book_of(*rows)), "a.xlsx", limits=Limits(memory_megabytes=90))


@pytest.mark.parametrize("kind", BOMBS)
def test_bomb_is_refused_before_it_is_opened(kind, tmp_path):
    """Run in a separate process, to measure its time and peak memory."""
    file = tmp_path / "bomb.xlsx"
    file.write_bytes(BOMBS[kind]())
    asked = (
        "import sys, time, django; from pathlib import Path; django.setup()\n"
        "from spreadsheets.inspect import LIMITS, WorkbookRefusedError, check_workbook\n"
        "data = Path(sys.argv[1]).read_bytes(); start = time.process_time()\n"
        "try: check_workbook(data, 'a.xlsx', LIMITS); verdict = 'TAKEN'\n"
        "except WorkbookRefusedError: verdict = 'REFUSED'\n"
        "spent = time.process_time() - start\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(verdict, spent, int(peak.split()[1]) // 1024)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin", "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", asked, file], capture_output=True, text=True, check=True, env=environment
    )
    verdict, seconds, megabytes = done.stdout.split()
    assert verdict == "REFUSED"
    assert float(seconds) < 2
    assert int(megabytes) < 150


def test_good_workbook_passes_the_check():
    check_workbook(GOOD, "a.xlsx", LIMITS)
    rows = [[f"ข้อความ {row} {column}" for column in range(18)] for row in range(3_000)]
    assert len(read_workbook(saved(book_of(*rows)), "a.xlsx").sheets[0].rows) == 3_000


def test_damaged_workbooks_are_read_or_refused():
    taken = 0
    for seed in range(1000 * sizes.SEED, 1000 * sizes.SEED + sizes.scaled(200)):
        try:
            assert isinstance(read_workbook(mutated(GOOD, seed), "a.xlsx"), ReadWorkbook)
            taken += 1
        except WorkbookRefusedError:
            continue
    assert sizes.scaled(20) < taken < sizes.scaled(180)  # both happen


def test_written_text_is_read_back_unchanged():
    """Text that looks like Excel's escape of a character is not unescaped."""
    book = Workbook()
    write_text(book.active["A1"], "_x000D_=1+1 _x0041_")
    data = saved(book)
    assert read_workbook(data, "a.xlsx").sheets[0].rows[0][0].value == "_x000D_=1+1 _x0041_"
    assert load_workbook(BytesIO(data)).active["A1"].data_type == "s"
