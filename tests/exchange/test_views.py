"""Pages of the import: permissions, messages, conflicts and background tasks."""

import re
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from exchange.findings import CHANGED, NEW, CellError, Findings, RowFinding
from exchange.models import ImportJob, ImportJobState
from pmqa_tracker.tasks.models import BackgroundTask, TaskState, WorkerProcess
from tests.exchange.workbooks import confirm, edited, exported, fingerprint, preview
from tests.factories import ActionItemFactory, ImportJobFactory, PlanFactory, UnitFactory, UserFactory
from tests.test_pages import no_inline

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    plan = PlanFactory()
    unit = UnitFactory(abbreviation="กทก.")
    for number in range(3):
        ActionItemFactory(plan=plan, ref=f"1.1-A-{number + 1}", lead=[unit], text=f"จัดทำคู่มือเล่มที่ {number + 1}")
    return plan


@pytest.fixture
def person(client):
    person = UserFactory(roles=["coordinator"])
    client.force_login(person)
    return person


def upload(client, plan, data, name="ข้อมูล.xlsx"):
    """Upload a file and follow the redirect to its page."""
    return client.post(reverse("import_list", args=[plan.slug]), {"file": SimpleUploadedFile(name, data)}, follow=True)


@pytest.mark.both_databases
def test_upload_preview_confirm_and_undo(client, plan, person):
    data = edited(exported(plan), {("1.1-A-1", "text"): "จัดทำคู่มือฉบับปรับปรุง <b>&"})
    page = upload(client, plan, data)
    here = page.redirect_chain[-1][0]
    body = page.content.decode()
    assert "จัดทำคู่มือเล่มที่ 1" in body
    assert "จัดทำคู่มือฉบับปรับปรุง &lt;b&gt;&amp;" in body
    assert no_inline(body) == []
    assert 'aria-current="page">รายงาน<' in body
    assert plan.actions.get(ref="1.1-A-1").text == "จัดทำคู่มือเล่มที่ 1"
    page = client.post(here, {}, follow=True)
    assert plan.actions.get(ref="1.1-A-1").text == "จัดทำคู่มือฉบับปรับปรุง <b>&"
    assert "ยกเลิกการนำเข้านี้" in page.content.decode()
    client.post(f"{here}undo/")
    assert plan.actions.get(ref="1.1-A-1").text == "จัดทำคู่มือเล่มที่ 1"
    page = client.post(f"{here}undo/", follow=True)
    assert "ถูกยกเลิกไปแล้ว" in page.content.decode()


def test_only_coordinators_import(client, plan):
    client.force_login(UserFactory(roles=["staff", "management", "assessor"]))
    job = preview(edited(exported(plan), {("1.1-A-1", "text"): "ข"}), plan, UserFactory(roles=["coordinator"]))
    before = fingerprint()
    here = reverse("import_detail", args=[plan.slug, job.key])
    for address in (
        reverse("import_list", args=[plan.slug]),
        here,
        f"{here}undo/",
        "/new-plan/",
        "/new-plan/template.xlsx",
    ):
        assert client.post(address).status_code in (403, 405)
        assert client.get(address).status_code in (403, 405)
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "ไฟล์ว่าง"), (None, "โปรดเลือกไฟล์ก่อน"), (b"PK\x03\x04" + b"\0" * 11 * 1024 * 1024, "MB")]
)
def test_form_reports_missing_empty_or_large_file(client, plan, person, data, words):
    files = {} if data is None else {"file": SimpleUploadedFile("a.xlsx", data)}
    response = client.post(reverse("import_list", args=[plan.slug]), files)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not ImportJob.objects.exists()


def test_other_file_type_is_refused_with_a_sentence(client, plan, person):
    page = upload(client, plan, b"%PDF-1.7", "report.pdf")
    assert "เป็น PDF ไม่ใช่ Excel" in page.content.decode()
    assert ImportJob.objects.get().state == ImportJobState.REFUSED


def test_expired_preview_is_reported(client, plan, person, settings):
    page = upload(client, plan, edited(exported(plan), {("1.1-A-1", "text"): "ข"}))
    here = page.redirect_chain[-1][0]
    settings.PMQA_KEPT_HOURS = 0
    assert "ไม่ได้เก็บไว้แล้ว" in client.get(here).content.decode()


@pytest.mark.both_databases(only_full=True)
def test_same_file_twice_is_reported(client, plan, person):
    data = edited(exported(plan), {("1.1-A-1", "text"): "ข"})
    confirm(preview(data, plan, person), person)
    assert "เคยนำเข้าแล้ว" in upload(client, plan, data).content.decode()


@pytest.mark.both_databases(only_full=True)
def test_chosen_side_of_conflict_is_written(client, plan, person):
    data = edited(exported(plan), {(ref, "text"): f"จากไฟล์ {ref}" for ref in ("1.1-A-1", "1.1-A-2")})
    for action in plan.actions.all():
        action.text = f"ผู้อื่น {action.ref}"
        action.save()
    page = upload(client, plan, data)
    here = page.redirect_chain[-1][0]
    rows = {row["name"]: row["row"] for row in page.context["conflicts"]}
    client.post(here, {f"side-{rows['1.1-A-1']}": "file", f"side-{rows['1.1-A-2']}": "site"})
    assert [each.text for each in plan.actions.order_by("ref")] == ["จากไฟล์ 1.1-A-1", "ผู้อื่น 1.1-A-2", "ผู้อื่น 1.1-A-3"]


@pytest.mark.both_databases(only_full=True)
def test_unknown_import_is_404(client, plan, person):
    other = PlanFactory()
    job = preview(exported(other), other, person)
    for key in (job.key, "00000000-0000-0000-0000-000000000000"):
        assert client.get(f"/plans/{plan.slug}/import/{key}/").status_code == 404
    assert client.get(f"/new-plan/{job.key}/").status_code == 404


def test_query_count_is_constant(client, plan, person):
    counts = []
    for _each in range(2):
        for _row in range(3):
            ActionItemFactory(plan=plan)
        refs = list(plan.actions.filter(criterion__isnull=False).values_list("ref", flat=True))
        job = preview(edited(exported(plan), {(ref, "text"): f"ใหม่ {ref} {len(counts)}" for ref in refs}), plan, person)
        numbers = []
        for address in (f"/plans/{plan.slug}/import/", f"/plans/{plan.slug}/import/{job.key}/", "/new-plan/"):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                assert client.get(address).status_code == 200
            numbers.append(len(asked))
        confirm(job, person)
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/plans/{plan.slug}/import/{job.key}/")
        counts.append([*numbers, len(asked)])
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/plans/{plan.slug}/data-sheet.xlsx")
        counts[-1].append(len(asked))
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 20


# Work that goes on beside the page.


def test_import_page_shows_progress_and_cut_off(client, plan, person):
    job = preview(exported(plan), plan, person)
    ImportJob.objects.filter(pk=job.pk).update(state=ImportJobState.READING)
    here = reverse("import_detail", args=[plan.slug, job.key])
    assert "ไม่สำเร็จ" in client.get(here).content.decode()
    BackgroundTask.objects.filter(name=job.task).update(state=TaskState.RUNNING, done=2, total=4)
    assert "ยังไม่ทำงาน" in client.get(here).content.decode()
    WorkerProcess.objects.create(name="one", host="h", seen_at=timezone.now())
    page = client.get(here).content.decode()
    assert "ยังไม่ทำงาน" not in page
    assert 'value="50"' in page
    assert "hx-trigger" in page
    assert '<meta http-equiv="refresh"' in page
    assert BytesIO(page.encode()).getvalue()


@pytest.mark.parametrize("name", ["changed", "new", "errors"])
def test_long_lists_of_an_import_are_divided_into_pages(client, plan, person, name):
    state = ImportJobState.REFUSED if name == "errors" else ImportJobState.PREVIEW
    job = ImportJobFactory(plan=plan, by=person, state=state)
    found = Findings()
    if name == "errors":
        found.errors = [CellError(sheet="ข้อมูล", row=row, column="D", message=f"ผิด <{row}>") for row in range(450)]
    else:
        kind = {"changed": CHANGED, "new": NEW}[name]
        found.rows = [RowFinding(kind=kind, sheet="ข้อมูล", row=row, name=f"ref-{row}.") for row in range(450)]
    job.change(findings=found.as_json())
    client.force_login(person)
    seen = []
    for number in (1, 2, 3):
        text = client.get(f"/plans/{plan.slug}/import/{job.key}/?{name}={number}&page=9").content.decode()
        shown = re.findall(r"ผิด &lt;(\d+)&gt;" if name == "errors" else r"ref-(\d+)\.", text)
        seen += map(int, shown)
        assert len(shown) == (200 if number < 3 else 50)
        assert (f"?{name}={number + 1}&amp;page=9#{name}" in text) == (number < 3)
    assert seen == list(range(450))
