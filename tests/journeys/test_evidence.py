"""Evidence in the browser: choose files once, download them, and withdraw them with a reason."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from plan.evidence.names import clean_name
from plan.models import ActionItem, Evidence, Status
from tests.plan.evidence.hostile import good_files

pytestmark = [pytest.mark.browser, pytest.mark.apart, pytest.mark.django_db(transaction=True)]

PDF = next(content for _name, content, kind in good_files() if kind == "pdf")


@pytest.fixture
def action(department):
    return (
        ActionItem.objects.filter(assignments__unit__abbreviation="สพม.", assignments__role="LEAD")
        .filter(status=Status.IN_PROGRESS)
        .order_by("ref")
        .first()
    )


def file(name, content=PDF):
    return {"name": name, "mimeType": "application/pdf", "buffer": content}


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_add_files_with_an_update_on_a_phone(enter, browser, action, scripts):
    context = browser.new_context(viewport={"width": 360, "height": 780}, java_script_enabled=scripts)
    page = context.new_page()
    enter("staff", f"my/{action.ref}/", on=page)
    form = page.locator("form.update-form")
    form.get_by_label("ผลการดำเนินการ").fill("แนบรายงานแล้ว")
    form.locator("summary", has_text="แนบหลักฐาน").click()
    bad = file("หน้าเว็บ.pdf", b"<html><script>alert(1)</script></html>")
    form.get_by_label("ไฟล์หลักฐาน").set_input_files([file("รายงานการประชุม.pdf"), bad])
    form.get_by_label("ลิงก์หลักฐาน").fill("เว็บไซต์กรม https://example.org/")
    form.get_by_role("button", name="บันทึก", exact=True).click()
    expect(form.locator(".field-errors")).to_contain_text("หน้าเว็บ.pdf")
    expect(form.get_by_label("ผลการดำเนินการ")).to_have_value("แนบรายงานแล้ว")
    expect(form.get_by_label("รายงานการประชุม.pdf")).to_be_checked()
    form.get_by_role("button", name="บันทึก", exact=True).click()
    expect(page.locator("form.update-form")).to_have_count(0)
    titles = Evidence.objects.filter(action=action, update__source="WEB").order_by("pk").values_list("title", flat=True)
    assert list(titles) == ["เว็บไซต์กรม", "รายงานการประชุม.pdf"]
    context.close()


def test_add_files_with_long_thai_names(enter, action):
    """A name of 200 letters is kept; one of 300 letters is shortened and keeps its end."""
    names = [("รายงานผลการดำเนินงานตามแผนพัฒนาองค์การ " * 8)[: letters - 14] + " ฉบับที่ ๒.pdf" for letters in (200, 300)]
    page = enter("staff", f"actions/{action.ref}/")
    page.locator("summary", has_text="แนบหลักฐาน").click()
    page.get_by_label("ไฟล์หลักฐาน").set_input_files([file(name) for name in names])
    page.get_by_role("button", name="บันทึก", exact=True).click()
    titles = [clean_name(name) for name in names]
    for title in titles:
        expect(page.locator("#history").get_by_role("link", name=title, exact=True)).to_be_visible()
    assert [title == name for title, name in zip(titles, names, strict=True)] == [True, False]
    assert [title[-12:] for title in titles] == [name[-12:] for name in names]


def test_download_and_withdraw_a_file(enter, action, live_server):
    page = enter("staff", f"actions/{action.ref}/")
    page.locator("summary", has_text="แนบหลักฐาน").click()
    page.get_by_label("ไฟล์หลักฐาน").set_input_files([file("คู่มือ ฉบับที่ ๑.pdf")])
    page.get_by_role("button", name="บันทึก", exact=True).click()
    link = page.locator("#history").get_by_role("link", name="คู่มือ ฉบับที่ ๑.pdf")
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "คู่มือ ฉบับที่ ๑.pdf"
    assert Path(download.value.path()).read_bytes() == PDF
    # Its address is a download too.
    with page.expect_download():
        page.evaluate("address => { window.location = address }", link.get_attribute("href"))
    page.locator("summary", has_text="ถอนหลักฐาน").click()
    page.get_by_label("เหตุผลที่ถอน").fill("แนบผิดฉบับ")
    page.get_by_role("button", name="ถอนหลักฐานนี้").click()
    expect(page.locator(".message-success")).to_contain_text("คู่มือ ฉบับที่ ๑.pdf")
    expect(page.locator("#history s")).to_have_text("คู่มือ ฉบับที่ ๑.pdf")
    expect(page.locator("#history")).to_contain_text("แนบผิดฉบับ")
    page.goto(f"{live_server.url}/plans/2562-2563/evidence/{Evidence.objects.get(kind='pdf').pk}/")
    expect(page.get_by_role("heading", name="หลักฐานนี้ถูกถอนแล้ว")).to_be_visible()
