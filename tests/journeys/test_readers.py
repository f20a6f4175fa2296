"""Management, coordinator and assessor: from a figure to its rows, a workbook and a criterion."""

import re
from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from tests import sizes
from tests.journeys.looks import AT_REST, becomes, fits_the_screen, violations
from tests.journeys.targets import covered, small_or_moved

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]


def test_management_drills_from_a_figure_to_its_rows(enter):
    page = enter("manager")
    expect(page).to_have_url(re.compile(r"/dashboard/$"))
    count = page.locator(".answer-overdue .big-figure b").inner_text()
    assert int(count) > 0
    page.locator(".answer-overdue .big-figure a").click()
    expect(page.locator("#count")).to_have_attribute("data-count", count)
    expect(page.locator(".action-table tbody tr")).to_have_count(int(count))
    page.locator(".action-table .action-ref").first.click()
    expect(page.locator("#update")).to_contain_text("บทบาทของท่าน (ผู้บริหาร) อ่านแผนได้อย่างเดียว")
    expect(page.locator("#history")).to_be_visible()

    page.get_by_role("link", name="ภาพรวม", exact=True).click()
    cell = page.locator(".category-table tbody tr").first.locator("td.num a").first
    count = cell.inner_text()
    cell.click()
    expect(page.locator("#count")).to_have_attribute("data-count", count)


def test_management_asks_for_a_past_day(enter):
    page = enter("manager")
    now = page.locator(".is-statuses .kind-done b").inner_text()
    page.get_by_text("ข้อมูล ณ วันที่อื่น").click()
    page.get_by_label("ข้อมูล ณ วันที่").fill("31/12/2562")
    page.keyboard.press("Enter")
    expect(page.locator(".board-head")).to_contain_text("ข้อมูล ณ 31 ธ.ค. 2562")
    then = page.locator(".is-statuses .kind-done b").inner_text()
    assert int(then) < int(now)


def test_the_coordinator_downloads_the_plan_form_and_opens_it(enter, tmp_path):
    page = enter("coordinator", "actions/")
    page.get_by_role("link", name="รายงาน", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="พร้อมสถานะ").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.suffix == ".xlsx"
    book = load_workbook(BytesIO(file.read_bytes()))
    assert book.sheetnames == ["หมวด ๑", "หมวด ๒", "หมวด ๓", "หมวด ๔", "หมวด ๕", "หมวด ๖", "หมายเหตุ"]
    text = " ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value)
    assert "ดำเนินการแล้วเสร็จ" in text


def test_the_coordinator_edits_the_plan_in_the_admin(enter):
    page = enter("coordinator", "reports/")
    page.locator(".user-menu summary").click()
    page.get_by_role("link", name="จัดการข้อมูล").click()
    expect(page).to_have_url(re.compile(r"/admin/$"))
    page.locator(".model-actionitem th a").click()
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator("#id_text")).to_be_visible()
    text = page.locator("#id_text").input_value()
    page.locator("#id_text").fill(f"{text} (ปรับปรุง)")
    page.locator("input[name=_save]").click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def test_the_assessor_reads_a_criterion_from_the_map(enter):
    page = enter("assessor")
    expect(page).to_have_url(re.compile(r"/criteria/$"))
    page.locator(".map-cell.cell-failed a").first.click()
    expect(page.locator(".level-card:target")).to_contain_text("เหตุผล")
    expect(page.locator(".level-card:target .action-table")).to_be_visible()


PAGES = (
    "my/", "actions/", "actions/1.2.1-A-3/", "dashboard/", "criteria/", "criteria/1.1.3/", "units/",
    "../../help/staff/", "units/กพร./", "reports/", "nothing/", "import/", "../../new-plan/",
)  # fmt: skip


DASHBOARDS = (
    "dashboard/?unit=กพร.&as_of=2020-02-10&since=2019-12-31&sort=done",
    "dashboard/?category=5&level=9&as_of=2020-02-31",
    "dashboard/?category=1&unit=สรส.&level=1&role=LEAD&by=period", "dashboard/?live=1",
    "criteria/?pass=1.2.1-A&state=FAILED&unlock=10&target=400", "timeline/?status=BLOCKED&open=all", "reports/meeting/",
)  # fmt: skip


# Other tests look at these with axe, in more states.
FORMS = ("owed/", "reporting/", "reporting/กพร./1/", "reporting/กน./3/", "../../password/")
ACCOUNT = ("../../sessions/", "../../privacy/", "../../audit/")


WIDTHS = (360, 1280)
LOOKS = [(360, "th"), None, (1280, "en"), None, (1280, "th"), None, (360, "en"), None]  # of axe; None: another day
OPEN = "all => { for (const each of all) each.open = true }"


@pytest.mark.parametrize("language", ["th", "en"])
def test_every_page_is_for_everybody_and_fits_its_screen(enter, live_server, page, language):
    """axe finds nothing wrong, nothing is too wide, and touch targets are large enough and not covered.

    axe looks at every second page of a day, each day at another width or language, and in a full run at all of them.
    Targets are measured in Thai.
    """
    page.set_viewport_size({"width": WIDTHS[0], "height": 800})
    enter("coordinator", PAGES[0])
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    wrong, wide, targets = {}, {}, []
    for place, path in enumerate(PAGES + DASHBOARDS + ACCOUNT + (FORMS if language == "th" else ())):
        page.goto(f"{live_server.url}/plans/2562-2563/{path}")
        axe_at = LOOKS[(place + (sizes.SEED or date.today().toordinal())) % len(LOOKS)]  # noqa: DTZ011
        for width in WIDTHS:
            if sizes.IS_FULL or ((width, language) == axe_at and path not in FORMS):
                page.set_viewport_size({"width": width, "height": 800})
                if found := violations(page):
                    wrong[path, width] = found
        if language == "th":
            page.set_viewport_size({"width": 1280, "height": 800})
            assert becomes(page, AT_REST)
            targets += [f"{path} covered: {each}" for each in covered(page)]
            page.set_viewport_size({"width": 360, "height": 800})
            page.locator("main details:not([open])").evaluate_all(OPEN)
            assert becomes(page, AT_REST)
            targets += [f"{path}: {each}" for each in small_or_moved(page)]
        page.locator("details:not([open])").evaluate_all(OPEN)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if not fits_the_screen(page):
                wide[path, width] = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size({"width": WIDTHS[0], "height": 800})
    assert (wrong, wide, targets) == ({}, {}, [])
