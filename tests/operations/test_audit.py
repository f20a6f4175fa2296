"""The audit: who did what, when and from where, over all histories, logs and events."""

from io import BytesIO

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override
from openpyxl import load_workbook

from accounts.attempts import GUESSES, Attempt
from accounts.models import Attempts, Purpose
from assignments.models import User
from assignments.people.write import Chosen, read_fields, save_people
from audit.models import Event
from audit.record import record_event
from operations.audit.sources import SOURCES
from plan.models import ActionItem
from pmqa_tracker import clock
from pmqa_tracker.transactions import write_transaction
from tests.factories import (
    ActionItemFactory,
    EvidenceWithdrawalFactory,
    OrganizationFactory,
    PlanFactory,
    SubmissionStepFactory,
    UnitFactory,
    UserFactory,
    VerdictFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
FROM = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def administrator():
    return UserFactory(is_superuser=True, is_staff=True, organization=None, first_name="ผู้ดูแล")


def shown(client, query="?since="):
    response = client.get(f"/audit/{query}")
    assert response.status_code == 200
    return response.context["rows"]


def test_values_before_and_after(client, action, coordinator, report_progress):
    client.force_login(coordinator)
    report_progress(action, coordinator, progress=40, result="ประชุมแล้ว")
    changed = ActionItem.objects.get(pk=action.pk)
    changed.text, changed.last_period = "ข้อความใหม่", action.plan.periods.get(number=3)
    changed._history_user = coordinator
    changed.save()
    edit, update = (
        shown(client, f"?since=0001-01-01&until=9999-12-31&kind={kind}")
        for kind in ("plan.actionitem", "plan.progressupdate")
    )
    values = {change.label: change[1:] for change in edit[0].changes}
    assert values["ข้อความ"] == (action.text, "ข้อความใหม่")
    assert ("ก.ค.–ก.ย. 2563", "เม.ย.–มิ.ย. 2563") in values.values()
    assert (edit[0].who, edit[0].about) == (str(coordinator), f"{action.plan.slug} · {action.ref}")
    kinds = ["สิ่งที่ต้องดำเนินการ: แก้ไข", "สิ่งที่ต้องดำเนินการ: แก้ไข", "สิ่งที่ต้องดำเนินการ: เพิ่ม"]
    assert [row.kind for row in edit] == kinds
    requirements = ", ".join(str(each) for each in action.requirements.order_by("pk"))
    assert [change[1:] for change in edit[1].changes] == [("", requirements)]
    assert [change[1:] for change in update[0].changes] == [
        ("ยังไม่ดำเนินการ", "อยู่ระหว่างดำเนินการ"), ("0 %", "40 %"), ("", "ประชุมแล้ว"),
    ]  # fmt: skip


def test_every_source_is_read(client, administrator, action):
    EvidenceWithdrawalFactory()
    SubmissionStepFactory()
    VerdictFactory()
    client.force_login(administrator)
    rows = shown(client)
    assert len({row.kind for row in rows}) > 10
    for name in SOURCES.keys() - {"plan.planstep", "plan.removedupdate", "plan.meeting", "audit.event"}:
        found = shown(client, f"?since=&kind={name}")
        assert found, name
    assert shown(client, "?since=&kind=LOGIN")[0].who == "ผู้ดูแล"


def test_coordinators_see_their_organization_and_no_logins(client, action, coordinator, administrator):
    other = OrganizationFactory()
    foreign = PlanFactory(organization=other, slug="foreign")
    stranger = UserFactory(organization=other, first_name="คนอื่น")
    record_event("FILE", person=stranger, plan=foreign, about="secret.xlsx")
    record_event("FILE", person=stranger, plan=action.plan, about="read.xlsx", details="/plans/of-theirs/")
    client.force_login(coordinator)
    rows = shown(client)
    (read,) = (row for row in rows if "read.xlsx" in row.about)
    assert (read.what, read.address) == ("", "")
    assert shown(client, "?since=&person=คนอื่น") == []  # or the filter would tell the name
    assert client.get("/audit.xlsx?since=&person=คนอื่น").status_code == 200
    assert not [row for row in rows if "foreign" in row.about or "secret" in row.about]
    assert {row.who for row in rows if "read.xlsx" in row.about} == {"ผู้ใช้ของส่วนราชการอื่น"}
    assert client.get("/audit/?kind=LOGIN").status_code == 422
    assert "เข้าสู่ระบบ" not in {row.kind for row in rows}
    assert Event.objects.filter(kind="LOGIN").exists()
    client.force_login(administrator)
    assert len(shown(client, "?since=&about=secret")) == 1


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("roles", [["staff"], ["management"], ["assessor"]])
def test_other_roles_see_nothing(client, roles):
    client.force_login(UserFactory(roles=roles))
    assert client.get("/audit/").status_code == 403
    assert client.get("/audit.xlsx").status_code == 403


@pytest.mark.both_databases(only_full=True)
def test_words_of_an_event_are_in_the_language_of_the_reader(client, administrator):
    with override("en"):
        Attempt(purpose=Purpose.CODE, person=administrator).begin(at=clock.now())
        Attempts.objects.update(count=GUESSES)
        Attempt(purpose=Purpose.CODE, person=administrator).fail(at=clock.now())
        record_event("SECOND_FACTOR", person=administrator, details="off")
    client.force_login(administrator)
    assert [shown(client, f"?kind={kind}")[0].what for kind in ("LOCKED", "SECOND_FACTOR")] == [
        "รหัสยืนยันตัวตนขั้นที่สอง", "ปิด",
    ]  # fmt: skip


def test_filters(client, action, coordinator, administrator, report_progress):
    report_progress(action, coordinator, progress=40)
    client.force_login(administrator)
    coordinator.first_name = "สมหญิง"
    coordinator.save()
    assert {row.who for row in shown(client, "?person=สมหญิง")} == {"สมหญิง"}
    (found,) = shown(client, f"?about={action.ref}&kind=plan.progressupdate")
    assert found.about == f"{action.plan.slug} · {action.ref}"
    assert len(shown(client, "?since=15/5/2563&until=15/5/2563")) == 1
    assert shown(client, "?since=1/1/2500&until=2/1/2500") == []
    wrong = client.get("/audit/?since=tomorrow&page=x")
    assert (wrong.status_code, "tomorrow" in wrong.content.decode()) == (422, True)


def test_number_of_queries_does_not_grow_with_the_rows(client, action, administrator):
    client.force_login(administrator)
    counts = []
    for _time in range(2):
        for number in range(3):
            action.refresh_from_db()
            action.text = f"ข้อความ {number} {_time}"
            action.save()
            ActionItemFactory(plan=action.plan)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            shown(client, "?since=&kind=plan.actionitem")
        counts.append(len(queries))
    assert counts[0] == counts[1] < 20


@pytest.mark.both_databases(only_full=True)
def test_workbook_has_the_rows_of_the_page(client, action, administrator):
    action.text = "=1+1"
    action.save()
    client.force_login(administrator)
    response = client.get("/audit.xlsx?since=&kind=plan.actionitem", **FROM)
    sheet = load_workbook(BytesIO(b"".join(response))).active
    cells = [cell.value for row in sheet.iter_rows() for cell in row if cell.value]
    assert any(str(value).endswith("=1+1") for value in cells)
    assert f"{action.plan.slug} · {action.ref}" in cells
    assert Event.objects.filter(kind="FILE", address="192.0.2.7").count() == 1


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1"])
def test_no_typed_text_becomes_a_formula(client, administrator, text):
    person = UserFactory(username=f"{text}x", first_name=text, last_name="")
    for kind in ("LOGIN", "FILE"):
        record_event(kind, person=person, about=text, details=text)
    client.force_login(administrator)
    for page in ("/audit.xlsx?since=", f"/privacy/data/{person.pk}.xlsx"):
        book = load_workbook(BytesIO(b"".join(client.get(page))))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}


@pytest.mark.both_databases(only_full=True)
def test_changes_of_people_are_shown_before_and_after(client, administrator, django_capture_on_commit_callbacks):
    unit, other = UnitFactory(abbreviation="กค."), UnitFactory(abbreviation="กพร.")
    role = Group.objects.get_or_create(name="staff")[0]
    client.force_login(administrator)
    page = "/admin/assignments/user/"
    person = {
        "first_name": "สมชาย", "email": "somchai@x.go.th", "organization": unit.organization_id, "units": [unit.pk],
        "groups": [role.pk],
    }  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"{page}add/", person).status_code == 302
    added = User.objects.get(email="somchai@x.go.th")
    changed = person | {"username": added.username, "units": [other.pk], "groups": [], "is_active": "on"}
    assert client.post(f"{page}{added.pk}/change/", changed).status_code == 302
    client.post(f"{page}{added.pk}/delete/", {"deactivate": "1"})
    membership = added.memberships.get()
    client.post(f"/admin/assignments/membership/{membership.pk}/delete/", {"post": "yes"})
    with write_transaction():
        added.unit_list, added.role_list, added.stored = Chosen([unit]), Chosen([role]), read_fields(added)
        added.is_active, added.last_name = True, "ใจดี"
        save_people([], [added])
    coordinator = UserFactory(roles=["coordinator"], organization=unit.organization)
    UserFactory(organization=OrganizationFactory(), username="foreign")
    client.force_login(coordinator)
    rows = shown(client, "?since=&kind=PERSON")
    assert {row.about for row in rows} == {"somchai@x.go.th"}
    seen = [(row.kind, {each.label: each[1:] for each in row.changes}) for row in reversed(rows)]
    assert [kind for kind, _changes in seen] == ["บุคคล: เพิ่ม", *["บุคคล: แก้ไข"] * 4]
    assert seen[0][1]["หน่วยงาน"] == ("", "กค.")
    assert seen[1][1] == {"หน่วยงาน": ("กค.", "กพร."), "บทบาท": ("เจ้าหน้าที่", "")}
    assert seen[2][1] == {"ใช้งานอยู่": ("ใช่", "ไม่ใช่")}
    assert seen[3][1] == {"หน่วยงาน": ("กพร.", "")}
    assert seen[4][1]["บทบาท"] == ("", "เจ้าหน้าที่")
    assert {row.who for row in rows[1:]} == {"ผู้ดูแล"}
    assert [row.about for row in shown(client, "?since=&kind=INVITATION")] == ["somchai@x.go.th"]
