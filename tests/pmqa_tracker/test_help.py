"""The manual: each page leads to its section, languages agree, search finds Thai words, names are those of the site."""

import re

import polib
import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from pmqa_tracker.help.chapters import CHAPTERS, SECTION_OF_PAGE
from pmqa_tracker.help.manual import read_page, search
from tests.factories import UserFactory
from tests.test_house import ROOT

pytestmark = pytest.mark.django_db
LABEL = re.compile(r"\*\*(.+?)\*\*")
LANGUAGES = ("th", "en")


def anchors(language):
    return {f"{name}#{section.anchor}" for name in CHAPTERS for section in read_page(CHAPTERS[name], language).sections}


def test_every_page_leads_to_a_section_that_both_languages_have():
    assert set(SECTION_OF_PAGE) <= {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert [name for name, section in SECTION_OF_PAGE.items() if section not in anchors("en")] == []
    assert anchors("th") == anchors("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_in_the_manual_are_those_of_the_site(language):
    texts = {
        text.strip() for entry in polib.pofile(str(ROOT / "locale/th/LC_MESSAGES/django.po")) if not entry.obsolete
        for text in ([entry.msgstr] if language == "th" else [entry.msgid])
    }  # fmt: skip
    named = {label for chapter in CHAPTERS.values() for label in LABEL.findall(chapter.path(language).read_text())}
    assert len(named) > 20
    assert named - texts == set()


def test_pictures_and_links_lead_to_the_site_and_html_is_only_text(client, tmp_path, monkeypatch):
    page = read_page(CHAPTERS["staff"], "th").html
    assert re.search(r'<img src="/static/img/help/th/my[^"]*\.png" alt="[^"]+"', page)
    (tmp_path / "x.md").write_text("# A\n\n[b](manager.md) <b>c</b> [d](javascript:e)\n")
    monkeypatch.setattr(type(CHAPTERS["staff"]), "path", lambda chapter, language: tmp_path / "x.md")
    shown = read_page.__wrapped__(CHAPTERS["staff"], "th").html
    assert f'href="{reverse("help_chapter", args=["manager"])}"' in shown
    assert "&lt;b&gt;c&lt;/b&gt; [d](javascript:e)" in shown


@pytest.mark.parametrize(
    ("typed", "language", "found"),
    [
        ("ถอนหลักฐาน", "th", "staff#attach-evidence"),
        ("ส่ง กลับ เหตุผล", "th", "coordinator#review-the-reports-of-a-period"),
        ("กำหนด  เวลา", "th", "staff#find-an-action"),  # ำ in its other spelling
        ("undo import", "en", "coordinator#data-sheet-and-import"),
    ],
)
def test_search_finds_the_section(client, typed, language, found):
    assert found in {f"{hit.chapter.name}#{hit.section.anchor}" for hit in search(typed, language)}
    client.force_login(UserFactory())
    client.cookies["django_language"] = language
    body = client.get("/help/", {"q": typed}).content.decode()
    chapter, anchor = found.split("#")
    assert f'href="/help/{chapter}/#{anchor}"' in body


def test_search_without_a_hit_says_what_to_do(client):
    client.force_login(UserFactory())
    body = client.get("/help/", {"q": "<ไม่มีคำนี้>"}).content.decode()
    assert "พบ 0 หัวข้อเกี่ยวกับ “&lt;ไม่มีคำนี้&gt;”" in body
    assert "ลองใช้คำที่สั้นลงหรือคำอื่น" in body
    assert client.get("/help/nowhere/").status_code == 404


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        ("staff", "“งานของฉัน” แสดงเรื่องที่"), ("management", "ตัวเลขทุกตัวเป็นลิงก์"), ("coordinator", "“การส่งรายงาน” แสดงว่า"),
        ("assessor", "แผนที่ระดับแสดงว่า"),
    ],
)  # fmt: skip
def test_introduction_of_a_role_is_shown_until_it_is_closed(client, role, sentence):
    person = UserFactory(roles=[role])
    client.force_login(person)
    page = client.get("/plans/?q=x").content.decode()
    assert sentence in page
    assert sentence not in client.get("/help/").content.decode()
    hidden = dict(re.findall(r'name="(form_owner|next)" value="([^"]*)"', page[page.index("introduction-title") :]))
    answer = client.post("/introduction/close/", hidden)
    assert (answer.status_code, answer.url) == (302, "/plans/?q=x")
    assert sentence not in client.get("/plans/?q=x").content.decode()
    other = Client()
    other.force_login(UserFactory(roles=[role]))
    assert sentence in other.get("/plans/").content.decode()


@pytest.mark.parametrize(("given", "url"), [("//elsewhere.example/", "/"), ("", "/"), ("1", "1"), ("setup", "setup")])
def test_introduction_leads_to_no_other_site(client, given, url):
    client.force_login(UserFactory(roles=["staff"]))
    answer = client.post("/introduction/close/", {"next": given})
    assert (answer.status_code, answer.url) == (302, url)
