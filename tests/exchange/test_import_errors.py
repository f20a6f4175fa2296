"""Every error of a sheet is reported at once at its cell; damaged files write nothing."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from openpyxl.utils import get_column_letter

from exchange.data_sheet.export import SHEET
from exchange.models import ImportJob, ImportJobState
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


@pytest.mark.apart
@pytest.mark.parametrize("part", range(4))
def test_damaged_workbooks_are_handled_and_write_nothing(client, small, person, part):
    """No upload causes a 500 or is half written."""
    client.force_login(person)
    unit = small.actions.first().assignments.get(role="LEAD").unit
    changes = {(4, "result"): "ข้อความใหม่", (5, "status"): "อยู่ระหว่างดำเนินการ", (5, "progress"): 30}
    data = edited(exported(small, unit), changes)
    before = fingerprint()
    address = reverse("import_list", args=[small.slug])
    states = {}
    first = 1000 * sizes.SEED + 250 * part
    for seed in range(first, first + sizes.scaled(250)):
        with transaction.atomic():
            file = SimpleUploadedFile("แผน.xlsx", mutated(data, seed))
            response = client.post(address, {"file": file})
            assert response.status_code in (302, 422), seed
            if response.status_code == 302:
                assert client.get(response.url).status_code == 200, seed
                job = ImportJob.objects.latest("pk")
                states[job.state] = states.get(job.state, 0) + 1
                assert job.state in (ImportJobState.REFUSED, ImportJobState.PREVIEW, ImportJobState.UNCHANGED), seed
                if job.state == ImportJobState.PREVIEW:
                    asked = {row["name"] for row in job.findings["rows"]}
                    assert client.post(response.url, {}).status_code == 302, seed
                    job.refresh_from_db()
                    if job.state == ImportJobState.WRITTEN:
                        assert len(job.changes) == len(asked), seed
            transaction.set_rollback(True)
    assert fingerprint() == before
    assert states[ImportJobState.REFUSED] > sizes.scaled(50)
    assert states.get(ImportJobState.PREVIEW, 0) + states.get(ImportJobState.WRITTEN, 0) > sizes.scaled(10)
