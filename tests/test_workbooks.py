"""Rules for every downloaded workbook: it needs a login, opens in openpyxl and LibreOffice, prints every text whole."""

import re
import shutil
import subprocess
import zipfile
from datetime import date
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from defusedxml.ElementTree import fromstring
from django.conf import settings
from django.db import transaction
from django.http import FileResponse
from django.test import Client, override_settings
from django.utils.translation import override
from openpyxl import Workbook, load_workbook

from plan.models import Plan
from pmqa_tracker.tasks.queue import find
from spreadsheets.styles import TITLE, Style, new_book, text_height, write, write_box
from tests import sizes
from tests.conftest import DAY, IS_REQUIRED
from tests.exchange.workbooks import saved
from tests.factories import UserFactory
from tests.printed import find_flaws, print_workbooks
from tests.test_codes import codes_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo"), pytest.mark.long]

WORKBOOKS = {
    "plan form": "plans/{slug}/reports/plan-form.xlsx",
    "form only": "plans/{slug}/reports/plan-form.xlsx?status=no",
    "progress report": "plans/{slug}/reports/progress.xlsx?since=2020-04-10",
    "unit's report": "plans/{slug}/units/{unit}/progress.xlsx",
    "data sheet": "plans/{slug}/data-sheet.xlsx",
    "unit's sheet": "plans/{slug}/data-sheet.xlsx?unit={unit}",
    "whole plan": "plans/{slug}/plan.xlsx",
    "template": "new-plan/template.xlsx",
    "list": "plans/{slug}/actions.xlsx",
    "units": "plans/{slug}/units.xlsx",
    "map": "plans/{slug}/criteria.xlsx",
    "timeline": "plans/{slug}/timeline.xlsx",
    "my work": "plans/{slug}/my.xlsx",
    "reporting": "plans/{slug}/reporting.xlsx",
}


def fetched(client: Any, address: str) -> bytes:
    """Download a workbook."""
    response = client.get(address)
    assert response.status_code == 200
    assert isinstance(response, FileResponse)
    assert response["Content-Disposition"].startswith("attachment")
    return b"".join(response.streaming_content)


DOWNLOADS = {**WORKBOOKS, "owed": "plans/{slug}/owed.xlsx", "meeting pack": "plans/{slug}/reports/meeting.docx"}


@pytest.fixture(scope="module")
def files(demo, django_db_blocker):
    """Return name → file of every download, for a user with all permissions."""
    with django_db_blocker.unblock(), override_settings(PMQA_TODAY=DAY), override("th"), transaction.atomic():
        unit = Plan.objects.get().actions.first().assignments.first().unit
        client = Client()
        client.force_login(UserFactory(roles=["staff", "coordinator"], units=[unit], is_staff=True, is_superuser=True))
        found = {name: fetched(client, address_of(address)) for name, address in DOWNLOADS.items()}
        table = client.post("/admin/criteria/category/export/", {"format": "0", "resource": "0"})
        transaction.set_rollback(True)
    return found | {"table of the admin": table.content}


@pytest.fixture(scope="module")
def books(files):
    """Return name → workbook, opened by openpyxl."""
    return {name: load_workbook(BytesIO(files[name])) for name in WORKBOOKS}


def address_of(address: str) -> str:
    """Return the URL of a file of the seeded plan."""
    return "/" + address.format(slug="2562-2563", unit="กพร.")


def test_every_workbook_opens_in_openpyxl_and_in_libreoffice(files, books, tmp_path):
    for number, name in enumerate(WORKBOOKS):
        (tmp_path / f"{number}.xlsx").write_bytes(files[name])
    office = shutil.which("soffice")
    if office is None and not IS_REQUIRED:
        pytest.skip("LibreOffice is missing")
    assert office, "LibreOffice is missing"
    # Every sheet as text of commas; the last parameter writes them all.
    subprocess.run(
        [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to",
         "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", "--outdir", str(tmp_path),
         *(str(tmp_path / f"{number}.xlsx") for number in range(len(WORKBOOKS)))],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    for number, name in enumerate(WORKBOOKS):
        book = books[name]
        assert book.sheetnames, name
        assert all(len(title) <= 31 for title in book.sheetnames), name
        for sheet in book:
            text = (tmp_path / f"{number}-{sheet.title}.csv").read_text()
            first = next(cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str))
            assert first.splitlines()[0] in text, (name, sheet.title)


FILLED_IN = {"data sheet", "unit's sheet", "whole plan", "template"}  # on a screen; seldom printed


@pytest.fixture(scope="module", params=["font", "stand-in"])
def printed(request, files, tmp_path_factory):
    """Return name → workbook and name → PDF, with the font of the workbooks installed or missing.

    A full run prints each workbook both ways; any other those that are filled in without it, and the rest with it.
    """
    books = {name: data for name, data in files.items() if name not in ("meeting pack", "table of the admin")}
    if not sizes.IS_FULL:  # LibreOffice needs seconds for each
        books = {name: data for name, data in books.items() if (name in FILLED_IN) is (request.param == "stand-in")}
    books |= {"high enough": saved(texts_in_rows(1)), "too low": saved(texts_in_rows(0.25))}
    folder = tmp_path_factory.mktemp("printed")
    return books, print_workbooks(books, folder, has_font=request.param == "font")


TEXT = "จัดทำแนวทางการสื่อสารวิสัยทัศน์ ค่านิยม และทิศทางองค์การ (Line Official) ไปยังผู้ที่เกี่ยวข้อง"


def texts_in_rows(share: float) -> Workbook:
    """Return a workbook with titles, a cell and merged cells; its rows have this share of the height they need."""
    book = new_book()
    sheet = book.create_sheet("ก")
    sheet.column_dimensions["A"].width = 23
    for row, title in enumerate(("ความก้าวหน้าของแผน", "ข้อมูล ณ วันนี้"), start=1):
        write(sheet.cell(row, 1), title, TITLE)
        sheet.row_dimensions[row].height = share * text_height(title, 99, TITLE.size)
    write(sheet["A3"], f"แถวเดียว {TEXT}", Style(indent=1))
    sheet.row_dimensions[3].height = share * text_height(f"แถวเดียว {TEXT}", 23)
    write_box(sheet, (4, 1, 5, 1), f"สองแถว {TEXT}", Style(indent=1))
    for row in (4, 5):
        sheet.row_dimensions[row].height = share * text_height(f"สองแถว {TEXT}", 23) / 2
    return book


def test_every_text_is_printed_whole(printed):
    books, pdfs = printed
    flaws = {name: find_flaws(books[name], pdfs[name]) for name in books}
    assert {flaw.kind for flaw in flaws.pop("too low")} >= {"cut", "over"}  # the stand-in leaves lines out too
    assert {name: found for name, found in flaws.items() if found} == {}
    pages = [len(re.findall(rb"/Type\s*/Page\b", pdf)) for name, pdf in pdfs.items() if name == "progress report"]
    assert pages == [] or 30 < pages[0] <= 60  # of the demonstration


def cells_of(book):
    """Yield the texts of all visible cells and notes of a workbook."""
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        yield sheet.title
        for row in sheet.iter_rows():
            for cell in row:
                yield from (str(each) for each in (cell.value, cell.comment and cell.comment.text) if each is not None)


def test_no_workbook_shows_a_code(books):
    found = {name: codes_in(cells_of(book)) for name, book in books.items()}
    assert {name: codes for name, codes in found.items() if codes} == {}


def test_plan_form_without_status_has_a_name_of_its_own(client):
    client.force_login(UserFactory())
    asked = (WORKBOOKS["plan form"], WORKBOOKS["form only"])
    with_status, without = (unquote(client.get(address_of(each))["Content-Disposition"]) for each in asked)
    assert "แบบแผน 2562-2563 ณ" in with_status
    assert "แบบแผนไม่แสดงสถานะ 2562-2563 ณ" in without


def test_workbooks_need_a_login(client):
    for address in WORKBOOKS.values():
        response = client.get(address_of(address))
        assert (response.status_code, response.url.startswith("/login/")) == (302, True)


def test_day_outside_the_plan_and_unknown_unit(client):
    plan = Plan.objects.get()
    client.force_login(UserFactory())
    data = fetched(client, f"/plans/{plan.slug}/reports/progress.xlsx?as_of=2570-99-99&since=x")
    assert "15 พฤษภาคม 2563" in {cell.value for cell in load_workbook(BytesIO(data))["ปก"]["B"]}
    data = fetched(client, f"/plans/{plan.slug}/reports/progress.xlsx?as_of={date(2031, 1, 1)}")
    assert "30 กันยายน 2563" in {cell.value for cell in load_workbook(BytesIO(data))["ปก"]["B"]}
    assert list(client.get("/password/").context["messages"]) == []  # nothing waits to be said elsewhere
    for address in (f"/plans/{plan.slug}/units/ไม่มี/progress.xlsx", f"/plans/{plan.slug}/data-sheet.xlsx?unit=ไม่มี"):
        response = client.get(address)
        assert response.status_code == 404
        assert response.context["nearest"]


SITE = "ระบบติดตามแผนพัฒนาองค์การ (PMQA Tracker)"
LIBRARIES = re.compile(rb"openpyxl|python-docx|xlsxwriter|tablib|generated by|docx template", re.IGNORECASE)


def test_author_of_every_office_file_is_the_site(files):
    for name, data in files.items():
        with zipfile.ZipFile(BytesIO(data)) as parts:
            assert parts.testzip() is None
            properties = b"".join(parts.read(each) for each in parts.namelist() if each.startswith("docProps/"))
            core = fromstring(parts.read("docProps/core.xml"))
        authors = [each.text for each in core if each.tag.endswith(("}creator", "}lastModifiedBy"))]
        assert authors == [SITE, SITE], name
        assert not LIBRARIES.search(properties), name


OF_DAYS = {
    name: DOWNLOADS[name]
    for name in ("plan form", "progress report", "unit's report", "list", "units", "map", "timeline", "meeting pack")
}


HAS_SINCE = ("progress report", "unit's report", "meeting pack")


@pytest.mark.parametrize("name", OF_DAYS)
@pytest.mark.parametrize(
    ("language", "as_of", "since", "words"),
    [
        ("th", "31/2/2563", "30/2/2563", ("31/2/2563", "30/2/2563")),
        ("en", "2031-01-01", "2032-01-01", ("2574", "2575")),  # the years of the Buddhist era
    ],
    ids=["no day", "out of the plan"],
)
def test_invalid_day_is_mentioned_in_the_file(client, name, language, as_of, since, words):
    client.force_login(UserFactory())
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    asked = {"as_of": as_of} | ({"since": since} if name in HAS_SINCE else {})
    address = address_of(OF_DAYS[name]).partition("?")[0]
    text = texts_of(fetched(client, f"{address}?{urlencode(asked)}"))
    assert [each for each in words[: len(asked)] if each not in text] == []
    assert list(client.get("/password/").context["messages"]) == []  # nothing waits to be said elsewhere


def test_valid_day_is_not_mentioned(files):
    assert [name for name in OF_DAYS if "โปรดทราบ" in texts_of(files[name])] == []


def test_background_workbook_and_its_page_mention_an_invalid_day(client):
    plan = Plan.objects.get()
    client.force_login(UserFactory())
    for kind in ("progress", "plan-form"):
        page = client.post(f"/plans/{plan.slug}/reports/prepare/?as_of=31/2/2563", {"kind": kind}, follow=True)
        assert ["31/2/2563" in str(message) for message in page.context["messages"]] == [True]
        task = page.context["task"]
        assert "31/2/2563" in texts_of(find(task.name).result.read())


def texts_of(data: bytes) -> str:
    """Return all texts of a workbook or Word file."""
    with zipfile.ZipFile(BytesIO(data)) as parts:
        names = [each for each in parts.namelist() if each.startswith(("xl/worksheets/", "xl/shared", "word/document"))]
        return "\n".join("".join(fromstring(parts.read(name)).itertext()) for name in names)
