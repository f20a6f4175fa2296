"""Dashboards in a browser: filters, Back, assumed verdicts, the wall view and the tables of the charts."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Session
from plan.models import ActionItem, Status
from tests.factories import UserFactory
from tests.journeys.looks import AT_REST, DRAWN, becomes

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]
BASE = "/plans/2562-2563"


def figure(page, name):
    return int(page.locator(f".is-statuses .kind-{name} b").inner_text())


def test_a_filter_updates_the_overview_and_back_works(enter):
    page = enter("manager")
    whole = figure(page, "done")
    # The five answers are on the first screen.
    ends = "all => all.map((each) => each.getBoundingClientRect().bottom)"
    page.set_viewport_size({"width": 1280, "height": 800})
    assert len(bottoms := page.locator(".answer").evaluate_all(ends)) == 5
    assert max(bottoms) <= 800
    page.evaluate("window.isSame = true")
    page.get_by_label("หมวด", exact=True).focus()
    page.get_by_label("หมวด", exact=True).select_option("1")
    expect(page).to_have_url(re.compile("category=1"))
    expect(page.locator(".is-statuses .kind-done b")).not_to_have_text(str(whole))
    part = figure(page, "done")
    assert page.evaluate("window.isSame")  # the page itself was not loaded again
    expect(page.get_by_label("หมวด", exact=True)).to_be_focused()
    page.get_by_label("ระดับ", exact=True).select_option("2")
    expect(page).to_have_url(re.compile("level=2"))
    expect(page.locator(".is-statuses .kind-done b")).not_to_have_text(str(part))
    page.go_back()
    expect(page.locator(".is-statuses .kind-done b")).to_have_text(str(part))
    expect(page.get_by_label("หมวด", exact=True)).to_have_value("1")
    page.wait_for_load_state()  # htmx loads the page again after Back, and must be ready for the next one
    page.go_back()
    expect(page.locator(".is-statuses .kind-done b")).to_have_text(str(whole))
    page.wait_for_load_state()
    page.go_forward()
    expect(page.locator(".is-statuses .kind-done b")).to_have_text(str(part))
    page.wait_for_load_state()
    page.locator("#by-unit").click()
    expect(page).to_have_url(re.compile("by=unit"))
    expect(page.locator("#by-unit")).to_be_focused()
    page.locator("#sort-unit-done").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sort=done"))
    expect(page.locator("#sort-unit-done")).to_be_focused()
    expect(page.locator(".unit-table th[aria-sort=descending] #sort-unit-done")).to_be_visible()
    # A figure's rows keep the filter; the chart's table says what the chart says.
    count = page.locator(".answer-overdue .big-figure b").inner_text()
    page.locator(".answer-overdue .big-figure a").click()
    expect(page.locator("#count")).to_have_attribute("data-count", count)


def test_back_before_the_scripts_are_loaded_shows_the_page_of_its_address(enter):
    page = enter("manager")
    done, counts = page.locator(".is-statuses .kind-done b"), []
    for label, value in (("หมวด", "1"), ("ระดับ", "2")):
        counts.append(figure(page, "done"))
        page.get_by_label(label, exact=True).select_option(value)
        expect(done).not_to_have_text(str(counts[-1]))
    held = []
    page.route("**/htmx*.js", lambda route: held.append(route))
    for count in reversed(counts):
        with page.expect_request("**/htmx*.js"):
            page.go_back(wait_until="commit")
        expect(done).to_have_text(str(count))
    held[-1].continue_()
    page.wait_for_load_state()
    expect(done).to_have_text(str(counts[0]))


def number(cell):
    """Return the number in a table cell; None for a dash."""
    found = re.search(r"\d+", cell)
    return found and int(found[0])


def is_same(series, column):
    """Whether a table column matches a chart series, rounded to whole numbers."""
    dashes = [[each is None for each in values] for values in (series, column)]
    pairs = zip(series, column, strict=True)
    return dashes[0] == dashes[1] and all(abs(value - cell) <= 0.55 for value, cell in pairs if value is not None)


def test_the_library_of_the_charts_comes_when_somebody_looks(enter, live_server, complaints):
    page, asked = enter("manager"), []
    page.set_viewport_size({"width": 1280, "height": 500})
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{live_server.url}{BASE}/dashboard/")
    tables = page.locator("details.chart-table")
    assert becomes(page, "() => ![...document.querySelectorAll('details.chart-table')].some((each) => each.open)")
    assert tables.count() >= 3
    assert not any("chart.umd" in url for url in asked)
    page.emulate_media(media="print")
    page.evaluate("window.Chart = { instances: {} }")  # it has come, and nothing is drawn yet
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert tables.evaluate_all("all => all.every((each) => each.open)")
    assert page.locator(".chart-box:visible").count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    page.mouse.move(5, 5)
    assert becomes(page, DRAWN)
    page.route("**/chart.umd*", lambda route: route.abort())
    page.reload()
    page.locator("canvas.chart").first.scroll_into_view_if_needed()
    assert becomes(page, "() => [...document.querySelectorAll('details.chart-table')].every((each) => each.open)")
    page.evaluate(
        """() => { document.querySelectorAll("canvas.chart").forEach((each) => each.replaceWith(each.cloneNode()));
        document.querySelectorAll("canvas.chart").forEach((each) => delete each.dataset.isFolded);
        document.dispatchEvent(new Event("htmx:afterSwap")); }"""
    )  # as htmx replaces them
    page.locator("canvas.chart").first.scroll_into_view_if_needed()
    assert becomes(page, "() => [...document.querySelectorAll('details.chart-table')].every((each) => each.open)")
    assert all("chart.umd" in text or "Failed to load resource" in text for text in complaints)
    complaints.clear()


def test_every_chart_has_its_table(enter, live_server):
    page = enter("manager", "units/")
    pages = (("/dashboard/", 3), ("/dashboard/?by=period", 3), ("/units/สพม./", 2), ("/reports/meeting/", 1))
    for address, least in pages:
        page.goto(f"{live_server.url}{BASE}{address}")
        canvases = page.locator("canvas.chart")
        expect(canvases.first).to_be_visible()
        expect(canvases).to_have_count(least)
        for place in range(canvases.count()):
            canvas = canvases.nth(place)
            source = canvas.evaluate("(each) => JSON.parse(document.getElementById(each.dataset.source).textContent)")
            rows = canvas.evaluate(
                """(each) => [...each.closest("section").querySelector("table").tBodies[0].rows].map(
                    (row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent))"""
            )
            columns = [[number(cell) for cell in column] for column in zip(*rows, strict=True)]
            for series in source["series"]:
                assert any(is_same(series["data"], column) for column in columns), (address, series["label"])
            assert canvas.get_attribute("aria-label")
        if address == "/dashboard/":
            paper = page.pdf(prefer_css_page_size=True)
            assert len(re.findall(rb"/Type\s*/Page\b", paper)) <= 3


def test_without_javascript_every_table_is_open(enter, new_context, live_server):
    page = enter("manager", "units/", on=new_context(java_script_enabled=False).new_page())
    for address in ("/units/สพม./", "/dashboard/"):
        page.goto(f"{live_server.url}{BASE}{address}")
        tables = page.locator("details.chart-table")
        assert tables.count() >= 1
        assert all(
            tables.nth(place).get_attribute("open") is not None
            for place in range(tables.count())
            if tables.nth(place).get_attribute("id")
        )
    page.get_by_label("หมวด", exact=True).select_option("2")
    page.locator(".board-filter").get_by_role("button", name="แสดง").click()
    expect(page).to_have_url(re.compile("category=2"))
    page.goto(f"{live_server.url}{BASE}/criteria/")
    page.locator("#suppose").click()
    page.locator("#pass-1\\.2\\.1-A").check()
    page.get_by_role("button", name="คำนวณคะแนนตามข้อสมมติ").click()
    expect(page).to_have_url(re.compile("pass=1.2.1-A"))
    expect(page.locator("#score-assumed")).not_to_have_text("–")


def test_an_assumed_verdict_moves_the_score_and_can_be_shared(enter, live_server):
    page = enter("manager", "reports/")
    page.get_by_role("link", name="แผนที่ระดับ", exact=True).click()
    box = page.locator("#pass-1\\.2\\.1-A")
    expect(box).to_have_count(0)
    page.locator("#suppose").click()
    expect(page.locator("#score-assumed")).to_have_text("–")
    box.focus()
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile(r"pass=1\.2\.1-A"))
    expect(page.locator("#score-assumed")).to_have_text(re.compile(r"^\d"))
    expect(box).to_be_focused()
    expect(page.locator(".map-cell.is-assumed")).to_have_count(1)
    score = page.locator("#score-assumed").inner_text()
    address = page.url
    page.get_by_role("link", name="ล้างข้อสมมติ").click()
    expect(page.locator("#score-assumed")).to_have_text("–")
    page.go_back()
    expect(page.locator("#score-assumed")).to_have_text(score)
    other = enter("assessor", on=page.context.browser.new_context(locale="th-TH").new_page())
    other.goto(address)
    expect(other.locator("#score-assumed")).to_have_text(score)
    page.get_by_label("คะแนนเป้าหมาย").fill("มาก")
    page.keyboard.press("Enter")
    expect(page.locator("#target-help")).to_contain_text("ตัวเลขตั้งแต่ 0 ถึง 500")
    page.get_by_label("คะแนนเป้าหมาย").fill("400")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("target=400"))
    expect(page.get_by_label("คะแนนเป้าหมาย")).to_be_focused()
    page.locator("#path").get_by_role("link", name="สมมติให้ผ่านในแผนที่").click()
    expect(page.locator("#score-assumed")).to_have_text("400")


CLEAR = """() => {
  const bar = document.querySelector(".what-if-bar"), held = document.activeElement;
  const [over, under] = [bar, held].map((each) => each.getBoundingClientRect());
  const isSeen = under.top < innerHeight && under.bottom > 0;
  return bar.contains(held) || (isSeen && (under.bottom <= over.top || under.top >= over.bottom));
}"""


@pytest.mark.parametrize("width", [1280, 360])
def test_the_focused_element_is_never_under_the_sticky_bar(enter, page, width):
    page.set_viewport_size({"width": width, "height": 700})
    enter("manager", "criteria/?pass=1.2.1-A")
    page.locator("#pass-1\\.2\\.1-A").focus()
    covered = []
    for _step in range(25):
        page.keyboard.press("Tab")
        if not becomes(page, CLEAR):  # the page may still be scrolling to what has the focus
            covered.append(page.evaluate("document.activeElement.outerHTML.slice(0, 120)"))
    assert covered == []


def test_a_tick_before_the_scripts_are_loaded_counts(enter, live_server):
    page = enter("manager", "reports/")
    held = []
    page.route("**/htmx*.js", lambda route: held.append(route))
    page.goto(f"{live_server.url}{BASE}/criteria/?suppose=1", wait_until="commit")
    page.locator("#pass-1\\.2\\.1-A").check()
    expect(page.locator("#score-assumed")).to_have_text("–")
    held[0].continue_()
    expect(page).to_have_url(re.compile(r"pass=1\.2\.1-A"))
    expect(page.locator("#score-assumed")).to_have_text(re.compile(r"^\d"))


@pytest.fixture
def wall(enter, settings, live_server):
    """A wall overview that refreshes every second."""
    settings.PMQA_LIVE_SECONDS = 1
    page = enter("manager")
    page.get_by_role("link", name="แสดงบนจอใหญ่ ปรับข้อมูลเอง").click()
    expect(page).to_have_url(re.compile("live=1"))
    expect(page.locator("canvas.chart").first).to_be_visible()
    assert becomes(page, DRAWN)
    assert becomes(page, AT_REST)
    return page


def finish(report_progress):
    """Record that an action is done."""
    action = ActionItem.objects.filter(status=Status.NOT_STARTED, first_period__isnull=False).order_by("ref").first()
    report_progress(action, UserFactory(roles=["coordinator"]), status=Status.DONE, result="เผยแพร่แล้ว")


def test_the_wall_refreshes_and_keeps_scroll_focus_and_charts(wall, report_progress):
    before = figure(wall, "done")
    history = wall.evaluate("history.length")
    link = wall.locator("#figures tbody th a").nth(3)
    link.focus()
    wall.evaluate("document.getElementById('figures').scrollIntoView({behavior: 'instant'})")
    wall.locator("#curve-table > summary").evaluate("(each) => each.click()")
    # What is touched on the board, but for the line that says when it was read and htmx's own marks.
    wall.evaluate(
        """() => {
            window.kept = [...document.querySelectorAll("canvas.chart, #figures th a")];
            window.swaps = 0;
            window.touched = [];
            document.addEventListener("htmx:afterSwap", () => { window.swaps += 1; });
            const isNews = ({ target }) => target.closest?.("#board > *") && !target.closest("#live, [hidden]");
            new MutationObserver((records) => {
                window.touched.push(...records.filter(isNews).map((each) => each.target.outerHTML.slice(0, 90)));
            }).observe(document.getElementById("content"), { childList: true, subtree: true, attributes: true });
        }"""
    )
    assert becomes(wall, "() => window.swaps >= 2")
    assert wall.evaluate("window.touched") == []
    top = wall.evaluate("window.scrollY")
    expect(link).to_be_focused()
    finish(report_progress)
    expect(wall.locator(".is-statuses .kind-done b")).to_have_text(str(before + 1))
    assert top > 0
    assert becomes(wall, f"() => window.scrollY === {top}")
    expect(link).to_be_focused()
    assert wall.evaluate("window.kept.every((each) => each.isConnected)")
    assert wall.evaluate("document.getElementById('curve-table').open")
    assert wall.evaluate("history.length") == history
    drawn = "Chart.getChart(document.querySelector('[data-source=category-chart-data]')).data.datasets[0].data"
    assert becomes(wall, f"() => {drawn}.reduce((sum, each) => sum + each) === {before + 1}")


def test_the_wall_says_when_it_cannot_be_refreshed(wall, report_progress, complaints):
    before = figure(wall, "done")
    wall.context.set_offline(True)
    expect(wall.locator("#messages")).to_contain_text("ระบบไม่ตอบสนอง")
    expect(wall.locator(".is-statuses .kind-done b")).to_have_text(str(before))
    complaints.clear()
    wall.context.set_offline(False)
    expect(wall.locator("#messages .message")).to_have_count(0)
    Session.objects.all().delete()
    expect(wall.locator("#messages")).to_contain_text("การเข้าสู่ระบบหมดอายุ")  # no earlier request is under way now
    finish(report_progress)
    with wall.expect_response("**/login/**"):
        pass
    expect(wall.locator(".is-statuses .kind-done b")).to_have_text(str(before))
    expect(wall.locator("#board")).to_be_visible()


def test_a_filter_that_cannot_be_applied_shows_a_message(enter, complaints):
    page = enter("manager")
    before = figure(page, "done")
    page.context.set_offline(True)
    page.get_by_label("หมวด", exact=True).select_option("2")
    expect(page.locator("#messages")).to_contain_text("หน้านี้ยังแสดงข้อมูลเดิม")
    assert figure(page, "done") == before
    complaints.clear()
    page.context.set_offline(False)
    Session.objects.all().delete()
    page.get_by_label("หมวด", exact=True).select_option("3")
    expect(page).to_have_url(re.compile(r"/login/\?next=.*category%3D3"))
