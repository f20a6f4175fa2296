"""After Back nothing is ticked or chosen: with and without scripts, on a fetched and on a cached page.

Without scripts a page is fetched as with them: this is left to a full run.
"""

import re

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import Error, expect

from assignments.models import User
from plan.models import ActionItem, Period, ProgressUpdate, Status
from tests import sizes
from tests.conftest import DAY
from tests.factories import UserFactory
from tests.journeys.looks import comes_true
from tests.journeys.sessions import log_in

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]
BASE = "/plans/2562-2563"


@pytest.fixture(params=["scripts", "kept whole", *(["no scripts"] if sizes.IS_FULL else [])])
def way(request):
    return request.param


@pytest.fixture(scope="session")
def keeping_browser(browser_type, browser_type_launch_args):
    """A browser with a back/forward cache."""
    with browser_type.launch(
        **browser_type_launch_args, ignore_default_args=["--disable-back-forward-cache"]
    ) as launched:
        yield launched


@pytest.fixture
def visit(request, way, live_server, department):
    """Open a page as a user: `visit("staff", "/my/")`."""
    used = request.getfixturevalue("keeping_browser" if way == "kept whole" else "browser")
    context = used.new_context(java_script_enabled=way != "no scripts", locale="th-TH")
    page = context.new_page()

    def inner(username, path):
        log_in(context, live_server.url, username)
        page.goto(live_server.url + path)
        return page

    yield inner
    context.close()


@pytest.fixture
def go_back(way):
    """Press Back and wait for the previous page; a cached page does not load again."""

    def inner(page):
        if way != "kept whole":
            page.go_back()
            return
        page.evaluate("window.isLeft = true")
        page.go_back(wait_until="commit")
        assert comes_true(lambda: is_there(page))

    return inner


def is_there(page):
    """Whether the previous page is shown and no other is loading."""
    try:
        return page.evaluate("!window.isLeft && document.readyState === 'complete'")
    except Error:  # the page left while it was asked
        return False


def test_my_work_has_no_ticks_after_back(visit, go_back):
    actions = ActionItem.objects.filter(
        assignments__unit__abbreviation="สพม.", assignments__role="LEAD", status=Status.IN_PROGRESS
    ).filter(last_period__ends_on__gte=DAY)
    assert actions.count() >= 3
    page = visit("staff", f"{BASE}/my/")
    ticks = page.locator("input.pick")
    for number in range(2):
        ticks.nth(number).check()
    page.locator("#unchanged button").click()
    expect(page.locator(".message-success")).to_be_visible()
    go_back(page)
    expect(page.locator(".message-success")).to_have_count(0)
    expect(page.locator("input.pick:checked")).to_have_count(0)
    page.locator("#unchanged button").click()
    expect(page.locator(".message-warning")).to_be_visible()
    assert ProgressUpdate.objects.filter(source="WEB").count() == 2


def test_the_confirmation_of_a_report_is_not_ticked_after_back(visit, go_back):
    page = visit("staff-srs", f"{BASE}/reporting/สรส./4/")
    page.get_by_label("หมายเหตุถึงผู้ประสานงาน").fill("หมายเหตุ")
    page.get_by_label(re.compile("ยืนยันส่งรายงาน")).check()
    page.get_by_role("link", name="ภาพรวม", exact=True).click()
    expect(page.get_by_role("heading", name="ภาพรวม")).to_be_visible()
    go_back(page)
    expect(page.get_by_label("หมายเหตุถึงผู้ประสานงาน")).to_have_value("หมายเหตุ")
    if page.evaluate("performance.getEntriesByType('navigation')[0].type") == "back_forward":
        expect(page.get_by_label(re.compile("ยืนยันส่งรายงาน"))).not_to_be_checked()


def test_filters_match_the_list_after_back(visit, go_back, way):
    page = visit("staff", f"{BASE}/actions/")
    page.locator("#id_status").select_option("DONE")
    if way == "no scripts":  # scripts apply the filter at once; a click beside them would make a second entry
        page.locator(".filter-buttons button").click()
    expect(page).to_have_url(re.compile("status=DONE"))
    go_back(page)
    expect(page).not_to_have_url(re.compile("status=DONE"))
    expect(page.locator("#id_status")).to_have_value("")


def test_ticks_of_the_admin_are_gone_after_back(visit, go_back):
    User.objects.filter(username="coordinator").update(is_superuser=True, is_staff=True)
    for number in range(4):
        UserFactory(username=f"aa{number}")
    page = visit("coordinator", "/admin/assignments/user/?q=aa")
    for number in range(2):
        page.locator("input.action-select").nth(number).check()
    page.locator("select[name=action]").select_option("delete_selected")
    page.locator("button[name=index]").click()
    page.locator("#content input[type=submit]").click()
    expect(page.locator("input.action-select")).to_have_count(2)
    page.goto(page.url.split("?")[0] + "?q=aa&o=1")
    go_back(page)
    expect(page.locator("input.action-select:checked")).to_have_count(0)
    expect(page.locator("input.select-across")).to_be_hidden()
    assert set(User.objects.filter(username__startswith="aa").values_list("username", flat=True)) == {"aa2", "aa3"}


def test_a_removed_row_of_the_admin_marks_no_other_after_back(visit, go_back):
    """Inline rows are named by position: without the fix the tick lands on the next row."""
    User.objects.filter(username="coordinator").update(is_superuser=True, is_staff=True)
    period = Period.objects.order_by("number").first()
    plan = period.plan
    plan.meetings.all().delete()
    for number in range(3):
        plan.meetings.create(name=f"ครั้งที่ {number}", held_on=f"2020-01-0{number + 1}")
    page = visit("coordinator", f"/admin/plan/plan/{plan.pk}/change/")
    page.locator("input[name='meetings-0-DELETE']").check()
    page.locator("input[name=_continue]").click()
    expect(page.locator("input[name='meetings-1-id']")).to_have_count(1)
    page.goto(page.url)
    go_back(page)
    if page.locator("input[name='meetings-2-id']").count() == 0:  # fetched again
        expect(page.locator("input[name$='-DELETE']:checked")).to_have_count(0)
    assert Group.objects.exists()
    assert plan.meetings.count() == 2
