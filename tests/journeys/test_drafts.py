"""Drafts of updates in the browser: kept until the update is recorded."""

import re

import pytest
from playwright.sync_api import expect

from assignments.models import Membership, User
from plan.models import ActionItem, ProgressUpdate, Status
from tests import sizes
from tests.conftest import DAY
from tests.journeys.looks import becomes, has_drafts
from tests.journeys.sessions import log_in

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]
MY = "/plans/2562-2563/my/"
TYPED = "พิมพ์ไว้ในแถว"


@pytest.fixture
def action(department):
    """An action in progress that สพม. leads, without an update in the current period."""
    actions = ActionItem.objects.filter(
        assignments__unit__abbreviation="สพม.", assignments__role="LEAD", status=Status.IN_PROGRESS
    ).filter(last_period__ends_on__gte=DAY)
    return actions.exclude(updates__at__date__gte="2020-04-01").order_by("ref").first()


@pytest.fixture
def my(page, complaints, live_server, action):
    """งานของฉัน of a member of staff."""
    log_in(page.context, live_server.url, "staff")
    page.goto(live_server.url + MY)
    return page


def row_of(page, action):
    return page.locator(f'[id="row-{action.ref}"]')


def open_row(page, action, typed=None):
    row = row_of(page, action)
    row.get_by_role("link", name=f"รายงาน {action.ref}").click()
    if typed:
        row.get_by_label("ผลการดำเนินการ").fill(typed)
    return row


def record(row):
    row.locator(".form-send").click()


def expect_no_draft(page, row):
    expect(row.locator("[data-draft-mark]")).to_be_hidden()
    assert has_drafts(page, 0)


@pytest.mark.parametrize("how", ["button", "Enter"])
def test_a_recorded_update_leaves_no_draft_and_opens_fresh(my, action, how):
    row = open_row(my, action, TYPED)
    if how == "Enter":
        row.get_by_label("ความก้าวหน้า (ร้อยละ)").press("Enter")
    else:
        record(row)
    expect(row.locator(".row-saved")).to_be_visible()
    expect_no_draft(my, row)
    open_row(my, action)
    expect(row.locator("[data-draft-note]")).to_be_hidden()
    expect(row.get_by_label("ผลการดำเนินการ")).to_have_value("")
    row.get_by_label("ผลการดำเนินการ").fill("อีกครั้ง")
    record(row)
    expect(row.locator(".row-saved")).to_be_visible()
    assert ProgressUpdate.objects.filter(action=action, source="WEB").count() == 2
    my.goto(my.url)
    expect_no_draft(my, row)


def test_an_update_on_the_page_of_the_action_leaves_no_draft(my, action, live_server):
    here = f"{live_server.url}/plans/2562-2563/actions/{action.ref}/"
    my.goto(here)
    my.get_by_label("ผลการดำเนินการ").fill(TYPED)
    assert has_drafts(my, 1)
    record(my.locator("#update"))
    expect(my.locator("#history")).to_contain_text(TYPED)
    assert has_drafts(my, 0)

    other = my.context.new_page()  # of the same kept page
    for tab in (my, other):
        tab.goto(here)
    for tab, text in ((my, "ของแท็บแรก"), (other, "ของแท็บที่สอง")):
        tab.get_by_label("ผลการดำเนินการ").fill(text)
    assert my.locator("[name=op_id]").input_value() == other.locator("[name=op_id]").input_value()
    record(my.locator("#update"))
    expect(my.locator("#history")).to_contain_text("ของแท็บแรก")
    assert has_drafts(other, 1)


@pytest.mark.parametrize(
    ("at", "where"),
    [("my", "note"), ("actions", "conflict"), *([("my", "conflict"), ("actions", "note")] if sizes.IS_FULL else [])],
)
def test_a_discarded_draft_is_gone(my, action, live_server, report_progress, at, where):
    """The links that discard a draft load the form again; a link within the page would load nothing."""
    here = f"{live_server.url}/plans/2562-2563/{at}/{action.ref}/"
    my.goto(here)
    form = my.locator(f'form[data-draft$="/{action.ref}"]')
    form.get_by_label("ผลการดำเนินการ").fill(TYPED)
    if where == "note":
        my.goto(f"{here}?again")
        expect(form.get_by_label("ผลการดำเนินการ")).to_have_value(TYPED)
        my.goto(here)
        form.locator("[data-draft-note] [data-forget-draft]").click()
    else:
        report_progress(action, User.objects.get(username="coordinator"), result="ของผู้ประสานงาน")
        record(form)
        expect(my.locator(".conflict")).to_be_visible()
        form.get_by_role("link", name="เขียนใหม่").click()
    expect(form.get_by_label("ผลการดำเนินการ")).to_have_value("")
    expect(my.locator(".conflict")).to_be_hidden()
    assert has_drafts(my, 0)


def test_a_refused_update_keeps_the_draft_until_it_is_recorded(my, action, report_progress, live_server):
    row = open_row(my, action, TYPED)
    row.get_by_label("ติดปัญหา").check()
    record(row)
    expect(row.locator(".field-errors")).to_be_visible()  # 422
    assert has_drafts(my, 1)
    row.get_by_label("ปัญหาอุปสรรค").fill("งบประมาณ")
    report_progress(action, User.objects.get(username="coordinator"), result="ของผู้ประสานงาน")
    record(row)
    expect(row.locator(".conflict")).to_be_visible()  # 409
    assert has_drafts(my, 1)
    record(row)
    expect(row.locator(".row-saved")).to_be_visible()
    expect_no_draft(my, row)


def test_losing_a_right_keeps_the_draft(my, action):
    row = open_row(my, action, TYPED)
    Membership.objects.filter(user__username="staff").delete()
    record(row)
    expect(row).to_contain_text(TYPED)
    assert has_drafts(my, 1)


def test_a_page_of_another_server_keeps_the_draft(my, action):
    """For example the login page of a network, which answers 200 to everything."""
    row = open_row(my, action, TYPED)
    my.route("**/my/**", lambda route: route.fulfill(status=200, content_type="text/html", body="<p>Wi-Fi</p>"))
    my.evaluate("document.addEventListener('htmx:afterSettle', () => { window.isAnswered = true })")
    record(row)
    assert becomes(my, "() => window.isAnswered")
    my.unroute("**/my/**")
    assert has_drafts(my, 1)


def test_two_tabs_with_the_same_form(my, action):
    """A draft written later in another tab stays; a tab notices when a draft is deleted."""
    row = open_row(my, action, TYPED)
    other = my.context.new_page()
    other.goto(my.url)
    expect(row_of(other, action).locator("[data-draft-mark]")).to_be_visible()
    record(row)
    expect(row.locator(".row-saved")).to_be_visible()
    expect(row_of(other, action).locator("[data-draft-mark]")).to_be_hidden()

    row = open_row(my, action, "ของแท็บแรก")
    my.evaluate("localStorage.clear()")  # the other tab finds no draft to take up
    other_row = open_row(other, action, "ของแท็บที่สอง")
    record(row)
    expect(row.locator(".row-saved")).to_be_visible()
    assert has_drafts(other, 1)
    record(other_row)
    expect(other_row.locator(".conflict")).to_be_visible()


@pytest.mark.parametrize("is_bulk", [False, True])
def test_no_change_asks_before_discarding_a_draft(my, action, is_bulk):
    row = open_row(my, action, TYPED)
    row.get_by_role("link", name="ปิด").click()
    expect(row.locator("[data-draft-mark]")).to_be_visible()

    def press():
        if is_bulk:
            row.get_by_label(f"เลือก {action.ref}").check()
            my.locator("#unchanged button").click()
        else:
            row.get_by_role("button", name=re.compile("ไม่เปลี่ยนแปลง")).click()

    asked = []
    my.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    press()
    expect(row.locator("[data-draft-mark]")).to_be_visible()
    assert action.ref in asked[0]
    assert not ProgressUpdate.objects.filter(action=action, source="WEB").exists()
    my.once("dialog", lambda dialog: dialog.accept())
    press()
    if is_bulk:
        expect(my.locator(".message-success")).to_contain_text("1 รายการ")
    else:
        expect(row).to_contain_text("รายงานแล้วเมื่อ 15 พ.ค. 2563")
    expect_no_draft(my, row)
    assert ProgressUpdate.objects.get(action=action, source="WEB").is_unchanged


def test_without_a_connection_the_typed_text_stays_and_the_page_says_so(browser, live_server, action):
    context = browser.new_context(viewport={"width": 360, "height": 800}, service_workers="allow")
    page = context.new_page()
    log_in(context, live_server.url, "staff")
    page.goto(f"{live_server.url}/plans/2562-2563/actions/{action.ref}/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    context.set_offline(True)
    expect(page.locator("[data-offline]")).to_be_visible()
    page.get_by_label("ผลการดำเนินการ").fill(TYPED)
    page.get_by_role("button", name=re.compile("^บันทึก")).click()
    expect(page.locator("[data-form-message]")).to_contain_text("ยังไม่ได้บันทึก")
    page.reload()
    expect(page.get_by_role("heading", name="ไม่มีการเชื่อมต่ออินเทอร์เน็ต")).to_be_visible()
    expect(page.locator("[data-refs]")).to_have_text(action.ref)
    context.set_offline(False)  # the page opens again by itself
    expect(page.get_by_label("ผลการดำเนินการ")).to_have_value(TYPED)
    context.close()


def test_what_is_opened_and_typed_before_the_scripts_are_loaded_counts(my, action, live_server):
    address = f"{live_server.url}{MY}{action.ref}/"
    row = row_of(my, action)
    my.goto(address)
    row.get_by_label("ผลการดำเนินการ").fill("ร่างเดิม")
    row.get_by_label("ปัญหาอุปสรรค").fill(TYPED)
    assert has_drafts(my, 1)
    held = []
    my.route("**/htmx*.js", lambda route: held.append(route))
    my.goto(address, wait_until="commit")
    row.get_by_label("ผลการดำเนินการ").fill("พิมพ์ก่อน")
    my.locator("#bell summary").click()
    folds = my.locator("main details:has(> [hx-trigger^=toggle]) > summary")
    expect(folds).not_to_have_count(0)
    for fold in folds.all():
        fold.click()
    held[0].continue_()
    expect(my.locator("main [hx-trigger^=toggle]")).to_have_count(0)
    expect(my.locator("#bell .owed-list").first).to_be_visible()
    for _time in range(2):  # filled at once, and kept
        expect(row.get_by_label("ปัญหาอุปสรรค")).to_have_value(TYPED)
        expect(row.get_by_label("ผลการดำเนินการ")).to_have_value("พิมพ์ก่อน")
        my.unroute_all()
        my.reload()
