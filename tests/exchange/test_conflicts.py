"""Two users change one row: different columns are merged, the same columns are a conflict."""

import pytest

from assignments.access import Access
from exchange.data_sheet.columns import ActionSheet
from exchange.data_sheet.others import read_other_changes
from exchange.models import ImportJobState
from exchange.undo import undo_import
from plan.models import Status
from pmqa_tracker import clock
from tests.exchange.workbooks import HEADINGS, confirm, edited, exported, preview
from tests.factories import ActionItemFactory, PlanFactory, UnitFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


@pytest.fixture
def plan():
    plan = PlanFactory(slug="2563")
    units = [UnitFactory(abbreviation=f"หน่วย{number}.") for number in range(3)]
    for number in range(3):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=units[:2], support=units[2:])
    return plan


@pytest.fixture
def other(db):
    return UserFactory(roles=["coordinator"], first_name="สมศรี", last_name="ใจดี")


def edit_on_site(action, person, **values):
    for name, value in values.items():
        setattr(action, name, value)
    action._history_user = person
    action.save()


def row_about(job, ref):
    return next(row for row in job.findings["rows"] if row["name"] == ref)


def cells_of(row, part="cells"):
    return {cell["heading"]: cell for cell in row[part]}


@pytest.mark.both_databases
def test_conflict_shows_both_texts_with_author_and_time(client, plan, coordinator, other, report_progress):
    action = plan.actions.first()
    words = {"result": "ผลของสมศรี", "problem": "ปัญหาของสมศรี", "next_step": "ขั้นของสมศรี"}
    mine = {(action.ref, name): f"ของไฟล์ {name}" for name in words}
    data = edited(exported(plan), {**mine, (action.ref, "status"): "อยู่ระหว่างดำเนินการ", (action.ref, "progress"): 70})
    report_progress(action, other, progress=40, **words)
    row = row_about(preview(data, plan, coordinator), action.ref)
    cells = cells_of(row)
    assert row["kind"] == "CONFLICT"
    for name, text in words.items():
        cell = cells[HEADINGS[name]]
        assert (cell["before"], cell["after"]) == (text, f"ของไฟล์ {name}")
        assert cell["by"].startswith("สมศรี ใจดี 15 พ.ค. 2563")
    progress = cells[HEADINGS["progress"]]
    assert (progress["before"], progress["after"], progress["by"][:10]) == ("40", "70", "สมศรี ใจดี")


@pytest.mark.parametrize("name", ["text", "number", "lead", "levels"])
def test_conflict_names_author_of_the_column(plan, coordinator, other, name):
    action = plan.actions.first()
    typed = {"text": "ของไฟล์", "number": "9", "lead": "หน่วย2.", "levels": "Basic"}
    basic = action.criterion.requirements.create(level=1, text="มีแนวทาง")
    significance = action.criterion.requirements.create(level=3, text="บูรณาการ")
    assert basic
    data = edited(exported(plan), {(action.ref, name): typed[name]})
    if name == "lead":
        part = action.assignments.filter(role="LEAD").last()
        part._history_user = other
        part.delete()
    elif name == "levels":
        action._history_user = other
        action.requirements.set([significance])
    else:
        edit_on_site(action, other, **{name: "77"})
    action.refresh_from_db()
    edit_on_site(action, UserFactory(first_name="คนหลัง"), reading_note="หมายเหตุ")
    row = row_about(preview(data, plan, coordinator), action.ref)
    assert row["kind"] == "CONFLICT"
    assert [cell["by"][:5] for cell in row["cells"]] == ["สมศรี"]


@pytest.mark.parametrize("by_self", [True, False])
@pytest.mark.parametrize("name", ["text", "lead", "levels", "result"])
def test_conflict_with_own_edit_says_you(client, plan, coordinator, other, report_progress, name, by_self):
    action = plan.actions.first()
    author = coordinator if by_self else other
    theirs = action.criterion.requirements.create(level=3, text="บูรณาการ")
    action.criterion.requirements.create(level=1, text="มีแนวทาง")
    typed = {"text": "ของไฟล์", "lead": "หน่วย2.", "levels": "Basic", "result": "ของไฟล์"}
    data = edited(exported(plan), {(action.ref, name): typed[name]})
    action._history_user = author
    if name == "result":
        report_progress(action, author, progress=40, result="บนเว็บ")
    elif name == "lead":
        part = action.assignments.filter(role="LEAD").last()
        part._history_user = author
        part.delete()
        action.refresh_from_db()
        edit_on_site(action, author, reading_note="หมายเหตุ")
    elif name == "levels":
        action.requirements.set([theirs])
        action.refresh_from_db()
        edit_on_site(action, author, reading_note="หมายเหตุ")
    else:
        edit_on_site(action, author, text="บนเว็บ")
    job = preview(data, plan, coordinator)
    assert row_about(job, action.ref)["kind"] == "CONFLICT"
    for reader in (coordinator, other):
        client.force_login(reader)
        page = client.get(f"/plans/2563/import/{job.key}/").content.decode()
        assert ("ท่านเอง · " in page) is (reader == author)
        assert ("ท่านแก้ไขเองหลังส่งออก" in page) is (reader == author)
        assert ("มีผู้อื่นแก้ไขหลังส่งออก" in page) is not (reader == author)


def test_different_columns_are_merged_and_shown_as_merged(client, plan, coordinator, other, report_progress):
    action = plan.actions.first()
    data = edited(exported(plan), {(action.ref, "text"): "ของไฟล์", (action.ref, "next_step"): "ต่อไป"})
    report_progress(action, other, progress=40, result="ผลของสมศรี")
    job = preview(data, plan, coordinator)
    row = row_about(job, action.ref)
    assert row["kind"] == "MERGED"
    assert set(cells_of(row)) == {HEADINGS["text"], HEADINGS["next_step"]}
    theirs = cells_of(row, "others")
    assert {heading: cell["after"] for heading, cell in theirs.items()} == {
        HEADINGS["status"]: "อยู่ระหว่างดำเนินการ", HEADINGS["progress"]: "40", HEADINGS["result"]: "ผลของสมศรี",
    }  # fmt: skip
    assert all(cell["by"].startswith("สมศรี ใจดี 15 พ.ค. 2563") for cell in theirs.values())
    client.force_login(coordinator)
    page = client.get(f"/plans/2563/import/{job.key}/").content.decode()
    assert page.count("สมศรี ใจดี 15 พ.ค. 2563") == 3
    job = confirm(job, coordinator)
    action.refresh_from_db()
    assert (job.state, action.text, action.status, action.progress) == (
        ImportJobState.WRITTEN, "ของไฟล์", Status.IN_PROGRESS, 40,
    )  # fmt: skip
    assert [each.result or each.next_step for each in action.updates.order_by("version")] == ["ผลของสมศรี", "ต่อไป"]


@pytest.mark.parametrize(("theirs", "mine"), [("status", "progress"), ("progress", "status")])
def test_status_and_progress_conflict_with_each_other(plan, coordinator, other, report_progress, theirs, mine):
    action = plan.actions.first()
    report_progress(action, coordinator, progress=20)
    typed = {"progress": 60, "status": "ติดปัญหา"}
    data = edited(exported(plan), {(action.ref, mine): typed[mine], (action.ref, "problem"): "ติดขัด"})
    report_progress(
        action, other, **({"status": "BLOCKED", "problem": "รอ"} if theirs == "status" else {"progress": 50})
    )
    assert row_about(preview(data, plan, coordinator), action.ref)["kind"] == "CONFLICT"


def test_broken_rule_with_edit_of_others_is_a_conflict_with_reason(plan, coordinator, other, report_progress):
    action = plan.actions.first()
    data = edited(exported(plan), {(action.ref, "last"): 2})
    first, last = plan.periods.get(number=3), action.last_period
    edit_on_site(action, other, first_period=first, last_period=last)
    row = row_about(preview(data, plan, coordinator), action.ref)
    assert (row["kind"], bool(row["error"])) == ("CONFLICT", True)


def test_error_in_file_stays_an_error_after_other_edits(plan, coordinator, other):
    action = plan.actions.first()
    data = edited(exported(plan), {(action.ref, "status"): "ดำเนินการแล้วเสร็จ"})
    edit_on_site(action, other, text="ของสมศรี")
    job = preview(data, plan, coordinator)
    assert (job.state, [error["heading"] for error in job.findings["errors"]]) == (
        ImportJobState.REFUSED, [HEADINGS["result"]],
    )  # fmt: skip


@pytest.mark.both_databases
def test_undone_import_is_no_change_of_others(plan, coordinator, other, report_progress):
    from_file = plan.actions.first()
    data = edited(exported(plan), {(from_file.ref, "result"): "ผลใหม่"})
    between = confirm(
        preview(edited(exported(plan), {(from_file.ref, "result"): "ผิดแถว"}), plan, coordinator), coordinator
    )
    undo_import(job=between, access=Access.of(coordinator), at=clock.now())
    assert row_about(preview(data, plan, coordinator), from_file.ref)["kind"] == "CHANGED"


def test_resolved_conflicts_are_listed_by_side(client, plan, coordinator, other):
    refs = [action.ref for action in plan.actions.all()]
    data = edited(exported(plan), {(ref, "text"): f"ของไฟล์ {ref}" for ref in refs})
    for ref in refs[:2]:
        edit_on_site(plan.actions.get(ref=ref), other, text=f"ของสมศรี {ref}")
    job = preview(data, plan, coordinator)
    client.force_login(coordinator)
    here = f"/plans/2563/import/{job.key}/"
    client.post(here, {f"side-{row_about(job, refs[0])['row']}": "file"})
    page = client.get(here)
    listed = {name: [row["name"] for row in page.context[name]] for name in ("changed", "taken", "left")}
    assert listed == {"changed": [refs[2]], "taken": [refs[0]], "left": [refs[1]]}
    body = page.content.decode()
    assert [f'id="{name}"' in body for name in listed] == [True, True, True]
    texts = dict(plan.actions.values_list("ref", "text"))
    assert texts == {refs[0]: f"ของไฟล์ {refs[0]}", refs[1]: f"ของสมศรี {refs[1]}", refs[2]: f"ของไฟล์ {refs[2]}"}


def test_keeping_all_site_values_is_reported(client, plan, coordinator, other):
    action = plan.actions.first()
    data = edited(exported(plan), {(action.ref, "text"): "ของไฟล์"})
    edit_on_site(action, other, text="ของสมศรี")
    job = preview(data, plan, coordinator)
    client.force_login(coordinator)
    here = f"/plans/2563/import/{job.key}/"
    client.post(here)
    page = client.get(here)
    job.refresh_from_db()
    body = page.content.decode()
    assert (job.state, bool(job.refusal), job.refusal in body) == ("UNCHANGED", True, True)
    assert [text in body for text in ("ของไฟล์", "ของสมศรี", 'id="left"')] == [True, True, True]


@pytest.mark.both_databases
def test_reading_other_changes_has_constant_queries(plan, coordinator, other, django_assert_max_num_queries):
    actions = list(plan.actions.with_details())
    for action in actions:
        edit_on_site(action, other, text=f"ของสมศรี {action.ref}")
    columns = ActionSheet(list(plan.periods.all()), ())
    for count in (1, 3):
        with django_assert_max_num_queries(4):
            assert len(read_other_changes(columns, [(action, 1, None) for action in actions[:count]])) == count
