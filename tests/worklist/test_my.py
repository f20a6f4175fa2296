"""Requests to งานของฉัน: rows, no change, the counter and refusals, with and without htmx."""

import re
from itertools import pairwise
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plan.models import ActionItem, ProgressUpdate, Status
from tests.factories import ActionItemFactory, UnitFactory, UserFactory
from tests.plan.posting import HTMX, choice, typed
from tests.submissions.returning import create_returned_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def everyone(unit):
    return UnitFactory(abbreviation="ทุกหน่วยงาน", is_collective=True, members=[unit, UnitFactory()])


def test_a_row_opens_with_its_form_and_closes(client, staff, action):
    here = f"/plans/2563/my/{action.ref}/"
    opened = client.get(here, headers=HTMX)
    assert opened.status_code == 200
    body = opened.content.decode()
    assert "<html" not in body
    assert f'hx-post="{here}"' in body
    assert f'action="{here}#row-{action.ref}"' in body  # without scripts the answer jumps to the row
    closed = client.get(f"{here}?closed=1", headers=HTMX).content.decode()
    assert 'class="update-form"' not in closed
    assert f'id="row-{action.ref}"' in closed
    whole = client.get(here).content.decode()
    assert "<html" in whole
    assert f'hx-post="{here}"' in whole


@pytest.mark.both_databases
def test_an_update_in_the_row_closes_it_and_moves_the_counter(client, staff, action):
    response = client.post(f"/plans/2563/my/{action.ref}/", typed(action, result="ทำแล้ว"), headers=HTMX)
    body = response.content.decode()
    assert response.status_code == 200
    assert 'class="update-form"' not in body
    assert 'id="updated-count" aria-live="polite" hx-swap-oob="true"' in body
    assert (response.context["work"].own.updated, response.context["work"].own.total) == (1, 1)
    assert ProgressUpdate.objects.get().result == "ทำแล้ว"


def test_without_htmx_it_redirects_to_the_row(client, staff, action):
    response = client.post(f"/plans/2563/my/{action.ref}/", typed(action, result="ทำแล้ว"))
    assert (response.status_code, response.url) == (302, f"/plans/2563/my/#row-{action.ref}")


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_rule_that_is_broken_keeps_the_row_open(client, staff, action, headers):
    response = client.post(
        f"/plans/2563/my/{action.ref}/", typed(action, status_to="BLOCKED", next_step="ขอหารือ"), headers=headers
    )
    assert response.status_code == 422
    assert "ขอหารือ</textarea>" in response.content.decode()
    assert not ProgressUpdate.objects.exists()


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_user_who_saves_too_late_sees_both_texts_in_the_row(client, staff, action, report_progress, headers):
    mine = typed(action, result="ของฉัน")
    report_progress(action, UserFactory(roles=["coordinator"], first_name="สมศรี"), progress=10, result="ของเขา")
    response = client.post(f"/plans/2563/my/{action.ref}/", mine, headers=headers)
    body = response.content.decode()
    assert response.status_code == 409
    assert "ของฉัน</textarea>" in body
    assert "ของเขา" in body
    assert "สมศรี" in body
    assert 'name="version" value="2"' in body


@pytest.mark.both_databases(only_full=True)
def test_the_same_op_id_with_another_text_is_a_conflict(client, staff, action):
    first = typed(action, result="ฉบับแรก")
    assert client.post(f"/plans/2563/my/{action.ref}/", first).status_code == 302
    response = client.post(f"/plans/2563/my/{action.ref}/", first | {"result": "ฉบับแก้"})
    assert response.status_code == 409
    assert [update.result for update in response.context["work"].sections[0].own[0].panel.newer_updates] == ["ฉบับแรก"]
    fresh = response.context["work"].sections[0].own[0].panel.form
    again = first | {"result": "ฉบับแก้", "version": 2, "op_id": fresh["op_id"].value()}
    assert fresh["op_id"].value() != first["op_id"]
    assert client.post(f"/plans/2563/my/{action.ref}/", again).status_code == 302
    rows = ProgressUpdate.objects.order_by("version").values_list("result", flat=True)
    assert list(rows) == ["ฉบับแรก", "ฉบับแก้"]


@pytest.mark.both_databases(only_full=True)
def test_the_same_text_from_a_new_form_makes_one_update(client, staff, action):
    assert client.post(f"/plans/2563/my/{action.ref}/", typed(action, result="ทำแล้ว")).status_code == 302
    assert client.post(f"/plans/2563/my/{action.ref}/", typed(action, result="ทำแล้ว")).status_code == 302
    assert ProgressUpdate.objects.count() == 1
    assert client.post(f"/plans/2563/my/{action.ref}/", typed(action, result="ทำต่อ")).status_code == 302
    assert ProgressUpdate.objects.count() == 2


@pytest.mark.both_databases(only_full=True)
def test_no_change_is_an_update_that_says_so(client, staff, action, report_progress):
    report_progress(action, staff, progress=30, at="2020-03-01T09:00:00+07:00")
    action.refresh_from_db()
    response = client.post("/plans/2563/my/unchanged/", {"row": choice(action)})
    assert (response.status_code, response.url) == (302, "/plans/2563/my/")
    update = ProgressUpdate.objects.order_by("-version").first()
    assert (update.is_unchanged, update.progress_from, update.progress_to, update.result) == (True, 30, 30, "")
    work = client.get("/plans/2563/my/").context["work"]
    assert (work.own.updated, work.own.total) == (1, 1)


def test_no_change_by_htmx_returns_the_row(client, staff, action):
    response = client.post("/plans/2563/my/unchanged/", {"row": choice(action)}, headers=HTMX)
    body = response.content.decode()
    assert f'id="row-{action.ref}"' in body
    assert 'id="updated-count"' in body
    assert 'name="row"' not in body


@pytest.mark.both_databases(only_full=True)
def test_rows_changed_in_the_meantime_are_named(client, staff, plan, unit, report_progress):
    first, second, third = (ActionItemFactory(plan=plan, lead=[unit]) for _ in range(3))
    chosen = [choice(each) for each in (first, second, third)]
    report_progress(second, UserFactory(roles=["coordinator"]), progress=10)
    response = client.post("/plans/2563/my/unchanged/", {"row": chosen}, follow=True)
    assert set(ProgressUpdate.objects.filter(is_unchanged=True).values_list("action", flat=True)) == {
        first.pk,
        third.pk,
    }
    said = [str(message) for message in response.context["messages"]]
    assert len(said) == 2
    assert second.ref in said[1]
    again = client.post("/plans/2563/my/unchanged/", {"row": chosen})
    assert again.status_code == 302
    assert ProgressUpdate.objects.filter(is_unchanged=True).count() == 2


@pytest.mark.both_databases(every=True)
@pytest.mark.parametrize(
    "rows",
    [
        [],
        ["x"],
        ["1.1-A-1|x|y"],
        ["1.1-A-1|1|nothing"],
        ["|||"],
        ["1.1-A-1\0|1|" + str(uuid4())],
        [f"1.1-A-1|{10**30}|{uuid4()}"],
        ["9.9-A-9|1|" + str(uuid4())],
    ],
)
def test_malformed_rows_write_nothing(client, staff, action, rows):
    assert client.post("/plans/2563/my/unchanged/", {"row": rows}).status_code == 302
    assert not ProgressUpdate.objects.exists()


def test_nobody_records_no_change_for_other_units(client, staff, plan):
    foreign = ActionItemFactory(plan=plan, lead=[UnitFactory()])
    assert client.post("/plans/2563/my/unchanged/", {"row": choice(foreign)}).status_code == 302
    assert not ProgressUpdate.objects.exists()


@pytest.mark.both_databases
def test_a_collectives_rows_are_kept_apart_and_counted_apart(client, staff, plan, unit, everyone, report_progress):
    own = ActionItemFactory(plan=plan, lead=[unit])
    shared = ActionItemFactory(plan=plan, lead=[everyone])
    both = ActionItemFactory(plan=plan, lead=[everyone, unit])
    report_progress(shared, staff, progress=10)
    work = client.get("/plans/2563/my/").context["work"]
    now, told = work.sections
    assert ({row.action.pk for row in now.own}, now.via_collective) == ({own.pk, both.pk}, [])
    assert ([row.action.pk for row in told.via_collective], told.own) == ([shared.pk], [])
    assert told.collectives == "ทุกหน่วยงาน"
    assert (work.own.updated, work.own.total, work.via_collective.updated, work.via_collective.total) == (0, 2, 1, 1)
    assert ProgressUpdate.objects.get().unit == unit


@pytest.mark.both_databases
def test_returned_actions_come_first_until_they_are_updated(client, staff, plan, unit, report_progress):
    late = ActionItemFactory(plan=plan, lead=[unit], runs=(1, 2))
    returned = ActionItemFactory(plan=plan, lead=[unit])
    report_progress(returned, staff, progress=30)
    create_returned_line(returned, reason="ขอหลักฐานเพิ่ม")
    work = client.get("/plans/2563/my/").context["work"]
    assert [(each.key, [row.action.pk for row in each.own]) for each in work.sections] == [
        ("RETURNED", [returned.pk]),
        ("OVERDUE", [late.pk]),
    ]
    assert "ขอหลักฐานเพิ่ม" in client.get("/plans/2563/my/").content.decode()
    report_progress(returned, staff, progress=35, result="แนบรายงานแล้ว")
    assert [each.key for each in client.get("/plans/2563/my/").context["work"].sections] == ["OVERDUE", "TOLD"]


def test_what_is_told_or_later_comes_when_its_fold_is_opened(client, staff, plan, unit, report_progress):
    left = ActionItemFactory(plan=plan, lead=[unit], text="ยังไม่ได้รายงาน")
    told, later = (ActionItemFactory(plan=plan, lead=[unit], runs=runs) for runs in ((1, 4), (4, 4)))
    report_progress(told, staff, progress=30)
    body = client.get("/plans/2563/my/").content.decode()
    assert [f'id="row-{each.ref}"' in body for each in (left, told, later)] == [True, False, False]
    assert '#section-TOLD">' in body
    whole = client.get("/plans/2563/my/?show=TOLD").content.decode()
    assert [f'id="row-{each.ref}"' in whole for each in (left, told, later)] == [True, True, False]
    part = client.get("/plans/2563/my/?show=TOLD", headers=HTMX).content.decode()
    assert "<html" not in part
    assert [f'id="row-{each.ref}"' in part for each in (left, told, later)] == [False, True, False]
    recorded = client.post(f"/plans/2563/my/{left.ref}/", typed(left, result="ทำแล้ว"), follow=True)
    assert f'id="row-{left.ref}"' in recorded.content.decode()  # the page after an update shows its row


@pytest.mark.parametrize(
    ("query", "found"),
    [("q=ข้อสอง", [1]), ("q={ref}", [0]), ("criterion={code}", [1]), ("status=IN_PROGRESS", [2]),
     ("status=x", [0, 1, 2]), ("q=ไม่มี&status=DONE", []), ("", [0, 1, 2])],
)  # fmt: skip
def test_filters_narrow_the_rows_and_not_the_counter(client, staff, plan, unit, report_progress, query, found):
    rows = [ActionItemFactory(plan=plan, lead=[unit], text=text) for text in ("ข้อหนึ่ง", "ข้อสอง", "ข้อสาม")]
    report_progress(rows[2], UserFactory(roles=["coordinator"]), progress=10)
    query = query.format(ref=rows[0].ref, code=rows[1].criterion.code)
    response = client.get(f"/plans/2563/my/?{query}")
    work = response.context["work"]
    assert {row.action.pk for section in work.sections for row in section.rows} == {rows[each].pk for each in found}
    assert work.own.total == 3
    part = client.get(f"/plans/2563/my/?{query}", headers=HTMX | {"HX-Target": "work"}).content.decode()
    assert "<html" not in part
    assert [f'id="row-{row.ref}"' in part for row in rows] == [0 in found, 1 in found, False]  # the third is told


def test_values_and_parameters_that_are_not_offered_are_named(client, staff, action):
    def warnings(query):
        return [str(each) for each in client.get(f"/plans/2563/my/?{query}").context["messages"]]

    names = ["บทบาทในงาน", "หน่วยงาน", "เกณฑ์", "สถานะ", "“tab”"]
    (text,) = warnings("role=x&unit=x&criterion=x&status=x&tab=x")
    assert text.endswith(": " + ", ".join(names))
    lead = action.lead[0].unit.abbreviation
    assert warnings(f"role=LEAD&unit={lead}&criterion={action.criterion.code}&status=DONE&q=x&show=TOLD") == []


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_record_and_next_walks_through_what_is_left(client, staff, plan, unit, everyone, headers):
    """The rows of the unit in the order of the page, then those of a collective, then those before the first one."""
    now, other = (ActionItemFactory(plan=plan, lead=[unit]) for _ in range(2))
    late = ActionItemFactory(plan=plan, lead=[unit], runs=(1, 2))
    shared = ActionItemFactory(plan=plan, lead=[everyone])
    order = [now, other, shared, late, None]
    for action, following in pairwise(order):
        section = "OVERDUE" if action == late else "NOW"
        data = typed(action, result="ทำแล้ว", next=section)
        response = client.post(f"/plans/2563/my/{action.ref}/", data, headers=headers)
        if headers:
            opened = re.findall(r'id="row-([^"]+)"\shx-swap-oob="true"', response.content.decode())
            assert opened == ([following.ref] if following else [])
        else:
            path = f"{following.ref}/#row-{following.ref}" if following else f"#row-{action.ref}"
            assert response.url == f"/plans/2563/my/{path}"
    assert client.get("/plans/2563/my/").context["work"].is_clear


def test_the_words_of_the_last_update_are_filled_in_on_request(client, staff, action, report_progress):
    report_progress(action, staff, progress=30, result="ทำไปสองรุ่น", next_step="รุ่นที่สาม")
    form = client.get(f"/plans/2563/my/{action.ref}/?last_text=1").context["work"].sections[0].rows[0].panel.form
    assert [form[name].value() for name in ("result", "next_step")] == ["ทำไปสองรุ่น", "รุ่นที่สาม"]
    form = client.get(f"/plans/2563/my/{action.ref}/").context["work"].sections[0].rows[0].panel.form
    assert [form[name].value() for name in ("result", "next_step")] == ["", ""]


def test_a_row_of_others_is_shown_on_its_own_page(client, staff, plan):
    foreign = ActionItemFactory(plan=plan, lead=[UnitFactory()])
    response = client.get(f"/plans/2563/my/{foreign.ref}/")
    assert (response.status_code, response.url) == (302, f"/plans/2563/actions/{foreign.ref}/")


def test_a_supporting_units_row_opens_in_its_tab(client, staff, plan, unit):
    helped = ActionItemFactory(plan=plan, lead=[UnitFactory()], support=[unit])
    response = client.get(f"/plans/2563/my/{helped.ref}/")
    assert response.context["work"].role == "SUPPORT"
    assert list(response.context["work"].sections[0].own[0].panel.form.fields) == [
        "result", "next_step", "version", "op_id", "unit",
        "files", "links",
    ]  # fmt: skip
    done = client.post(f"/plans/2563/my/{helped.ref}/?role=SUPPORT", typed(helped, result="ส่งข้อมูลแล้ว"))
    assert done.url == f"/plans/2563/my/?role=SUPPORT#row-{helped.ref}"
    assert ActionItem.objects.get(pk=helped.pk).status == Status.NOT_STARTED


def test_members_without_the_staff_role_only_read(client, plan, unit, action):
    client.force_login(UserFactory(roles=["management"], units=[unit]))
    body = client.get("/plans/2563/my/").content.decode()
    assert 'name="row"' not in body
    response = client.post(f"/plans/2563/my/{action.ref}/", typed(action, result="ลองเขียน"))
    assert response.status_code == 403
    assert "ลองเขียน</textarea>" in response.content.decode()


@pytest.mark.both_databases
@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_row_needs_no_more_queries_for_more_rows(client, staff, plan, unit, everyone, action, headers):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/plans/2563/my/{action.ref}/", headers=headers).status_code == 200
        return len(captured)

    few = queries()
    for _ in range(3):
        more = ActionItemFactory(plan=plan, lead=[unit], support=[everyone])
        create_returned_line(more, reason="ขอหลักฐานเพิ่ม")
    assert queries() == few <= 20


def test_get_writes_nothing(client, staff, action):
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/plans/2563/my/{action.ref}/")
        client.get(f"/plans/2563/my/{action.ref}/?closed", headers=HTMX)
    assert [each["sql"] for each in queries if not each["sql"].lstrip().upper().startswith("SELECT")] == []
