"""Staff of a division: updates of an action and their effect on the figures."""

import re

import pytest
from django.conf import settings
from playwright.sync_api import expect

from plan.models import ActionItem, ProgressUpdate, Status

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def action(department):
    """An action that สพม. leads and that has not begun."""
    return (
        ActionItem.objects.filter(assignments__unit__abbreviation="สพม.", assignments__role="LEAD")
        .filter(status=Status.NOT_STARTED, first_period__number__lte=3)
        .order_by("ref")
        .first()
    )


def test_staff_update_an_action_and_see_it_on_the_dashboard(enter, live_server):
    page = enter("staff")
    expect(page).to_have_url(re.compile(r"/plans/2562-2563/my/$"))
    page.get_by_role("link", name="ภาพรวม", exact=True).click()
    before = int(page.locator(".is-statuses .kind-done b").inner_text())

    page.get_by_role("link", name="งานของฉัน").click()
    ref = page.locator(".work-section:not(.due-closed) .action-ref").first.inner_text()
    page.get_by_role("link", name=ref, exact=True).click()
    page.get_by_label("ดำเนินการแล้วเสร็จ").check()
    page.get_by_label("ความก้าวหน้า (ร้อยละ)").fill("100")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    # A rule is named at its field, and what was chosen stays.
    expect(page.locator(".field-errors")).to_contain_text("ต้องระบุผลการดำเนินการหรือแนบหลักฐาน")
    expect(page.get_by_label("ดำเนินการแล้วเสร็จ")).to_be_checked()
    page.get_by_label("ผลการดำเนินการ").fill("จัดทำคู่มือและเผยแพร่ในระบบเครือข่ายภายในแล้ว")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator(".message-success")).to_contain_text(ref)
    expect(page.locator("#history")).to_contain_text("จัดทำคู่มือและเผยแพร่ในระบบเครือข่ายภายในแล้ว")
    # The next form, which changes nothing, does not show the messages of this one.
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("#update .message-error")).to_be_visible()
    expect(page.locator(".message-success")).to_have_count(0)

    page.get_by_role("link", name="ภาพรวม", exact=True).click()
    expect(page.locator(".is-statuses .kind-done b")).to_have_text(str(before + 1))
    page.locator(".is-statuses .kind-done a").click()
    expect(page.locator("#count")).to_have_attribute("data-count", str(before + 1))
    page.get_by_label("ข้อความหรือรหัสรายการ").fill(ref)
    expect(page.locator(".action-table .action-ref")).to_have_text([ref])


@pytest.mark.both_databases(only_full=True)
def test_two_people_at_one_action_lose_no_text(enter, action, new_context):
    path = f"actions/{action.ref}/"
    first, second = enter("staff", path), new_context().new_page()
    enter("coordinator", path, on=second)
    for each, words in ((first, "ข้อความของเจ้าหน้าที่"), (second, "ข้อความของผู้ประสานงาน")):
        each.get_by_label("อยู่ระหว่างดำเนินการ").check()
        each.get_by_label("ความก้าวหน้า (ร้อยละ)").fill("20")
        each.get_by_label("ผลการดำเนินการ").fill(words)
    second.get_by_role("button", name="บันทึก", exact=True).click()
    expect(second.locator(".message-success")).to_be_visible()
    first.get_by_role("button", name="บันทึก", exact=True).click()
    conflict = first.locator(".conflict")
    expect(conflict).to_contain_text("ข้อความของผู้ประสานงาน")
    expect(first.get_by_label("ผลการดำเนินการ")).to_have_value("ข้อความของเจ้าหน้าที่")
    first.get_by_role("button", name="บันทึกของฉัน").click()
    expect(first.locator(".message-success")).to_be_visible()
    results = ProgressUpdate.objects.filter(action=action).order_by("version").values_list("result", flat=True)
    assert list(results) == ["ข้อความของผู้ประสานงาน", "ข้อความของเจ้าหน้าที่"]


def test_no_text_is_lost_when_the_login_ends(enter_by_form, action, live_server, context):
    page = enter_by_form("staff")
    page.goto(f"{live_server.url}/plans/2562-2563/actions/{action.ref}/")
    page.get_by_label("ผลการดำเนินการ").fill("เขียนไว้ระหว่างประชุม")
    context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("#update .form-message")).to_contain_text("การเข้าสู่ระบบสิ้นสุดแล้ว")
    expect(page.get_by_label("ผลการดำเนินการ")).to_have_value("เขียนไว้ระหว่างประชุม")
    with context.expect_page() as opened:
        page.locator("#update .form-message a").click()
    enter_by_form("staff", on=opened.value)
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("#history")).to_contain_text("เขียนไว้ระหว่างประชุม")


def test_without_javascript_an_update_works_as_well(enter, action, new_context):
    page = new_context(java_script_enabled=False).new_page()
    enter("staff", f"actions/{action.ref}/", on=page)
    page.get_by_label("ผลการดำเนินการ").fill("ไม่มีจาวาสคริปต์")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("#history")).to_contain_text("ไม่มีจาวาสคริปต์")


@pytest.mark.parametrize("trouble", ["no answer", "an error"])
def test_a_server_error_is_shown_and_loses_no_text(enter, action, live_server, complaints, trouble):
    address = f"{live_server.url}/plans/2562-2563/actions/{action.ref}/"
    page = enter("staff", f"actions/{action.ref}/")
    page.get_by_label("ผลการดำเนินการ").fill("เขียนไว้ระหว่างประชุม")

    def fail(route):
        if route.request.method != "POST":
            route.continue_()
        elif trouble == "no answer":
            route.abort()
        else:
            route.fulfill(status=502, body="Bad Gateway")

    page.route(address, fail)
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("#update .form-message")).to_contain_text("ยังไม่ได้บันทึก")
    expect(page.get_by_label("ผลการดำเนินการ")).to_have_value("เขียนไว้ระหว่างประชุม")
    page.unroute(address)
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("#history")).to_contain_text("เขียนไว้ระหว่างประชุม")
    complaints.clear()  # the browser speaks of the failed request; that was asked for


def test_too_large_a_text_is_refused_and_stays_in_its_field(enter, action, settings):
    page = enter("staff", f"actions/{action.ref}/")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000
    text = "ยาวมาก" * 2_000
    page.get_by_label("ผลการดำเนินการ").fill(text)
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.get_by_text("ข้อมูลมากเกินไปในครั้งเดียว")).to_be_visible()
    expect(page.get_by_label("ผลการดำเนินการ")).to_have_value(text)
    page.get_by_label("ผลการดำเนินการ").fill("สั้นลงแล้ว")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("#history")).to_contain_text("สั้นลงแล้ว")
