"""Journeys by keyboard alone: ten with the login and the logout, which are one here.

Two more are in test_my_work.py (a report) and test_sessions.py (the end of a login).

A full run makes all of them, any other run the next three of them each day.
"""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from tests import sizes
from tests.conftest import DEMO_PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]
BASE = "/plans/2562-2563"
FOCUS_IS_SEEN = """() => {
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
  return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow !== "none";
}"""


def reach(page, selector, *, most=150):
    """Press Tab until the element has the focus, which must be visible."""
    for _step in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            assert page.evaluate(FOCUS_IS_SEEN), selector
            return
    raise AssertionError(f"{selector} cannot be reached by Tab on {page.url}")


def skip_the_menu(page, site):
    page.goto(f"{site}{BASE}/actions/")
    reach(page, ".skip-link", most=1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#"))
    page.keyboard.press("Tab")
    expect(page.locator("main :focus")).to_have_count(1)


def switch_the_language(page, site):
    page.goto(f"{site}{BASE}/my/")
    for language in ("en", "th"):
        reach(page, ".language-switch button")
        page.keyboard.press("Enter")
        expect(page.locator("html")).to_have_attribute("lang", language)
        page.wait_for_load_state()


def open_the_user_menu(page, site):
    page.goto(f"{site}{BASE}/my/")
    reach(page, ".user-menu summary")
    page.keyboard.press("Enter")
    expect(page.locator(".user-menu-panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".user-menu-panel")).to_be_hidden()
    expect(page.locator(".user-menu summary")).to_be_focused()
    page.keyboard.press("Enter")
    reach(page, ".user-menu-panel a[href='/sessions/']")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="อุปกรณ์ที่เข้าสู่ระบบ")).to_be_visible()


def find_an_action(page, site):
    page.goto(f"{site}{BASE}/actions/")
    reach(page, "#id_q")
    page.keyboard.type("1.2.1-A-3")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=1.2.1-A-3"))
    expect(page.locator(".action-table .action-ref")).to_have_text(["1.2.1-A-3"])
    reach(page, "a[href*='/actions/1.2.1-A-3/']")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/actions/1.2.1-A-3/"))


def download_a_list(page, site):
    page.goto(f"{site}{BASE}/units/")
    reach(page, "a[href*='.xlsx']")
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    assert started.value.suggested_filename.endswith(".xlsx")


def open_a_criterion(page, site):
    page.goto(f"{site}{BASE}/criteria/")
    reach(page, ".map-table summary")
    page.keyboard.press("Enter")
    reach(page, "main a[href*='/criteria/1.1/']")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/criteria/1.1/"))


def log_out_and_in_again(page, site):
    page.goto(f"{site}{BASE}/my/")
    reach(page, ".user-menu summary")
    page.keyboard.press("Enter")
    reach(page, ".user-menu-panel form[action='/logout/'] button")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/login/"))
    page.wait_for_load_state()
    for field, text in (("username", "staff"), ("password", DEMO_PASSWORD)):
        if not page.locator(f"[name={field}]:focus").count():
            reach(page, f"[name={field}]")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="เมนูหลัก")).to_be_visible()


JOURNEYS = (
    skip_the_menu, switch_the_language, open_the_user_menu, find_an_action, download_a_list, open_a_criterion,
    log_out_and_in_again,
)  # fmt: skip


def test_journeys_by_keyboard_alone(enter, live_server):
    page = enter("staff")
    start = (sizes.SEED or date.today().toordinal()) * 3  # noqa: DTZ011
    chosen = {(start + each) % len(JOURNEYS) for each in range(3)}
    for place, journey in enumerate(JOURNEYS):
        if sizes.IS_FULL or place in chosen:
            journey(page, live_server.url)
