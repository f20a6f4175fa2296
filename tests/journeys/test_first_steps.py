"""An administrator leads an empty site to its first plan and its first update, on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from assignments.models import User
from plan.models import Plan
from tests.exchange.workbooks import edited, first_empty
from tests.factories import PASSWORD
from tests.journeys import sessions
from tests.journeys.looks import check

pytestmark = [pytest.mark.browser, pytest.mark.apart]


@pytest.fixture
def first_page(
    transactional_db: None, administrator: User, live_server: Any, page: Page, complaints: list[str]
) -> Callable[[], Page]:
    """Return the function that opens the first page as the account of `createsuperuser` on an empty database."""
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{live_server.url}/")
    page.get_by_label("ชื่อผู้ใช้").fill("admin")
    page.get_by_label("รหัสผ่าน").fill(PASSWORD)
    page.get_by_role("button", name="เข้าสู่ระบบ").click()
    expect(page.get_by_label("รหัสผ่าน")).to_have_count(0)

    def inner() -> Page:
        page.goto(f"{live_server.url}/")
        return page

    return inner


def expect_next(page: Page, title: str) -> None:
    """Expect the first steps, with this one as the next."""
    expect(page.locator("h1")).to_have_text("เริ่มต้นใช้งาน")
    expect(page.locator("[aria-current=step] h2")).to_have_text(title)


def test_empty_site_gets_its_first_plan_and_update(first_page, live_server, tmp_path):
    page = first_page()
    expect_next(page, "ส่วนราชการ")
    check(page, "empty")
    page.get_by_role("link", name="ระบุส่วนราชการ").click()
    expect(page.get_by_label("ชื่อย่อ")).to_be_visible()
    check(page, "organization")
    page.get_by_label("ชื่อ", exact=True).fill("กรมการจัดหางาน")
    page.get_by_role("button", name="เพิ่มส่วนราชการ").click()
    expect(page.locator(".field-errors")).to_have_count(1)
    expect(page.get_by_label("ชื่อ", exact=True)).to_have_value("กรมการจัดหางาน")
    page.get_by_label("ชื่อย่อ").fill("กกจ.")
    page.get_by_role("button", name="เพิ่มส่วนราชการ").click()

    expect_next(page, "หน่วยงาน")
    page.get_by_role("link", name="เพิ่มหน่วยงาน").click()
    rows = page.locator(".setup-row")
    for number, (abbreviation, name) in enumerate([("กพร.", "กลุ่มพัฒนาระบบบริหาร"), ("กพร.", "สำนักงานเลขานุการกรม")]):
        rows.nth(number).get_by_label("ชื่อย่อ").fill(abbreviation)
        rows.nth(number).get_by_label("ชื่อภาษาไทย").fill(name)
    page.get_by_role("button", name="เพิ่มหน่วยงาน").click()
    expect(rows.nth(1).locator(".field-errors")).to_contain_text("ซ้ำกับอีกแถวหนึ่ง")
    check(page, "units with an error")
    rows.nth(1).get_by_label("ชื่อย่อ").fill("สลก.")
    page.get_by_role("button", name="เพิ่มหน่วยงาน").click()
    expect(page.locator(".setup-units li")).to_have_count(2)
    page.get_by_role("link", name="กลับไปหน้าเริ่มต้นใช้งาน").click()

    expect_next(page, "บุคลากร")
    page.get_by_role("link", name="เพิ่มบุคลากร").click()
    page.locator("[name=first_name]").fill("มานี")
    page.locator("[name=email]").fill("manee@example.org")
    page.get_by_label("กพร. กลุ่มพัฒนาระบบบริหาร").check()
    page.get_by_label("เจ้าหน้าที่").first.check()
    page.locator("[name=_save]").click()
    expect(page.locator("#changelist, .messagelist").first).to_be_visible()
    assert User.objects.get(email="manee@example.org").memberships.count() == 1

    page = first_page()
    expect_next(page, "เกณฑ์")
    page.get_by_role("button", name="นำเข้าเกณฑ์ PMQA").click()
    expect_next(page, "แผน")
    page.get_by_role("link", name="เริ่มจากแผนเปล่า").click()
    expect(page.get_by_label("การประเมินที่แผนนี้ตอบ")).to_be_visible()
    check(page, "plan")
    page.get_by_label("การประเมินที่แผนนี้ตอบ").fill("ผลการตรวจประเมิน PMQA พ.ศ. 2562")
    page.get_by_role("button", name="สร้างแผน").click()
    expect(page.locator(".message-success, .message").first).to_contain_text("อยู่ระหว่างจัดทำ")
    expect(page.locator("[aria-current=step]")).to_have_count(0)
    check(page, "all done")
    plan = Plan.objects.get()
    assert (plan.slug, plan.organization.short_name, plan.periods.count()) == ("2563", "กกจ.", 4)

    file = tmp_path / "ข้อมูลแผน.xlsx"
    page.get_by_role("link", name="ไฟล์ข้อมูลและการนำเข้า").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="ไฟล์ข้อมูลแผนทั้งหมด").click()
    file.write_bytes(with_first_action(download.value.path().read_bytes()))
    page.get_by_label("ไฟล์ Excel (.xlsx)").set_input_files(file)
    page.get_by_role("button", name="ตรวจสิ่งที่จะเปลี่ยน").click()
    page.get_by_role("button", name="ยืนยันการนำเข้า").click()
    expect(page.locator(".message-success")).to_contain_text("นำเข้าแล้ว 1 รายการ")
    page.goto(f"{live_server.url}/setup/")
    page.get_by_role("link", name="ข้อมูลแผน", exact=True).click()
    page.get_by_role("link", name="เปิดใช้แผน", exact=True).click()
    page.get_by_role("button", name="เปิดใช้แผน").click()
    expect(page.locator(".message-success")).to_be_visible()

    sessions.log_in(page.context, live_server.url, "manee@example.org")
    page = first_page()
    expect(page).to_have_url(f"{live_server.url}/plans/2563/my/")
    page.get_by_role("link", name=plan.actions.get().ref, exact=True).click()
    page.get_by_label("อยู่ระหว่างดำเนินการ").check()
    page.get_by_label("ความก้าวหน้า (ร้อยละ)").fill("20")
    page.get_by_label("ผลการดำเนินการ").fill("จัดทำร่างแล้ว")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("#history")).to_contain_text("จัดทำร่างแล้ว")


def with_first_action(data: bytes) -> bytes:
    """Return a data sheet with one action of the whole year below its headings."""
    cells = {
        "criterion": "1.1.1", "levels": "A", "text": "จัดทำแนวทางการถ่ายทอดวิสัยทัศน์", "lead": "กพร.",
        "first": "ไตรมาส 1/2563", "last": "ไตรมาส 4/2563",
    }  # fmt: skip
    return edited(data, {(first_empty(data), name): value for name, value in cells.items()})
