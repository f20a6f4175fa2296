"""A refused workbook comes back with its errors marked, and goes in once they are corrected."""

import re
from io import BytesIO

import pytest
from django.core.management import call_command
from django.db import transaction
from openpyxl import load_workbook

from assignments.models import Unit
from exchange.data_sheet.export import SHEET
from exchange.models import ImportJob, ImportJobState
from exchange.whole_plan.export import build_plan_book
from spreadsheets.edited import UneditableError
from spreadsheets.marked import Mark, mark_workbook
from spreadsheets.read import read_workbook
from spreadsheets.uploads import UploadStorage
from tests.exchange.workbooks import confirm, edited, exported, opened, places, preview, saved
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory
from tests.odd_workbooks import ODDITIES, packed, unpacked

pytestmark = pytest.mark.django_db


def make_plan():
    plan = PlanFactory(slug="2563")
    lead = UnitFactory(abbreviation="กทก.")
    for number in range(4):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=[lead])
    return plan


@pytest.fixture
def plan():
    return make_plan()


@pytest.fixture(scope="module")
def data_sheet(rolled_back):
    """The data sheet of a plan that is not in the database any more."""
    with transaction.atomic():
        data = exported(make_plan())
        transaction.set_rollback(True)
    return data


def downloaded(client, job, path):
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "attachment" in response.headers["Content-Disposition"]
    return b"".join(response.streaming_content)


def marked(data, sheet=SHEET):
    """Address → text of the comments."""
    rows = load_workbook(BytesIO(data))[sheet].iter_rows()
    return {cell.coordinate: cell.comment.text for row in rows for cell in row if cell.comment}


WRONG = {
    ("1.1-A-1", "status"): "เสรจแล้วนะ",
    ("1.1-A-2", "progress"): 120,
    ("1.1-A-2", "lead"): "กทฮ.",
    ("1.1-A-4", "ref"): "9.9-X-9",
}


@pytest.mark.parametrize("is_unit", [False, True])
def test_errors_come_back_in_the_file_and_corrected_file_is_imported(client, plan, coordinator, is_unit):
    unit = Unit.objects.get(abbreviation="กทก.") if is_unit else None
    original = exported(plan, unit)
    data = edited(original, WRONG)
    job = preview(data, plan, coordinator)
    assert job.state == ImportJobState.REFUSED
    client.force_login(coordinator)
    path = f"/plans/2563/import/{job.key}/marked.xlsx"
    assert path in client.get(f"/plans/2563/import/{job.key}/").content.decode()
    made = downloaded(client, job, path)
    notes = marked(made)
    assert sorted(notes) == places(job)
    [unknown] = [error for error in job.findings["errors"] if error["value"] == "9.9-X-9"]
    assert set(unknown["candidates"]) <= set(plan.actions.values_list("ref", flat=True))
    assert len(unknown["candidates"]) == 3
    for error in job.findings["errors"]:
        assert error["message"] in notes[error["cell_address"]]
        assert all(candidate in notes[error["cell_address"]] for candidate in error["candidates"])
    before, after = unpacked(data), unpacked(made)
    changed = {name for name in before if before[name] != after[name]} - {"xl/worksheets/_rels/sheet1.xml.rels"}
    assert changed == {"xl/styles.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"}
    assert read_workbook(made, "a.xlsx") == read_workbook(data, "a.xlsx")
    # The coordinator corrects the cells in the marked file, and leaves the marks.
    book, sheet, columns = opened(made)
    _book, right, _columns = opened(original)
    for address in notes:
        sheet[address].value = right[address].value
    sheet.cell(4, columns["result"]).value = "ทำแล้ว"
    job = preview(saved(book), plan, coordinator)
    assert (job.state, [row["name"] for row in job.findings["rows"]]) == (ImportJobState.PREVIEW, ["1.1-A-1"])
    assert confirm(job, coordinator).state == ImportJobState.WRITTEN


def test_errors_of_whole_plan_come_back_in_the_file(client, plan, coordinator):
    book = load_workbook(BytesIO(saved(build_plan_book(plan))))
    lines = {cell.value: cell.row for cell in book["แผน"]["A"]}
    book["แผน"].cell(lines["รหัสแผน"], 2).value = "2570"
    book["แผน"].cell(lines["วันเริ่มแผน"], 2).value = "เมื่อวาน"
    book["ช่วงเวลา"]["B4"].value = "วันไหน"
    job = preview(saved(book), None, coordinator)
    assert job.state == ImportJobState.REFUSED
    client.force_login(coordinator)
    page = client.get(f"/new-plan/{job.key}/").content.decode()
    assert f"/new-plan/{job.key}/marked.xlsx" in page
    made = downloaded(client, job, f"/new-plan/{job.key}/marked.xlsx")
    assert f"B{lines['วันเริ่มแผน']}" in marked(made, "แผน")
    assert "B4" in marked(made, "ช่วงเวลา")


def test_page_says_so_when_the_file_is_gone(client, plan, coordinator, settings):
    client.force_login(coordinator)
    job = preview(edited(exported(plan), WRONG), plan, coordinator)
    page, path = f"/plans/2563/import/{job.key}/", f"/plans/2563/import/{job.key}/marked.xlsx"
    settings.PMQA_KEPT_HOURS = 0
    assert path not in client.get(page).content.decode()
    response = client.get(path, follow=True)
    assert (response.redirect_chain, "เก็บไว้แล้ว" in response.content.decode()) == ([(page, 302)], True)
    settings.PMQA_KEPT_HOURS = 24
    UploadStorage(name=job.staged).remove()
    assert path not in client.get(page).content.decode()
    assert client.get(path, follow=True).redirect_chain == [(page, 302)]


def test_stored_file_of_refused_import_is_deleted_by_the_rule_of_previews(plan, coordinator, settings):
    job = preview(edited(exported(plan), WRONG), plan, coordinator)
    assert UploadStorage(name=job.staged).is_stored
    settings.PMQA_KEPT_HOURS = -1
    call_command("clean_up", verbosity=0)
    assert not UploadStorage(name=job.staged).is_stored


def test_file_without_errors_in_cells_is_not_kept(client, plan, coordinator):
    client.force_login(coordinator)
    for data in (b"PK no workbook", exported(plan)):
        job = preview(data, plan, coordinator)
        assert job.staged == ""
        assert client.get(f"/plans/2563/import/{job.key}/marked.xlsx").status_code == 404


def test_only_coordinators_of_the_organization_get_the_file(client, plan, coordinator):
    job = preview(edited(exported(plan), WRONG), plan, coordinator)
    path = f"/plans/2563/import/{job.key}/marked.xlsx"
    assert client.get(path).status_code == 302
    client.force_login(UserFactory(roles=["staff"]))
    assert client.get(path).status_code == 403
    assert ImportJob.objects.get(pk=job.pk).staged


def test_page_says_so_when_the_file_cannot_be_marked(client, plan, coordinator):
    """Cells are read without namespaces, but a part without one is not edited."""
    client.force_login(coordinator)
    for part in ("xl/worksheets/sheet1.xml", "xl/styles.xml", "[Content_Types].xml"):
        parts = unpacked(edited(exported(plan), WRONG))
        parts[part] = re.sub(rb' xmlns="[^"]*"', b"", parts[part])
        job = preview(packed(parts), plan, coordinator)
        response = client.get(f"/plans/2563/import/{job.key}/marked.xlsx", follow=True)
        assert response.redirect_chain == [(f"/plans/2563/import/{job.key}/", 302)]
        assert "ไม่สามารถทำเครื่องหมาย" in response.content.decode()


@pytest.mark.long
@pytest.mark.parametrize("oddity", ODDITIES)
def test_workbook_of_other_program_is_marked_or_left_alone(data_sheet, oddity):
    data = ODDITIES[oddity](data_sheet)
    try:
        made = mark_workbook(data, [Mark(sheet=SHEET, row=4, column=5, text="ผิดตรงนี้")])
    except UneditableError:
        assert oddity in NOT_MARKED
        return
    assert oddity not in NOT_MARKED
    assert read_workbook(made, "a.xlsx") == read_workbook(data, "a.xlsx")
    assert sum("ผิดตรงนี้".encode() in content for content in unpacked(made).values()) == 1


NOT_MARKED = {"no content types", "broken content types", "broken styles", "a wrong checksum of a picture"}
