"""A coordinator imports a plan's workbook twice, on a phone; each page fits a desktop too."""

import re
from io import BytesIO

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from exchange.whole_plan.export import build_plan_book
from plan.models import Plan
from tests.exchange.workbooks import saved
from tests.journeys.looks import check

pytestmark = [pytest.mark.browser, pytest.mark.apart]


def book_without_refs(*, text: str = "") -> bytes:
    """The department's plan as another plan, without refs; `text` replaces the text of the first action."""
    book = load_workbook(BytesIO(saved(build_plan_book(Plan.objects.get(slug="2562-2563")))))
    book["แผน"]["B4"].value = "2570"
    actions = book["รายการ"]
    actions.delete_rows(20, 200)
    for row in range(4, 20):
        actions.cell(row, 1).value = None
    actions.cell(4, 6).value = f"{actions.cell(4, 6).value}{text}"
    return saved(book)


def test_the_same_plan_again_and_a_little_changed(enter, page, live_server, tmp_path):
    page.set_viewport_size({"width": 360, "height": 800})
    enter("coordinator", "reports/")
    file = tmp_path / "แผนใหม่.xlsx"

    def preview(data: bytes) -> None:
        file.write_bytes(data)
        page.goto(f"{live_server.url}/new-plan/")
        page.get_by_label("ไฟล์ Excel (.xlsx)").set_input_files(file)
        page.locator("form[enctype] button").click()
        expect(page.locator("#import")).to_be_visible()

    data = book_without_refs()
    preview(data)
    page.get_by_role("button", name="สร้างแผน").click()
    expect(page).to_have_url(re.compile("/plans/2570/"))
    preview(data)
    expect(page.locator("#import .message").first).to_contain_text("เคยนำเข้าแล้วเมื่อ")
    check(page, page.url)
    preview(book_without_refs(text=" (ฉบับปรับปรุง)"))
    first = page.locator("#import > :first-child")
    expect(first).to_contain_text("มีอยู่ในระบบแล้ว จำนวน 16 รายการ")
    page.locator("details.import-rows summary").click()
    expect(page.locator(".import-row")).to_have_count(1)
    expect(page.locator(".import-row")).to_contain_text("รายการเดิมที่ใกล้เคียงที่สุดคือ")
    check(page, page.url)
    page.get_by_role("button", name="เพิ่มเข้าในแผนเดิม").click()
    expect(page.locator("#main, main").first).to_contain_text("เพิ่มเข้าในแผนแล้ว")
    assert Plan.objects.get(slug="2570").actions.count() == 17
