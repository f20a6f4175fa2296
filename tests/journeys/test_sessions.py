"""Several tabs of one browser: logins, and forms open in other tabs."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Session
from assignments.models import User
from plan.models import ActionItem, Status
from tests.conftest import DEMO_PASSWORD
from tests.journeys.looks import violations

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]
NAV = "เมนูหลัก"


@pytest.fixture
def action(department):
    """An action that สพม. leads and that has not begun."""
    led = ActionItem.objects.filter(assignments__unit__abbreviation="สพม.", assignments__role="LEAD")
    return led.filter(status=Status.NOT_STARTED, first_period__number__lte=3).order_by("ref").first()


def fill_login(page, username):
    page.get_by_label("ชื่อผู้ใช้").fill(username)
    page.get_by_label("รหัสผ่าน").fill(DEMO_PASSWORD)


def test_open_forms_survive_a_login_in_another_tab(department, context, complaints, live_server):
    first, second, third = (context.new_page() for _ in range(3))
    for page in (first, second, third):
        page.goto(f"{live_server.url}/login/")
        fill_login(page, "coordinator")
    for page in (first, second):
        page.get_by_role("button", name="เข้าสู่ระบบ").click()
        expect(page.get_by_role("navigation", name=NAV)).to_be_visible()
    # A page of the admin is open while the same user logs in once more.
    unit = f"{live_server.url}/admin/assignments/unit/add/"
    first.goto(unit)
    first.locator("#id_abbreviation").fill("กทส.")
    first.locator("#id_name_th").fill("กองทดสอบ")
    third.get_by_role("button", name="เข้าสู่ระบบ").click()
    expect(third.get_by_role("navigation", name=NAV)).to_be_visible()
    first.locator("input[name=_save]").click()
    expect(first.locator(".messagelist .success")).to_be_visible()
    # So are the switch of language and the way out of the second.
    second.locator(".language-switch button").click()
    expect(second.locator("html")).to_have_attribute("lang", "en")
    second.locator(".user-menu summary").click()
    second.get_by_role("button", name="Log out").click()
    expect(second.get_by_label("Username")).to_be_visible()


@pytest.mark.parametrize("where", ["site", "admin"])
def test_a_user_who_logs_out_leaves_the_drafts_of_others(enter, page, live_server, where):
    people = {name: User.objects.get(username=name).pk for name in ("staff", "coordinator")}
    keys = {name: f"draft/{pk}/2562-2563/1.1.1-A-1" for name, pk in people.items()}
    longer = f"draft/{people['coordinator']}1/2562-2563/1.1.1-A-1"
    enter("coordinator")
    for key in (*keys.values(), longer):
        page.evaluate("key => localStorage.setItem(key, JSON.stringify({at: Date.now(), values: {}}))", key)
    if where == "admin":
        page.goto(f"{live_server.url}/admin/")
    page.locator(".user-menu summary").click()
    page.get_by_role("button", name="ออกจากระบบ").click()
    expect(page.get_by_label("ชื่อผู้ใช้")).to_be_visible()
    kept = page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('draft/'))")
    assert sorted(kept) == sorted([keys["staff"], longer])


def test_the_cookies_are_this_installations_own(enter_by_form, context):
    enter_by_form("staff")
    names = {cookie["name"] for cookie in context.cookies()}
    assert names == {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    assert not names & {"sessionid", "csrftoken"}


def test_the_end_of_a_login_is_announced_in_every_tab_and_keeps_the_text(enter, context, live_server, action):
    first, second = enter("staff", f"actions/{action.ref}/"), context.new_page()
    second.goto(first.url)
    words = "พิมพ์ไว้ก่อนหมดเวลา"
    first.get_by_label("ผลการดำเนินการ").fill(words)

    def is_unused_for(**time):
        Session.objects.update(seen_at=timezone.now() - timedelta(**time))
        for page in (first, second):
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def dialog(page, name):
        return page.get_by_role("dialog", name=name)

    is_unused_for(minutes=118, seconds=5)
    for page in (first, second):
        expect(dialog(page, "อีกไม่เกินสองนาที")).to_be_visible()
    assert violations(first) == []
    expect(second.get_by_role("button", name="ใช้งานต่อ")).to_be_focused()
    second.keyboard.press("Enter")
    for page in (second, first):
        expect(page.locator("dialog[open]")).to_have_count(0)
    is_unused_for(minutes=121)
    expect(dialog(first, "การเข้าสู่ระบบสิ้นสุดแล้ว")).to_be_visible()
    with context.expect_page() as opened:
        first.get_by_role("link", name="เข้าสู่ระบบในแท็บใหม่").click()
    fill_login(opened.value, "staff")
    opened.value.get_by_role("button", name="เข้าสู่ระบบ").click()
    expect(opened.value.get_by_role("navigation", name=NAV)).to_be_visible()
    is_unused_for(minutes=0)
    expect(first.locator("dialog[open]")).to_have_count(0)
    expect(first.get_by_label("ผลการดำเนินการ")).to_have_value(words)
    first.get_by_role("button", name="บันทึก", exact=True).click()
    expect(first.locator("#history")).to_contain_text(words)
