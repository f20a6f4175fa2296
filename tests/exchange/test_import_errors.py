"""Every error of a sheet is told in one pass at its cell, and none that is not there; damaged files write nothing."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from openpyxl.utils import get_column_letter

from exchange.data_sheet.export import SHEET
from exchange.models import ImportJob, ImportState
from tests import sizes
from tests.exchange.bringing import HEADINGS, bring, edited, exported, fingerprint, opened, saved
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


def test_a_wrong_template_is_told(small, person):
    book, sheet, columns = opened(exported(small))
    sheet.cell(3, columns["status"]).value = "สถานะงาน"
    sheet.cell(3, columns["problem"]).value = None
    batch = bring(saved(book), small, person)
    told = {error["heading"]: error["message"] for error in batch.found["errors"]}
    assert set(told) == {"สถานะ", "ปัญหาอุปสรรค"}
    assert "สถานะงาน" in told["สถานะ"]
    del book[SHEET]
    batch = bring(saved(book), small, person)
    assert "คำอธิบาย" in batch.found["errors"][0]["message"]


def test_a_column_that_is_there_twice_or_unknown(small, person):
    book, sheet, _columns = opened(exported(small))
    sheet.cell(3, sheet.max_column + 1).value = HEADINGS["status"]
    assert [error["heading"] for error in bring(saved(book), small, person).found["errors"]] == ["สถานะ"]
    book, sheet, _columns = opened(exported(small))
    sheet.cell(3, sheet.max_column + 1).value = "บันทึกของฉัน"
    batch = bring(saved(book), small, person)
    assert batch.state == ImportState.UNCHANGED
    assert "บันทึกของฉัน" in batch.found["notes"][0]


def test_merged_and_hidden_cells(small, person):
    book, sheet, columns = opened(exported(small))
    letter = get_column_letter(columns["status"])
    sheet.merge_cells(f"{letter}4:{letter}5")
    batch = bring(saved(book), small, person)
    assert [error["message"].count(f"{letter}4:{letter}5") for error in batch.found["errors"]] == [1]
    book, sheet, columns = opened(exported(small))
    sheet.row_dimensions[5].hidden = True
    sheet.column_dimensions[get_column_letter(columns["problem"])].hidden = True
    batch = bring(saved(book), small, person)
    assert (batch.state, len(batch.found["notes"])) == (ImportState.UNCHANGED, 2)


def test_keys_that_were_changed(small, person):
    data = exported(small)
    for changes, column in (
        ({(4, "ref"): "1.1-A-1x"}, "ref"),
        ({(4, "token"): None}, "token"),
        ({(4, "token"): "abc"}, "token"),
        ({(4, "token"): "99-0123456789"}, "token"),
        ({(5, "ref"): "1.1-A-1"}, "ref"),
        ({(4, "criterion"): "9.9"}, "criterion"),
    ):
        batch = bring(edited(data, changes), small, person)
        assert [error["heading"] for error in batch.found["errors"]] == [HEADINGS[column]]


def test_a_sheet_of_another_plan_or_kind(small, person):
    other = PlanFactory()
    batch = bring(exported(other), small, person)
    assert (batch.state, other.slug in batch.refusal) == (ImportState.REFUSED, True)
    batch = bring(exported(small, UnitFactory()), small, person, unit=UnitFactory())
    assert batch.state == ImportState.REFUSED
    assert bring(exported(small), None, person).state == ImportState.REFUSED


def test_text_from_elsewhere_is_cleaned_at_its_edges_and_refused_within(small, person):
    data = edited(exported(small), {(4, "text"): "\u00a0จัดทำคู่มือ\u200b "})
    [row] = bring(data, small, person).found["rows"]
    assert row["cells"][0]["after"] == "จัดทำคู่มือ"
    data = edited(exported(small), {(4, "text"): "จัดทำ_x0007_คู่มือ"})
    [error] = bring(data, small, person).found["errors"]
    assert "U+0007" in error["message"]


@pytest.mark.apart
@pytest.mark.parametrize("part", range(4))
def test_damaged_workbooks_are_answered_and_write_nothing(client, small, person, part):
    """Each is uploaded like any other; none is answered by 500, none is half written."""
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
                batch = ImportJob.objects.latest("pk")
                states[batch.state] = states.get(batch.state, 0) + 1
                assert batch.state in (ImportState.REFUSED, ImportState.PREVIEW, ImportState.UNCHANGED), seed
                if batch.state == ImportState.PREVIEW:
                    asked = {row["name"] for row in batch.found["rows"]}
                    assert client.post(response.url, {}).status_code == 302, seed
                    batch.refresh_from_db()
                    if batch.state == ImportState.WRITTEN:
                        assert len(batch.written) == len(asked), seed
            transaction.set_rollback(True)
    assert fingerprint() == before
    assert states[ImportState.REFUSED] > sizes.scaled(50)
    assert states.get(ImportState.PREVIEW, 0) + states.get(ImportState.WRITTEN, 0) > sizes.scaled(10)
