"""A submission: sent, returned, answered and accepted."""

import pytest
from playwright.sync_api import expect

from submissions.models import Submission
from tests.journeys.looks import check

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]
BASE = "/plans/2562-2563"


@pytest.mark.parametrize(
    ("width", "scripts"),
    [
        pytest.param(1280, True, id="scripts"),
        pytest.param(360, False, id="no scripts"),
    ],
)
def test_a_submission_is_sent_returned_answered_and_accepted(enter, browser, live_server, department, width, scripts):
    options = {"viewport": {"width": width, "height": 800}, "java_script_enabled": scripts}
    contexts = [browser.new_context(**options) for _ in range(2)]
    staff, coordinator = (context.new_page() for context in contexts)
    enter("staff-srs", on=staff)
    enter("coordinator", "reporting/", on=coordinator)

    staff.get_by_role("link", name="ส่งรายงานของ สรส. งวด เม.ย.–มิ.ย. 2563").click()
    ref = staff.locator(".submission-row .action-ref").first.inner_text()
    staff.get_by_label("หมายเหตุถึงผู้ประสานงาน").fill("ส่งก่อนกำหนด")
    send = staff.get_by_role("button", name="ส่งรายงานประจำงวด")
    if staff.get_by_label("ยืนยันส่งรายงาน").count():
        send.click()
        expect(staff.locator(".message-error, .field-errors").first).to_be_visible()
        expect(staff.get_by_label("หมายเหตุถึงผู้ประสานงาน")).to_have_value("ส่งก่อนกำหนด")
        staff.get_by_label("ยืนยันส่งรายงาน").check()
    send.click()
    expect(staff.locator(".message-success")).to_contain_text("รอผู้ประสานงานตรวจสอบ")

    coordinator.goto(f"{live_server.url}{BASE}/reporting/")
    coordinator.get_by_role("link", name="รายงานของ สรส. งวด เม.ย.–มิ.ย. 2563").first.click()
    expect(coordinator.locator("main")).to_contain_text("ส่งก่อนกำหนด")
    coordinator.locator("summary", has_text=f"ส่งกลับ {ref}").click()
    coordinator.get_by_label(f"สิ่งที่ต้องแก้ไขใน {ref}").fill("ขอหลักฐานการประชุม")
    coordinator.get_by_role("button", name="ส่งกลับให้แก้ไข").click()
    expect(coordinator.locator(".message-success")).to_contain_text("ส่งกลับแล้ว")

    staff.goto(f"{live_server.url}{BASE}/my/")
    returned = staff.locator(".work-section").first
    expect(returned).to_contain_text("ผู้ประสานงานส่งกลับให้แก้ไข")
    expect(returned).to_contain_text("ขอหลักฐานการประชุม")
    returned.get_by_role("link", name=f"รายงาน {ref}").click()
    staff.get_by_label("ผลการดำเนินการ").fill("แนบรายงานการประชุมแล้ว")
    staff.get_by_role("button", name="บันทึก", exact=True).click()
    expect(staff.locator("form.update-form")).to_have_count(0)
    staff.goto(f"{live_server.url}{BASE}/my/")
    expect(staff.locator(".due-returned")).to_have_count(0)
    staff.goto(f"{live_server.url}{BASE}/reporting/สรส./4/")
    if staff.get_by_label("ยืนยันส่งรายงาน").count():
        staff.get_by_label("ยืนยันส่งรายงาน").check()
    staff.get_by_role("button", name="ส่งรายงาน").click()
    expect(staff.locator(".message-success")).to_be_visible()

    coordinator.goto(f"{live_server.url}{BASE}/reporting/สรส./4/")
    coordinator.get_by_role("button", name="รับรายงาน").click()
    expect(coordinator.locator(".message-success")).to_contain_text("รับรายงานของ สรส.")
    assert Submission.objects.get(unit__abbreviation="สรส.", period__number=4).state == "ACCEPTED"
    for context in contexts:
        context.close()


@pytest.mark.parametrize("username", ["coordinator", "staff"])
def test_the_states_of_the_submissions(enter, live_server, username):
    page = enter(username, "reporting/")
    axe_at = 1280 if username == "coordinator" else 360
    for path in ("reporting/", "reporting/กค./3/", "reporting/สพม./3/", "reporting/สพม./1/", "reporting/กน./5/"):
        page.goto(f"{live_server.url}{BASE}/{path}")
        check(page, path, axe_at=axe_at)
    if username == "coordinator":
        page.goto(f"{live_server.url}{BASE}/reporting/กค./3/")
        page.get_by_role("button", name="ส่งกลับให้แก้ไข").click()
        page.locator(".message-error").first.wait_for()
        check(page, "error", axe_at=axe_at)
        version = page.locator("[name=version]").first.input_value()
        Submission.objects.filter(unit__abbreviation="กค.", period__number=3).update(version=int(version) + 1)
        page.get_by_role("button", name="รับรายงาน").click()
        page.locator(".conflict").first.wait_for()
        check(page, "conflict", axe_at=axe_at)
