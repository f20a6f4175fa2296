"""Answers of pages by role, unit and flag: the forms offered, and whom the reason says to ask for what."""

import re
from html import unescape
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command

from assignments.access import Access
from assignments.models import Unit
from plan.models import ActionItem, ProgressUpdate
from submissions.models import Submission
from tests import sizes
from tests.factories import PASSWORD, ActionItemFactory, EvidenceFactory, PlanFactory, UnitFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.long]

ROLE = "แจ้งผู้ประสานงาน PMQA ให้กำหนดบทบาท “เจ้าหน้าที่”"
MEMBER = "แจ้งผู้ประสานงาน PMQA ให้เพิ่มท่านเป็นสมาชิกของหน่วยงาน"
PART = "แจ้งผู้ประสานงาน PMQA ให้เพิ่มหน่วยงานในรายการ"
COORDINATOR = "แจ้งผู้ดูแลระบบให้กำหนดบทบาท “ผู้ประสานงาน PMQA”"
BY_YOURSELF = "เพิ่มตนเองเป็นสมาชิกของหน่วยงาน"
OLD_UNIT = "เลิกใช้ในระบบแล้ว"
ASKS = {ROLE, MEMBER, PART, COORDINATOR, BY_YOURSELF, OLD_UNIT}

MINE, BOARD, MAP = "my", "dashboard", "criteria"
ALL, RESULT = "every field", "results only"
# Columns: roles; the user's part in the action; the start page and what it says to ask for; then, for the action page,
# งานของฉัน and the submission of the lead unit: the form offered, or what the page says to ask for instead.
TABLE = [
    ("", "none", (BOARD, {ROLE, MEMBER}), {ROLE, MEMBER}, {ROLE, MEMBER}, {ROLE, MEMBER}),
    ("", "lead", (BOARD, {ROLE}), {ROLE}, {ROLE}, {ROLE}),
    ("", "support", (BOARD, {ROLE}), {ROLE}, {ROLE}, {ROLE, MEMBER}),
    ("", "collective", (BOARD, {ROLE}), {ROLE}, {ROLE}, {ROLE, MEMBER}),
    ("", "other", (BOARD, {ROLE}), {ROLE}, {ROLE}, {ROLE, MEMBER}),
    ("staff", "none", (MINE, {MEMBER}), {MEMBER}, {MEMBER}, {MEMBER}),
    ("staff", "lead", (MINE, set()), ALL, set(), ALL),
    ("staff", "support", (MINE, set()), RESULT, set(), {MEMBER}),
    ("staff", "collective", (MINE, set()), ALL, set(), {MEMBER}),
    ("staff", "other", (MINE, set()), {PART}, set(), {MEMBER}),
    ("staff", "old lead", (MINE, {OLD_UNIT, MEMBER}), ALL, {OLD_UNIT, MEMBER}, ALL),
    ("management", "none", (BOARD, set()), {ROLE, MEMBER}, {ROLE, MEMBER}, {ROLE, MEMBER}),
    ("management", "lead", (BOARD, set()), {ROLE}, {ROLE}, {ROLE}),
    ("management", "support", (BOARD, set()), {ROLE}, {ROLE}, {ROLE, MEMBER}),
    ("management", "collective", (BOARD, set()), {ROLE}, {ROLE}, {ROLE, MEMBER}),
    ("management", "other", (BOARD, set()), {ROLE}, {ROLE}, {ROLE, MEMBER}),
    ("assessor", "none", (MAP, set()), {ROLE, MEMBER}, {ROLE, MEMBER}, {ROLE, MEMBER}),
    ("assessor", "lead", (MAP, set()), {ROLE}, {ROLE}, {ROLE}),
    ("assessor", "other", (MAP, set()), {ROLE}, {ROLE}, {ROLE, MEMBER}),
    ("coordinator", "none", (BOARD, set()), ALL, {BY_YOURSELF}, {MEMBER}),
    ("coordinator", "lead", (BOARD, set()), ALL, set(), ALL),
    ("coordinator", "support", (BOARD, set()), ALL, set(), {MEMBER}),
    ("coordinator", "other", (BOARD, set()), ALL, set(), {MEMBER}),
    ("staff management", "none", (MINE, {MEMBER}), {MEMBER}, {MEMBER}, {MEMBER}),
    ("staff management", "support", (MINE, set()), RESULT, set(), {MEMBER}),
    ("staff assessor", "lead", (MAP, set()), ALL, set(), ALL),
    ("staff coordinator", "none", (BOARD, set()), ALL, {BY_YOURSELF}, {MEMBER}),
    ("staff coordinator", "other", (BOARD, set()), ALL, set(), {MEMBER}),
    ("management coordinator", "none", (BOARD, set()), ALL, {BY_YOURSELF}, {MEMBER}),
]
# An administrator has the rights of a coordinator, with any roles.
ADMINISTRATORS = [
    ("", "none", (BOARD, set()), ALL, {BY_YOURSELF}, {MEMBER}),
    ("", "lead", (BOARD, set()), ALL, set(), ALL),
    ("", "other", (BOARD, set()), ALL, set(), {MEMBER}),
    ("staff", "none", (BOARD, set()), ALL, {BY_YOURSELF}, {MEMBER}),
    ("assessor", "support", (MAP, set()), ALL, set(), {MEMBER}),
    ("management", "lead", (BOARD, set()), ALL, set(), ALL),
]
# `is_staff` changes none of these answers: every second row has it, and in a full run each row with and without it.
CASES = [
    *(({"is_staff": True} if place % 2 else {}, *row) for place, row in enumerate(TABLE)),
    *(({} if place % 2 else {"is_staff": True}, *row) for place, row in enumerate(TABLE) if sizes.IS_FULL),
    *(({"is_superuser": True, "is_staff": bool(place % 2)}, *row) for place, row in enumerate(ADMINISTRATORS)),
]
ROLES = list(dict.fromkeys(roles for roles, *_rest in TABLE))
FLAGS_AND_ROLES = [
    *(({"is_staff": True} if place % 2 else {}, roles) for place, roles in enumerate(ROLES)),
    *(({} if place % 2 else {"is_staff": True}, roles) for place, roles in enumerate(ROLES) if sizes.IS_FULL),
    *(({"is_superuser": True, "is_staff": roles == "staff"}, roles) for roles in ("", "staff")),
]


@pytest.fixture(scope="module")
def made(rolled_back):
    """An action led by a unit and by a collective, supported by another unit; the unit has something to report."""
    lead, through = UnitFactory(abbreviation="นำ."), UnitFactory(abbreviation="รวม.")
    everyone = UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True, members=[through])
    UnitFactory(abbreviation="อื่น.")
    return ActionItemFactory(
        plan=PlanFactory(slug="2563"), lead=[lead, everyone], support=[UnitFactory(abbreviation="หนุน.")]
    )


@pytest.fixture
def action(made):
    return ActionItem.objects.get(pk=made.pk)


def person_of(roles, part, **flags):
    """Return a user with these roles, who is a member of the unit with this part in the action."""
    names = {"lead": "นำ.", "old lead": "นำ.", "support": "หนุน.", "collective": "รวม.", "other": "อื่น."}
    if part == "old lead":
        Unit.objects.filter(abbreviation="นำ.").update(is_active=False)
    return UserFactory(roles=roles.split(), units=Unit.objects.filter(abbreviation=names.get(part)), **flags)


def asked_on(response):
    """Return whom the page says to ask, and for what."""
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())
    text = text.replace("และแจ้ง", " แจ้ง")
    return {sentence for sentence in ASKS if sentence in text}


def form_on(response):
    """Return the fields of the update form on a page."""
    body = response.content.decode()
    if 'name="result"' not in body:
        return asked_on(response)
    return ALL if 'name="status_to"' in body else RESULT


@pytest.mark.parametrize(
    ("flags", "roles", "part", "first", "form", "work", "report"),
    CASES,
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_user_sees_the_allowed_forms_or_the_person_to_ask(
    client, action, flags, roles, part, first, form, work, report
):
    person = person_of(roles, part, **flags)
    client.force_login(person)
    where, asked = first

    assert client.get("/").url == f"/plans/2563/{where}/"
    page = client.get(f"/plans/2563/{where}/")
    assert asked_on(page) == asked
    assert asked_on(page if where == MINE else client.get("/plans/2563/my/")) == work

    page = f"/plans/2563/actions/{action.ref}/"
    assert form_on(client.get(page)) == (form if isinstance(form, str) else form | asked)
    sent = client.post(page, {"version": 1, "op_id": uuid4(), "status_to": "NOT_STARTED", "result": "คำที่พิมพ์ไว้"})
    if isinstance(form, str):
        assert sent.status_code in (302, 422)
    else:
        assert sent.status_code == 403
        assert asked_on(sent) == form | asked
        assert "คำที่พิมพ์ไว้" in sent.content.decode()
        assert not ProgressUpdate.objects.exists()

    page = "/plans/2563/reporting/นำ./2/"
    shown = client.get(page)
    sent = client.post(page, {"version": 0, "op_id": uuid4(), "do": "send", "note": "คำที่พิมพ์ไว้", "confirm": "on"})
    assert bool(shown.context["send_form"]) == (report == ALL) == Submission.objects.exists()
    if report != ALL:
        assert asked_on(shown) == report | asked
        assert sent.status_code == 403
        assert asked_on(sent) == report | asked
        assert "คำที่พิมพ์ไว้" in sent.content.decode()


@pytest.mark.parametrize(("flags", "roles"), FLAGS_AND_ROLES)
def test_other_roles_get_the_reason_on_coordinator_pages(client, action, flags, roles):
    client.force_login(person_of(roles, "none", **flags))
    may = "coordinator" in roles or "is_superuser" in flags
    assert ('href="/admin/"' in client.get("/password/").content.decode()) == may
    for page in ("/plans/2563/import/", "/new-plan/", "/new-plan/template.xlsx", "/admin/"):
        response = client.get(page, follow=True)
        assert response.status_code == (200 if may else 403), page
        if not may:
            assert COORDINATOR in asked_on(response), page
    address = "/plans/2563/reporting/นำ./2/"
    sent = client.post(address, {"version": 1, "op_id": uuid4(), "do": "accept", "note": "คำที่พิมพ์ไว้"})
    if not may:
        assert sent.status_code == 403
        assert COORDINATOR in asked_on(sent)
        assert "คำที่พิมพ์ไว้" in sent.content.decode()


@pytest.mark.parametrize(("flags", "roles"), FLAGS_AND_ROLES)
def test_deactivated_account_gets_the_reason_at_the_login(client, action, roles, flags):
    person = person_of(roles, "lead", is_active=False, **flags)
    response = client.post("/login/", {"username": person.username, "password": PASSWORD})
    assert "แจ้งผู้ดูแลระบบให้เปิดใช้งานอีกครั้ง" in response.content.decode()
    client.force_login(person)
    assert client.get("/").url == "/login/?next=/"


# Coordinators in จัดการข้อมูล.


@pytest.fixture
def roles_of_the_department():
    call_command("loaddata", "fixtures/roles.json", verbosity=0)


def test_coordinator_role_opens_the_admin_without_is_staff(client, action, roles_of_the_department):
    person = UserFactory(roles=["coordinator"])
    client.force_login(person)
    assert not person.is_staff
    closed = [
        model.__name__
        for model, screen in admin.site._registry.items()
        if client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/").status_code != 200
    ]
    assert closed == ["Group", "Organization", "Attempts", "SecondFactor"]
    unit = {"abbreviation": "ใหม่.", "name_th": "กองใหม่", "position": 1, "is_active": "on"}
    none = {f"memberships-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")}
    assert client.post("/admin/assignments/unit/add/", unit | none).status_code == 302
    assert Unit.objects.filter(abbreviation="ใหม่.").exists()


@pytest.mark.parametrize("page", ["/admin/auth/group/", "/admin/auth/group/add/"])
def test_admin_page_only_for_administrators_gives_the_reason(client, roles_of_the_department, page):
    client.force_login(UserFactory(roles=["coordinator"]))
    response = client.get(page)
    assert response.status_code == 403
    assert "โปรดแจ้งผู้ดูแลระบบ" in response.content.decode()
    assert "บทบาทของท่าน: ผู้ประสานงาน PMQA" in response.content.decode()


def test_is_staff_with_a_permission_opens_the_admin(client, roles_of_the_department):
    """A group added by the administrator, such as one that only manages accounts."""
    person = UserFactory(is_staff=True)
    keepers = Group.objects.create(name="ผู้ดูแลบัญชี")
    keepers.permissions.set(Group.objects.get(name="coordinator").permissions.filter(codename="view_user"))
    person.groups.add(keepers)
    client.force_login(person)
    assert client.get("/admin/assignments/user/").status_code == 200
    assert client.get("/admin/plan/plan/").status_code == 403


# Refusals of a form.


def test_refused_form_keeps_its_text_and_its_place(client, action):
    """htmx shows the reason above the page and keeps the form; without JavaScript the page shows the text to copy."""
    evidence = EvidenceFactory(update__action=action)
    client.force_login(UserFactory(roles=["staff"]))
    page = f"/plans/2563/evidence/{evidence.pk}/withdraw/"
    response = client.post(page, {"reason": "แนบผิดไฟล์"})
    assert response.status_code == 403
    assert "แนบผิดไฟล์" in response.content.decode()
    answer = client.post(page, {"reason": "แนบผิดไฟล์"}, headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert answer.headers["X-Refusal"] == "true"
    assert "<html" not in answer.content.decode()


def test_admin_form_keeps_its_text_after_the_right_was_lost(client, action):
    client.force_login(UserFactory(roles=["management"]))
    response = client.post("/admin/assignments/unit/add/", {"abbreviation": "ใหม่.", "name_th": "กองที่พิมพ์ไว้"})
    assert response.status_code == 403
    assert "กองที่พิมพ์ไว้" in response.content.decode()


def test_no_change_by_a_reader_gives_the_reason(client, action):
    client.force_login(UserFactory(roles=["management"], units=Unit.objects.filter(abbreviation="นำ.")))
    row = f"{action.ref}|{action.version}|{uuid4()}"
    response = client.post("/plans/2563/my/unchanged/", {"row": row}, follow=True)
    said = [str(message) for message in response.context["messages"]]
    assert len(said) == 1
    assert ROLE in said[0]


def test_action_without_a_unit_names_the_coordinator(action):
    action.assignments.all().delete()
    action = ActionItem.objects.with_details().get(pk=action.pk)
    reason = Access.of(UserFactory(roles=["staff"])).why_not_report(action)
    assert reason == "รายการนี้ยังไม่มีหน่วยงานที่รับผิดชอบ ผู้ประสานงาน PMQA เป็นผู้กำหนดหน่วยงาน"
