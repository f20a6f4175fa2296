"""Edge cases of the admin and its tables: conflicts, line ends of browsers, unusual files."""

import resource
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import gettempdir

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection
from openpyxl import Workbook

from assignments.models import Assignment, Unit
from criteria.models import Category, Criterion, Framework, Requirement
from plan.models import ActionItem, Plan
from pmqa_tracker.write_once import StaleVersionError
from tests.factories import (
    ActionItemFactory,
    CategoryFactory,
    CriterionFactory,
    PlanFactory,
    RequirementFactory,
    UnitFactory,
    UserFactory,
    default_framework,
)
from tests.pmqa_tracker.test_admin import address, posted
from tests.spreadsheets.test_admin_tables import CSV, EXCEL, confirm, download, errors_of, table, upload, workbook
from tests.spreadsheets.test_admin_tables import address as list_address

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keeper(client):
    person = UserFactory(is_staff=True, is_superuser=True, first_name="ผู้ดูแล")
    client.force_login(person)
    return person


def as_a_browser(data):
    """Return the data with the line ends of a browser."""
    return {name: value.replace("\n", "\r\n") if isinstance(value, str) else value for name, value in data.items()}


@pytest.mark.both_databases(only_full=True)
def test_unchanged_multiline_form_makes_no_new_version(client):
    action = ActionItemFactory(text="- ข้อหนึ่ง\n- ข้อสอง", reading_note="บรรทัดแรก\nบรรทัดที่สอง")
    page = address(ActionItem, "change", action.pk)
    assert client.post(page, as_a_browser(posted(client.get(page)))).status_code == 302
    action.refresh_from_db()
    assert (action.version, action.text) == (1, "- ข้อหนึ่ง\n- ข้อสอง")


def test_lines_from_a_browser_are_stored_with_lf_and_survive_export_and_import(client):
    requirement = RequirementFactory()
    page = address(Requirement, "change", requirement.pk)
    data = as_a_browser(posted(client.get(page)) | {"text": "- หนึ่ง\n- สอง"})
    assert client.post(page, data).status_code == 302
    assert Requirement.objects.get().text == "- หนึ่ง\n- สอง"
    for kind in (EXCEL, CSV):
        totals = upload(client, Requirement, download(client, Requirement, kind), kind).context["result"].totals
        assert (totals["skip"], totals["update"]) == (1, 0)


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("kind", [EXCEL, CSV])
@pytest.mark.parametrize("text", ["'- ข้อ", "''=1", "ก\r\nข", "\tก", " ก ", "'ก", "＝1"])
def test_odd_text_survives_export_and_import(client, text, kind):
    RequirementFactory(text=text)
    response = upload(client, Requirement, download(client, Requirement, kind), kind)
    assert errors_of(response) == []
    totals = response.context["result"].totals
    assert (totals["skip"], totals["update"]) == (1, 0)


def test_history_is_read_only(client, report_progress, keeper):
    action = ActionItemFactory(text="แรก")
    first = action.history.first()
    action.text = "ที่สอง"
    action.save()
    report_progress(action, keeper, progress=55)
    page = address(ActionItem, "simple_history", action.pk, first.pk)
    response = client.get(page, follow=True)
    assert response.status_code == 200
    assert 'name="_save"' not in response.content.decode()
    data = {"text": "แรก", "ref": action.ref}
    assert client.post(page, data).status_code < 500
    action.refresh_from_db()
    assert (action.text, action.progress) == ("ที่สอง", 55)


@pytest.mark.both_databases(only_full=True)
def test_deletion_is_asked_again_after_a_change_by_others(client):
    category = CategoryFactory()
    page = address(Category, "delete", category.pk)
    body = client.get(page).content.decode()
    assert 'name="read_version" value="1"' in body
    category.name = "ของเขา"
    category.save()
    response = client.post(page, {"post": "yes", "read_version": 1})
    assert response.status_code == 409
    assert Category.objects.exists()
    assert client.post(page, {"post": "yes", "read_version": 2}).status_code == 302
    assert not Category.objects.exists()


@pytest.mark.both_databases(only_full=True)
def test_inline_row_changed_by_others_is_not_deleted(client):
    action = ActionItemFactory(lead=[UnitFactory()])
    page = address(ActionItem, "change", action.pk)
    data = posted(client.get(page)) | {"assignments-0-DELETE": "on"}
    theirs = Assignment.objects.get()
    theirs.position = 5
    theirs.save()
    assert client.post(page, data).status_code == 409
    assert Assignment.objects.exists()


def test_inline_row_deleted_by_others_gives_an_error(client):
    action = ActionItemFactory(lead=[UnitFactory()])
    page = address(ActionItem, "change", action.pk)
    data = posted(client.get(page)) | {"assignments-0-position": 7}
    Assignment.objects.get().delete()
    response = client.post(page, data)
    assert response.status_code == 409
    assert "มีผู้อื่นลบแถวที่ท่านเปิดอยู่" in response.content.decode()


@pytest.mark.both_databases(only_full=True)
def test_typed_text_survives_the_deletion_of_the_record(client):
    requirement = RequirementFactory()
    page = address(Requirement, "change", requirement.pk)
    data = posted(client.get(page)) | {"text": "ข้อความที่พิมพ์ไว้ยาว ๆ"}
    requirement.delete()
    response = client.post(page, data)
    assert response.status_code == 409
    assert "ข้อความที่พิมพ์ไว้ยาว ๆ" in response.content.decode()


@pytest.mark.both_databases
@pytest.mark.parametrize("error", [IntegrityError("duplicate key"), StaleVersionError()])
def test_database_error_keeps_the_typed_text(client, monkeypatch, error):
    def refuse(self, *args, **kwargs):
        raise error

    monkeypatch.setattr(Category, "save", refuse)
    response = client.post(
        address(Category, "add"), {"framework": default_framework().pk, "number": 9, "name": "ชื่อที่พิมพ์"}
    )
    assert response.status_code == 409
    assert "ชื่อที่พิมพ์" in response.content.decode()


def test_only_a_collective_has_members(client):
    unit, other = UnitFactory(), UnitFactory()
    page = address(Unit, "change", unit.pk)
    data = posted(client.get(page)) | {"members": [other.pk]}
    assert client.post(page, data).status_code == 200
    assert unit.members.count() == 0


def test_an_action_answers_requirements_of_its_own_criterion(client):
    action = ActionItemFactory()
    page = address(ActionItem, "change", action.pk)
    data = posted(client.get(page)) | {"requirements": [RequirementFactory(criterion=CriterionFactory()).pk]}
    assert client.post(page, data).status_code == 200
    assert action.requirements.get().criterion == action.criterion


def test_read_only_page_shows_buddhist_days(client):
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_plan", "view_period", "view_user"]))
    client.force_login(person)
    body = client.get(address(Plan, "change", PlanFactory().pk)).content.decode()
    assert "2563" in body
    assert "2020" not in body
    other = client.get(address(type(person), "change", person.pk)).content.decode()
    assert "md5" not in other


# Files.


def test_formula_in_an_uploaded_workbook_gives_an_error(client):
    requirement = RequirementFactory(text="ข้อความเดิม")
    book = Workbook()
    book.active.append(["criterion", "level", "text", "version"])
    book.active.append([requirement.criterion.code, requirement.level, '="ก"&"ข"', 1])
    file = BytesIO()
    book.save(file)
    response = upload(client, Requirement, file.getvalue())
    errors = str(response.context["form"].errors) + str("result" in response.context and errors_of(response))
    assert "C2" in errors
    assert "confirm_form" not in response.context


def wide():
    """A small file with a cell in Excel's last column in each of 2,000 rows."""
    rows = "".join(f'<row r="{n}"><c r="XFD{n}" t="inlineStr"><is><t>x</t></is></c></row>' for n in range(1, 2001))
    return _with_sheet(rows)


def tall():
    """A small file with a cell in Excel's last row."""
    return _with_sheet(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>number</t></is></c></row>'
        '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>1</t></is></c></row>'
    )


def _with_sheet(rows):
    source, out = BytesIO(workbook([{"number": 1}])), BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            data = old.read(part)
            if part.filename.endswith("sheet1.xml"):
                data = (
                    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
                    f"{rows}</sheetData></worksheet>"
                ).encode()
            new.writestr(part.filename, data)
    return out.getvalue()


@pytest.mark.parametrize("content", [wide(), tall()], ids=["wide", "tall"])
def test_small_file_does_not_fill_the_memory(client, content):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    response = upload(client, Category, content)
    assert response.status_code == 200
    assert response.context["form"].errors or errors_of(response)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


@pytest.mark.both_databases(only_full=True)
def test_confirming_twice_gives_an_error(client):
    CategoryFactory(number=1, name="เดิม")
    rows = table(download(client, Category))
    rows[0]["name"] = "ใหม่"
    response = upload(client, Category, workbook(rows))
    assert confirm(client, Category, response).status_code == 302
    assert confirm(client, Category, response).status_code in (302, 409)
    assert Category.objects.get().version == 2


@pytest.mark.parametrize(
    "data",
    [
        {"import_file_name": "nothing", "original_file_name": "x", "format": "0", "resource": "0"},
        {"import_file_name": "nothing", "original_file_name": "x", "format": "77", "resource": "0"},
        {"import_file_name": "nothing", "original_file_name": "x", "format": "x", "resource": "9"},
        {},
    ],
)
def test_confirmation_without_an_upload_gives_an_error(client, data):
    assert client.post(list_address(Category, "process_import"), data).status_code in (302, 409)


def test_confirmation_reads_only_uploads(client):
    default_framework()
    foreign = Path(gettempdir()) / "pmqa-test-foreign.csv"
    foreign.write_text("framework,number,name\npmqa-2562,5,จากที่อื่น\n")
    try:
        client.post(
            list_address(Category, "process_import"),
            {"import_file_name": foreign.name, "original_file_name": "x", "format": CSV, "resource": "0"},
        )
        assert not Category.objects.exists()
        assert foreign.exists()
    finally:
        foreign.unlink(missing_ok=True)


def test_members_of_a_unit_that_is_not_collective_are_refused(client):
    UnitFactory(abbreviation="กก.")
    UnitFactory(abbreviation="ขข.")
    rows = table(download(client, Unit))
    rows[0]["members"] = "ขข."
    assert len(errors_of(upload(client, Unit, workbook(rows)))) == 1


@pytest.mark.both_databases
def test_rows_that_swap_unique_values_give_an_error(client):
    category = CategoryFactory(number=1)
    CriterionFactory(category=category, code="1.1")
    rows = [{"framework": "pmqa-2562", "code": "1.2", "category": "1", "title": "ก", "version": ""}] * 2
    response = upload(client, Criterion, workbook(rows))
    assert errors_of(response)
    assert Criterion.objects.count() == 1


@pytest.mark.both_databases(only_full=True)
def test_history_shows_an_edit_without_updates_of_others(client, report_progress, keeper):
    action = ActionItemFactory(text="แรก", lead=[UnitFactory()])
    report_progress(action, keeper, progress=55)
    page = address(ActionItem, "change", action.pk)
    data = posted(client.get(page)) | {"text": "ที่สอง", "schedule_basis": "CONFIRMED"}
    assert client.post(page, data).status_code == 302
    newest = client.get(address(ActionItem, "history", action.pk)).context["page_obj"].object_list[0]
    assert {(each["old"], each["new"]) for each in newest.history_delta_changes} == {
        ("แรก", "ที่สอง"),
        (str(ActionItem.Basis.STATED.label), str(ActionItem.Basis.CONFIRMED.label)),
    }


def test_history_shows_days_in_the_buddhist_era(client):
    plan = PlanFactory(periods=[])
    plan.ends_on = plan.ends_on.replace(day=29)
    plan.save()
    body = client.get(address(Plan, "history", plan.pk)).content.decode()
    assert "29 ก.ย. 2563" in body
    assert "2020-09" not in body


def test_error_names_the_row_of_the_sheet_after_empty_rows(client):
    default_framework()
    client.cookies["django_language"] = "en"
    response = upload(client, Category, b"framework,number,name\npmqa-2562,7,seven\n,\n,\npmqa-2562,x,eight\n", CSV)
    assert "Row 5 of the file" in response.content.decode()
    assert not Category.objects.exists()


@pytest.mark.both_databases(only_full=True)
def test_row_of_a_deleted_record_does_not_create_a_new_one(client):
    requirement = RequirementFactory()
    rows = table(download(client, Requirement))
    requirement.delete()
    assert len(errors_of(upload(client, Requirement, workbook(rows)))) == 1
    assert not Requirement.objects.exists()


def test_missing_columns_are_named(client):
    response = upload(client, Requirement, workbook([{"criterion": "1.1", "text": "x"}]))
    (error,) = errors_of(response)
    assert "level" in error


def test_import_needs_few_queries_per_row(client, seeded):
    rows = table(download(client, Requirement))
    for row in rows:
        row["text"] += " (แก้ไข)"
    content = workbook(rows)
    statements = 0

    def count(execute, *args):
        nonlocal statements
        statements += 1
        return execute(*args)

    with connection.execute_wrapper(count):
        response = upload(client, Requirement, content)
        assert errors_of(response) == []
        assert confirm(client, Requirement, response).status_code == 302
    assert Requirement.objects.filter(version=2, text__endswith="(แก้ไข)").count() == len(rows) > 50
    assert statements < 120 * len(rows)  # each row is tried for the preview, then written


@pytest.mark.both_databases
@pytest.mark.parametrize("key", ["[", "9223372036854775808", "\0"])
def test_key_that_no_record_can_have_is_ignored(client, key):
    assert client.get(address(Criterion, "add"), {"parent": key, "category": key}).status_code == 200
    assert client.get(address(Framework, "changelist"), {"previous": key}, follow=True).status_code == 200


@pytest.mark.both_databases(every=True)
@pytest.mark.parametrize("key", ["abc", "a/b", "9223372036854775808", "-1"])
@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_page_of_a_record_that_cannot_exist_is_not_found(client, key, page):
    answer = client.get(address(Criterion, page, key), follow=True)
    assert answer.status_code in (200, 404)
    if "/" not in key:
        assert client.get(f"{address(Criterion, 'history', 1)}{key}/").status_code == 404  # a copy of it
    if answer.redirect_chain:  # Django says on the start page of the admin that there is no such record
        assert answer.redirect_chain[-1][0] == "/admin/"


def test_redirect_to_the_page_of_a_record_is_not_found(client, administrator):
    client.force_login(administrator)
    for key in ("1", "+1", " 1 ", "१", "x"):
        for record in ("NaN", "1"):
            assert client.get(f"/admin/r/{key}/{record}/").status_code == 404, (key, record)
