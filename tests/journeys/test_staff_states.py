"""Every state of the staff's pages: no WCAG 2.2 AA violation, and no sideways scroll at desktop or phone width."""

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from assignments.models import Membership, Unit, User
from plan.models import ActionItem, Evidence
from plan.models.evidence import EvidenceWithdrawal
from pmqa_tracker import clock
from submissions.models import Submission, SubmissionLine, SubmissionStep
from tests.factories import UnitFactory
from tests.journeys.looks import AT_REST, becomes, check

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def action(department):
    """An action that สพม. leads."""
    return ActionItem.objects.filter(assignments__unit__abbreviation="สพม.", assignments__role="LEAD").first()


@pytest.fixture
def returned(action, report_progress):
    """An action with updates of two units and withdrawn evidence, returned by the coordinator."""
    coordinator = User.objects.get(username="coordinator")
    unit = Unit.objects.get(abbreviation="สพม.")
    staff = User.objects.get(username="staff")
    update = report_progress(action, staff, progress=99, result="ดำเนินการแล้วบางส่วน", reason="ปรับตามผลจริง")
    _kept, gone = (
        Evidence.objects.create(
            action=action, update=update, title=title, link="https://example.org/1", added_by=staff, at=clock.now()
        )
        for title in ("รายงานการประชุม", "ไฟล์ผิดฉบับ")
    )
    EvidenceWithdrawal.objects.create(evidence=gone, reason="แนบผิดฉบับ", by=staff, at=clock.now())
    own = Unit.objects.of_user(coordinator).get()
    report_progress(action, coordinator, unit=own.pk, result="ผู้ประสานงานติดตามแล้ว")
    report, _made = Submission.objects.get_or_create(
        unit=unit, period=action.plan.periods.get(number=3), defaults={"state": "RETURNED"}
    )
    Submission.objects.filter(pk=report.pk).update(state="RETURNED", version=99)
    step = SubmissionStep.objects.create(
        submission=report, op_id=uuid4(), version=99, state="RETURNED", by=coordinator, at=clock.now()
    )
    last = action.updates.order_by("-version").first()
    SubmissionLine.objects.create(step=step, action=action, update=last, reason="ขอหลักฐานการเผยแพร่")
    return action


def test_the_states_of_my_work(enter, action, report_progress, live_server):
    page = enter("staff")
    check(page, "full", axe_at=360)
    page.locator("#bell summary").click()
    page.locator("#bell .owed-list").first.wait_for()
    check(page, "bell", axe_at=360)
    page.goto(f"{live_server.url}/plans/2562-2563/owed/")
    check(page, "owed", axe_at=360)
    row = page.locator(f'[id="row-{action.ref}"]')
    page.goto(f"{live_server.url}/plans/2562-2563/my/{action.ref}/")
    for details in page.locator("details.more-fields summary").all():
        details.click()
    check(page, "open", axe_at=360)
    row.get_by_label("ติดปัญหา").check()
    row.locator(".is-due").first.wait_for()
    check(page, "a rule speaks", axe_at=360)
    row.locator(".form-send").click()
    row.locator(".field-errors").first.wait_for()
    check(page, "error", axe_at=360)
    page.reload()
    row.locator("[data-draft-note]").wait_for()
    check(page, "draft", axe_at=360)
    row.get_by_label("ปัญหาอุปสรรค").fill("ข้อความของฉัน")
    report_progress(action, User.objects.get(username="coordinator"), result="ข้อความของผู้ประสานงาน")
    row.locator(".form-send").click()
    row.locator(".conflict").wait_for()
    check(page, "conflict", axe_at=360)
    page.get_by_role("link", name="เราสนับสนุน").click()
    page.locator("a[aria-current=page]", has_text="เราสนับสนุน").wait_for()
    assert becomes(page, AT_REST)
    page.locator("main details:not([open])").evaluate_all("all => { for (const each of all) each.open = true }")
    expect(page.locator("details.via-collective .work-list")).not_to_have_count(0)
    expect(page.locator("[hx-trigger^=toggle]:visible")).to_have_count(0)
    check(page, "support", axe_at=360)


def test_a_returned_row(enter, returned):
    page = enter("staff")
    page.locator(".due-returned .work-item").first.wait_for()
    check(page, "returned")


def test_the_history_of_an_action(enter, returned):
    page = enter("staff", f"actions/{returned.ref}/")
    page.locator(".withdraw summary").first.click()
    check(page, "history")
    chip = page.locator(".chips a:not([aria-current])").first
    unit = chip.inner_text()
    chip.click()
    page.locator(".chips a[aria-current]", has_text=unit).wait_for()
    check(page, "history of a unit")


def test_nothing_to_do(enter, department):
    Membership.objects.filter(user__username="staff").update(unit=UnitFactory(abbreviation="ใหม่"))
    page = enter("staff")
    check(page, "empty", axe_at=360)
    page.locator("#bell summary").click()
    page.locator("#bell .empty").wait_for()
    check(page, "nothing owed", axe_at=360)
    Membership.objects.filter(user__username="staff").delete()
    page.reload()
    check(page, "no unit", axe_at=360)


def test_reader_sees_no_form(enter, action):
    page = enter("manager", f"actions/{action.ref}/")
    check(page, "reader", axe_at=360)
