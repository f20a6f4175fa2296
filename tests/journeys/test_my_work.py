"""งานของฉัน in a browser: updates in the row, at desktop and phone width, with and without JavaScript."""

import re

import pytest
from django.conf import settings
from playwright.sync_api import expect

from assignments.models import Unit, User
from plan.models import ActionItem, ProgressUpdate, Status
from tests.conftest import DAY
from tests.journeys.looks import fits_the_screen, has_drafts

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]
WAYS = pytest.mark.parametrize(
    ("width", "scripts"), [(360, True), (1280, False)], ids=["scripts on a phone", "no scripts at a desk"]
)
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


@pytest.fixture
def silent(department):
    """Actions in progress that สพม. leads and has not updated in the current period."""
    return list(
        ActionItem.objects.filter(
            assignments__unit__abbreviation="สพม.",
            assignments__role="LEAD",
            status=Status.IN_PROGRESS,
            last_period__ends_on__gte=DAY,
        )
        .exclude(updates__at__date__gte="2020-04-01")
        .exclude(submission_lines__step__state="RETURNED")
        .distinct()
        .order_by("ref")
    )


@pytest.fixture
def at_work(enter, browser):
    """Open งานของฉัน of สพม. in a browser of some width, with or without scripts: `at_work(360, scripts=False)`."""
    opened = []

    def inner(width=1280, *, scripts=True, username="staff"):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, java_script_enabled=scripts, timezone_id="Asia/Bangkok"
        )
        opened.append(context)
        page = context.new_page()
        enter(username, on=page)
        expect(page.get_by_role("heading", name="งานของฉัน")).to_be_visible()
        return page

    yield inner
    for context in opened:
        context.close()


def row_of(page, action):
    return page.locator(f'[id="row-{action.ref}"]')


def counter(page):
    updated, total = re.search(r"(\d+) จาก (\d+)", page.locator("#updated-count b").inner_text()).groups()
    return int(updated), int(total)


@WAYS
def test_two_clicks_beyond_typing_record_an_update(at_work, silent, width, scripts):
    page = at_work(width, scripts=scripts)
    updated, total = counter(page)
    action = silent[0]
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()  # the first
    form = row_of(page, action).locator("form.update-form")
    form.get_by_label("ความก้าวหน้า (ร้อยละ)").fill("96")
    form.get_by_label("ผลการดำเนินการ").fill("จัดประชุมติดตามแล้ว 2 ครั้ง")
    if scripts:
        assert fits_the_screen(page)
    form.get_by_role("button", name="บันทึก", exact=True).click()  # the second
    expect(page.locator("form.update-form")).to_have_count(0)
    expect(row_of(page, action)).to_contain_text("96 %")
    expect(row_of(page, action)).to_contain_text("รายงานแล้วเมื่อ 15 พ.ค. 2563")
    expect(page.locator("#updated-count b")).to_have_text(f"ปรับปรุงแล้ว {updated + 1} จาก {total} รายการ")
    update = ProgressUpdate.objects.get(action=action, source="WEB")
    assert (update.progress_to, update.result, str(update.unit)) == (96, "จัดประชุมติดตามแล้ว 2 ครั้ง", "สพม.")


@WAYS
def test_no_change_is_one_click(at_work, silent, width, scripts):
    page = at_work(width, scripts=scripts)
    updated, total = counter(page)
    action = silent[0]
    row_of(page, action).get_by_role("button", name=f"ไม่เปลี่ยนแปลงในงวดนี้: {action.ref}").click()
    expect(page.locator("#updated-count b")).to_have_text(f"ปรับปรุงแล้ว {updated + 1} จาก {total} รายการ")
    expect(row_of(page, action).get_by_role("button", name=re.compile("ไม่เปลี่ยนแปลง"))).to_have_count(0)
    update = ProgressUpdate.objects.get(action=action, source="WEB")
    assert (update.is_unchanged, update.progress_to, update.status_to) == (True, action.progress, action.status)


@SCRIPTS
def test_several_rows_are_marked_unchanged_at_once(at_work, silent, scripts):
    page = at_work(360, scripts=scripts)
    updated, total = counter(page)
    for action in silent[:3]:
        row_of(page, action).get_by_label(f"เลือก {action.ref}").check()
    if scripts:
        expect(page.locator("[data-ticked]")).to_have_text("3")
    page.get_by_role("button", name="บันทึกว่า “ไม่เปลี่ยนแปลง”").click()
    expect(page.locator(".message-success")).to_contain_text("3 รายการ")
    expect(page.locator("#updated-count b")).to_have_text(f"ปรับปรุงแล้ว {updated + 3} จาก {total} รายการ")
    assert set(ProgressUpdate.objects.filter(source="WEB").values_list("action", "is_unchanged")) == {
        (action.pk, True) for action in silent[:3]
    }


@SCRIPTS
def test_a_broken_rule_is_shown_in_the_row(at_work, silent, scripts):
    page = at_work(360, scripts=scripts)
    action = silent[0]
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
    form = row_of(page, action).locator("form.update-form")
    form.get_by_label("ติดปัญหา").check()
    form.get_by_label("การดำเนินการต่อไป").fill("เสนอผู้อำนวยการ")
    if scripts:  # the rule is shown before anything is sent
        expect(form.locator(".is-due")).to_have_text("ต้องระบุเมื่อรายงานว่าติดปัญหา")
    form.get_by_role("button", name="บันทึก", exact=True).click()
    expect(form.locator(".field-errors")).to_contain_text("ปัญหาอุปสรรค")
    expect(form.get_by_label("การดำเนินการต่อไป")).to_have_value("เสนอผู้อำนวยการ")
    expect(form.get_by_label("ติดปัญหา")).to_be_checked()
    form.get_by_label("ปัญหาอุปสรรค").fill("ยังไม่ได้รับงบประมาณ")
    form.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("form.update-form")).to_have_count(0)
    expect(row_of(page, action)).to_contain_text("ติดปัญหา")


def test_the_form_follows_the_status(at_work, silent):
    """Done sets 100, not started sets 0, progress starts an action, and moving back opens the reason field."""
    page = at_work()
    action = silent[0]
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
    form = row_of(page, action).locator("form.update-form")
    progress = form.get_by_label("ความก้าวหน้า (ร้อยละ)")
    form.get_by_label("ดำเนินการแล้วเสร็จ").check()
    expect(progress).to_have_value("100")
    expect(form.locator(".is-due")).to_have_text(["ต้องระบุเมื่อรายงานว่าแล้วเสร็จ เว้นแต่แนบหลักฐาน"])
    form.get_by_label("ผลการดำเนินการ").fill("เผยแพร่แล้ว")
    expect(form.locator(".is-due")).to_have_count(0)
    form.get_by_label("อยู่ระหว่างดำเนินการ").check()
    expect(progress).to_have_value(str(action.progress))
    progress.fill("1")
    expect(form.get_by_label("เหตุผลที่ปรับลดหรือยกเลิก")).to_be_visible()
    expect(form.locator(".is-due")).to_have_count(1)
    form.get_by_label("ยังไม่ดำเนินการ").check()
    expect(progress).to_have_value("0")
    progress.fill("5")
    expect(form.get_by_label("อยู่ระหว่างดำเนินการ")).to_be_checked()


def test_the_form_reads_thai_digits(at_work, silent):
    """Both in the hints while typing and in the recorded update."""
    page = at_work()
    action = silent[0]
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
    form = row_of(page, action).locator("form.update-form")
    progress, reason = form.get_by_label("ความก้าวหน้า (ร้อยละ)"), form.get_by_label("เหตุผลที่ปรับลดหรือยกเลิก")
    for typed, due in (("๑", 1), ("๙๙ %", 0), ("ร้อยละ ๑", 1), ("๙๙", 0), ("๑ เปอร์เซ็นต์", 1)):
        progress.fill(typed)
        expect(form.locator(".is-due")).to_have_count(due)
    form.get_by_label("ยังไม่ดำเนินการ").check()
    progress.fill("๕๐")
    expect(form.get_by_label("อยู่ระหว่างดำเนินการ")).to_be_checked()
    form.get_by_label("ผลการดำเนินการ").fill("จัดประชุมแล้ว")
    if action.progress > 50:
        reason.fill("ทบทวนแล้วพบว่ายังไม่ครบ")
    form.get_by_role("button", name="บันทึก", exact=True).click()
    expect(row_of(page, action)).to_contain_text("50 %")
    assert ProgressUpdate.objects.get(action=action, source="WEB").progress_to == 50


@pytest.mark.parametrize(
    ("choice", "scripts"),
    [
        ("keep mine", True),
        ("keep mine", False), ("take theirs", True), ("start empty", False),
    ],
)  # fmt: skip
def test_the_later_of_two_people_in_one_row_chooses(at_work, silent, report_progress, scripts, choice):
    page = at_work(1280, scripts=scripts)
    action = silent[0]
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
    form = row_of(page, action).locator("form.update-form")
    form.get_by_label("ผลการดำเนินการ").fill("ข้อความของฉัน")
    form.get_by_label("ความก้าวหน้า (ร้อยละ)").fill("98")
    report_progress(action, User.objects.get(username="coordinator"), progress=97, result="ข้อความของผู้ประสานงาน")
    form.get_by_role("button", name="บันทึก", exact=True).click()
    conflict = row_of(page, action).locator(".conflict")
    expect(conflict).to_contain_text("ข้อความของผู้ประสานงาน")
    expect(conflict).to_contain_text("ผู้ประสานงาน PMQA")
    expect(conflict).to_contain_text("15 พ.ค. 2563")
    expect(form.get_by_label("ผลการดำเนินการ")).to_have_value("ข้อความของฉัน")
    results = ["ข้อความของผู้ประสานงาน"]
    if choice == "keep mine":
        form.get_by_role("button", name="บันทึกของฉัน").click()
        expect(page.locator("form.update-form")).to_have_count(0)
        expect(row_of(page, action)).to_contain_text("98 %")
        results.append("ข้อความของฉัน")
    elif choice == "take theirs":
        form.get_by_role("link", name="ใช้ตามที่ผู้อื่นบันทึก").click()
        expect(page.locator("form.update-form")).to_have_count(0)
        expect(row_of(page, action)).to_contain_text("97 %")
    else:
        form.get_by_role("link", name="เขียนใหม่").click()
        expect(page.locator(".conflict")).to_have_count(0)
        expect(form.get_by_label("ผลการดำเนินการ")).to_have_value("")
        expect(form.get_by_label("ความก้าวหน้า (ร้อยละ)")).to_have_value("97")
    rows = ProgressUpdate.objects.filter(action=action, source="WEB").order_by("version")
    assert list(rows.values_list("result", flat=True)) == results


def test_the_back_button_makes_one_update(at_work, silent):
    page = at_work(scripts=False)
    action = silent[0]
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
    page.get_by_label("ผลการดำเนินการ").fill("ส่งครั้งเดียว")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator(".message-success")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("ผลการดำเนินการ")).to_have_value("ส่งครั้งเดียว")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("form.update-form")).to_have_count(0)
    assert ProgressUpdate.objects.filter(action=action, source="WEB").count() == 1


def test_a_double_click_makes_one_update(at_work, silent):
    page = at_work()
    action = silent[0]
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
    page.get_by_label("ผลการดำเนินการ").fill("ดับเบิลคลิก")
    page.get_by_role("button", name="บันทึก", exact=True).dblclick()
    expect(page.locator("form.update-form")).to_have_count(0)
    assert ProgressUpdate.objects.filter(action=action, source="WEB").count() == 1


def test_a_form_changed_after_back_is_recorded(at_work, silent):
    page = at_work(scripts=False)
    action = silent[0]
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
    page.get_by_label("ผลการดำเนินการ").fill("ฉบับแรก")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator(".message-success")).to_be_visible()
    page.go_back()
    page.get_by_label("ผลการดำเนินการ").fill("ฉบับที่เขียนเพิ่ม")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("form.update-form")).to_have_count(0)
    rows = ProgressUpdate.objects.filter(action=action, source="WEB").order_by("version")
    assert list(rows.values_list("result", flat=True)) == ["ฉบับแรก", "ฉบับที่เขียนเพิ่ม"]


def test_by_keyboard_alone(at_work, silent, report_progress):
    """Record and open the next row, close it by Escape, fill in the words of the last report, record."""
    first = silent[0]
    page = at_work()
    second = ActionItem.objects.get(ref=page.locator(f'[id="row-{first.ref}"] + li .action-ref').inner_text())
    coordinator = User.objects.get(username="coordinator")
    report_progress(
        second,
        coordinator,
        unit=Unit.objects.of_user(coordinator).get().pk,  # so that สพม. still has to report
        progress=max(second.progress, 5),
        result="เผยแพร่ไปแล้วสองครั้ง",
        next_step="ครั้งที่สาม",
    )
    opener = row_of(page, first).get_by_role("link", name=f"รายงาน {first.ref}")
    opener.focus()
    page.keyboard.press("Enter")
    expect(row_of(page, first).get_by_label("อยู่ระหว่างดำเนินการ")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("97")
    page.keyboard.press("Control+Enter")
    expect(row_of(page, first).locator(".row-saved")).to_be_visible()
    status = row_of(page, second).locator("[name=status_to]:checked")
    expect(status).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("form.update-form")).to_have_count(0)
    expect(row_of(page, second).get_by_role("link", name=f"รายงาน {second.ref}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(status).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="ใช้ข้อความของรายงานครั้งก่อน")).to_be_focused()
    page.keyboard.press("Enter")
    result = page.get_by_label("ผลการดำเนินการ")
    expect(result).to_be_focused()
    expect(page.get_by_label("การดำเนินการต่อไป")).to_have_value("ครั้งที่สาม")
    page.keyboard.type(" และครั้งที่สาม")
    assert has_drafts(page, 1)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.form-send')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("form.update-form")).to_have_count(0)
    # The focus stays in the row.
    expect(row_of(page, second).get_by_role("link", name=f"รายงาน {second.ref}")).to_be_focused()
    updates = ProgressUpdate.objects.filter(source="WEB", author__username="staff").order_by("at")
    assert list(updates.values_list("action", "result")) == [
        (first.pk, ""), (second.pk, "เผยแพร่ไปแล้วสองครั้ง และครั้งที่สาม")
    ]  # fmt: skip


def test_typed_text_survives_the_end_of_the_login(at_work, silent, live_server, enter_by_form):
    page = at_work(360)
    action = silent[0]
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
    page.get_by_label("ผลการดำเนินการ").fill("พิมพ์ค้างไว้ก่อนเข้าประชุม")
    page.get_by_label("ความก้าวหน้า (ร้อยละ)").fill("99")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("form .form-message")).to_contain_text("การเข้าสู่ระบบสิ้นสุดแล้ว")
    enter_by_form("staff", on=page)
    expect(row_of(page, action).locator("[data-draft-mark]")).to_be_visible()
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
    expect(page.get_by_label("ผลการดำเนินการ")).to_have_value("พิมพ์ค้างไว้ก่อนเข้าประชุม")
    expect(page.get_by_label("ความก้าวหน้า (ร้อยละ)")).to_have_value("99")
    expect(page.locator("[data-draft-note]")).to_be_visible()
    # On the action's own page it is the same.
    page.goto(f"{live_server.url}/plans/2562-2563/actions/{action.ref}/")
    expect(page.get_by_label("ผลการดำเนินการ")).to_have_value("พิมพ์ค้างไว้ก่อนเข้าประชุม")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("#history")).to_contain_text("พิมพ์ค้างไว้ก่อนเข้าประชุม")
    expect(page.get_by_label("ผลการดำเนินการ")).to_have_value("")
    assert has_drafts(page, 0)


def test_discarding_a_draft_deletes_it_and_logout_deletes_all(at_work, silent, live_server):
    page = at_work()
    first, second = silent[:2]
    for action in (first, second):
        row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
        row_of(page, action).get_by_label("ผลการดำเนินการ").fill(f"ร่างของ {action.ref}")
    page.reload()
    row_of(page, first).get_by_role("link", name=f"รายงาน {first.ref}").click()
    expect(row_of(page, first).get_by_label("ผลการดำเนินการ")).to_have_value(f"ร่างของ {first.ref}")
    row_of(page, first).get_by_role("link", name="ไม่ใช้ข้อความนี้").click()
    expect(row_of(page, first).get_by_label("ผลการดำเนินการ")).to_have_value("")
    assert has_drafts(page, 1)
    page.locator(".user-menu summary").click()
    page.get_by_role("button", name="ออกจากระบบ").click()
    expect(page.get_by_label("ชื่อผู้ใช้")).to_be_visible()
    assert has_drafts(page, 0)


def test_no_text_is_lost_when_the_server_is_gone(at_work, silent, live_server):
    page = at_work()
    action = silent[0]
    row_of(page, action).get_by_role("link", name=f"รายงาน {action.ref}").click()
    page.get_by_label("ผลการดำเนินการ").fill("เขียนระหว่างระบบขัดข้อง")
    page.context.set_offline(True)
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("form .form-message")).to_contain_text("ยังไม่ได้บันทึก")
    expect(page.get_by_label("ผลการดำเนินการ")).to_have_value("เขียนระหว่างระบบขัดข้อง")
    page.context.set_offline(False)
    page.goto(f"{live_server.url}/plans/2562-2563/my/{action.ref}/")
    expect(page.get_by_label("ผลการดำเนินการ")).to_have_value("เขียนระหว่างระบบขัดข้อง")
    page.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("form.update-form")).to_have_count(0)
    assert ProgressUpdate.objects.get(action=action, source="WEB").result == "เขียนระหว่างระบบขัดข้อง"


def test_the_bell_lists_what_is_owed_and_updates_its_number(at_work, silent):
    page = at_work(360)
    bell = page.locator("#bell")
    owed = int(bell.locator(".bell-count").inner_text())
    bell.locator("summary").click()
    expect(bell.locator(".owed-list a").first).to_be_visible()
    assert sum(map(int, bell.locator("h2 .count").all_inner_texts())) == owed
    assert fits_the_screen(page)
    ref = silent[0].ref
    bell.get_by_role("link", name=ref).click()
    row = row_of(page, silent[0])
    row.get_by_label("ผลการดำเนินการ").fill("เปิดจากกระดิ่ง")
    row.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("form.update-form")).to_have_count(0)
    expect(bell.locator(".bell-count")).to_have_text(str(owed - 1))


def test_the_bell_without_scripts_links_to_the_list(at_work, silent):
    page = at_work(360, scripts=False)
    page.locator("#bell summary").click()
    page.get_by_role("link", name="ดูงานที่ต้องรายงานทั้งหมด").click()
    expect(page.get_by_role("heading", name="งานที่ต้องรายงาน")).to_be_visible()
    page.get_by_role("link", name=silent[0].ref).click()
    expect(row_of(page, silent[0]).get_by_label("ผลการดำเนินการ")).to_be_visible()
