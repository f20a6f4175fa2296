"""Every error of a sheet is reported at once at its cell; damaged files write nothing."""

from collections import Counter
from resource import RUSAGE_SELF, getrusage
from time import monotonic

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from openpyxl.utils import get_column_letter

from exchange.data_sheet.export import SHEET
from exchange.models import ImportJob, ImportJobState
from exchange.whole_plan.export import build_plan_book
from spreadsheets.read import LIMITS, read_workbook
from spreadsheets.uploads import UploadStorage
from tests import sizes
from tests.exchange.workbooks import HEADINGS, edited, exported, fingerprint, opened, preview, saved
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.mutations import mutated

pytestmark = pytest.mark.django_db


@pytest.fixture
def small():
    """A plan of three actions with two units."""
    plan = PlanFactory()
    units = [UnitFactory(abbreviation="กทก."), UnitFactory(abbreviation="กทข.")]
    for number in range(3):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=units[:1], support=units[1:])
    return plan


@pytest.fixture
def person():
    return UserFactory(roles=["coordinator"])


def test_changed_template_is_reported(small, person):
    book, sheet, columns = opened(exported(small))
    sheet.cell(3, columns["status"]).value = "สถานะงาน"
    sheet.cell(3, columns["problem"]).value = None
    job = preview(saved(book), small, person)
    messages = {error["heading"]: error["message"] for error in job.findings["errors"]}
    assert set(messages) == {"สถานะ", "ปัญหาอุปสรรค"}
    assert "สถานะงาน" in messages["สถานะ"]
    del book[SHEET]
    job = preview(saved(book), small, person)
    assert "คำอธิบาย" in job.findings["errors"][0]["message"]


def test_duplicate_and_unknown_columns(small, person):
    book, sheet, _columns = opened(exported(small))
    sheet.cell(3, sheet.max_column + 1).value = HEADINGS["status"]
    assert [error["heading"] for error in preview(saved(book), small, person).findings["errors"]] == ["สถานะ"]
    book, sheet, _columns = opened(exported(small))
    sheet.cell(3, sheet.max_column + 1).value = "บันทึกของฉัน"
    job = preview(saved(book), small, person)
    assert job.state == ImportJobState.UNCHANGED
    assert "บันทึกของฉัน" in job.findings["notes"][0]


def test_merged_and_hidden_cells(small, person):
    book, sheet, columns = opened(exported(small))
    letter = get_column_letter(columns["status"])
    sheet.merge_cells(f"{letter}4:{letter}5")
    job = preview(saved(book), small, person)
    assert [error["message"].count(f"{letter}4:{letter}5") for error in job.findings["errors"]] == [1]
    book, sheet, columns = opened(exported(small))
    sheet.row_dimensions[5].hidden = True
    sheet.column_dimensions[get_column_letter(columns["problem"])].hidden = True
    job = preview(saved(book), small, person)
    assert (job.state, len(job.findings["notes"])) == (ImportJobState.UNCHANGED, 2)


def test_changed_keys_are_errors(small, person):
    data = exported(small)
    for changes, column in (
        ({(4, "ref"): "1.1-A-1x"}, "ref"),
        ({(4, "token"): None}, "token"),
        ({(4, "token"): "abc"}, "token"),
        ({(4, "token"): "99-0123456789"}, "token"),
        ({(5, "ref"): "1.1-A-1"}, "ref"),
        ({(4, "criterion"): "9.9"}, "criterion"),
    ):
        job = preview(edited(data, changes), small, person)
        assert [error["heading"] for error in job.findings["errors"]] == [HEADINGS[column]]


def test_a_sheet_of_another_plan_or_kind(small, person):
    other = PlanFactory()
    job = preview(exported(other), small, person)
    assert (job.state, other.slug in job.refusal) == (ImportJobState.REFUSED, True)
    job = preview(exported(small, UnitFactory()), small, person, unit=UnitFactory())
    assert job.state == ImportJobState.REFUSED
    assert preview(exported(small), None, person).state == ImportJobState.REFUSED


def test_invisible_characters_are_stripped_at_edges_and_refused_within(small, person):
    data = edited(exported(small), {(4, "text"): "\u00a0จัดทำคู่มือ\u200b "})
    [row] = preview(data, small, person).findings["rows"]
    assert row["cells"][0]["after"] == "จัดทำคู่มือ"
    data = edited(exported(small), {(4, "text"): "จัดทำ_x0007_คู่มือ"})
    [error] = preview(data, small, person).findings["errors"]
    assert "U+0007" in error["message"]


UPLOADS = 500 if sizes.IS_FULL else 12  # of each part, which has its own kind of workbook
MAX_SECONDS = LIMITS.seconds + 30  # the reader alone may take LIMITS.seconds, on a busy machine too
MAX_GROWTH = 400 * 1024  # kilobytes of memory, over all uploads of a part


@pytest.mark.apart
@pytest.mark.parametrize("part", range(4))
def test_damaged_workbooks_are_handled_and_write_nothing(client, small, person, part):
    """No upload causes a 500, takes long, says more than a sentence, or is half written."""
    client.force_login(person)
    unit = small.actions.first().assignments.get(role="LEAD").unit
    changes = {(4, "result"): "ข้อความใหม่", (5, "status"): "อยู่ระหว่างดำเนินการ", (5, "progress"): 30}
    if part == 3:
        data, address = saved(build_plan_book(small)), reverse("new_plan")
    else:
        wrong = {(6, "lead"): "หน่วยที่ไม่มี"} if part == 2 else {}
        data = edited(exported(small, None if part else unit), changes | wrong)
        address = reverse("import_list", args=[small.slug])
    before, memory = fingerprint(), getrusage(RUSAGE_SELF).ru_maxrss
    states = Counter()
    first = 10_000 * sizes.SEED + 500 * part
    for seed in range(first, first + UPLOADS):
        with transaction.atomic():
            file = SimpleUploadedFile("แผน.xlsx", mutated(data, seed))
            began = monotonic()
            response = client.post(address, {"file": file})
            assert monotonic() - began < MAX_SECONDS, seed
            assert response.status_code in (302, 422), seed
            if response.status_code == 422:
                [messages] = response.context["form"].errors.values()
                assert is_sentence(*messages), (seed, messages)
            else:
                states[_follow(client, response.url, seed)] += 1
            transaction.set_rollback(True)
    assert fingerprint() == before
    assert getrusage(RUSAGE_SELF).ru_maxrss - memory < MAX_GROWTH
    assert states[ImportJobState.REFUSED] > UPLOADS // 5
    assert sum(states.values()) - states[ImportJobState.REFUSED] > UPLOADS // 25 or part == 2


def is_sentence(text):
    """Whether a message is one sentence for a user, without a trace of the code."""
    return 0 < len(text) < 300 and "\n" not in text and "Error" not in text and "Traceback" not in text


def _follow(client, address, seed):
    """Open the page of an upload, and confirm it or take its marked file; return the state it had."""
    assert client.get(address).status_code == 200, seed
    job = ImportJob.objects.latest("pk")
    state = job.state
    assert state in (ImportJobState.REFUSED, ImportJobState.PREVIEW, ImportJobState.UNCHANGED), seed
    if state == ImportJobState.PREVIEW:
        asked = {row["name"] for row in job.findings["rows"]}
        assert client.post(address, {}).status_code == 302, seed
        job.refresh_from_db()
        if job.state == ImportJobState.WRITTEN and not job.is_new_plan:
            assert len(job.changes) == len(asked), seed
    elif state == ImportJobState.REFUSED and job.refusal:
        assert is_sentence(job.refusal), (seed, job.refusal)
    elif state == ImportJobState.REFUSED:
        assert all(is_sentence(error["message"]) for error in job.findings["errors"]), seed
        answer = client.get(f"{address}marked.xlsx")
        assert answer.status_code in (200, 302), seed
        if answer.status_code == 200:
            marked = read_workbook(b"".join(answer.streaming_content), "a.xlsx")
            assert marked == read_workbook(UploadStorage(name=job.staged).read(), "a.xlsx"), seed
    return state


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        ({"progress": "ห้าสิบ", "status": "ติดปัญหา", "text": ""}, ["text", "progress", "problem"]),
        ({"first": "ปีหน้า", "last": "ปีก่อน", "number": "12345678901"}, ["number", "first", "last"]),
        ({"lead": "ไม่มี", "status": "ยกเลิก"}, ["lead", "reason"]),
        # These follow from the wrong cell.
        ({"status": "เสร็จไหม", "progress": 100}, ["status"]),
        ({"status": "ดำเนินการแล้วเสร็จ", "result": "=1+1", "progress": 100}, ["result"]),
        ({"status": "ดำเนินการแล้วเสร็จ", "latest_result": "พิมพ์ผิดช่อง"}, ["latest_result"]),
        ({"first": "ปีหน้า", "last": None}, ["first"]),
        ({"ref": None, "token": None, "criterion": "9.9", "levels": None}, ["criterion", "levels"]),
    ],
)  # fmt: skip
def test_row_with_a_wrong_cell_is_checked_in_its_other_cells(small, person, report_progress, cells, wrong):
    report_progress(small.actions.first(), person, progress=10, result="เริ่มแล้ว")
    book, sheet, columns = opened(exported(small))
    for name, value in cells.items():
        sheet.cell(4, columns[name]).value = value
    errors = preview(saved(book), small, person).findings["errors"]
    assert [error["heading"] for error in errors] == [HEADINGS[name] for name in wrong]
