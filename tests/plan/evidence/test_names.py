"""Names of evidence files: a Thai title is kept, and the name of a download is shortened in its middle."""

import re
import unicodedata
from io import BytesIO
from urllib.parse import quote, unquote
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from plan.evidence.names import clean_name
from plan.models import Evidence
from pmqa_tracker import thai
from pmqa_tracker.long_names import download_name
from spreadsheets.downloads import xlsx_response
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.plan.evidence.test_views import PDF
from tests.plan.posting import multipart

TITLE = "รายงานผลการดำเนินงานตามแผนพัฒนาองค์การ การเตรียมความพร้อมรับการตรวจประเมิน และข้อเสนอของคณะทำงานที่เกี่ยวข้อง"
LONG = f"{TITLE * 2} ครั้งที่ ๒-๒๕๖๓ (ฉบับแก้ไข).pdf"[-200:]
THAI = st.text(st.sampled_from([*"กขณญฟ ๑a.-()", *thai.MARKS, "ำ", "า", "เ", "แ"]), min_size=1, max_size=300)


@pytest.fixture
def send(client):
    """Post a PDF under a name with an update, and return its evidence."""
    unit = UnitFactory()
    action = ActionItemFactory(plan=PlanFactory(slug="2563"), lead=[unit])
    client.force_login(UserFactory(roles=["staff"], units=[unit]))

    def inner(name, *, is_encoded=False):
        fields = {
            "version": action.version,
            "op_id": uuid4(),
            "status_to": action.status,
            "progress_to": action.progress,
        }
        body, content_type = multipart(fields, name, PDF)
        if is_encoded:
            body = body.replace(f'filename="{name}"'.encode(), f"filename*=UTF-8''{quote(name)}".encode())
        response = client.post(f"/plans/2563/actions/{action.ref}/", body, content_type=content_type)
        assert response.status_code == 302, response.content.decode()
        return Evidence.objects.get()

    return inner


def downloaded_as(client, evidence):
    header = client.get(f"/plans/2563/evidence/{evidence.pk}/").headers["Content-Disposition"]
    return unquote(re.search(r"""filename(\*=utf-8''|=")([^"]*)""", header)[2])


@pytest.mark.django_db
@pytest.mark.both_databases
def test_title_of_200_letters_stays_whole(client, send):
    evidence = send(LONG)
    assert len(LONG) == 200
    assert evidence.title == evidence.original_name == LONG
    name = downloaded_as(client, evidence)
    assert len(name.encode()) <= 240
    assert name.startswith(LONG[:30])
    assert name.endswith("ครั้งที่ ๒-๒๕๖๓ (ฉบับแก้ไข).pdf")


@pytest.mark.django_db
@pytest.mark.both_databases(every=True)
@pytest.mark.parametrize("is_encoded", [False, True])
@pytest.mark.parametrize("letters", [200, 255, 300, 800])
def test_file_with_a_long_name_is_never_dropped(send, letters, is_encoded):
    name = f"{TITLE * 8}"[: letters - 12] + " ครั้งที่ ๒.pdf"[-12:]
    assert len(name) == letters
    evidence = send(name, is_encoded=is_encoded)
    assert len(evidence.title) <= 200
    assert evidence.title.startswith(TITLE[:50])
    assert evidence.title.endswith(name[-12:])
    assert (evidence.title == name) == (letters == 200)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "title"),
    [
        (unicodedata.normalize("NFD", "Résumé น้ำ.pdf"), "Résumé น้ำ.pdf"),
        ("C:\\งาน\\แผน 2563\\ผล.pdf", "ผล.pdf"),
        ("../../ผล.pdf", "ผล.pdf"),
        ("ผล\u202e\u200bงาน.pdf", "ผลงาน.pdf"),
        ("CON.pdf", "_CON.pdf"),
        ("ผลงาน.pdf. . ", "ผลงาน.pdf"),
        ("ข้อ 1." + "ผลการดำเนินงาน" * 12, "ข้อ 1." + "ผลการดำเนินงาน" * 12),
    ],
)
def test_title_is_the_name_as_the_user_reads_it(client, send, name, title):
    evidence = send(name)
    assert evidence.title == title
    assert downloaded_as(client, evidence) == download_name(title)


@pytest.mark.django_db
def test_name_that_is_too_long_keeps_its_end(send):
    title = send("ก" * 260 + "ฉบับแก้ไข.pdf").title
    assert len(title) == 200
    assert title.endswith("ฉบับแก้ไข.pdf")


@given(THAI)
def test_shortened_name_keeps_both_ends_and_no_mark_without_its_letter(text):
    name = clean_name(f"{text}.pdf")
    short = download_name(name)
    assert len(name) <= 200
    assert len(short.encode()) <= 240
    if short == name:
        return
    head, tail = short.rsplit("…", 1)
    assert name.startswith(head)
    assert name.endswith(tail)
    assert tail.endswith(".pdf") or len(tail) < 4
    after_head, before_tail = name[len(head) :].lstrip()[0], tail[0]
    assert not unicodedata.category(after_head).startswith("M")
    assert not unicodedata.category(before_tail).startswith("M")
    assert "ำ" not in (after_head, before_tail)


def test_name_of_an_exported_workbook_fits():
    file = BytesIO()
    Workbook().save(file)
    header = xlsx_response(file, TITLE * 3).headers["Content-Disposition"]
    name = unquote(re.search(r"filename\*=utf-8''(.*)", header)[1])
    assert len(name.encode()) <= 240
    assert name.endswith(f"{TITLE[-10:]}.xlsx")
