"""Workbooks of a long plan are built in the background, and only the user who started one can see it."""

from io import BytesIO

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from plan.models import Plan
from pmqa_tracker.tasks.models import BackgroundTask, TaskState, WorkerProcess
from tests.factories import UserFactory
from tests.reports.test_read_only import writes_refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


@pytest.fixture
def plan(settings):
    settings.PMQA_LONG_PLAN = 100
    return Plan.objects.get()


@pytest.mark.parametrize(("kind", "sheet"), [("progress", "ปก"), ("plan-form", "หมวด ๑"), ("form-only", "หมวด ๑")])
def test_workbook_is_built_listed_and_downloaded(client, plan, kind, sheet):
    person = UserFactory()
    client.force_login(person)
    asked = {"kind": kind, "since": "2020-01-01"}
    with writes_refused():
        listed = client.get(f"/plans/{plan.slug}/reports/").content.decode()
        assert f'value="{kind}"' in listed
        page = client.post(f"/plans/{plan.slug}/reports/prepare/?as_of=2020-04-01", asked)
        assert page.status_code == 302
        assert "พร้อมแล้ว" in client.get(page.url).content.decode()
        assert page.url in client.get(f"/plans/{plan.slug}/reports/").content.decode()
        data = b"".join(client.get(f"{page.url}file.xlsx").streaming_content)
    assert sheet in load_workbook(BytesIO(data)).sheetnames
    client.force_login(UserFactory())
    assert client.get(page.url).status_code == 404
    assert client.get(f"{page.url}file.xlsx").status_code == 404


def test_status_page_of_running_and_failed_tasks(client, plan):
    person = UserFactory()
    client.force_login(person)
    address = client.post(f"/plans/{plan.slug}/reports/prepare/", {"kind": "form-only"}).url
    BackgroundTask.objects.update(state=TaskState.RUNNING, done=3, total=6)
    WorkerProcess.objects.create(name="one", host="h", seen_at=timezone.now())
    body = client.get(address).content.decode()
    assert 'value="50"' in body
    assert client.get(f"{address}file.xlsx").status_code == 404
    assert client.get(address, headers={"hx-request": "true"}).content.decode().count("<section") == 1
    BackgroundTask.objects.update(state=TaskState.FAILED)
    assert "สร้างไฟล์ไม่สำเร็จ" in client.get(address).content.decode()


def test_unknown_kind_gives_a_warning(client, plan):
    client.force_login(UserFactory())
    page = client.post(f"/plans/{plan.slug}/reports/prepare/", {"kind": "x"}, follow=True)
    assert page.redirect_chain[-1][0] == f"/plans/{plan.slug}/reports/"
    assert len(page.context["messages"]) == 1


def test_short_plan_is_downloaded_directly(client, settings):
    settings.PMQA_LONG_PLAN = 600
    client.force_login(UserFactory())
    plan = Plan.objects.get()
    body = client.get(f"/plans/{plan.slug}/reports/").content.decode()
    assert 'value="plan-form"' not in body
    assert f"/plans/{plan.slug}/reports/plan-form.xlsx" in body
