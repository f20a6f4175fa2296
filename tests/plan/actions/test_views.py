"""Start page by role, my work, the list of actions, and the page of one action with its update form."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from plan.models import ActionItem, ProgressUpdate, Status
from tests.factories import ActionItemFactory, UnitFactory, UserFactory
from tests.plan.posting import typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(staff, action):
    return f"/plans/2563/actions/{action.ref}/"


def pks(rows):
    return [row.action.pk for row in rows]


@pytest.mark.parametrize(
    ("roles", "page"),
    [
        (["staff"], "my"),
        (["management"], "dashboard"),
        (["coordinator"], "dashboard"),
        (["staff", "coordinator"], "dashboard"),
        (["assessor"], "criteria"),
        ([], "dashboard"),
    ],
)
def test_start_page_depends_on_the_role(client, plan, roles, page):
    client.force_login(UserFactory(roles=roles))
    assert client.get("/").url == f"/plans/2563/{page}/"


@pytest.mark.both_databases
def test_my_work_is_sorted_by_due_and_counts_updates(client, plan, unit, staff, report_progress):
    other = UnitFactory()
    everyone = UnitFactory(is_collective=True, members=[unit, other])
    late = ActionItemFactory(plan=plan, lead=[unit], runs=(1, 2))
    now = ActionItemFactory(plan=plan, lead=[everyone], runs=(1, 4))
    later = ActionItemFactory(plan=plan, lead=[unit], runs=(4, 4))
    done = ActionItemFactory(plan=plan, lead=[unit], runs=(1, 3))
    unscheduled = ActionItemFactory(plan=plan, lead=[unit], runs=None)
    helped = ActionItemFactory(plan=plan, lead=[other], support=[unit])
    ActionItemFactory(plan=plan, lead=[other])
    report_progress(done, staff, status=Status.DONE)
    client.force_login(staff)
    work = client.get("/plans/2563/my/").context["work"]
    assert [(each.key, pks(each.own), pks(each.via_collective)) for each in work.sections] == [
        ("OVERDUE", [late.pk], []),
        ("NOW", [], [now.pk]),
        ("TOLD", [done.pk], []),
        ("LATER", [later.pk], []),
        ("UNSCHEDULED", [unscheduled.pk], []),
    ]
    assert (work.own.updated, work.own.total, work.via_collective.updated, work.via_collective.total) == (1, 2, 0, 1)
    assert [(str(role), count) for role, count in work.tabs] == [("LEAD", 5), ("SUPPORT", 1)]
    support = client.get("/plans/2563/my/?role=SUPPORT").context["work"]
    assert [pks(section.own) for section in support.sections] == [[helped.pk]]


@pytest.mark.both_databases
def test_update_is_recorded_and_shown(client, here, action):
    response = client.post(
        here, typed(action, status_to="IN_PROGRESS", progress_to=45, result="จัดอบรมแล้ว 2 รุ่น"), follow=True
    )
    assert response.redirect_chain == [(here, 302)]
    assert "จัดอบรมแล้ว 2 รุ่น" in response.content.decode()
    action.refresh_from_db()
    assert (action.status, action.progress, action.version) == ("IN_PROGRESS", 45, 2)


def test_long_text_of_the_list_is_fetched_when_its_row_is_opened(client, staff, action):
    ActionItem.objects.update(text="<b>ก</b> " + "ข้อความ " * 40)
    client.force_login(staff)
    body = client.get("/plans/2563/actions/").content.decode()
    assert body.count("ข้อความ") < 30
    whole = client.get(f"/plans/2563/actions/{action.ref}/?text", headers={"HX-Request": "true"}).content.decode()
    assert whole == escape(ActionItem.objects.get().text)
    assert f'hx-get="/plans/2563/actions/{action.ref}/?text"' in body


def test_further_filters_are_fetched_when_they_are_opened(client, staff, action):
    client.force_login(staff)
    here = "/plans/2563/actions/"
    assert 'name="health"' not in client.get(here).content.decode()
    for address in (f"{here}?filters=1", f"{here}?health=NONE"):
        assert 'name="health"' in client.get(address).content.decode()
    part = client.get(f"{here}?filters=1", headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith('<div class="filter-more">')


def test_htmx_response_redirects_to_the_page(client, here, action):
    response = client.post(here, typed(action, status_to="IN_PROGRESS", progress_to=45), headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == here


@pytest.mark.both_databases(only_full=True)
def test_double_click_records_one_update(client, here, action):
    data = typed(action, status_to="IN_PROGRESS", progress_to=45)
    assert [client.post(here, data).status_code for _ in range(3)] == [302, 302, 302]
    assert ProgressUpdate.objects.count() == 1


def test_broken_rule_is_shown_and_the_text_kept(client, here, action):
    data = typed(action, status_to="BLOCKED", progress_to=10, result="เริ่มแล้ว  <b>", next_step="ขออัตรา")
    response = client.post(here, data)
    body = response.content.decode()
    assert response.status_code == 422
    assert list(response.context["panel"].form.errors) == ["problem"]
    assert "เริ่มแล้ว  &lt;b&gt;" in body
    assert "ขออัตรา" in body
    assert not ProgressUpdate.objects.exists()


def test_invalid_number_is_shown_and_the_text_kept(client, here, action):
    response = client.post(here, typed(action, status_to="IN_PROGRESS", progress_to="ครึ่งหนึ่ง", result="ทำไปแล้วครึ่งหนึ่ง"))
    assert response.status_code == 422
    assert 'value="ครึ่งหนึ่ง"' in response.content.decode()
    assert "ทำไปแล้วครึ่งหนึ่ง</textarea>" in response.content.decode()


def test_empty_form_is_not_an_update(client, here, action):
    response = client.post(here, typed(action))
    assert response.status_code == 422
    assert not ProgressUpdate.objects.exists()


@pytest.mark.both_databases(only_full=True)
def test_stale_form_shows_both_texts(client, here, action, unit, report_progress):
    data = typed(action, status_to="IN_PROGRESS", progress_to=30, result="ของฉัน")
    colleague = UserFactory(roles=["staff"], units=[unit], first_name="เพื่อน", last_name="ร่วมงาน")
    report_progress(action, colleague, progress=60, result="ของเพื่อน")
    response = client.post(here, data)
    body = response.content.decode()
    assert response.status_code == 409
    assert "ของเพื่อน" in body
    assert "เพื่อน ร่วมงาน" in body
    assert "ของฉัน</textarea>" in body
    assert 'name="version" value="2"' in body
    assert ProgressUpdate.objects.count() == 1
    again = client.post(here, data | {"version": 2, "reason": "นับใหม่", "op_id": str(uuid4())})
    assert again.status_code == 302
    action.refresh_from_db()
    assert (action.progress, action.version) == (30, 3)


@pytest.mark.both_databases(every=True)
@pytest.mark.parametrize("version", ["", "0", "-1", "x", "999", "1" * 30])
def test_unknown_version_is_a_stale_form(client, here, action, version):
    response = client.post(here, typed(action, result="ของฉัน") | {"version": version})
    assert response.status_code == 409
    assert "ของฉัน</textarea>" in response.content.decode()


@pytest.mark.parametrize("changed", [{"status_to": "BLOCKED", "progress_to": 30}, {"op_id": "x"}, {"links": "no link"}])
def test_stale_form_with_errors_is_a_conflict(client, here, action, report_progress, changed):
    data = typed(action, **{"result": "ของฉัน", **changed})
    report_progress(action, UserFactory(roles=["coordinator"]), progress=60, result="ของเพื่อน")
    response = client.post(here, data)
    assert response.status_code == 409
    assert "ของฉัน</textarea>" in response.content.decode()
    assert ProgressUpdate.objects.count() == 1


@pytest.mark.both_databases(only_full=True)
def test_op_id_of_another_user_is_a_conflict_and_is_replaced(client, here, action, report_progress, plan, unit):
    foreign = report_progress(
        ActionItemFactory(plan=plan, lead=[unit]), UserFactory(roles=["coordinator"]), result="ของผู้อื่น"
    )
    data = typed(action, result="ของฉัน") | {"op_id": str(foreign.op_id)}
    response = client.post(here, data)
    assert response.status_code == 409
    again = response.context["panel"].form
    assert client.post(here, data | {"op_id": str(again["op_id"].value())}).status_code == 302
    assert action.updates.get().result == "ของฉัน"


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("op_id", ["", "x", "0" * 300])
def test_invalid_op_id_writes_nothing_and_keeps_the_text(client, here, action, op_id):
    response = client.post(here, typed(action, result="ของฉัน") | {"op_id": op_id})
    assert response.status_code == 422
    assert "ของฉัน</textarea>" in response.content.decode()
    assert not ProgressUpdate.objects.exists()


def test_update_by_another_unit_is_refused_with_the_reason_and_the_text(client, here, action):
    client.force_login(UserFactory(roles=["staff"], units=[UnitFactory()]))
    assert client.get(here).context["panel"].form is None
    response = client.post(here, typed(action, status_to="DONE", progress_to=100, result="งานของกองอื่น"))
    body = response.content.decode()
    assert response.status_code == 403
    assert "สพม." in response.context["panel"].refusal
    assert re.search(r"<textarea[^>]*readonly[^>]*>งานของกองอื่น</textarea>", body)
    assert not ProgressUpdate.objects.exists()


def test_form_of_a_supporting_unit_has_no_status(client, plan):
    helper = UnitFactory()
    action = ActionItemFactory(plan=plan, lead=[UnitFactory()], support=[helper])
    client.force_login(UserFactory(roles=["staff"], units=[helper]))
    here = f"/plans/2563/actions/{action.ref}/"
    fields = list(client.get(here).context["panel"].form.fields)
    assert fields == ["result", "next_step", "version", "op_id", "unit", "files", "links"]
    forced = typed(action, status_to="DONE", progress_to=100, result="ยืนยันว่าเสร็จ")
    assert client.post(here, forced).status_code == 422
    given = {"version": 1, "op_id": str(uuid4()), "result": "ส่งข้อมูลแล้ว", "links": "https://example.org/a"}
    assert client.post(here, given).status_code == 302
    update = ProgressUpdate.objects.get()
    assert (update.result, update.status_to, update.evidence.get().link) == (
        "ส่งข้อมูลแล้ว",
        "NOT_STARTED",
        "https://example.org/a",
    )
    assert ActionItem.objects.get(pk=action.pk).status == "NOT_STARTED"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "not a link"])
def test_invalid_link_is_refused(client, here, action, link):
    response = client.post(here, typed(action, result="ทำแล้ว", links=link))
    assert response.status_code == 422
    assert list(response.context["panel"].form.errors) == ["links"]


def test_text_survives_the_end_of_the_session(client, here, action):
    client.logout()
    data = typed(action, status_to="IN_PROGRESS", progress_to=10, result="ข้อความยาวที่ไม่ควรหาย", next_step="ขั้นต่อไป")
    response = client.post(here, data)
    body = response.content.decode()
    assert response.status_code == 403
    assert re.search(r"<textarea[^>]*readonly[^>]*>ข้อความยาวที่ไม่ควรหาย</textarea>", body)
    assert "ขั้นต่อไป</textarea>" in body
    assert re.search(r"<label>สถานะปัจจุบัน<textarea[^>]*>อยู่ระหว่างดำเนินการ</textarea>", body)
    assert "IN_PROGRESS" not in body
    by_htmx = client.post(here, data, headers={"HX-Request": "true"})
    assert by_htmx.headers["X-Refusal"] == "true"
    assert "<html" not in by_htmx.content.decode()
    assert f"/login/?next={here}" in by_htmx.content.decode()


def test_text_survives_a_refused_csrf_token(staff, here, action):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff)
    response = strict.post(here, typed(action, result="ข้อความยาวที่ไม่ควรหาย"))
    assert response.status_code == 403
    assert "ข้อความยาวที่ไม่ควรหาย</textarea>" in response.content.decode()


def test_password_is_never_shown_again(client):
    response = Client(enforce_csrf_checks=True).post("/login/", {"username": "สมมุติ", "password": "ความลับสุดยอด"})
    assert response.status_code == 403
    assert "ความลับสุดยอด" not in response.content.decode()


def test_server_error_is_a_calm_page(client, staff, action, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("plan.actions.views.find_plan", broken)
    client.force_login(staff)
    client.raise_request_exception = False
    response = client.get("/plans/2563/actions/")
    assert response.status_code == 500
    assert "a secret" not in response.content.decode()
    assert "500.html" in [template.name for template in response.templates]


@pytest.mark.parametrize("language", ["th", "en"])
def test_language_switch_keeps_the_page(client, here, language):
    response = client.post("/language/", {"language": language, "next": here})
    assert response.url == here
    assert f'<html lang="{language}">' in client.get(here).content.decode()


def test_get_writes_nothing(client, here, action):
    with CaptureQueriesContext(connection) as queries:
        client.get(here)
    written = [each["sql"] for each in queries if not each["sql"].lstrip().upper().startswith("SELECT")]
    assert written == []


@pytest.mark.both_databases
def test_list_is_filtered_by_its_url_and_paginated(client, plan, staff):
    for _ in range(55):
        ActionItemFactory(plan=plan)
    client.force_login(staff)
    first = client.get("/plans/2563/actions/").context["page"]
    assert (first.paginator.count, len(first.object_list)) == (55, 50)
    body = client.get("/plans/2563/actions/?page=2&role=LEAD").content.decode()
    assert "page=1&amp;role=LEAD" in body
    wrong = client.get("/plans/2563/actions/?status=ASLEEP&category=x")
    assert wrong.context["page"].paginator.count == 55
    assert len(list(wrong.context["messages"])) == 1
    rows = client.get("/plans/2563/actions/?q=zzz", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in rows
    assert 'id="rows"' in rows


def test_columns_are_kept_by_the_browser_and_each_head_sorts_both_ways(client, plan, unit, staff, report_progress):
    first, second = (ActionItemFactory(plan=plan, lead=[unit]) for _ in range(2))
    report_progress(first, staff, progress=40)
    client.force_login(staff)
    here = "/plans/2563/actions/"
    names = ["lead", "support", "level", "schedule", "status", "progress", "health", "updated"]
    chosen = "".join(f"&columns={name}" for name in [*names, "nonsense"])
    assert client.get(f"{here}?columns={chosen}&q=").url == f"{here}?q="
    answer = client.get(here)
    assert [str(each).endswith(": “nonsense”") for each in answer.context["messages"]] == [True]
    headings = answer.context["headings"]
    assert [heading.name for heading in headings] == ["text", *names]
    for heading in headings:
        page = client.get(here + heading.url)
        directions = {each.name: each.direction for each in page.context["headings"] if each.direction}
        again = client.get(here + next(each.url for each in page.context["headings"] if each.name == heading.name))
        turned = {each.name: each.direction for each in again.context["headings"] if each.direction}
        assert {*directions.values(), *turned.values()} == {"ascending", "descending"}
        assert list(directions) == list(turned) == [heading.name]
    by_progress = [action.pk for action in client.get(f"{here}?sort=-progress&page=1").context["page"]]
    assert by_progress == [first.pk, second.pk]
    client.get(f"{here}?columns=")
    assert client.get(here).context["columns"] == []


def test_day_outside_the_plan_is_moved_with_a_warning(client, plan, staff):
    client.force_login(staff)
    response = client.get("/plans/2563/actions/?as_of=31/12/2565")
    assert str(response.context["as_of"].day) == "2020-09-30"
    assert len(list(response.context["messages"])) == 1
    wrong = client.get("/plans/2563/actions/?as_of=31/2/2563")
    assert str(wrong.context["as_of"].day) == "2020-05-15"
    assert len(list(wrong.context["messages"])) == 1


def test_too_large_request_is_a_calm_page(client, here, action):
    client.raise_request_exception = False
    response = client.post(here, typed(action, result="ก" * 3_000_000))
    assert response.status_code == 413
    assert "too_large.html" in [template.name for template in response.templates]
    assert not ProgressUpdate.objects.exists()
