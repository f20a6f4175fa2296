"""Two plans: the switcher keeps the page; a plan is opened, closed and reopened, and takes reports only in between."""

from datetime import date

import pytest
from playwright.sync_api import expect

from assignments.models import Unit
from plan.models import ActionItem, Plan
from tests.factories import ActionItemFactory, PlanFactory

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]


def test_a_plan_is_opened_reported_on_closed_and_reopened(enter, live_server, department):
    old = Plan.objects.get()
    days = {"starts_on": date(2020, 4, 1), "ends_on": date(2020, 9, 30)}
    plan = PlanFactory(
        slug="next", title="แผนปีถัดไป", assessment=old.assessment, state=Plan.State.PREPARATION,
        periods=[(days["starts_on"], days["ends_on"])], **days,
    )  # fmt: skip
    criterion = old.actions.first().criterion
    unit = Unit.objects.get(abbreviation="สรส.")
    ActionItemFactory(plan=plan, criterion=criterion, requirements=[], ref="1.1-A-1", runs=(1, 1), lead=[unit])
    page = enter("coordinator", "timeline/")

    page.locator(".plan-switcher summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="แผนปีถัดไป").press("Enter")
    expect(page).to_have_url(f"{live_server.url}/plans/next/timeline/")
    page.get_by_role("link", name="ดูสิ่งที่ยังขาด และเปิดใช้แผน").click()
    page.get_by_role("link", name="เปิดใช้แผน", exact=True).click()
    page.get_by_role("button", name="เปิดใช้แผน").click()
    expect(page.locator(".message-success")).to_contain_text("เปิดใช้แผนแล้ว")

    action = f"{live_server.url}/plans/next/actions/1.1-A-1/"
    page.goto(action)
    page.get_by_label("ผลการดำเนินการ").fill("เริ่มดำเนินการแล้ว")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator(".message-success")).to_contain_text("บันทึกแล้ว")

    page.goto(f"{live_server.url}/plans/next/state/close/")
    page.get_by_role("button", name="ปิดแผน").click()
    expect(page.locator(".history").first).to_contain_text("ปิดแผนแล้ว")
    page.goto(action)
    expect(page.locator("form.update-form")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("ไม่รับรายงานแล้ว")

    page.goto(f"{live_server.url}/plans/next/")
    page.get_by_role("link", name="เปิดแผนอีกครั้ง").click()
    page.get_by_label("เหตุผลที่เปิดแผนอีกครั้ง").fill("ขาดรายงานไตรมาสสุดท้าย")
    page.get_by_role("button", name="เปิดแผนอีกครั้ง").click()
    expect(page.locator(".history").first).to_contain_text("ขาดรายงานไตรมาสสุดท้าย")
    page.goto(action)
    expect(page.locator("form.update-form")).to_have_count(1)
    assert ActionItem.objects.get(plan=plan).updates.get().result == "เริ่มดำเนินการแล้ว"
