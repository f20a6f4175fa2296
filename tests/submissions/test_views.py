"""Pages of the submissions: forms by role, refusals and conflicts that keep the typed text."""

import re
from urllib.parse import quote, unquote
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from submissions.models import Submission, SubmissionStep
from submissions.steps import accept_submission, return_submission
from tests.factories import ActionItemFactory, UnitFactory, UserFactory
from tests.submissions.sending import on, review, send
from tests.test_pages import no_inline

pytestmark = pytest.mark.django_db
BUDGET = 20


@pytest.fixture
def action(plan, unit, staff, report_progress):
    action = ActionItemFactory(plan=plan, ref="1.1-A-1", lead=[unit])
    report_progress(action, staff, at=on(2, 3), progress=30, result="จัดอบรมแล้ว 2 รุ่น")
    return action


@pytest.fixture
def silent(plan, unit):
    return ActionItemFactory(plan=plan, ref="1.1-A-2", lead=[unit])


@pytest.fixture
def staff(unit):
    return UserFactory(roles=["staff"], units=[unit], first_name="สมศรี")


def here(number=2, unit="สพม."):
    return f"/plans/2563/reporting/{unit}/{number}/"


def form(version=0, do="send", **typed):
    return {"do": do, "version": version, "op_id": str(uuid4()), "note": "", **typed}


def stored():
    return Submission.objects.values("state", "version").get()


def rows_of(response):
    return {row.action.ref: row for row in response.context["page"].rows}


# The list.


@pytest.mark.both_databases
def test_the_list_begins_with_the_longest_waiting_submission(client, plan, unit, action, staff):
    other = UnitFactory(abbreviation="กจ.")
    ActionItemFactory(plan=plan, lead=[other])
    UnitFactory(abbreviation="ว่าง")
    UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True)
    send(plan, unit, staff, number=2, at=on(4, 8))
    send(plan, other, UserFactory(roles=["staff"], units=[other]), number=2, at=on(4, 3))
    client.force_login(UserFactory(roles=["management"]))
    response = client.get("/plans/2563/reporting/")
    table = response.context["grid"]
    assert [(cell.unit.abbreviation, cell.actions) for cell in table.waiting] == [("กจ.", 1), ("สพม.", 1)]
    assert [row.unit.abbreviation for row in table.rows if row.is_empty] == ["ว่าง"]
    assert [(column.handed_in, column.owed) for column in table.columns] == [(0, 2), (2, 2), (0, 2), (0, 0)]
    body = response.content.decode()
    assert f'href="{quote("/plans/2563/reporting/กจ./2/")}"' in body
    assert no_inline(body) == []


# One submission.


@pytest.mark.parametrize(
    ("roles", "is_member", "expected"),
    [
        (["staff"], True, (True, False)),
        (["staff"], False, (False, False)),
        (["management"], True, (False, False)),
        (["coordinator"], False, (False, True)),
        (["coordinator"], True, (True, True)),
        (["assessor"], False, (False, False)),
    ],
)
def test_which_user_gets_which_form(client, plan, unit, action, staff, roles, is_member, expected):
    send(plan, unit, staff)
    client.force_login(UserFactory(roles=roles, units=[unit] if is_member else []))
    response = client.get(here())
    context = response.context
    assert response.status_code == 200
    assert (context["send_form"] is not None, context["review_form"] is not None) == expected


def test_the_page_shows_the_updates_of_the_period(client, plan, action, silent, staff, report_progress):
    report_progress(action, staff, at=on(3, 3), progress=50, result="ประเมินผลแล้ว", next_step="สรุปรายงาน")
    client.force_login(staff)
    response = client.get(here())
    rows = rows_of(response)
    assert [update.result for update in rows["1.1-A-1"].period_updates] == ["ประเมินผลแล้ว", "จัดอบรมแล้ว 2 รุ่น"]
    assert {ref: row.is_silent for ref, row in rows.items()} == {"1.1-A-1": False, "1.1-A-2": True}
    assert [len(group) for _label, group in response.context["groups"]] == [1, 1]
    body = response.content.decode()
    assert all(words in body for words in ("ประเมินผลแล้ว", "สรุปรายงาน", "จัดอบรมแล้ว 2 รุ่น"))


@pytest.mark.parametrize(("number", "begins"), [(4, False), (3, True)])
def test_a_period_that_has_not_begun_has_no_form(client, plan, action, staff, number, begins):
    client.force_login(staff)
    context = client.get(here(number)).context
    assert (context["send_form"] is not None, bool(context["page"].rows), context["has_begun"]) == (begins,) * 3


def test_a_unit_with_nothing_to_report_has_no_form(client, plan, unit, staff):
    client.force_login(staff)
    context = client.get(here()).context
    assert (context["send_form"], context["page"].rows) == (None, [])


def test_sending_redirects_to_the_submission(client, plan, action, staff):
    client.force_login(staff)
    response = client.post(here(), form(note="ส่งตามกำหนด"), follow=True)
    assert [(unquote(url), status) for url, status in response.redirect_chain] == [(here(), 302)]
    assert len(list(response.context["messages"])) == 1
    assert stored() == {"state": "SENT", "version": 1}
    assert "ส่งตามกำหนด" in response.content.decode()


def test_sending_without_all_updates_needs_a_confirmation(client, plan, action, silent, staff):
    client.force_login(staff)
    first = client.get(here())
    assert [row.action.ref for row in first.context["page"].rows_needing_update] == ["1.1-A-2"]
    assert 'href="/plans/2563/my/1.1-A-2/#row-1.1-A-2"' in first.content.decode()
    response = client.post(here(), form(note="ขอส่งก่อน"))
    assert response.status_code == 422
    assert list(response.context["send_form"].errors) == ["confirm"]
    assert (len(response.context["errors"]), response.context["errors_at"]) == (1, "send")
    assert "ขอส่งก่อน</textarea>" in response.content.decode()
    assert not Submission.objects.exists()
    assert client.post(here(), form(confirm="on")).status_code == 302
    assert stored() == {"state": "SENT", "version": 1}


def test_after_sending_the_page_shows_later_updates(client, plan, unit, action, staff, report_progress):
    send(plan, unit, staff, at=on(4, 3))
    report_progress(action, staff, at=on(4, 20), progress=80, result="หลังส่ง")
    client.force_login(staff)
    row = rows_of(client.get(here()))["1.1-A-1"]
    assert (row.status, row.progress) == ("IN_PROGRESS", 30)
    assert ([update.result for update in row.period_updates], [update.result for update in row.later_updates]) == (
        ["จัดอบรมแล้ว 2 รุ่น"],
        ["หลังส่ง"],
    )


def test_the_coordinator_accepts(client, plan, unit, action, staff, coordinator):
    send(plan, unit, staff)
    client.force_login(coordinator)
    response = client.post(here(), form(1, "accept", note="ครบถ้วน"), follow=True)
    assert response.redirect_chain == [("/plans/2563/reporting/", 302)]
    assert stored() == {"state": "ACCEPTED", "version": 2}
    page = client.get(here()).context
    assert (page["send_form"], page["review_form"], len(page["page"].steps)) == (None, None, 2)


def test_the_unit_sees_why_the_coordinator_returned_an_action(
    client, plan, unit, action, silent, staff, coordinator, report_progress
):
    send(plan, unit, staff)
    client.force_login(coordinator)
    reasons = {f"reason_{action.pk}": "โปรดแนบหลักฐาน\r\nพร้อมลงนาม", f"reason_{silent.pk}": "  "}
    assert client.post(here(), form(1, "return", **reasons)).status_code == 302
    assert stored() == {"state": "RETURNED", "version": 2}
    client.force_login(staff)
    response = client.get(here())
    row = rows_of(response)["1.1-A-1"]
    assert (row.return_reason, row.is_answered) == ("โปรดแนบหลักฐาน\nพร้อมลงนาม", False)
    assert [each.action.ref for each in response.context["page"].rows_needing_update] == ["1.1-A-1", "1.1-A-2"]
    assert [each.action.ref for each, _field in response.context["groups"][0][1]] == ["1.1-A-1", "1.1-A-2"]
    report_progress(action, staff, result="แนบหลักฐานแล้ว")
    row = rows_of(client.get(here()))["1.1-A-1"]
    assert (row.is_answered, row.needs_update) == (True, False)


def test_a_return_without_a_reason_is_refused(client, plan, unit, action, staff, coordinator):
    send(plan, unit, staff)
    client.force_login(coordinator)
    response = client.post(here(), form(1, "return", note="โปรดแก้ไข"))
    assert response.status_code == 422
    assert len(response.context["review_form"].non_field_errors()) == 1
    assert (len(response.context["errors"]), response.context["errors_at"]) == (1, "review")
    assert "โปรดแก้ไข</textarea>" in response.content.decode()
    assert stored() == {"state": "SENT", "version": 1}


@pytest.mark.parametrize("do", ["accept", "", "erase"])
def test_accepting_with_reasons_is_refused(client, plan, unit, action, staff, coordinator, do):
    send(plan, unit, staff)
    client.force_login(coordinator)
    response = client.post(here(), form(1, do, **{f"reason_{action.pk}": "ยังขาด  <b>"}))
    assert response.status_code == 422
    assert "ยังขาด  &lt;b&gt;</textarea>" in response.content.decode()
    assert stored() == {"state": "SENT", "version": 1}


@pytest.mark.both_databases(only_full=True)
def test_a_review_of_a_submission_sent_again_keeps_the_reasons(client, plan, unit, action, staff, coordinator):
    send(plan, unit, staff)
    typed = form(1, "return", note="รอบแรก", **{f"reason_{action.pk}": "โปรดแนบหลักฐาน"})
    send(plan, unit, staff, version=1, note="ฉบับแก้ไข")
    client.force_login(coordinator)
    response = client.post(here(), typed)
    body = response.content.decode()
    assert response.status_code == 409
    assert [step.note for step in response.context["newer_steps"]] == ["ฉบับแก้ไข"]
    assert "โปรดแนบหลักฐาน</textarea>" in body
    assert "รอบแรก</textarea>" in body
    assert 'name="version" value="2"' in body
    assert typed["op_id"] not in body
    assert stored() == {"state": "SENT", "version": 2}
    assert client.post(here(), typed | {"version": 2}).status_code == 302
    assert stored() == {"state": "RETURNED", "version": 3}


@pytest.mark.both_databases(only_full=True)
def test_a_conflicting_review_shows_both_texts(client, plan, unit, action, staff, coordinator):

    submission = send(plan, unit, staff).submission
    other = UserFactory(roles=["coordinator"], first_name="อีกคน")
    review(return_submission, submission, other, version=1, reasons={action.pk: "ของเขา"})
    client.force_login(coordinator)
    response = client.post(here(), form(1, "return", note="รอบแรก", **{f"reason_{action.pk}": "ของฉัน"}))
    body = response.content.decode()
    assert response.status_code == 409
    assert [step.by for step in response.context["newer_steps"]] == [other]
    assert [text for _label, text in response.context["typed"]] == ["รอบแรก", "ของฉัน"]
    assert re.search(r"<textarea[^>]*readonly[^>]*>ของฉัน</textarea>", body)
    assert "ของเขา" in body
    assert stored() == {"state": "RETURNED", "version": 2}


@pytest.mark.both_databases(only_full=True)
def test_a_conflicting_sending_shows_both_notes(client, plan, unit, action, staff):
    send(plan, unit, UserFactory(roles=["staff"], units=[unit]), note="ของเพื่อน")
    client.force_login(staff)
    response = client.post(here(), form(note="ของฉัน"))
    assert response.status_code == 409
    assert [step.note for step in response.context["newer_steps"]] == ["ของเพื่อน"]
    assert "ของฉัน</textarea>" in response.content.decode()
    assert SubmissionStep.objects.count() == 1


@pytest.mark.both_databases(only_full=True)
def test_pressing_a_button_twice_makes_one_step(client, plan, unit, action, staff, coordinator):
    client.force_login(staff)
    typed = form(note="ส่งตามกำหนด")
    assert [client.post(here(), typed).status_code for _ in range(3)] == [302] * 3
    client.force_login(coordinator)
    typed = form(1, "return", **{f"reason_{action.pk}": "โปรดแนบหลักฐาน"})
    assert [client.post(here(), typed).status_code for _ in range(3)] == [302] * 3
    assert stored() == {"state": "RETURNED", "version": 2}
    assert SubmissionStep.objects.count() == 2


@pytest.mark.both_databases(every=True)
@pytest.mark.parametrize("version", ["", "x", "-1", "999", "1" * 30])
def test_an_unknown_version_is_a_stale_form(client, plan, action, staff, version):
    client.force_login(staff)
    response = client.post(here(), form(version, note="ของฉัน"))
    assert response.status_code == 409
    assert "ของฉัน</textarea>" in response.content.decode()
    assert not Submission.objects.exists()


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("op_id", ["", "x", "0" * 300])
def test_a_broken_op_id_writes_nothing_and_keeps_the_text(client, plan, action, staff, op_id):
    client.force_login(staff)
    response = client.post(here(), form(note="ของฉัน") | {"op_id": op_id})
    body = response.content.decode()
    assert response.status_code == 422
    assert "ของฉัน</textarea>" in body
    assert not Submission.objects.exists()
    fresh = re.search(r'name="op_id" value="([0-9a-f-]{36})"', body)[1]
    assert client.post(here(), form(note="ของฉัน") | {"op_id": fresh}).status_code == 302


@pytest.mark.parametrize("do", ["send", "accept", "return"])
def test_users_without_the_right_see_why_and_keep_their_text(client, plan, unit, action, staff, do):
    send(plan, unit, staff)
    client.force_login(UserFactory(roles=["staff"], units=[UnitFactory()]))
    response = client.post(here(), form(1, do, note="ข้อความยาว", **{f"reason_{action.pk}": "เหตุผล"}))
    assert response.status_code == 403
    assert response.context["refusal"]
    assert re.search(r"<textarea[^>]*readonly[^>]*>ข้อความยาว</textarea>", response.content.decode())
    assert re.search(r"<textarea[^>]*readonly[^>]*>เหตุผล</textarea>", response.content.decode())
    assert stored() == {"state": "SENT", "version": 1}


def test_an_accepted_submission_cannot_be_sent_again(client, plan, unit, action, staff, coordinator):

    review(accept_submission, send(plan, unit, staff).submission, coordinator, version=1)
    client.force_login(staff)
    response = client.post(here(), form(2, note="ขอแก้ไข"))
    assert response.status_code == 403
    assert "ขอแก้ไข</textarea>" in response.content.decode()
    assert stored() == {"state": "ACCEPTED", "version": 2}


@pytest.mark.parametrize(
    ("path", "near"),
    [
        (here(unit="สพ."), here()),
        (here(unit="ทุกหน่วยงาน"), here()),
        (here(9), here(1)),
        (here("9" * 30), here(1)),
        (here(0), here(1)),
        (here().replace("2563", "2564"), "/plans/2563/dashboard/"),
    ],
)
def test_the_404_page_lists_near_names(client, plan, unit, staff, path, near):
    UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True)
    client.force_login(staff)
    response = client.get(path)
    assert response.status_code == 404
    assert near in [unquote(address) for _label, address in response.context["nearest"]]


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(client, plan, unit, staff, method):
    client.force_login(staff)
    assert getattr(client, method)(here()).status_code == 405
    assert client.post("/plans/2563/reporting/").status_code == 405


@pytest.mark.parametrize("path", ["/plans/2563/reporting/", here()])
@pytest.mark.parametrize("state", ["none", "sent", "returned"])
def test_a_page_needs_no_more_queries_for_more_rows(
    client, plan, unit, staff, coordinator, report_progress, path, state
):

    def grow(times):
        for _ in range(times):
            action = ActionItemFactory(plan=plan, lead=[unit], support=[UnitFactory()])
            report_progress(action, staff, at=on(2, 3), progress=10)
            report_progress(action, staff, at=on(3, 3), progress=20)
            ActionItemFactory(plan=plan, lead=[UnitFactory()])
        version = getattr(Submission.objects.first(), "version", 0)
        if state == "none":
            return
        step = send(plan, unit, staff, version=version)
        if state == "returned":
            reasons = dict.fromkeys(step.lines.values_list("action_id", flat=True), "โปรดแก้ไข")
            review(return_submission, step.submission, coordinator, version=version + 1, reasons=reasons)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        written = [each["sql"] for each in captured if not each["sql"].lstrip(" (").upper().startswith("SELECT")]
        assert written == []
        return len(captured)

    client.force_login(UserFactory(roles=["staff", "coordinator"], units=[unit]))
    client.get(path)
    grow(1)
    with_one = queries()
    grow(2)
    assert queries() == with_one <= BUDGET


def test_a_stale_review_without_a_button_is_a_conflict(client, plan, unit, action, staff, coordinator):
    submission = send(plan, unit, staff).submission
    send(plan, unit, staff, version=1)
    client.force_login(coordinator)
    response = client.post(here(), form(submission.version, do="x", note="ของฉัน"))
    assert response.status_code == 409
    assert "ของฉัน</textarea>" in response.content.decode()
    assert stored() == {"state": "SENT", "version": 2}
