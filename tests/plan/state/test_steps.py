"""Opening, closing and reopening a plan: who may, what is missing, what is kept, and what a closed plan refuses."""

import re
from datetime import date
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from assignments.access import Access
from assignments.models import Role
from exchange.jobs import confirm_job
from exchange.models import ImportJobState
from plan.models import EvidenceWithdrawal, Plan, PlanStep, ProgressUpdate
from plan.state.steps import MOVES, change_state
from pmqa_tracker import clock
from pmqa_tracker.write_once import StaleVersionError
from submissions.models import SubmissionStep
from tests.exchange.workbooks import edited, exported, fingerprint, preview
from tests.factories import (
    ActionItemFactory,
    EvidenceFactory,
    OrganizationFactory,
    PlanFactory,
    ProgressUpdateFactory,
    UnitFactory,
    UserFactory,
)
from tests.plan.posting import choice, typed
from tests.submissions.sending import send

pytestmark = pytest.mark.django_db
PREPARATION, RUNNING, ENDED = Plan.State
FORM = re.compile(r'<form[^>]*method="post"[^>]*>')


def post(client, plan, move, *, version=None, op_id=None, note=""):
    plan.refresh_from_db()
    data = {"version": version or plan.version, "op_id": op_id or uuid4(), "note": note}
    return client.post(f"/plans/{plan.slug}/state/{move}/", data)


def set_state(plan, state):
    Plan.objects.filter(pk=plan.pk).update(state=state)
    plan.refresh_from_db()


@pytest.mark.both_databases(only_full=True)
def test_a_plan_is_opened_closed_and_reopened_with_a_history(client, coordinator, plan, action):
    set_state(plan, PREPARATION)
    client.force_login(coordinator)
    assert "จะเห็นแผน" in client.get("/plans/2563/state/open/").content.decode()
    assert post(client, plan, "open").headers["Location"] == "/plans/2563/"
    assert post(client, plan, "close", note="ครบปีงบประมาณ").status_code == 302
    plan.refresh_from_db()
    assert (plan.state, plan.closed_on, plan.last_day) == (ENDED, clock.today(), clock.today())
    assert post(client, plan, "reopen").status_code == 422
    assert post(client, plan, "reopen", note="ขาดรายงานไตรมาส 2").status_code == 302
    plan.refresh_from_db()
    assert (plan.state, plan.closed_on, plan.last_day) == (RUNNING, None, date(2020, 9, 30))
    steps = plan.steps.order_by("version").values_list("state_from", "state_to", "by", "note")
    assert list(steps) == [
        (PREPARATION, RUNNING, coordinator.pk, ""),
        (RUNNING, ENDED, coordinator.pk, "ครบปีงบประมาณ"),
        (ENDED, RUNNING, coordinator.pk, "ขาดรายงานไตรมาส 2"),
    ]
    assert plan.history.count() == 1 + 3
    body = client.get("/plans/2563/").content.decode()
    assert body.index("ขาดรายงานไตรมาส 2") < body.index("ครบปีงบประมาณ")


@pytest.mark.both_databases
def test_one_form_makes_one_step_and_a_stale_one_none(client, coordinator, plan, action):
    client.force_login(coordinator)
    form = {"version": plan.version, "op_id": uuid4(), "note": "ปิดตามมติที่ประชุม"}
    assert [post(client, plan, "close", **form).status_code for _ in range(2)] == [302, 302]
    for data in (form | {"note": "อีกเหตุผลหนึ่ง"}, form | {"op_id": uuid4()}):
        answer = post(client, plan, "close", **data)
        assert answer.status_code == 409
        assert data["note"] in answer.content.decode()
    answer = post(client, plan, "reopen", **form | {"op_id": uuid4()})
    assert answer.status_code == 409
    assert 'name="note"' in answer.content.decode()
    assert PlanStep.objects.count() == 1
    at, access = clock.now(), Access.of(coordinator)
    with pytest.raises(StaleVersionError):
        change_state(plan=plan, move=MOVES["close"], access=access, version=1, op_id=uuid4(), at=at, note="")


def test_only_coordinators_of_the_organization_change_the_state(client, plan, action):
    ministry = OrganizationFactory()
    plan.organization.parent = ministry
    plan.organization.save()
    coordinator = ["coordinator", "management"]
    for user, status in (
        (UserFactory(roles=["staff", "management", "assessor"]), 403),
        (UserFactory(roles=coordinator, organization=ministry), 403),
        (UserFactory(roles=coordinator, organization=OrganizationFactory()), 404),
    ):
        client.force_login(user)
        assert client.get("/plans/2563/state/close/").status_code == status
        assert post(client, plan, "close").status_code == status
    assert not PlanStep.objects.exists()


def test_a_plan_that_cannot_run_is_not_opened(client, coordinator, unit):
    empty = PlanFactory(slug="empty", periods=[], state=PREPARATION)
    empty.periods.all().delete()
    half = PlanFactory(slug="half", state=PREPARATION)
    ActionItemFactory(plan=half, ref="1.1-A-1", lead=[unit])
    for number in range(2, 4):
        ActionItemFactory(plan=half, ref=f"1.1-A-{number}", support=[unit])
    client.force_login(coordinator)
    for plan, texts in (
        (empty, ("แผนยังไม่มีช่วงเวลา", "แผนยังไม่มีสิ่งที่ต้องดำเนินการ", "/plans/empty/import/")),
        (half, ("2 รายการยังไม่มีหน่วยงานหลัก", ">1.1-A-2</a>", ">1.1-A-3</a>")),
    ):
        answer = post(client, plan, "open")
        assert answer.status_code == 422
        for body in (answer.content.decode(), client.get(f"/plans/{plan.slug}/").content.decode()):
            assert [text for text in texts if text not in body] == []
            assert ">1.1-A-1</a>" not in body
    for action in half.actions.filter(assignments__role=Role.SUPPORT):
        action.assignments.create(unit=UnitFactory(), role=Role.LEAD)
    assert post(client, half, "open").status_code == 302


@pytest.mark.parametrize(("state", "reason"), [(PREPARATION, "อยู่ระหว่างจัดทำ"), (ENDED, "ไม่รับรายงานแล้ว")])
@pytest.mark.parametrize("role", ["staff", "coordinator"])
def test_a_plan_that_does_not_run_takes_no_reports(client, plan, unit, action, state, reason, role):
    author = UserFactory(roles=[role], units=[unit])
    update = ProgressUpdateFactory(action=action, author=author)
    evidence = EvidenceFactory(update=update)
    submission = send(plan, unit, UserFactory(roles=["staff"], units=[unit])).submission
    set_state(plan, state)
    is_hidden = state == PREPARATION and role == "staff"
    client.force_login(author)
    pages = ("actions/1.1-A-1/", "my/", "my/1.1-A-1/", f"reporting/{unit}/2/", f"reporting/{unit}/3/", "owed/")
    for page in pages:
        answer = client.get(f"/plans/2563/{page}")
        assert answer.status_code == (404 if is_hidden else 200)
        main = answer.content.decode().split("<main")[1]
        forms = [form for form in FORM.findall(main) if "/introduction/" not in form]
        assert [form for form in forms if "unchanged" not in form] == []
    review = {"version": submission.version, "op_id": uuid4()}
    for page, data in (
        ("actions/1.1-A-1/", typed(action, status_to="IN_PROGRESS", progress_to=50, result="ทำแล้ว")),
        ("my/1.1-A-1/", typed(action, result="ทำแล้ว")),
        ("my/unchanged/", {"row": choice(action)}),
        (f"evidence/{evidence.pk}/withdraw/", {"reason": "แนบผิด"}),
        (f"reporting/{unit}/2/", {**review, "do": "accept"}),
        (f"reporting/{unit}/2/", {**review, "do": "return", f"reason_{action.pk}": "แก้ไข"}),
        (f"reporting/{unit}/3/", {"version": 0, "op_id": uuid4(), "do": "send", "confirm": "on"}),
    ):
        answer = client.post(f"/plans/2563/{page}", data, follow=True)
        assert is_hidden or reason in answer.content.decode(), page
    assert ProgressUpdate.objects.get() == update
    assert not EvidenceWithdrawal.objects.exists()
    assert SubmissionStep.objects.count() == 1


def test_a_closed_plan_refuses_workbooks_and_keeps_downloads(client, coordinator, plan, unit, action):
    file = edited(exported(plan), {("1.1-A-1", "text"): "ข้อความใหม่"})
    waiting = preview(file, plan, coordinator)
    written = preview(edited(exported(plan), {("1.1-A-1", "status"): "อยู่ระหว่างดำเนินการ"}), plan, coordinator)
    written = confirm_job(job=written, file_rows=(), access=Access.of(coordinator), at=clock.now())
    assert (waiting.state, written.state) == (ImportJobState.PREVIEW, ImportJobState.WRITTEN)
    set_state(plan, ENDED)
    client.force_login(coordinator)
    before = fingerprint()
    form = {"file": SimpleUploadedFile("ข้อมูล.xlsx", file)}
    assert 'type="file"' not in client.get("/plans/2563/import/").content.decode()
    for page, data in (
        ("import/", form), (f"import/{waiting.key}/", {}), (f"import/{written.key}/undo/", {}),
    ):  # fmt: skip
        assert "ไม่รับรายงานแล้ว" in client.post(f"/plans/2563/{page}", data, follow=True).content.decode()
    assert fingerprint() == before
    for page in ("data-sheet.xlsx", "reports/progress.xlsx", "reports/plan-form.xlsx", "reports/meeting.docx"):
        assert client.get(f"/plans/2563/{page}").status_code == 200, page
