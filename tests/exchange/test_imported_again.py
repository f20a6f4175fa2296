"""A workbook that comes in again: recognised, matched row by row, and never twice in the plan."""

from io import BytesIO

import pytest
from openpyxl import load_workbook
from openpyxl.styles import Font

from assignments.access import Access
from assignments.models import Assignment, Unit
from criteria.models import Assessment, Category, Criterion, Requirement, Verdict
from exchange.models import ImportState
from exchange.undo_plan import remove_new_plan
from exchange.whole_plan.export import build_plan_book
from plan.models import ActionItem, Period, Plan, ProgressUpdate
from pmqa_tracker import clock
from tests.exchange.bringing import bring, edited, exported, fingerprint, first_empty, saved, write
from tests.factories import (
    ActionItemFactory,
    CriterionFactory,
    PlanFactory,
    RequirementFactory,
    UnitFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
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
    """The whole plan's workbook as a template of another: another slug, every ref left empty."""
    book = load_workbook(BytesIO(saved(build_plan_book(plan))))
    book["แผน"]["B4"].value = slug
    for row in range(4, book["รายการ"].max_row + 1):
        book["รายการ"].cell(row, 1).value = None
    return book


def resaved(book):
    """The same cells in other bytes, as another program writes them."""
    book["รายการ"]["A1"].font = Font(bold=False, name="Arial")
    book["ช่วงเวลา"].cell(4, 1).value = float(book["ช่วงเวลา"].cell(4, 1).value)
    book["รายการ"].column_dimensions["F"].width = 33
    book.properties.creator = "another"
    return saved(book)


def test_the_same_file_again_says_who_imported_it_and_changes_nothing(world, coordinator):
    data = saved(book_of(world))
    write(bring(data, None, coordinator), coordinator)
    before = fingerprint()
    for again in (data, resaved(load_workbook(BytesIO(data)))):
        batch = bring(again, None, UserFactory(roles=["coordinator"]))
        assert batch.state == ImportState.UNCHANGED
        assert "เคยนำเข้าแล้ว" in batch.refusal
        assert str(coordinator) in batch.refusal
    assert fingerprint() == before


def test_rows_without_a_ref_are_matched_by_what_they_say(world, coordinator):
    """Other spaces, a split ำ and Thai digits make no new action, nor does a row more or another order."""
    made = write(bring(saved(book_of(world)), None, coordinator), coordinator).plan
    before = counts()
    book = book_of(world)
    sheet = book["รายการ"]
    texts = [[cell.value for cell in row] for row in sheet.iter_rows(4, 9)]
    for row, values in zip(range(4, 10), reversed(texts), strict=True):
        values[3], values[5] = "๑", values[5].replace("ทำ", " ทํา ").replace("น", "น ")
        values[4] = None
        for column, value in enumerate(values, start=1):
            sheet.cell(row, column).value = value
    batch = bring(saved(book), None, coordinator)
    assert (batch.state, batch.found["errors"], batch.found["rows"]) == (ImportState.UNCHANGED, [], [])
    assert counts() == before
    assert made.actions.count() == 6


def test_adding_to_a_plan_that_is_there_is_said_first(client, world, coordinator):
    write(bring(saved(book_of(world)), None, coordinator), coordinator)
    book = book_of(world)
    sheet = book["รายการ"]
    text = sheet.cell(4, 6).value
    sheet.cell(4, 6).value = f"{text}ฉบับปรับปรุง"
    batch = bring(saved(book), None, coordinator)
    assert batch.state == ImportState.PREVIEW
    [row] = batch.found["rows"]
    assert (row["kind"], row["row"]) == ("NEW", 4)
    assert text in row["nearest"]
    client.force_login(coordinator)
    page = client.get(f"/new-plan/{batch.key}/").content.decode()
    assert batch.found["adds_to"] in page.replace("&quot;", '"')
    assert page.index("2570)") < page.index('id="sum"')
    assert "ใกล้เคียงที่สุด" in page
    before = counts()
    assert write(batch, coordinator).state == ImportState.WRITTEN
    assert counts() == before | {"ActionItem": before["ActionItem"] + 1, "Assignment": before["Assignment"] + 2}


def test_a_new_plan_is_not_said_to_be_there(world, coordinator):
    batch = bring(saved(book_of(world)), None, coordinator)
    assert (batch.state, batch.found["adds_to"]) == (ImportState.PREVIEW, "")
    assert {row["nearest"] for row in batch.found["rows"]} == {""}


def test_two_rows_that_say_the_same_are_told(world, coordinator):
    book = book_of(world)
    sheet = book["รายการ"]
    for column in range(1, 13):
        sheet.cell(10, column).value = sheet.cell(5, column).value
    batch = bring(saved(book), None, coordinator)
    [error] = batch.found["errors"]
    assert (error["row"], "5" in error["message"]) == (10, True)


def test_two_tabs_make_one_plan(world, coordinator):
    data = saved(book_of(world))
    first, second = bring(data, None, coordinator), bring(data, None, coordinator)
    assert (first.state, second.state) == (ImportState.PREVIEW, ImportState.PREVIEW)
    write(first, coordinator)
    before = fingerprint()
    assert write(second, coordinator).state == ImportState.UNCHANGED
    assert fingerprint() == before


def test_a_file_whose_import_was_undone_may_come_in_again(world, coordinator):
    data = saved(book_of(world))
    batch = write(bring(data, None, coordinator), coordinator)
    remove_new_plan(job=batch, access=Access.of(coordinator), at=clock.now())
    assert bring(data, None, coordinator).state == ImportState.PREVIEW


def test_a_unit_is_known_with_and_without_its_dots(world, coordinator):
    book = book_of(world)
    book["หน่วยงาน"]["A4"].value = book["หน่วยงาน"]["A4"].value.rstrip(".")
    batch = bring(saved(book), None, coordinator)
    assert [(error["sheet"], error["place"]) for error in batch.found["errors"]] == [("หน่วยงาน", "A4")]


def test_an_assessment_is_known_with_other_spaces(world, coordinator):
    write(bring(saved(book_of(world)), None, coordinator), coordinator)
    book = book_of(world, slug="2572")
    values = {cell.value: book["แผน"].cell(cell.row, 2) for cell in book["แผน"]["A"]}
    values["ชื่อการประเมิน"].value = values["ชื่อการประเมิน"].value.replace("ครั้ง", " ครั้ง ")
    before = Assessment.objects.count()
    write(bring(saved(book), None, coordinator), coordinator)
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


def test_new_rows_of_a_data_sheet_come_in_once(world, coordinator):
    data = sheet_with(world, NEW, REPORTED)
    batch = bring(data, world, coordinator)
    assert (batch.state, len(batch.found["rows"])) == (ImportState.PREVIEW, 2)
    write(batch, coordinator)
    before = fingerprint()
    again = bring(data, world, coordinator)
    assert (again.state, again.found["rows"], again.found["errors"]) == (ImportState.UNCHANGED, [], [])
    assert str(coordinator) in again.found["notes"][0]
    assert again.found["absent"] == []
    assert fingerprint() == before


def test_words_of_a_data_sheet_are_reported_once(world, coordinator):
    data = edited(exported(world), {("1.1-X-1", "result"): "จัดทำแล้ว", ("1.1-X-2", "progress"): 30,
                                    ("1.1-X-2", "status"): "อยู่ระหว่างดำเนินการ"})  # fmt: skip
    write(bring(data, world, coordinator), coordinator)
    before = fingerprint()
    again = bring(data, world, coordinator)
    assert (again.state, again.found["rows"]) == (ImportState.UNCHANGED, [])
    assert fingerprint() == before
    fresh = edited(exported(world), {("1.1-X-1", "result"): "จัดทำแล้ว"})
    assert len(bring(fresh, world, coordinator).found["rows"]) == 1


def test_a_change_in_a_row_without_a_ref_belongs_into_its_own_row(world, coordinator):
    write(bring(sheet_with(world, NEW), world, coordinator), coordinator)
    ref = world.actions.get(text=NEW["text"]).ref
    for name, value in {"lead": "กจ.", "last": 3, "result": "ใหม่", "progress": 40}.items():
        batch = bring(sheet_with(world, NEW | {name: value}), world, coordinator)
        [error] = batch.found["errors"]
        assert ref in error["message"]


def test_a_new_row_like_another_action_names_it(world, coordinator):
    batch = bring(sheet_with(world, NEW | {"text": "จัดทำคู่มือการปฏิบัติงานใหม่"}), world, coordinator)
    [row] = batch.found["rows"]
    assert (row["kind"], "1.1-X-" in row["nearest"]) == ("NEW", True)


def test_two_new_rows_that_say_the_same_are_told(world, coordinator):
    batch = bring(sheet_with(world, NEW, NEW), world, coordinator)
    assert batch.state == ImportState.REFUSED
    assert len(batch.found["errors"]) == 1


def test_the_same_words_of_another_unit_are_its_own_report(world, coordinator):
    """The words of a unit are its own report, although an import brought the same ones for another unit meanwhile."""
    units = [Unit.objects.get(abbreviation=name) for name in ("กพร.", "กจ.")]
    sheets = [edited(exported(world, unit), {("1.1-X-1", "result"): "ดำเนินการตามแผน"}) for unit in units]
    for sheet in sheets:
        batch = bring(sheet, world, coordinator)
        [row] = batch.found["rows"]
        batch = write(batch, coordinator, taken={row["row"]})
        assert batch.state == ImportState.WRITTEN
    assert bring(sheets[1], world, coordinator).state == ImportState.UNCHANGED
    told = ProgressUpdate.objects.filter(result="ดำเนินการตามแผน").order_by("version")
    assert [each.unit for each in told] == units


def test_the_same_words_as_in_an_earlier_report_are_reported_again(world, coordinator):
    """A file that was exported after the report says the words once more, also where others edited the row since."""
    words = {("1.1-X-1", "result"): "ดำเนินการตามแผน"}
    write(bring(edited(exported(world), words), world, coordinator), coordinator)
    data = edited(exported(world), words)
    action = world.actions.get(ref="1.1-X-1")
    action.text += " ฉบับใหม่"
    action.save()
    batch = write(bring(data, world, coordinator), coordinator)
    assert (batch.state, len(batch.found["rows"])) == (ImportState.WRITTEN, 1)
    assert ProgressUpdate.objects.filter(result="ดำเนินการตามแผน").count() == 2
    assert bring(data, world, coordinator).state == ImportState.UNCHANGED


@pytest.mark.parametrize("edge", ["\u200b", " \u00a0", "\ufeff", "\n"])
def test_a_plan_whose_texts_end_in_what_no_cell_keeps_comes_back_unchanged(world, coordinator, edge):
    for action in world.actions.all():
        ActionItem.objects.filter(pk=action.pk).update(text=action.text + edge, reading_note=f"ควรตรวจ{edge}")
    for unit in Unit.objects.all():
        Unit.objects.filter(pk=unit.pk).update(name_th=unit.name_th + edge)
    for data, plan in ((saved(build_plan_book(world)), None), (exported(world), world)):
        batch = bring(data, plan, coordinator)
        assert (batch.state, batch.found["errors"]) == (ImportState.UNCHANGED, [])
