"""People as a workbook: real files out and in, preview, errors in one pass, and whose people a user manages."""

import json
import re
from io import BytesIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook, load_workbook

from assignments.access import RoleGroup
from assignments.models import Invitation, Membership, User
from tests.factories import OrganizationFactory, UnitFactory, UserFactory, default_organization

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]
LIST = "/admin/assignments/user/"
ADDRESS, USERNAME, NAME, SURNAME = "อีเมล", "ชื่อผู้ใช้", "ชื่อ", "นามสกุล"
ORGANIZATION, UNITS, ROLES, ACTIVE, VERSION = "ส่วนราชการ", "หน่วยงาน", "บทบาท", "ใช้งานอยู่", "รุ่นข้อมูล"


@pytest.fixture(autouse=True)
def coordinators():
    """The roles, and the permissions of coordinators on people as the seed gives them."""
    for role in RoleGroup:
        Group.objects.get_or_create(name=role)
    permissions = Permission.objects.filter(content_type__app_label="assignments", content_type__model="user")
    Group.objects.get(name="coordinator").permissions.set(permissions.exclude(codename="delete_user"))


@pytest.fixture
def units():
    return [
        UnitFactory(abbreviation="กพร.", name_th="กลุ่มพัฒนาระบบบริหาร", position=1),
        UnitFactory(abbreviation="กค.", name_th="กองคลัง", position=2),
        UnitFactory(abbreviation="ศทส.", name_th="ศูนย์เทคโนโลยีสารสนเทศ", position=3),
    ]


@pytest.fixture
def admin_client(client):
    client.force_login(UserFactory(username="admin", is_superuser=True, is_staff=True))
    return client


def workbook(rows):
    """Return the bytes of a workbook with these rows; every cell is text, as in the export."""
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    book = Workbook()
    for row in [headings, *([row.get(heading) for heading in headings] for row in rows)]:
        book.active.append(row)
    for cells in book.active.iter_rows():
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def export(client):
    response = client.post(f"{LIST}export/", {"format": "0", "resource": "0"})
    assert response.status_code == 200
    headings, *rows = load_workbook(BytesIO(response.content)).active.iter_rows(values_only=True)
    return [dict(zip(headings, (value or "" for value in row), strict=True)) for row in rows]


def preview(client, rows, name="people.xlsx"):
    file = SimpleUploadedFile(name, rows if isinstance(rows, bytes) else workbook(rows))
    response = client.post(f"{LIST}import/", {"resource": "0", "import_file": file})
    assert response.status_code == 200
    return response


def import_people(client, rows):
    response = preview(client, rows)
    assert errors_of(response) == {}
    form = response.context["confirm_form"]
    return client.post(f"{LIST}process_import/", form.initial, follow=True)


def errors_of(response):
    """Return row of the file → heading → messages."""
    assert "result" in response.context, response.context["form"].errors
    result = response.context["result"]
    assert [str(each.error) for each in result.base_errors] == []
    assert result.error_rows == []
    return {row.number + 1: row.error_dict for row in result.invalid_rows}


def names_of(person):
    units = sorted(person.memberships.values_list("unit__abbreviation", flat=True))
    return units, sorted(person.groups.values_list("name", flat=True))


@pytest.mark.both_databases
def test_new_people_are_made_with_units_and_roles(admin_client, units):
    rows = [
        {ADDRESS: "Somchai@Labour.go.th", NAME: "สมชาย", SURNAME: "ใจดี", UNITS: "กพร กองคลัง", ROLES: "เจ้าหน้าที่"},
        {ADDRESS: "malee@labour.go.th", NAME: "มาลี", UNITS: "", ROLES: "ผู้บริหาร, assessor", ACTIVE: "ไม่ใช่"},
    ]
    response = preview(admin_client, rows)
    assert response.context["result"].totals["new"] == 2
    assert "เพิ่ม 2 · แก้ไข 0" in response.content.decode()
    assert User.objects.count() == 1
    import_people(admin_client, rows)
    somchai, malee = User.objects.filter(email__endswith="labour.go.th").order_by("-email")
    assert (somchai.email, somchai.username, str(somchai)) == (*["somchai@labour.go.th"] * 2, "สมชาย ใจดี")
    assert (somchai.organization, malee.organization) == (default_organization(),) * 2
    assert (names_of(somchai), names_of(malee)) == ((["กค.", "กพร."], ["staff"]), ([], ["assessor", "management"]))
    assert (somchai.is_active, malee.is_active) == (True, False)
    assert not somchai.has_usable_password()
    assert [each.to for each in mail.outbox] == [["somchai@labour.go.th"]]  # nobody invites a closed account
    assert list(Invitation.objects.values_list("person", flat=True)) == [somchai.pk]


def test_unchanged_file_changes_nothing(admin_client, units):
    keepers = Group.objects.create(name="ผู้ดูแลบัญชี")
    person = UserFactory(first_name="=1+1", email="A.b@x.go.th", units=units[:2], roles=["staff", "coordinator"])
    person.groups.add(keepers)
    UserFactory(username="0012", is_active=False)
    rows = export(admin_client)
    assert {row[USERNAME]: (row[ADDRESS], row[UNITS], row[ROLES], row[ACTIVE]) for row in rows} == {
        "admin": ("", "", "", "ใช่"),
        person.username: ("A.b@x.go.th", "กพร., กค.", "เจ้าหน้าที่, ผู้ประสานงาน PMQA, ผู้ดูแลบัญชี", "ใช่"),
        "0012": ("", "", "", "ไม่ใช่"),
    }
    response = preview(admin_client, rows)
    assert errors_of(response) == {}
    totals = response.context["result"].totals
    assert (totals["skip"], totals["new"], totals["update"]) == (3, 0, 0)


def test_changed_row_changes_the_person(admin_client, units):
    person = UserFactory(username="old", first_name="มาลี", email="Malee@x.go.th", units=units[:1], roles=["staff"])
    other = UserFactory(first_name="สมชาย", units=units[:1], roles=["staff"])
    rows = {row[USERNAME]: row for row in export(admin_client)}
    rows["old"] |= {ADDRESS: "malee@X.go.th", SURNAME: "งามดี", UNITS: "ศูนย์เทคโนโลยีสารสนเทศ, กค", ROLES: "ผู้บริหาร"}
    rows[other.username] |= {ADDRESS: "somchai@x.go.th", UNITS: ""}  # an account gets its address by its user name
    body = preview(admin_client, list(rows.values())).content.decode()
    cells = re.findall(r"<td>(.*?)</td>", body)
    assert "<del>เจ้าหน้าที่</del><ins>ผู้บริหาร</ins>" in cells
    assert "<del>กพร.</del>" in cells
    assert cells.count("<span>ใช่</span>") == 2
    import_people(admin_client, list(rows.values()))
    person.refresh_from_db()
    assert (person.email, person.last_name, person.username) == ("Malee@x.go.th", "งามดี", "old")
    assert (names_of(person), names_of(other)) == ((["กค.", "ศทส."], ["management"]), ([], ["staff"]))
    other.refresh_from_db()
    assert (other.email, mail.outbox) == ("somchai@x.go.th", [])


def test_every_error_of_every_row_is_shown_at_once(admin_client, units):
    person = UserFactory(email="known@x.go.th", first_name="มี", username="known", units=units[:1])
    UserFactory(username="taken@x.go.th", email="elsewhere@x.go.th")
    UnitFactory(abbreviation="เก่า.", is_active=False)
    stale = next(row for row in export(admin_client) if row[USERNAME] == "known")
    User.objects.filter(pk=person.pk).update(last_name="เปลี่ยนแล้ว")
    response = preview(
        admin_client,
        [
            {ADDRESS: "somchai(at)x", NAME: "สมชาย", UNITS: "กพ.", ROLES: "เจ้าหน้าทึ่, ผู้บริหาน", ACTIVE: "อาจจะ"},
            {ADDRESS: "", NAME: "ไม่มีที่อยู่"},
            {ADDRESS: "twice@x.go.th", NAME: ""},
            {ADDRESS: "TWICE@x.go.th", NAME: "ซ้ำ", UNITS: "เก่า"},
            {ADDRESS: "new@x.go.th", NAME: "ใหม่", VERSION: "abc"},
            {ADDRESS: "taken@x.go.th", NAME: "ชื่อซ้ำ"},
            stale | {UNITS: "กค.", NAME: "ก" * 200},
            {ADDRESS: "known@x.go.th", USERNAME: "other", NAME: "มี"},
        ],
    )
    errors = errors_of(response)
    assert {row: set(each) for row, each in errors.items()} == {
        2: {ADDRESS, UNITS, ROLES, ACTIVE},
        3: {ADDRESS},
        4: {NAME},
        5: {ADDRESS, UNITS},
        6: {VERSION},
        7: {USERNAME},
        8: {NAME, VERSION},
        9: {ADDRESS, USERNAME},
    }
    said = {(row, heading): each[heading] for row, each in errors.items() for heading in each}
    assert said[2, ADDRESS] == ["“somchai(at)x” ไม่ใช่ที่อยู่อีเมล โปรดระบุให้ถูกต้อง เช่น name@example.go.th"]
    assert said[2, UNITS] == ["ไม่พบหน่วยงาน “กพ.” ที่ใกล้เคียงที่สุดคือ กพร., กค., เก่า. (ไม่ได้ใช้งานแล้ว)"]
    assert "เจ้าหน้าทึ่" in said[2, ROLES][0]
    assert said[2, ROLES][0].count("ที่ใกล้เคียงที่สุด") == 2
    assert said[5, ADDRESS] == ["แถวที่ 4 ของไฟล์เป็นบุคคลเดียวกัน โปรดเหลือไว้เพียงแถวเดียว"]
    body = response.content.decode()
    assert "<b>อีเมล</b> “somchai(at)x” ไม่ใช่ที่อยู่อีเมล" in body
    assert User.objects.count() == 3
    assert "confirm_form" not in response.context


def test_headings_are_understood_in_english_and_unknown_ones_are_named(admin_client, units):
    rows = [{"E-mail": "a@x.go.th", "Name": "ก", "Units": "กพร.", "Roles": "unit staff", "Active": "yes"}]
    assert errors_of(preview(admin_client, rows)) == {}
    response = preview(admin_client, [{"E-mail": "a@x.go.th", "ชื่อ-นามสกุล": "ก ข"}])
    assert "ชื่อ-นามสกุล" in str(response.context["result"].base_errors[0].error)
    response = preview(admin_client, [{"ชื่อ": "ก"}])
    assert "อีเมล" in str(response.context["result"].base_errors[0].error)


@pytest.mark.both_databases
def test_number_of_queries_does_not_grow_with_rows(admin_client, units):
    def rows(first, count):
        return [
            {ADDRESS: f"p{number}@x.go.th", NAME: f"ก{number}", UNITS: "กพร., กค.", ROLES: "เจ้าหน้าที่"}
            for number in range(first, first + count)
        ]

    def queries(call, *arguments):
        with CaptureQueriesContext(connection) as captured:
            call(*arguments)
        return len(captured)

    import_people(admin_client, rows(0, 1))
    changed = [[row | {UNITS: "ศทส.", ROLES: "ผู้บริหาร"} for row in rows(0, count)] for count in (1, 30)]
    few, many = rows(100, 2), rows(200, 30)
    assert queries(preview, admin_client, few) == queries(preview, admin_client, many)
    mails = len(mail.outbox)
    counts = [queries(import_people, admin_client, each) for each in (few, many)]
    assert counts[1] - counts[0] == 28  # the state of each mail
    assert len(mail.outbox) - mails == 32
    import_people(admin_client, rows(0, 30))
    counts = [queries(import_people, admin_client, each) for each in changed]
    assert counts[0] == counts[1]
    assert queries(export, admin_client) == queries(export, admin_client)
    with CaptureQueriesContext(connection) as captured:
        export(admin_client)
    assert len(captured) < 20


@pytest.mark.both_databases
def test_change_since_the_preview_is_not_overwritten(admin_client, units):
    person = UserFactory(email="known@x.go.th", first_name="มี", units=units[:1])
    rows = [{ADDRESS: "known@x.go.th", UNITS: "กค."}, {ADDRESS: "new@x.go.th", NAME: "ใหม่"}]
    form = preview(admin_client, rows).context["confirm_form"]
    person.memberships.update(unit=units[2])
    page = admin_client.post(f"{LIST}process_import/", form.initial, follow=True).content.decode()
    assert "ยังไม่ได้นำเข้าข้อมูลใด เนื่องจากข้อมูลเปลี่ยนไป" in page
    assert names_of(person) == (["ศทส."], [])
    assert (User.objects.filter(email="new@x.go.th").exists(), mail.outbox) == (False, [])


def test_pages_need_no_more_queries_for_more_people(admin_client, units):
    def queries(page):
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(page).status_code == 200
        return len(captured)

    person = UserFactory(units=units[:1], roles=["staff"])
    Invitation.objects.create(person=person)
    pages = [LIST, f"{LIST}?invitation=failed", f"{LIST}add/", f"{LIST}{person.pk}/change/"]
    once = [queries(page) for page in pages] and [queries(page) for page in pages]
    for _ in range(3):
        organization = OrganizationFactory()
        more = [UnitFactory(organization=organization), UnitFactory(organization=organization)]
        Invitation.objects.create(person=UserFactory(organization=organization, units=more, roles=["staff"]))
    assert [queries(page) for page in pages] == once


def test_deactivated_person_is_logged_out(admin_client):
    person = UserFactory(username="leaver", email="leaver@x.go.th", first_name="ลาออก")
    browser = Client()
    browser.force_login(person)
    assert browser.get("/password/").status_code == 200
    import_people(admin_client, [{ADDRESS: "leaver@x.go.th", ACTIVE: "ไม่ใช่"}])
    assert browser.get("/password/").url == "/login/?next=/password/"


def test_administrator_cannot_deactivate_themselves(admin_client):
    User.objects.filter(username="admin").update(email="admin@x.go.th")
    errors = errors_of(preview(admin_client, [{ADDRESS: "admin@x.go.th", ACTIVE: "ไม่ใช่"}]))
    assert set(errors[2]) == {ACTIVE}


# Several organizations.


@pytest.mark.both_databases
def test_member_and_unit_belong_to_one_organization(units):
    with pytest.raises(ValidationError, match="คนละส่วนราชการ"):
        Membership(user=UserFactory(organization=OrganizationFactory()), unit=units[0]).full_clean()
    Membership(user=UserFactory(), unit=units[0]).full_clean()


@pytest.fixture
def other():
    """Another organization with a unit and a person."""
    organization = OrganizationFactory(name="กรมการจัดหางาน", short_name="กกจ.")
    unit = UnitFactory(organization=organization, abbreviation="กพร.", name_th="กลุ่มพัฒนาของกรมอื่น")
    person = UserFactory(
        organization=organization, username="secret", email="secret@x.go.th", first_name="ลับเฉพาะ", units=[unit]
    )
    person.unit = unit
    return person


def test_administrator_of_the_installation_names_the_organization(client, units, other):
    client.force_login(UserFactory(organization=None, is_superuser=True, is_staff=True, email="root@x.go.th"))
    rows = [
        {ADDRESS: "a@x.go.th", NAME: "ก", ORGANIZATION: "กรมการจัดหางาน", UNITS: "กพร"},
        {ADDRESS: "b@x.go.th", NAME: "ข", ORGANIZATION: "กสร", UNITS: "กพร."},
    ]
    import_people(client, rows)
    made = {person.email[0]: person for person in User.objects.filter(email__in=["a@x.go.th", "b@x.go.th"])}
    assert made["a"].memberships.get().unit == other.unit
    assert made["b"].memberships.get().unit == units[0]
    assert {row[ADDRESS]: row[ORGANIZATION] for row in export(client)} == {
        "a@x.go.th": "กกจ.", "b@x.go.th": "กสร.", "secret@x.go.th": "กกจ.", "root@x.go.th": "",
    }  # fmt: skip
    wrong = [{ADDRESS: "c@x.go.th", NAME: "ค"}, {ADDRESS: "d@x.go.th", NAME: "ง", ORGANIZATION: "กกข."},
             {ADDRESS: "a@x.go.th", ORGANIZATION: "กสร."}]  # fmt: skip
    errors = errors_of(preview(client, wrong))
    assert {row: set(each) for row, each in errors.items()} == {row: {ORGANIZATION} for row in (2, 3, 4)}
    assert "กกจ." in errors[3][ORGANIZATION][0]


def test_coordinator_manages_only_the_people_of_their_organization(client, units, other):
    me = UserFactory(username="me", email="me@x.go.th", first_name="ฉัน", roles=["coordinator"])
    chief = UserFactory(username="chief", email="chief@x.go.th", first_name="หัวหน้า", is_superuser=True, is_staff=True)
    member = UserFactory(username="member", email="member@x.go.th", first_name="สมาชิก")
    client.force_login(me)
    assert {row[USERNAME] for row in export(client)} == {"me", "member"}
    assert ORGANIZATION not in export(client)[0]
    response = preview(
        client,
        [
            {ADDRESS: "secret@x.go.th", NAME: "ใหม่", ROLES: "เจ้าหน้าที่"},
            {ADDRESS: "chief@x.go.th", NAME: "ใหม่"},
            {ADDRESS: "member@x.go.th", NAME: "สมาชิก", ROLES: "ผู้ประสานงาน PMQA"},
            {ADDRESS: "me@x.go.th", NAME: "ฉัน", ROLES: ""},
            {ADDRESS: "new@x.go.th", NAME: "ใหม่", UNITS: "กลุ่มพัฒนาของกรมอื่น"},
            {ADDRESS: "more@x.go.th", NAME: "ใหม่", ORGANIZATION: "กกจ."},
        ],
    )
    errors = errors_of(response)
    assert {row: set(each) for row, each in errors.items()} == {
        2: {ADDRESS}, 3: {ADDRESS}, 4: {ROLES}, 5: {ROLES}, 6: {UNITS}, 7: {ORGANIZATION},
    }  # fmt: skip
    body = response.content.decode()
    assert "ลับเฉพาะ" not in body
    assert "กรมการจัดหางาน" not in body
    before = json.dumps(list(User.objects.order_by("pk").values("pk", "first_name", "is_superuser")))
    for person in (other, chief):
        for page in ("change", "invitation", "password", "delete", "history"):
            path = f"{LIST}{person.pk}/{page}/"
            got, posted = client.get(path), client.post(path, {"first_name": "ยึด", "is_superuser": "on", "post": "yes"})
            assert "ลับเฉพาะ" not in got.content.decode() + posted.content.decode()
    assert "ลับเฉพาะ" not in client.get(LIST).content.decode()
    assert json.dumps(list(User.objects.order_by("pk").values("pk", "first_name", "is_superuser"))) == before
    import_people(client, [{ADDRESS: "new@x.go.th", NAME: "ใหม่", UNITS: "กพร", ROLES: "เจ้าหน้าที่"}])
    new = User.objects.get(email="new@x.go.th")
    assert (new.organization, new.memberships.get().unit) == (me.organization, units[0])
    assert member.groups.count() == 0


@pytest.mark.both_databases
def test_no_name_to_log_in_with_belongs_to_two_people(client, units, other):
    """Otherwise a coordinator could lock somebody of another organization out by taking their name or address."""
    User.objects.filter(pk=other.pk).update(username="login@x.go.th")
    me = UserFactory(username="me", email="me@x.go.th", roles=["coordinator"])
    member = UserFactory(username="member", email="member@x.go.th", first_name="สมาชิก")
    client.force_login(me)
    rows = [
        {ADDRESS: "new@x.go.th", USERNAME: "secret@x.go.th", NAME: "ใหม่"},
        {ADDRESS: "more@x.go.th", USERNAME: "login@x.go.th", NAME: "ใหม่"},
        {ADDRESS: "login@x.go.th", USERNAME: "free", NAME: "ใหม่"},
        {ADDRESS: "login@x.go.th", USERNAME: "member", NAME: "สมาชิก"},
    ]
    found = [errors_of(preview(client, [row])) for row in rows]
    assert [set(each[2]) for each in found] == [{USERNAME}, {USERNAME}, {ADDRESS}, {ADDRESS}]
    page = f"{LIST}{member.pk}/change/"
    form = {"first_name": "สมาชิก", "last_name": "", "is_active": "on"}
    for name, path in (("login", page), ("secret", page), ("login", f"{LIST}add/")):
        response = client.post(path, form | {"email": f"{name}@x.go.th"})
        assert list(response.context["adminform"].form.errors) == ["email"], name
        assert "ลับเฉพาะ" not in response.content.decode()
    assert client.post(page, form | {"email": "new@x.go.th"}).status_code == 302
