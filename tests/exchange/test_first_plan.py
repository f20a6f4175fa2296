"""From `migrate` and `createsuperuser` alone to a running plan with an update, by forms and by workbook."""

from datetime import date
from io import BytesIO

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from assignments.models import Organization, User
from criteria.models import Criterion, Framework
from plan.models import Plan, ProgressUpdate
from tests.exchange.test_first_steps import add_units, body, plan_data
from tests.plan.posting import typed

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


@pytest.fixture
def admin(client, administrator):
    """The administrator of an empty database, logged in."""
    client.force_login(administrator)
    return administrator


def next_step(client):
    """Return the title of the next step on the first page."""
    response = client.get("/", follow=True)
    assert response.redirect_chain == [("/setup/", 302)]
    return next_step_of(response)


def next_step_of(response):
    return next((step.title for step in response.context["steps"] if step.is_next), None)


def post(client, address, data):
    """Post a form of the admin; refused ones show their errors."""
    response = client.post(address, data)
    assert response.status_code == 302, response.context and response.context["errors"]
    return response


@pytest.mark.both_databases
def test_from_an_empty_database_to_the_first_update(client, admin):
    assert (admin.organization, next_step(client)) == (None, "ส่วนราชการ")
    assert "ส่วนราชการที่ระบุนี้จะเป็นส่วนราชการของท่าน" in body(client.get("/setup/"))
    post(client, "/setup/organization/", {"name": "กรมการจัดหางาน", "short_name": "กกจ."})
    admin.refresh_from_db()
    own = admin.organization
    assert (own.name, own.short_name, own.history.get().history_user) == ("กรมการจัดหางาน", "กกจ.", admin)

    assert next_step(client) == "หน่วยงาน"
    assert add_units(client, ("กพร.", "กลุ่มพัฒนาระบบบริหาร"), ("", ""), ("สลก.", "สำนักงานเลขานุการกรม")).status_code == 302
    units = list(own.units.in_order())
    assert [(unit.abbreviation, unit.position) for unit in units] == [("กพร.", 1), ("สลก.", 2)]

    assert next_step(client) == "บุคลากร"
    person = {"first_name": "มานี", "email": "manee@example.org", "organization": own.pk, "units": [units[0].pk]}
    post(client, "/admin/assignments/user/add/", {**person, "groups": [Group.objects.get(name="staff").pk]})

    assert next_step(client) == "เกณฑ์"
    response = client.post("/setup/framework/", follow=True)
    assert "นำเข้าเกณฑ์แล้ว" in body(response)
    assert (Framework.objects.count(), Criterion.objects.count()) == (1, 34)
    assert not Plan.objects.exists()

    assert next_step(client) == "แผน"
    response = client.post("/setup/plan/", plan_data(Framework.objects.get()), follow=True)
    plan = Plan.objects.get()
    assert (plan.organization, plan.state, plan.framework.slug) == (own, Plan.State.PREPARATION, "pmqa-2562")
    assert [(period.starts_on, period.ends_on) for period in plan.periods.order_by("number")] == [
        (date(2019, 10, 1), date(2019, 12, 31)),
        (date(2020, 1, 1), date(2020, 3, 31)),
        (date(2020, 4, 1), date(2020, 6, 30)),
        (date(2020, 7, 1), date(2020, 9, 30)),
    ]
    assert "อยู่ระหว่างจัดทำ" in body(response)

    assert client.get("/").url == "/plans/2563/"
    assert client.get("/setup/").status_code == 200

    add_action(client, plan, units[0])
    open_plan(client, plan)
    staff = Client()
    staff.force_login(User.objects.get(email="manee@example.org"))
    action = plan.actions.get()
    assert staff.get("/", follow=True).redirect_chain == [("/plans/2563/my/", 302)]
    data = typed(action, status_to="IN_PROGRESS", progress_to=20, result="จัดทำร่างแล้ว")
    assert staff.post(f"/plans/2563/actions/{action.ref}/", data).status_code == 302
    update = ProgressUpdate.objects.without_undone().get()
    assert (update.author.first_name, update.unit, update.progress_to) == ("มานี", units[0], 20)


def add_action(client, plan, unit):
    """Add the first action with the forms of the admin."""
    criterion = Criterion.objects.get(code="1.1.1")
    periods = plan.periods.order_by("number")
    data = {
        "plan": plan.pk, "ref": "1.1.1-A-1", "criterion": criterion.pk, "number": "1", "position": 1,
        "requirements": [criterion.requirements.get(level=2).pk], "text": "จัดทำแนวทางการถ่ายทอดวิสัยทัศน์",
        "first_period": periods[0].pk, "last_period": periods[3].pk, "schedule_basis": "CONFIRMED",
        "assignments-TOTAL_FORMS": 1, "assignments-INITIAL_FORMS": 0, "assignments-0-unit": unit.pk,
        "assignments-0-role": "LEAD", "assignments-0-position": 1,
    }  # fmt: skip
    post(client, "/admin/plan/actionitem/add/", data)


def open_plan(client, plan):
    """Open the plan on the page that the first steps link to."""
    assert f"/plans/{plan.slug}/" in body(client.get("/setup/"))
    form = client.get(f"/plans/{plan.slug}/state/open/").context["form"]
    post(client, f"/plans/{plan.slug}/state/open/", form.initial_hidden)
    plan.refresh_from_db()
    assert plan.state == Plan.State.RUNNING
    assert "อยู่ระหว่างจัดทำ" not in body(client.get("/setup/"))


def test_new_plan_page_works_before_the_first_plan(client, admin):
    """The workbook of a new plan, filled in from the empty template: criteria of the site, and criteria of its own."""
    post(client, "/setup/organization/", {"name": "กรมการจัดหางาน", "short_name": "กกจ."})
    client.post("/setup/framework/")
    assert client.get("/new-plan/").status_code == 200
    book = template(client)
    assert fill_plan_sheet(book, slug="2563", framework="pmqa-2562") == "pmqa-2562"
    made = import_plan(client, book)
    assert (made.slug, made.framework.slug, made.organization.short_name) == ("2563", "pmqa-2562", "กกจ.")
    assert [each.ref for each in made.actions.all()] == ["1.1.1-B-1"]
    assert Criterion.objects.count() == 34
    assert next(step for step in client.get("/setup/").context["steps"] if step.title == "แผน").done


def test_new_plan_page_brings_everything_to_an_empty_site(client, admin):
    """A workbook with its own organization and criteria, before any of the steps."""
    book = template(client)
    fill_plan_sheet(
        book, slug="2567", framework="pmqa-2566", framework_name="เกณฑ์ PMQA", edition="พ.ศ. 2566", fiscal_year=2566
    )
    write_rows(book["หมวด"], [(1, "การนำองค์การ")])
    write_rows(book["เกณฑ์"], [("1.1", 1, None, "วิสัยทัศน์", 1), ("1.1.1", 1, "1.1", "ทิศทาง", 2)])
    made = import_plan(client, book)
    assert (made.framework.slug, made.framework.criteria.count()) == ("pmqa-2566", 2)
    assert Organization.objects.get() == made.organization
    assert next_step_of(client.get("/setup/")) == "ส่วนราชการ"
    post(client, "/setup/organization/", {"existing": made.organization.pk})
    assert User.objects.get().organization == made.organization
    assert next_step_of(client.get("/setup/")) == "บุคลากร"


def template(client):
    """Download the template of a new plan."""
    return load_workbook(BytesIO(b"".join(client.get("/new-plan/template.xlsx").streaming_content)))


def write_rows(sheet, rows):
    """Write rows below the headings."""
    for number, row in enumerate(rows, start=4):
        for column, value in enumerate(row, start=1):
            sheet.cell(number, column).value = value


def fill_plan_sheet(book, **values):
    """Fill in the plan, one period, one unit, one verdict and one action; return the edition of the template."""
    headings = {
        "รหัสแผน": values["slug"], "ชื่อแผน": "แผนพัฒนาองค์การ", "ส่วนราชการ": "กรมการจัดหางาน", "วันเริ่มแผน": "1/10/2562",
        "วันสิ้นสุดแผน": "30/9/2563", "ชื่อการประเมิน": "การประเมิน", "รหัสฉบับของเกณฑ์": values["framework"],
        "ชื่อเกณฑ์มาตรฐาน": values.get("framework_name"), "ฉบับ": values.get("edition"),
        "ใช้ตั้งแต่ปีงบประมาณ": values.get("fiscal_year"),
    }  # fmt: skip
    cells = {cell.value: book["แผน"].cell(cell.row, 2) for cell in book["แผน"]["A"]}
    known = cells["รหัสฉบับของเกณฑ์"].value
    for heading, value in headings.items():
        cells[heading].value = value or cells[heading].value
    write_rows(book["ช่วงเวลา"], [(1, "1/10/2562", "30/9/2563")])
    write_rows(book["หน่วยงาน"], [("กพร.", "กลุ่มพัฒนาระบบบริหาร")])
    write_rows(book["ผลการประเมิน"], [("1.1.1", "Basic", book["ผลการประเมิน"]["C4"].value, "ไม่ผ่าน", "ยังไม่พบ")])
    headings = {cell.value: cell.column for cell in book["รายการ"][3]}
    action = {
        "รหัสเกณฑ์": "1.1.1", "ระดับ": "Basic", "สิ่งที่ต้องดำเนินการ": "จัดทำแนวทาง", "เริ่มช่วงเวลา": 1, "ถึงช่วงเวลา": 1,
        "หน่วยงานหลัก": "กพร.",
    }  # fmt: skip
    for heading, value in action.items():
        book["รายการ"].cell(4, headings[heading]).value = value
    return known


def import_plan(client, book):
    """Upload a workbook on /new-plan/ and confirm the preview."""
    file = BytesIO()
    book.save(file)
    response = client.post("/new-plan/", {"file": SimpleUploadedFile("แผน.xlsx", file.getvalue())})
    assert response.status_code == 302, response.context["form"].errors
    preview = client.get(response.url)
    assert preview.context["job"].is_preview, preview.context["job"].findings
    assert client.post(response.url).status_code == 302
    return Plan.objects.get()
