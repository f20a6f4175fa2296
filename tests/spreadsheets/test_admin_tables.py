"""Export and import of admin tables as Excel and CSV, with real files."""

import csv
import zipfile
from io import BytesIO, StringIO

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from openpyxl import Workbook, load_workbook

from assignments.models import Unit
from criteria.models import Category, Criterion, Requirement, Verdict
from plan.models import ActionItem, Plan
from tests.factories import (
    ActionItemFactory,
    AssessmentFactory,
    CategoryFactory,
    CriterionFactory,
    RequirementFactory,
    UnitFactory,
    UserFactory,
    VerdictFactory,
    default_framework,
)
from tests.test_pages import no_inline

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]
EXCEL, CSV = "0", "1"
TABLES = (Category, Criterion, Requirement, Unit, Verdict)


@pytest.fixture(autouse=True)
def keeper(client, settings, tmp_path):
    person = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(person)
    return person


def address(model, page):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")


def download(client, model, kind=EXCEL):
    response = client.post(address(model, "export"), {"format": kind, "resource": "0"})
    assert response.status_code == 200, response.context and response.context["form"].errors
    return response.content


def table(content, kind=EXCEL):
    """Return the rows of an exported file as dicts of text."""
    if kind == CSV:
        assert content.startswith(b"\xef\xbb\xbf")
        return list(csv.DictReader(StringIO(content.decode("utf-8-sig"))))
    header, *rows = load_workbook(BytesIO(content)).active.iter_rows(values_only=True)
    return [dict(zip(header, ["" if value is None else value for value in row], strict=True)) for row in rows]


def workbook(rows):
    book = Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    for cells in book.active.iter_rows():
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def upload(client, model, content, kind=EXCEL, name=""):
    file = SimpleUploadedFile(name or ("table.csv" if kind == CSV else "table.xlsx"), content)
    return client.post(address(model, "import"), {"resource": "0", "import_file": file})


def confirm(client, model, response):
    form = response.context["confirm_form"]
    return client.post(address(model, "process_import"), {name: form.initial[name] for name in form.initial})


def errors_of(response):
    result = response.context["result"]
    messages = [str(error.error) for error in result.base_errors]
    messages += [str(error.error) for _line, errors in result.row_errors() for error in errors]
    messages += [text for row in result.invalid_rows for text in row.error.messages]
    return messages


@pytest.fixture
def world():
    """Rows in every table, with texts that are difficult for a spreadsheet."""
    unit, other = UnitFactory(abbreviation="กพร."), UnitFactory(abbreviation="กจ.")
    UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True, members=[unit, other])
    category = CategoryFactory(number=1, name="การนำองค์การ")
    parent = CriterionFactory(category=category, code="1.1", title="=1+1")
    criterion = CriterionFactory(category=category, code="1.1.10", parent=parent, title='+ "อ้าง", แล้ว')
    requirement = RequirementFactory(criterion=criterion, level=2, text="- ข้อหนึ่ง\n- ข้อสอง, สาม")
    VerdictFactory(requirement=requirement, reason="@เหตุผล", assessment=AssessmentFactory(name="ครั้งที่ 1"))
    return ActionItemFactory(
        criterion=criterion, requirements=[requirement], text="-1 แล้ว", lead=[unit], support=[other], runs=(2, 3)
    )


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", [EXCEL, CSV])
@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
def test_unchanged_file_changes_nothing(client, world, model, kind):
    before = sorted(model.objects.values_list("pk", "version"))
    response = upload(client, model, download(client, model, kind), kind)
    assert response.status_code == 200
    assert "result" in response.context, response.context["form"].errors
    assert errors_of(response) == []
    totals = response.context["result"].totals
    assert (totals["skip"], totals["new"] + totals["update"]) == (model.objects.count(), 0)
    confirm(client, model, response)
    assert sorted(model.objects.values_list("pk", "version")) == before


def test_a_text_is_never_a_formula(client, world):
    sheet = load_workbook(BytesIO(download(client, Criterion))).active
    cells = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row}
    assert cells["=1+1"] == "s"
    titles = [row["title"] for row in table(download(client, Criterion, CSV), CSV)]
    assert titles == ["'=1+1", '\'+ "อ้าง", แล้ว']


def test_control_characters_do_not_break_the_export(client):
    CategoryFactory(name="ก\x0bข")
    assert table(download(client, Category))[0]["name"] == "กข"


@pytest.mark.both_databases
@pytest.mark.parametrize("model", [*TABLES, ActionItem], ids=lambda model: model.__name__)
def test_an_export_needs_no_more_queries_for_more_rows(client, world, model):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            download(client, model)
        return len(captured)

    queries()
    once = queries()
    for _ in range(3):
        criterion = CriterionFactory(parent=None)
        action = ActionItemFactory(criterion=criterion, lead=[UnitFactory()], support=[UnitFactory()])
        UnitFactory(is_collective=True, members=[action.assignments.first().unit])
    assert queries() == once


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", [EXCEL, CSV])
def test_changed_row_is_previewed_then_written_with_history(client, world, keeper, kind):
    rows = table(download(client, Requirement, kind), kind)
    rows[0]["text"] = "ข้อความใหม่"
    content = workbook(rows) if kind == EXCEL else _csv(rows)
    response = upload(client, Requirement, content, kind)
    assert errors_of(response) == []
    assert no_inline(response.content.decode()) == []
    assert "<ins>" in response.content.decode()
    assert Requirement.objects.get().text == "- ข้อหนึ่ง\n- ข้อสอง, สาม"
    assert confirm(client, Requirement, response).status_code == 302
    requirement = Requirement.objects.get()
    assert (requirement.text, requirement.version) == ("ข้อความใหม่", 2)
    last = requirement.history.latest()
    assert (last.history_user, "table" in last.history_change_reason) == (keeper, True)


def _csv(rows, encoding="utf-8-sig"):
    file = StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode(encoding)


def test_csv_of_an_old_thai_excel_is_read(client):
    CategoryFactory(number=1, name="เดิม")
    response = upload(
        client,
        Category,
        _csv([{"framework": "pmqa-2562", "number": 1, "name": "การนำองค์การ", "version": 1}], "cp874"),
        CSV,
    )
    confirm(client, Category, response)
    assert Category.objects.get().name == "การนำองค์การ"


@pytest.mark.both_databases
def test_row_changed_since_the_export_refuses_the_whole_file(client):
    first, second = CategoryFactory(number=1, name="ก"), CategoryFactory(number=2, name="ข")
    rows = table(download(client, Category))
    first.name = "ของเขา"
    first.save()
    rows[0]["name"], rows[1]["name"] = "ของฉัน", "ของฉัน"
    response = upload(client, Category, workbook(rows))
    (error,) = errors_of(response)
    assert "1" in error
    assert "2" in error
    assert "confirm_form" not in response.context
    assert set(Category.objects.values_list("name", flat=True)) == {"ของเขา", "ข"}
    assert second.history.count() == 1


def test_change_after_the_preview_refuses_the_import(client):
    first, second = CategoryFactory(number=1, name="ก"), CategoryFactory(number=2, name="ข")
    rows = table(download(client, Category))
    rows[0]["name"], rows[1]["name"] = "ของฉัน", "ของฉัน"
    response = upload(client, Category, workbook(rows))
    second.name = "ของเขา"
    second.save()
    answer = confirm(client, Category, response)
    assert answer.url == address(Category, "import")
    assert first.history.count() == 1
    assert set(Category.objects.values_list("name", flat=True)) == {"ก", "ของเขา"}


@pytest.mark.both_databases
def test_any_error_undoes_every_row(client):
    rows = [
        {"framework": default_framework().slug, "number": 1, "name": "หนึ่ง", "version": ""},
        {"framework": "PMQA-๒๕๖๒", "number": 2, "name": "", "version": ""},
        {"framework": "pmqa-2562", "number": "สาม", "name": "สาม", "version": ""},
    ]
    response = upload(client, Category, workbook(rows))
    assert len(errors_of(response)) == 2
    assert "confirm_form" not in response.context
    page = response.content.decode()
    assert all(name in page for name in ("แถวที่ 3", "แถวที่ 4"))
    assert "Traceback" not in page
    assert not Category.objects.exists()


@pytest.mark.both_databases
def test_new_rows_are_added(client):
    response = upload(
        client,
        Category,
        workbook([{"framework": default_framework().slug, "number": 7, "name": "ผลลัพธ์", "version": ""}]),
    )
    confirm(client, Category, response)
    assert Category.objects.get().name == "ผลลัพธ์"


def test_actions_are_exported_with_their_labels_and_units(client, world):
    client.cookies["django_language"] = "en"
    (row,) = table(download(client, ActionItem))
    assert row == {
        "plan": world.plan.slug, "ref": world.ref, "criterion": "1.1.10", "levels": "A", "number": world.number,
        "position": str(world.position), "text": "-1 แล้ว", "first_period": 2, "last_period": 3,
        "schedule_basis": "Stated in the document", "lead": "กพร.", "support": "กจ.", "status": "Not started",
        "progress": "0", "reading_note": "", "version": "1",
    }  # fmt: skip


def test_list_of_actions_links_to_the_data_sheet_instead_of_an_import(client, world):
    page = client.get(address(ActionItem, "changelist")).content.decode()
    assert f'href="{reverse("import_list", args=[world.plan.slug])}"' in page
    with pytest.raises(NoReverseMatch):
        address(ActionItem, "import")
    assert f'href="{address(Unit, "import")}"' in client.get(address(Unit, "changelist")).content.decode().replace(
        "'", '"'
    )


def test_list_of_actions_has_no_import_link_without_a_plan_or_coordinator(client, world):
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_actionitem"))
    client.force_login(clerk)
    assert client.get(address(ActionItem, "changelist")).context["import_url"] == ""
    ActionItem.objects.all().delete()
    Plan.objects.all().delete()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    assert client.get(address(ActionItem, "changelist")).context["import_url"] == ""


def test_unknown_members_are_named(client, world):
    rows = table(download(client, Unit))
    row = next(row for row in rows if row["abbreviation"] == "ทุกหน่วยงาน")
    assert row["members"] == "กพร., กจ."
    row["members"] = "กพร., กขค."
    response = upload(client, Unit, workbook(rows))
    assert "กขค." in errors_of(response)[0]
    row["members"] = "กพร."
    confirm(client, Unit, upload(client, Unit, workbook(rows)))
    assert Unit.objects.get(abbreviation="ทุกหน่วยงาน").members.count() == 1


def bomb():
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b"0" * 70_000_000)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "name"),
    [
        (b"", EXCEL, "table.xlsx"),
        (b"not a workbook", EXCEL, "table.xlsx"),
        (b"PK\x05\x06" + b"\0" * 18, EXCEL, "table.xlsx"),
        (workbook([{"number": 1}])[:-200], EXCEL, "table.xlsx"),
        (b"\x00\x01\x02\xff", CSV, "table.csv"),
        ("number,name\n1,x\n".encode("utf-16-le"), CSV, "table.csv"),
        (b"", CSV, "table.csv"),
        (b"number,,name\n1,2,3\n", CSV, "table.csv"),
        (bomb(), EXCEL, "table.xlsx"),
        (b"0" * (5 * 1024 * 1024 + 1), CSV, "table.csv"),
        (b"number,name,version\n" + b"1,x,1\n" * 5001, CSV, "table.csv"),
        (workbook([{"number": 1, "name": "x"}]), CSV, "table.csv"),
        (b"number,name\n1,x\n", CSV, "table.txt"),
        (b"number,name\n1,x\n", CSV, "table"),
    ],
)
def test_invalid_file_gives_an_error(client, content, kind, name):
    response = upload(client, Category, content, kind, name)
    assert response.status_code == 200
    messages = [str(error) for errors in response.context["form"].errors.values() for error in errors]
    if "result" in response.context:
        messages += errors_of(response)
    assert messages
    assert not any("Traceback" in each or "BadZipFile" in each or "KeyError" in each for each in messages), messages
    assert not Category.objects.exists()


def test_unknown_column_is_named(client):
    response = upload(client, Category, workbook([{"framework": "pmqa-2562", "number": 1, "name": "x", "nmae": "y"}]))
    assert "nmae" in errors_of(response)[0]
    assert "nmae" in response.content.decode()
    assert "Traceback" not in response.content.decode()


def test_import_needs_the_permission_to_change(client):
    client.force_login(UserFactory(is_staff=True))
    assert client.get(address(Category, "import")).status_code == 403
    assert client.get(address(Category, "export")).status_code == 403
