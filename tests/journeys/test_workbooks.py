"""A coordinator exports the plan to Excel and imports it again: desktop and phone, with and without scripts."""

from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from plan.models import Plan, Status
from tests.exchange.workbooks import edited, exported
from tests.journeys.looks import check

pytestmark = [pytest.mark.browser, pytest.mark.apart]


@pytest.fixture(
    params=[
        pytest.param(True, marks=pytest.mark.both_databases(only_full=True), id="scripts"),
        pytest.param(False, id="no scripts"),
    ]
)
def scripts(request):
    return request.param


@pytest.fixture
def browser_context_args(browser_context_args, scripts):
    return {**browser_context_args, "java_script_enabled": scripts, "accept_downloads": True}


def preview(page, live_server, file: Path, data: bytes) -> None:
    """Upload a file as a person does, and wait until it was looked at."""
    file.write_bytes(data)
    page.goto(f"{live_server.url}/plans/2562-2563/import/")
    page.get_by_label("ไฟล์ Excel (.xlsx)").set_input_files(file)
    page.get_by_role("button", name="ตรวจสิ่งที่จะเปลี่ยน").click()
    expect(page.locator("#import .card-plain, #import .message").first).to_be_visible()


def test_export_edit_and_import_a_workbook(enter, page, live_server, tmp_path, settings, scripts):
    """At a desk with scripts, on a phone without."""
    settings.PMQA_TASKS_IN_BACKGROUND = True
    page.set_viewport_size({"width": 1280 if scripts else 360, "height": 800})
    enter("coordinator", "reports/")
    with page.expect_download() as download:
        page.get_by_role("link", name="ไฟล์ข้อมูลแผนทั้งหมด").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    data = Path(download.value.path()).read_bytes()
    plan = Plan.objects.get()
    first, second, third = plan.actions.filter(status=Status.IN_PROGRESS).in_order()[:3]
    file = tmp_path / "แก้ไขแล้ว.xlsx"

    def look() -> None:
        """What axe finds, and whether the page is wider than the screen."""
        if scripts:
            check(page, page.url)

    preview(page, live_server, file, edited(data, {(first.ref, "progress"): 150, (second.ref, "lead"): "กพล."}))
    expect(page.locator(".error-table tbody tr")).to_have_count(2)
    look()
    with page.expect_download() as download:
        page.get_by_role("link", name="พร้อมเครื่องหมายจุดที่ต้องแก้ไข").click()
    assert download.value.suggested_filename == "แก้ไขแล้ว ทำเครื่องหมายจุดที่ต้องแก้ไข.xlsx"
    marked = load_workbook(BytesIO(Path(download.value.path()).read_bytes())).worksheets[0]
    assert sum(cell.comment is not None for row in marked.iter_rows() for cell in row) == 2
    good = edited(data, {(first.ref, "text"): "ข้อความใหม่จาก Excel", (second.ref, "next_step"): "เสนอผู้บริหาร"})
    preview(page, live_server, file, good)
    expect(page.locator(".import-row")).to_have_count(2)
    look()
    page.get_by_role("button", name="ยืนยันการนำเข้า").click()
    expect(page.locator(".message-success")).to_contain_text("นำเข้าแล้ว 2 รายการ")
    look()
    preview(page, live_server, file, edited(data, {(first.ref, "text"): "อีกข้อความ", (third.ref, "text"): "ข้อความที่สาม"}))
    expect(page.locator(".is-conflict")).to_have_count(1)
    look()
    page.get_by_label("ใช้ค่าในไฟล์").check()
    page.get_by_role("button", name="ยืนยันการนำเข้า").click()
    expect(page.locator(".message-success")).to_contain_text("นำเข้าแล้ว 2 รายการ")
    assert plan.actions.get(pk=first.pk).text == "อีกข้อความ"
    page.get_by_role("button", name="ยกเลิกการนำเข้านี้").click()
    expect(page.locator(".message-warning")).to_contain_text("ยกเลิกโดย")
    assert plan.actions.get(pk=third.pk).text == third.text
    preview(page, live_server, file, exported(plan))
    expect(page.locator(".message-success")).to_contain_text("ไม่มีสิ่งใดเปลี่ยนแปลง")
    page.goto(f"{live_server.url}/plans/2562-2563/import/")
    expect(page.locator(".import-table tbody tr")).to_have_count(4)
