"""Repeated imports: the file is recognised, rows are matched by content, and nothing is added twice."""

from io import BytesIO

import pytest
from openpyxl import load_workbook
from openpyxl.styles import Font

from assignments.access import Access
from assignments.models import Assignment, Unit
from criteria.models import Assessment, Category, Criterion, Requirement, Verdict
from exchange.models import ImportJobState
from exchange.undo_plan import remove_new_plan
from exchange.whole_plan.export import build_plan_book
from plan.models import ActionItem, Period, Plan, ProgressUpdate
from pmqa_tracker import clock
from tests.exchange.workbooks import confirm, edited, exported, fingerprint, first_empty, preview, saved
from tests.factories import (
    ActionItemFactory,
    CriterionFactory,
    PlanFactory,
    RequirementFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]
MODELS = (
    Assessment, Category, Criterion, Requirement, Verdict, Unit, Plan, Period, ActionItem, Assignment, ProgressUpdate,
)  # fmt: skip


def counts():
    return {model.__name__: model.objects.count() for model in MODELS}


@pytest.fixture
def world():
    """A plan of six actions at two criteria, two of them with one text at other levels, led by a unit."""
    plan, unit = PlanFactory(slug="2563"), UnitFactory(abbreviation="กพร.")
    other = UnitFactory(abbreviation="กจ.")
    for code in ("1.1", "1.2"):
        criterion = CriterionFactory(code=code)
        basic, advance = (RequirementFactory(criterion=criterion, level=level) for level in (1, 2))
        for number, (requirements, text) in enumerate(
            (([basic], "จัดทำคู่มือการปฏิบัติงาน"), ([advance], "จัดทำคู่มือการปฏิบัติงาน"), ([advance], "ทบทวนแผนยุทธศาสตร์")), start=1
        ):
            ActionItemFactory(
                plan=plan, criterion=criterion, requirements=requirements, ref=f"{code}-X-{number}", number="1",
                text=text, lead=[unit], support=[other], runs=(1, 2),
            )  # fmt: skip
    return plan


def book_of(plan, *, slug="2570"):
    """The whole-plan workbook as the base of another plan: a new slug and empty refs."""
    book = load_workbook(BytesIO(saved(build_plan_book(plan))))
    book["แผน"]["B4"].value = slug
    for row in range(4, book["รายการ"].max_row + 1):
        book["รายการ"].cell(row, 1).value = None
    return book


def resaved(book):
    """The same cells in a different file, as another program saves it."""
    book["รายการ"]["A1"].font = Font(bold=False, name="Arial")
    book["ช่วงเวลา"].cell(4, 1).value = float(book["ช่วงเวลา"].cell(4, 1).value)
    book["รายการ"].column_dimensions["F"].width = 33
    book.properties.creator = "another"
    return saved(book)


@pytest.mark.both_databases
def test_same_file_again_names_importer_and_changes_nothing(world, coordinator):
    data = saved(book_of(world))
    confirm(preview(data, None, coordinator), coordinator)
    before = fingerprint()
    for again in (data, resaved(load_workbook(BytesIO(data)))):
        job = preview(again, None, UserFactory(roles=["coordinator"]))
        assert job.state == ImportJobState.UNCHANGED
        assert "เคยนำเข้าแล้ว" in job.refusal
        assert str(coordinator) in job.refusal
    assert fingerprint() == before


def test_rows_without_ref_are_matched_by_content(world, coordinator):
    """Spaces, a split ำ, Thai digits and another order do not make a new action."""
    made = confirm(preview(saved(book_of(world)), None, coordinator), coordinator).plan
    before = counts()
    book = book_of(world)
    sheet = book["รายการ"]
    texts = [[cell.value for cell in row] for row in sheet.iter_rows(4, 9)]
    for row, values in zip(range(4, 10), reversed(texts), strict=True):
        values[3], values[5] = "๑", values[5].replace("ทำ", " ทํา ").replace("น", "น ")
        values[4] = None
        for column, value in enumerate(values, start=1):
            sheet.cell(row, column).value = value
    job = preview(saved(book), None, coordinator)
    assert (job.state, job.findings["errors"], job.findings["rows"]) == (ImportJobState.UNCHANGED, [], [])
    assert counts() == before
    assert made.actions.count() == 6


def test_preview_names_existing_plan_first(client, world, coordinator):
    confirm(preview(saved(book_of(world)), None, coordinator), coordinator)
    book = book_of(world)
    sheet = book["รายการ"]
    text = sheet.cell(4, 6).value
    sheet.cell(4, 6).value = f"{text}ฉบับปรับปรุง"
    job = preview(saved(book), None, coordinator)
    assert job.state == ImportJobState.PREVIEW
    [row] = job.findings["rows"]
    assert (row["kind"], row["row"]) == ("NEW", 4)
    assert text in row["nearest"]
    client.force_login(coordinator)
    page = client.get(f"/new-plan/{job.key}/").content.decode()
    assert job.findings["existing_plan"] in page.replace("&quot;", '"')
    assert page.index("2570)") < page.index('id="sum"')
    assert "ใกล้เคียงที่สุด" in page
    before = counts()
    assert confirm(job, coordinator).state == ImportJobState.WRITTEN
    assert counts() == before | {"ActionItem": before["ActionItem"] + 1, "Assignment": before["Assignment"] + 2}


def test_new_plan_has_no_existing_plan_note(world, coordinator):
    job = preview(saved(book_of(world)), None, coordinator)
    assert (job.state, job.findings["existing_plan"]) == (ImportJobState.PREVIEW, "")
    assert {row["nearest"] for row in job.findings["rows"]} == {""}


def test_two_equal_rows_are_an_error(world, coordinator):
    book = book_of(world)
    sheet = book["รายการ"]
    for column in range(1, 13):
        sheet.cell(10, column).value = sheet.cell(5, column).value
    job = preview(saved(book), None, coordinator)
    [error] = job.findings["errors"]
    assert (error["row"], "5" in error["message"]) == (10, True)


@pytest.mark.both_databases
def test_two_previews_create_one_plan(world, coordinator):
    data = saved(book_of(world))
    first, second = preview(data, None, coordinator), preview(data, None, coordinator)
    assert (first.state, second.state) == (ImportJobState.PREVIEW, ImportJobState.PREVIEW)
    confirm(first, coordinator)
    before = fingerprint()
    assert confirm(second, coordinator).state == ImportJobState.UNCHANGED
    assert fingerprint() == before


def test_file_can_be_imported_again_after_undo(world, coordinator):
    data = saved(book_of(world))
    job = confirm(preview(data, None, coordinator), coordinator)
    remove_new_plan(job=job, access=Access.of(coordinator), at=clock.now())
    assert preview(data, None, coordinator).state == ImportJobState.PREVIEW


def test_unit_is_found_with_and_without_dots(world, coordinator):
    book = book_of(world)
    book["หน่วยงาน"]["A4"].value = book["หน่วยงาน"]["A4"].value.rstrip(".")
    job = preview(saved(book), None, coordinator)
    assert [(error["sheet"], error["cell_address"]) for error in job.findings["errors"]] == [("หน่วยงาน", "A4")]


def test_assessment_is_found_with_other_spaces(world, coordinator):
    confirm(preview(saved(book_of(world)), None, coordinator), coordinator)
    book = book_of(world, slug="2572")
    values = {cell.value: book["แผน"].cell(cell.row, 2) for cell in book["แผน"]["A"]}
    values["ชื่อการประเมิน"].value = values["ชื่อการประเมิน"].value.replace("ครั้ง", " ครั้ง ")
    before = Assessment.objects.count()
    confirm(preview(saved(book), None, coordinator), coordinator)
    assert (Assessment.objects.count(), Plan.objects.filter(slug="2572").count()) == (before, 1)


# The data sheet.


def sheet_with(plan, *rows):
    data = exported(plan)
    top = first_empty(data)
    changes = {(top + place, name): value for place, row in enumerate(rows) for name, value in row.items()}
    return edited(data, changes)


NEW = {
    "criterion": "1.1", "levels": "Advance", "number": "2", "text": "ประชุมคณะทำงาน", "lead": "กพร.", "first": 1,
    "last": 2,
}  # fmt: skip
REPORTED = NEW | {"text": "อบรมบุคลากร", "status": "อยู่ระหว่างดำเนินการ", "progress": 20, "result": "อบรมแล้ว"}


@pytest.mark.both_databases
def test_new_rows_of_data_sheet_are_imported_once(world, coordinator):
    data = sheet_with(world, NEW, REPORTED)
    job = preview(data, world, coordinator)
    assert (job.state, len(job.findings["rows"])) == (ImportJobState.PREVIEW, 2)
    confirm(job, coordinator)
    before = fingerprint()
    again = preview(data, world, coordinator)
    assert (again.state, again.findings["rows"], again.findings["errors"]) == (ImportJobState.UNCHANGED, [], [])
    assert str(coordinator) in again.findings["notes"][0]
    assert again.findings["absent"] == []
    assert fingerprint() == before


def test_texts_of_data_sheet_are_reported_once(world, coordinator):
    data = edited(exported(world), {("1.1-X-1", "result"): "จัดทำแล้ว", ("1.1-X-2", "progress"): 30,
                                    ("1.1-X-2", "status"): "อยู่ระหว่างดำเนินการ"})  # fmt: skip
    confirm(preview(data, world, coordinator), coordinator)
    before = fingerprint()
    again = preview(data, world, coordinator)
    assert (again.state, again.findings["rows"]) == (ImportJobState.UNCHANGED, [])
    assert fingerprint() == before
    fresh = edited(exported(world), {("1.1-X-1", "result"): "จัดทำแล้ว"})
    assert len(preview(fresh, world, coordinator).findings["rows"]) == 1


def test_change_in_row_without_ref_names_existing_action(world, coordinator):
    confirm(preview(sheet_with(world, NEW), world, coordinator), coordinator)
    ref = world.actions.get(text=NEW["text"]).ref
    for name, value in {"lead": "กจ.", "last": 3, "result": "ใหม่", "progress": 40}.items():
        job = preview(sheet_with(world, NEW | {name: value}), world, coordinator)
        [error] = job.findings["errors"]
        assert ref in error["message"]


@pytest.mark.both_databases
def test_new_row_names_similar_action(world, coordinator):
    job = preview(sheet_with(world, NEW | {"text": "จัดทำคู่มือการปฏิบัติงานใหม่"}), world, coordinator)
    [row] = job.findings["rows"]
    assert (row["kind"], "1.1-X-" in row["nearest"]) == ("NEW", True)


def test_two_equal_new_rows_are_an_error(world, coordinator):
    job = preview(sheet_with(world, NEW, NEW), world, coordinator)
    assert job.state == ImportJobState.REFUSED
    assert len(job.findings["errors"]) == 1


def test_same_text_of_other_unit_is_a_new_update(world, coordinator):
    """The text of a unit is a new update, although an import has reported the same text for another unit."""
    units = [Unit.objects.get(abbreviation=name) for name in ("กพร.", "กจ.")]
    sheets = [edited(exported(world, unit), {("1.1-X-1", "result"): "ดำเนินการตามแผน"}) for unit in units]
    for sheet in sheets:
        job = preview(sheet, world, coordinator)
        [row] = job.findings["rows"]
        job = confirm(job, coordinator, file_rows={row["row"]})
        assert job.state == ImportJobState.WRITTEN
    assert preview(sheets[1], world, coordinator).state == ImportJobState.UNCHANGED
    updates = ProgressUpdate.objects.filter(result="ดำเนินการตามแผน").order_by("version")
    assert [each.unit for each in updates] == units


def test_same_text_as_earlier_update_is_reported_again(world, coordinator):
    """A file exported after the update reports the same text again, even if others edited the row since."""
    words = {("1.1-X-1", "result"): "ดำเนินการตามแผน"}
    confirm(preview(edited(exported(world), words), world, coordinator), coordinator)
    data = edited(exported(world), words)
    action = world.actions.get(ref="1.1-X-1")
    action.text += " ฉบับใหม่"
    action.save()
    job = confirm(preview(data, world, coordinator), coordinator)
    assert (job.state, len(job.findings["rows"])) == (ImportJobState.WRITTEN, 1)
    assert ProgressUpdate.objects.filter(result="ดำเนินการตามแผน").count() == 2
    assert preview(data, world, coordinator).state == ImportJobState.UNCHANGED


@pytest.mark.parametrize("edge", ["\u200b", " \u00a0", "\ufeff", "\n"])
def test_invisible_characters_at_text_end_are_no_change(world, coordinator, edge):
    for action in world.actions.all():
        ActionItem.objects.filter(pk=action.pk).update(text=action.text + edge, reading_note=f"ควรตรวจ{edge}")
    for unit in Unit.objects.all():
        Unit.objects.filter(pk=unit.pk).update(name_th=unit.name_th + edge)
    for data, plan in ((saved(build_plan_book(world)), None), (exported(world), world)):
        job = preview(data, plan, coordinator)
        assert (job.state, job.findings["errors"]) == (ImportJobState.UNCHANGED, [])
