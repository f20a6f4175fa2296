"""The meeting pack printed by LibreOffice, with the wide font that it takes where TH Sarabun New is not installed."""

import os
import re
import shutil
import subprocess
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from defusedxml.ElementTree import fromstring
from django.utils.translation import override
from docx import Document
from docx.shared import Cm

from plan.models import Plan
from reports.meeting.document import build_meeting_word
from tests.conftest import IS_REQUIRED
from tests.reports.test_sentences import read_pack

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo"), pytest.mark.apart]

FONTS = Path("/usr/share/fonts/truetype")
STAND_INS = (FONTS / "tlwg/Waree.ttf", FONTS / "tlwg/Waree-Bold.ttf")
SETTINGS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>{fonts}/cache</cachedir>
<include ignore_missing="yes">/etc/fonts/conf.d</include></fontconfig>"""
# The headings of the template; a line may end only at "|" or a space.
HEADINGS = (
    "ตัวเลข", "ผลต่าง", "หมวด", "หน่วย|งาน", "ทั้งหมด", "ดำเนินการ|แล้ว|เสร็จ", "อยู่|ระหว่าง|ดำเนินการ", "ติด|ปัญหา",
    "ยัง|ไม่|ดำเนินการ", "ยกเลิก", "ล่าช้า", "ความ|ก้าวหน้า", "เกณฑ์", "Basic", "Advance", "Significance", "คะแนน", "รหัส",
    "สิ่ง|ที่|ต้อง|ดำเนินการ", "หลัก", "ล่าช้า (วัน)", "ปัญหา|อุปสรรค", "สถานะ", "รหัส|รายการ",
)  # fmt: skip
# Marks above and below letters may come in another order, and tall letters under a mark without a code.
UNREAD = re.compile("[^A-Za-z()ก-ฮะาเ-ๆ]|[ปฝฟ]")


class Piece(NamedTuple):
    """Letters without a space between them on one line; where they begin and end, in points from the upper left."""

    left: float
    top: float
    right: float
    bottom: float
    text: str

    def continues(self, other: "Piece") -> bool:
        """Whether it stands on the next line of the same cell."""
        height = other.bottom - other.top
        is_next = 0.3 * height < self.top - other.top < 1.6 * height
        return is_next and (abs(self.left - other.left) < 2 or abs(self.right - other.right) < 2)


def letters(text: str) -> str:
    return UNREAD.sub("", text.replace("ำ", "า"))


@pytest.fixture
def pages(settings, tmp_path):
    """Return the pieces of each page, from the top down."""
    office, reader = shutil.which("soffice"), shutil.which("pdftotext")
    is_complete = office and reader and all(path.exists() for path in (*STAND_INS, Path("/usr/bin/lowriter")))
    if not is_complete and not IS_REQUIRED:
        pytest.skip("LibreOffice Writer, pdftotext or a Thai font is missing")
    assert is_complete
    with override("th"):
        pack = read_pack(Plan.objects.get(), date(2020, 5, 15), date(2020, 4, 10))
        build_meeting_word(pack, settings.PMQA_MEETING_TEMPLATE).save(tmp_path / "pack.docx")
    for path in STAND_INS:
        shutil.copy(path, tmp_path)
    (tmp_path / "fonts.conf").write_text(SETTINGS.format(fonts=tmp_path))
    subprocess.run(
        [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf",
         "--outdir", str(tmp_path), str(tmp_path / "pack.docx")],
        check=True, capture_output=True, timeout=300, env=os.environ | {"FONTCONFIG_FILE": f"{tmp_path}/fonts.conf"},
    )  # fmt: skip
    subprocess.run([reader, "-bbox", tmp_path / "pack.pdf", tmp_path / "pack.html"], check=True, timeout=300)
    html = (tmp_path / "pack.html").read_text()
    return [joined(fromstring(page)) for page in re.findall(r"<page .*?</page>", html, re.DOTALL)]


def joined(words):
    """Return the words of a page as pieces, from the top down; pdftotext ends a word after some marks too."""
    pieces: list[Piece] = []
    for word in words:
        left, top, right, bottom = (float(word.get(side)) for side in ("xMin", "yMin", "xMax", "yMax"))
        text = letters(word.text or "")
        if pieces and abs(pieces[-1].top - top) < 1 and 0 <= left - pieces[-1].right < 1.5:
            left, text = pieces[-1].left, pieces.pop().text + text
        pieces.append(Piece(left, top, right, bottom, text))
    return sorted(pieces, key=lambda piece: piece.top)


def headings_of(page):
    """Yield the pieces of each row of headings: down to the next piece at the left edge of the table."""
    starts = {letters(each) for each in ("ตัวเลข", "หมวด", "หน่วยงาน", "เกณฑ์", "รหัส", "หลัก")}
    at_edge = [piece for piece in page if piece.left < Cm(2.3).pt]
    for piece, below in pairwise(at_edge):
        if piece.text in starts:
            yield [each for each in page if piece.top - 2 <= each.top < below.top - 2]


def test_no_word_of_a_heading_and_no_unit_is_broken(pages, settings):
    tables = Document(settings.PMQA_MEETING_TEMPLATE).tables
    template = {cell.text for table in tables for cell in table.rows[0].cells if "{{" not in cell.text}
    assert template == {each.replace("|", "") for each in HEADINGS}
    allowed = set()  # (end of a line, beginning of the next one)
    for heading in HEADINGS:
        words = [letters(word) for word in re.split(r"[| ]", heading)]
        allowed |= {("".join(words[:place]), "".join(words[place:])) for place in range(1, len(words))}
        allowed |= {(first, second) for first in words for second in words}
    rows = [row for page in pages for row in headings_of(page)]
    broken = {
        (piece.text, below.text)
        for row in rows for piece in row for below in row
        if below.continues(piece) and (piece.text, below.text) not in allowed
    }  # fmt: skip
    assert broken == set()
    assert len(rows) >= len(tables)
    texts = {piece.text for page in pages for piece in page}
    assert letters("ทุกหน่วยงาน") in texts
    assert not {letters("ทุก"), letters("ทุกหน่วย")} & texts
