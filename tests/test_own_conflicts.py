"""Conflicts with oneself, skipped rows of “no change”, and the last update beside a form."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assignments.models import Membership
from plan.models import ProgressUpdate
from plan.updates.views import read_latest_updates
from submissions.steps import return_submission
from tests.factories import (
    ActionItemFactory,
    ImportJobFactory,
    ProgressUpdateFactory,
    UserFactory,
)
from tests.plan.posting import HTMX, choice, typed
from tests.pmqa_tracker.test_admin import posted
from tests.submissions.sending import review, send

pytestmark = pytest.mark.django_db
OWN, OTHERS = "จากแท็บอื่นหรืออุปกรณ์อื่น", "มีผู้อื่น"


def is_own(response):
    """Return whether the response says that the conflict is the user's own, not with another user."""
    body = response.content.decode()
    assert (OWN in body) is not (OTHERS in body)
    return OWN in body


@pytest.mark.parametrize("by_self", [True, False])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_update_conflict_with_oneself_says_so(client, staff, action, report_progress, by_self, headers):
    data = typed(action, result="ของแท็บนี้")
    report_progress(action, staff if by_self else UserFactory(roles=["coordinator"]), result="ก่อนหน้า")
    response = client.post(f"/plans/2563/my/{action.ref}/", data, headers=headers)
    assert response.status_code == 409
    assert is_own(response) is by_self
    assert "ของแท็บนี้</textarea>" in response.content.decode()


def test_conflict_with_oneself_and_another_user_names_the_other_user(client, staff, action, report_progress):
    data = typed(action, result="ของแท็บนี้")
    report_progress(action, staff, result="ก่อนหน้า")
    report_progress(action, UserFactory(roles=["coordinator"]), result="ผู้อื่น")
    assert not is_own(client.post(f"/plans/2563/actions/{action.ref}/", data))


@pytest.mark.parametrize("by_self", [True, False])
def test_review_conflict_with_oneself_says_so(client, plan, unit, action, staff, by_self):
    submission = send(plan, unit, staff).submission
    reviewer = UserFactory(roles=["coordinator"])
    client.force_login(reviewer)
    here = "/plans/2563/reporting/สพม./2/"
    form = client.get(here).context["review_form"]
    data = {"do": "return", "version": 1, "op_id": str(form["op_id"].value()), f"reason_{action.pk}": "ของแท็บนี้"}
    other = reviewer if by_self else UserFactory(roles=["coordinator"])
    review(return_submission, submission, other, version=1, reasons={action.pk: "ก่อนหน้า"})
    response = client.post(here, data)
    assert response.status_code == 409
    assert (OWN in response.content.decode()) is by_self


@pytest.mark.parametrize("by_self", [True, False])
@pytest.mark.parametrize("page", ["change", "delete"])
def test_admin_conflict_with_oneself_says_so(client, unit, by_self, page):
    first, second = (UserFactory(roles=["coordinator"], is_staff=True, is_superuser=True) for _ in range(2))
    here = f"/admin/assignments/unit/{unit.pk}/change/"
    client.force_login(first)
    data = posted(client.get(here))
    client.force_login(first if by_self else second)
    assert client.post(here, data | {"name_th": "ก่อนหน้า"}).status_code == 302
    client.force_login(first)
    if page == "change":
        response = client.post(here, data | {"name_th": "ของแท็บนี้"})
    else:
        unit_page = f"/admin/assignments/unit/{unit.pk}/delete/"
        response = client.post(unit_page, {"post": "yes", "read_version": data["read_version"]})
    assert response.status_code == 409
    assert (OWN in response.content.decode()) is by_self


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize("by_self", [True, False])
def test_skipped_no_change_row_shows_the_reason(client, staff, plan, unit, action, report_progress, by_self, headers):
    fine = ActionItemFactory(plan=plan, ref="1.1-A-2", lead=[unit])
    rows = [choice(action)] if headers else [choice(action), choice(fine)]
    author = staff if by_self else UserFactory(roles=["coordinator"])
    report_progress(action, author, progress=10, result="ก่อนหน้า")
    before = ProgressUpdate.objects.count()
    response = client.post("/plans/2563/my/unchanged/", {"row": rows}, headers=headers)
    if not headers:
        assert response.url == f"/plans/2563/my/#row-{action.ref}"
        response = client.get("/plans/2563/my/")
        assert f'<a href="#row-{action.ref}">' in response.content.decode()
        assert ProgressUpdate.objects.count() == before + 1
    else:
        assert response.status_code == 409
        assert ProgressUpdate.objects.count() == before
    row = response.content.decode().split(f'id="row-{action.ref}"')[1].split(' id="row-')[0]
    assert 'role="alert"' in row
    assert (OWN in row) is by_self
    assert ("มีผู้อื่นปรับปรุง" in row) is not by_self


def test_row_no_longer_assigned_to_the_user_is_refused_beside_it(client, staff, action):
    data = {"row": choice(action)}
    Membership.objects.all().delete()
    response = client.post("/plans/2563/my/unchanged/", data, headers=HTMX)
    assert (response.status_code, response.headers["X-Refusal"]) == (403, "true")
    assert "สพม." in response.content.decode()
    client.post("/plans/2563/my/unchanged/", data)
    assert action.ref in client.get("/plans/2563/my/").content.decode().split('id="messages"')[1].split("</div>")[0]


def test_editor_shows_the_last_update_but_no_undone_one(client, staff, action, report_progress, unit):
    here = f"/plans/2563/my/{action.ref}/"
    assert 'class="last-report"' not in client.get(here).content.decode()
    other = UserFactory(roles=["coordinator"], first_name="สมศรี")
    report_progress(action, other, progress=20, result="ผลล่าสุด", problem="ปัญหาล่าสุด", next_step="ขั้นต่อไป")
    for where in (here, f"/plans/2563/actions/{action.ref}/"):
        last = client.get(where).content.decode().split('class="last-report"')[1].split("</aside>")[0]
        for said in ("สมศรี", "ผลล่าสุด", "ปัญหาล่าสุด", "ขั้นต่อไป", "20 %", "15 พ.ค. 2563"):
            assert said in last
    report_progress(action, staff, is_unchanged=True)
    action.refresh_from_db()
    assert [update.result for update in read_latest_updates(action)] == ["", "ผลล่าสุด"]
    batch = ImportJobFactory(plan=action.plan)
    for version, source, words in ((4, "IMPORT", "คำที่ยกเลิกแล้ว"), (5, "UNDO", "")):
        ProgressUpdateFactory(action=action, version=version, import_key=batch.key, source=source, result=words)
    assert [update.result for update in read_latest_updates(action)] == ["", "ผลล่าสุด"]
    refused = client.post(here, typed(action, status_to="BLOCKED", progress_to=20), headers=HTMX)
    assert refused.status_code == 422
    assert "ผลล่าสุด" in refused.content.decode().split('class="last-report"')[1]


def test_last_update_needs_no_more_queries_for_more_rows(client, staff, plan, unit, action, report_progress):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get(f"/plans/2563/my/{action.ref}/")
        return len(seen)

    report_progress(action, staff, progress=10, result="ทำแล้ว")
    one = queries()
    for number in range(3):
        report_progress(
            ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 5}", lead=[unit]), staff, progress=10, result="ทำแล้ว"
        )
    assert queries() == one
