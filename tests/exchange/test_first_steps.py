"""First steps: refused forms keep what was typed, records that others add meanwhile, and who sees the pages."""

from datetime import date
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from assignments.models import Organization, Unit, User
from criteria.models import Assessment, Criterion, Framework
from exchange.setup import views
from exchange.setup.write import quarters
from plan.models import Plan
from tests.append_only import triggers_off
from tests.factories import (
    AssessmentFactory,
    FrameworkFactory,
    OrganizationFactory,
    PlanFactory,
    UnitFactory,
    UserFactory,
    default_organization,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]

UNIT_ROWS = {f"form-{name}": number for name, number in (("TOTAL_FORMS", 6), ("INITIAL_FORMS", 0))}


@pytest.fixture
def admin(client, administrator):
    """The administrator of an empty database, logged in."""
    client.force_login(administrator)
    return administrator


def body(response):
    return response.content.decode()


def add_units(client, *rows):
    typed_rows = {
        f"form-{number}-{name}": value
        for number, row in enumerate(rows)
        for name, value in zip(("abbreviation", "name_th"), row, strict=True)
    }
    return client.post("/setup/units/", UNIT_ROWS | typed_rows)


def plan_data(framework):
    return {
        "title": "แผนการพัฒนาองค์การ", "slug": "2563", "starts_on": "1/10/2562", "ends_on": "30/9/2563",
        "framework": framework.pk, "assessment_name": "ผลการตรวจประเมิน พ.ศ. 2562", "kind": "ASSESSOR",
    }  # fmt: skip


def test_units_report_every_error_at_its_row_and_keep_what_was_typed(client, coordinator):
    client.force_login(coordinator)
    UnitFactory(abbreviation="กค.")
    UnitFactory(abbreviation="ศทส.", organization=OrganizationFactory())
    response = add_units(
        client, ("กพร.", "กลุ่มพัฒนาระบบบริหาร"), ("กค.", "กองคลัง"), ("กพร.", "ซ้ำ"), ("a/b", "มีทับ"), ("สลก.", "")
    )
    assert response.status_code == 422
    errors = [list(form.errors) for form in response.context["rows"]]
    assert errors == [[], ["__all__"], ["abbreviation"], ["abbreviation"], ["name_th"], []]
    for text in ("กลุ่มพัฒนาระบบบริหาร", "กองคลัง", "ซ้ำ", "a/b", "มีทับ", "สลก."):
        assert f'value="{text}"' in body(response)
    assert Unit.objects.count() == 2
    assert add_units(client, ("ศทส.", "ศูนย์เทคโนโลยีสารสนเทศ")).status_code == 302
    assert coordinator.organization.units.count() == 2


def test_units_form_without_any_row_says_so(client, coordinator):
    client.force_login(coordinator)
    response = add_units(client, ("", ""))
    assert (response.status_code, "อย่างน้อยหนึ่งหน่วยงาน" in body(response)) == (422, True)
    assert client.post("/setup/units/", {}).status_code == 422


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"slug": "2562"}, "slug"),
        ({"slug": "แผน"}, "slug"),
        ({"starts_on": "วันหนึ่ง"}, "starts_on"),
        ({"ends_on": "30/9/2561"}, "__all__"),
        ({"ends_on": "30/9/2663"}, "ends_on"),
        ({"framework": ""}, "framework"),
        ({"assessment_name": ""}, "assessment_name"),
        ({"assessment_name": "ของฉบับอื่น"}, "assessment_name"),
    ],
)
def test_plan_that_is_refused_keeps_what_was_typed(client, coordinator, changed, field):
    client.force_login(coordinator)
    framework, other = FrameworkFactory(), FrameworkFactory()
    PlanFactory(slug="2562", organization=OrganizationFactory())
    Assessment.objects.create(organization=coordinator.organization, framework=other, name="ของฉบับอื่น")
    before = Plan.objects.count(), Assessment.objects.count()
    response = client.post("/setup/plan/", plan_data(framework) | changed)
    assert (response.status_code, list(response.context["form"].errors)[-1:]) == (422, [field])
    assert "แผนการพัฒนาองค์การ" in body(response)
    assert (Plan.objects.count(), Assessment.objects.count()) == before


def test_plan_uses_the_assessment_that_exists(client, coordinator):
    client.force_login(coordinator)
    framework = FrameworkFactory()
    name = "ผลการตรวจประเมิน พ.ศ. 2562"
    known = Assessment.objects.create(organization=coordinator.organization, framework=framework, name=name)
    assert client.post("/setup/plan/", plan_data(framework)).status_code == 302
    assert Plan.objects.get().assessment == known


@pytest.mark.both_databases
def test_record_added_at_the_same_moment_is_an_error_of_the_form(client, coordinator, monkeypatch):
    """The unit of another user is there when the first try writes."""
    client.force_login(coordinator)
    write, tries = views.add_units, []

    def slow(rows):
        if not tries:
            tries.append(rows)
            return Unit.objects.bulk_create(
                [Unit(organization=coordinator.organization, abbreviation="x") for _ in "12"]
            )
        return write(rows)

    monkeypatch.setattr(views, "add_units", slow)
    assert add_units(client, ("กพร.", "กลุ่มพัฒนาระบบบริหาร")).status_code == 302
    assert [unit.abbreviation for unit in Unit.objects.all()] == ["กพร."]


@pytest.mark.both_databases
def test_second_organization_is_not_made_by_a_double_click(client, admin):
    data = {"name": "กรมการจัดหางาน", "short_name": "กกจ."}
    assert [client.post("/setup/organization/", data).status_code for _ in range(2)] == [302, 302]
    assert Organization.objects.count() == 1


def test_administrator_chooses_an_organization_that_exists(client, admin):
    ministry, other = OrganizationFactory(name="กระทรวงแรงงาน"), OrganizationFactory()
    response = client.post("/setup/organization/", {"name": ministry.name, "short_name": ""})
    assert (response.status_code, set(response.context["form"].errors)) == (422, {"name", "short_name"})
    assert client.post("/setup/organization/", {"existing": "99"}).status_code == 422
    assert client.post("/setup/organization/", {"existing": other.pk}).status_code == 302
    admin.refresh_from_db()
    assert (admin.organization, Organization.objects.count()) == (other, 2)


def test_steps_that_need_an_organization_or_criteria_say_so(client, admin, coordinator):
    for page in ("units", "plan"):
        response = client.get(f"/setup/{page}/", follow=True)
        assert (response.redirect_chain, "โปรดระบุส่วนราชการก่อน" in body(response)) == ([("/setup/", 302)], True)
    client.force_login(coordinator)
    assert "เกณฑ์ก่อน" in body(client.get("/setup/plan/", follow=True))


@pytest.mark.both_databases
def test_loading_the_criteria_again_changes_nothing(client, coordinator):
    client.force_login(coordinator)
    client.post("/setup/framework/")
    Criterion.objects.filter(code="1.1").update(title="ชื่อที่แก้ไข")
    assert "ไม่ได้เพิ่มรายการใด" in body(client.post("/setup/framework/", follow=True))
    assert Criterion.objects.get(code="1.1").title == "ชื่อที่แก้ไข"
    Framework.objects.update(slug="PMQA-2562")
    with triggers_off():
        Framework.history.all().delete()
    assert "nothing was loaded" in body(client.post("/setup/framework/", follow=True))


# Who sees the first steps


@pytest.mark.parametrize("roles", [["staff"], ["management"], ["assessor"], []])
def test_other_users_see_whom_to_ask(client, coordinator, roles):
    UserFactory(roles=["coordinator"], organization=OrganizationFactory(), first_name="คนอื่น")
    User.objects.filter(pk=coordinator.pk).update(first_name="สมศรี", email="somsri@example.org")
    client.force_login(UserFactory(roles=roles))
    response = client.get("/")
    assert response.status_code == 200
    assert "แผนพัฒนาองค์การอยู่ระหว่างจัดทำ" in body(response)
    assert "สมศรี" in body(response)
    assert "somsri@example.org" in body(response)
    assert "คนอื่น" not in body(response)
    for page in ("", "organization/", "units/", "plan/"):
        assert client.get(f"/setup/{page}").status_code == 403
    assert client.post("/setup/framework/").status_code == 403


def test_user_without_a_coordinator_sees_the_administrator(client, admin):
    client.force_login(UserFactory(organization=default_organization()))
    assert "admin@example.org" in body(client.get("/"))


def test_plan_of_another_organization_is_no_plan_of_ones_own(client, coordinator):
    PlanFactory(organization=OrganizationFactory())
    client.force_login(coordinator)
    response = client.get("/setup/")
    assert [bool(step.done) for step in response.context["steps"]] == [True, False, False, False, False]


@pytest.mark.both_databases
def test_first_steps_need_no_more_queries_for_more_rows(client, coordinator):
    client.force_login(coordinator)

    def queries(page):
        with CaptureQueriesContext(connection) as found:
            assert client.get(page).status_code == 200
        return len(found)

    FrameworkFactory()
    pages = ("/setup/", "/setup/units/", "/setup/plan/")
    before = [queries(page) for page in pages]
    for _ in range(3):
        UnitFactory()
        UserFactory()
        FrameworkFactory()
        OrganizationFactory()
    assert [queries(page) for page in pages] == before


def test_units_come_from_excel_too(client, coordinator):
    """The import of the admin adds the units to the organization of the user, and reads only these."""
    UnitFactory(abbreviation="กพร.", organization=OrganizationFactory())
    client.force_login(coordinator)
    assert "/admin/assignments/unit/import/" in body(client.get("/setup/"))
    book = Workbook()
    for row in (("abbreviation", "name_th"), ("กพร.", "กลุ่มพัฒนาระบบบริหาร"), ("สลก.", "สำนักงานเลขานุการกรม")):
        book.active.append(row)
    file = BytesIO()
    book.save(file)
    upload = {"import_file": SimpleUploadedFile("units.xlsx", file.getvalue()), "format": ""}
    preview = client.post("/admin/assignments/unit/import/", upload)
    confirm = preview.context["confirm_form"].initial
    assert client.post("/admin/assignments/unit/process_import/", confirm).status_code == 302
    assert [unit.abbreviation for unit in coordinator.organization.units.order_by("pk")] == ["กพร.", "สลก."]
    assert Unit.objects.count() == 3


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2019, 8, 1), date(2020, 1, 5), [(date(2019, 8, 1), date(2019, 9, 30)),
            (date(2019, 10, 1), date(2019, 12, 31)), (date(2020, 1, 1), date(2020, 1, 5))]),
        (date(2020, 12, 31), date(2021, 1, 1), [(date(2020, 12, 31), date(2020, 12, 31)),
            (date(2021, 1, 1), date(2021, 1, 1))]),
        (date(2020, 5, 5), date(2020, 5, 5), [(date(2020, 5, 5), date(2020, 5, 5))]),
    ],
)  # fmt: skip
def test_quarters_cover_every_day_once(first, last, expected):
    assert list(quarters(first, last)) == expected


def test_coordinator_loads_nothing_into_an_edition_that_another_organization_uses(client, coordinator, administrator):
    framework = FrameworkFactory(slug="pmqa-2562", fiscal_year=2562)
    AssessmentFactory(framework=framework, organization=OrganizationFactory())
    client.force_login(coordinator)
    assert "ผู้ดูแลระบบ" in body(client.post("/setup/framework/", follow=True))
    assert not framework.criteria.exists()
    client.force_login(administrator)
    client.post("/setup/framework/")
    assert framework.criteria.count() > 10
