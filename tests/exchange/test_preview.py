"""The preview shows exactly the values that the confirmation writes, for random edits."""

from io import BytesIO
from random import Random

import pytest
from openpyxl import load_workbook

from criteria.models import Assessment, Level
from exchange.data_sheet.columns import ACTION_COLUMNS, TEXT_COLUMNS, ActionSheet, ColumnGroup
from exchange.models import ImportJobState
from exchange.whole_plan.export import build_plan_book
from plan.models import ActionItem, ProgressUpdate
from tests import sizes
from tests.exchange.random_edits import random_changes
from tests.exchange.workbooks import confirm, edited, exported, first_empty, preview, saved
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]
PROGRESS = ("status", "progress", *TEXT_COLUMNS)


def seeds(full):
    """The seeds of this run, where a full run has `full` of them."""
    return range(100 * sizes.SEED, 100 * sizes.SEED + sizes.scaled(full))


@pytest.fixture
def plan():
    plan = PlanFactory(slug="2563")
    units = [UnitFactory(abbreviation=f"หน่วย{number}.") for number in range(5)]
    for number in range(8):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=units[number % 4 :][:2], support=units[4:])
    return plan


def held(plan):
    """Ref → heading → text of every value that a data sheet can change."""
    sheet = ActionSheet(list(plan.periods.all()), ())
    rows = {}
    for action in ActionItem.objects.filter(plan=plan).with_details():
        named = {**sheet.stored_columns, **{name: sheet.columns[name] for name in ("ref", "criterion")}}
        rows[action.ref] = {column.heading: column.display(column.stored(action)) for column in named.values()}
    return rows


def written(plan, job, before):
    """Ref → heading → (before, after) of every value that has changed in the database."""
    found = {}
    for ref, cells in held(plan).items():
        old = before.get(ref, {})
        changed = {heading: (old.get(heading, ""), value) for heading, value in cells.items()}
        update = ProgressUpdate.objects.filter(import_key=job.key, action__ref=ref, action__plan=plan).first()
        for name in TEXT_COLUMNS:
            changed[ACTION_COLUMNS[name].heading] = ("", getattr(update, name) if update else "")
        if changed := {heading: pair for heading, pair in changed.items() if pair[0] != pair[1]}:
            found[ref] = changed
    return found


def promised(job):
    """Ref → heading → (before, after) in the preview."""
    return {
        _ref(row): {cell["heading"]: (cell["before"], cell["after"]) for cell in row["cells"]}
        for row in job.findings["rows"]
    }


def _ref(row):
    """The ref of a row; a new row has it among its values. Both workbooks use the same heading."""
    cells = {cell["heading"]: cell["after"] for cell in row["cells"]}
    return cells.get(ACTION_COLUMNS["ref"].heading, row["name"])


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", seeds(30))
def test_preview_of_data_sheet_equals_result(plan, coordinator, seed):
    for step in range(2):
        before = held(plan)
        changes = random_changes(exported(plan), plan, seed * 10 + step, rows=6, new=2)
        job = preview(edited(exported(plan), changes), plan, coordinator)
        assert job.state == ImportJobState.PREVIEW, job.findings["errors"]
        wanted = promised(job)
        job = confirm(job, coordinator)
        assert job.state == ImportJobState.WRITTEN
        assert wanted == written(plan, job, before)


@pytest.mark.parametrize("seed", seeds(20))
def test_preview_of_unit_sheet_equals_result(plan, coordinator, seed):
    unit = plan.actions.first().assignments.get(role="LEAD", position=0).unit
    led = set(plan.actions.for_units([unit], role="LEAD").values_list("ref", flat=True))
    changes = random_changes(exported(plan), plan, seed, rows=8)
    statuses = {ref for (ref, name), value in changes.items() if name == "status" and value == "ยกเลิก"}
    changes = {
        (ref, name): value
        for (ref, name), value in changes.items()
        if ref in led - statuses and ACTION_COLUMNS[name].group == ColumnGroup.PROGRESS
    } or {(min(led), "result"): "ทำแล้ว"}
    before = held(plan)
    job = preview(edited(exported(plan, unit), changes), plan, coordinator)
    assert job.state == ImportJobState.PREVIEW, job.findings["errors"]
    wanted = promised(job)
    assert wanted == written(plan, confirm(job, coordinator), before)


def plan_book(plan, seed):
    """A whole-plan workbook for another plan, with random edits and empty cells for the site to fill."""
    random = Random(seed)  # noqa: S311 - nothing here is secret
    book = load_workbook(BytesIO(saved(build_plan_book(plan))))
    head = {cell.value: book["แผน"].cell(cell.row, 2) for cell in book["แผน"]["A"]}
    head["รหัสแผน"].value, head["ชื่อการประเมิน"].value = f"25{70 + seed}", f"การประเมินปี {seed}"
    sheet = book["รายการ"]
    columns = {cell.value: cell.column for cell in sheet[3]}
    for row in range(4, 4 + plan.actions.count()):
        sheet.cell(row, columns["สิ่งที่ต้องดำเนินการ"]).value = f"ข้อความ {row} {random.randint(100, 999)}"
        for heading in random.sample(["รหัสรายการ", "ลำดับ", "ข้อที่", "ที่มาของช่วงเวลา", "หน่วยงานสนับสนุน"], 3):
            sheet.cell(row, columns[heading]).value = None
    return saved(book)


@pytest.mark.parametrize("seed", seeds(20))
def test_preview_of_whole_plan_equals_result(plan, coordinator, seed):
    job = preview(plan_book(plan, seed), None, coordinator)
    assert job.state == ImportJobState.PREVIEW, job.findings["errors"]
    rows = [row for row in job.findings["rows"] if row["sheet"] == "รายการ"]
    wanted = {_ref(row): {cell["heading"]: cell["after"] for cell in row["cells"]} for row in rows}
    made = confirm(job, coordinator).plan
    assert len(wanted) == made.actions.count() == plan.actions.count()
    for action in made.actions.with_details():
        values = {
            "รหัสรายการ": action.ref, "รหัสเกณฑ์": action.criterion.code, "ข้อที่": action.number,
            "ระดับ": ", ".join(Level(each.level).short for each in action.requirements.all()),
            "ลำดับ": str(action.position), "สิ่งที่ต้องดำเนินการ": action.text, "หมายเหตุ": action.reading_note,
            "เริ่มช่วงเวลา": str(action.first_period), "ถึงช่วงเวลา": str(action.last_period),
            "ที่มาของช่วงเวลา": action.get_schedule_basis_display(),
            "หน่วยงานหลัก": ", ".join(str(each.unit) for each in action.lead),
            "หน่วยงานสนับสนุน": ", ".join(str(each.unit) for each in action.support),
        }  # fmt: skip
        assert wanted[action.ref] == {heading: value for heading, value in values.items() if value}
    raw = {*ActionItem.Basis.values, *Assessment.Kind.values, "True", "False", "None"}
    assert raw & {cell["after"] for row in job.findings["rows"] for cell in row["cells"]} == set()


@pytest.mark.parametrize(
    ("status", "progress"), [("ดำเนินการแล้วเสร็จ", "100"), ("ยังไม่ดำเนินการ", "0"), ("อยู่ระหว่างดำเนินการ", None)]
)
def test_preview_shows_progress_of_status(client, plan, coordinator, report_progress, status, progress):
    ref = plan.actions.first().ref
    report_progress(plan.actions.get(ref=ref), coordinator, progress=40, problem="ติดขัด", status="BLOCKED")
    changes = {(ref, "status"): status, (ref, "result"): "เสร็จ", (ref, "reason"): "ตามที่ตรวจ"}
    job = preview(edited(exported(plan), changes), plan, coordinator)
    cells = promised(job)[ref]
    assert cells.get("ความก้าวหน้า (%)") == (("40", progress) if progress else None)
    client.force_login(coordinator)
    assert ("ความก้าวหน้า (%)" in client.get(f"/plans/2563/import/{job.key}/").content.decode()) == bool(progress)


@pytest.mark.both_databases
def test_given_ref_is_not_one_in_other_letters(plan, coordinator):
    """Neither that of an action of the plan, nor one that a row further down names."""
    first = plan.actions.first()
    code = first.criterion.code
    ActionItemFactory(plan=plan, criterion=first.criterion, ref=f"{code}-a-1")
    data = exported(plan)
    row = first_empty(data)
    level = first.requirements.get().level
    cells = {}
    for place, ref in ((row, None), (row + 1, f"{code}-a-2")):
        cells |= {(place, "ref"): ref, (place, "criterion"): code, (place, "text"): f"ใหม่ {place}"}
        cells[place, "levels"] = Level(level).short
    job = preview(edited(data, cells), plan, coordinator)
    assert job.findings["errors"] == []
    job = confirm(job, coordinator)
    stem = f"{code}-{Level(level).initial}-"
    assert sorted(row["ref"] for row in job.changes) == sorted((f"{stem}3", f"{code}-a-2"))
