"""Every workbook the site hands out opens in openpyxl and in LibreOffice, for who is logged in."""

import shutil
import subprocess
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from django.http import FileResponse
from openpyxl import load_workbook

from plan.models import Plan
from tests.conftest import IS_REQUIRED
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]

WORKBOOKS = {
    "plan form": "plans/{slug}/reports/plan-form.xlsx",
    "form only": "plans/{slug}/reports/plan-form.xlsx?status=no",
    "progress report": "plans/{slug}/reports/progress.xlsx",
    "unit's report": "plans/{slug}/units/{unit}/progress.xlsx",
    "data sheet": "plans/{slug}/data-sheet.xlsx",
    "unit's sheet": "plans/{slug}/data-sheet.xlsx?unit={unit}",
    "whole plan": "plans/{slug}/plan.xlsx",
    "template": "new-plan/template.xlsx",
    "list": "plans/{slug}/actions.xlsx",
    "units": "plans/{slug}/units.xlsx",
    "map": "plans/{slug}/criteria.xlsx",
    "timeline": "plans/{slug}/timeline.xlsx",
    "my work": "plans/{slug}/my.xlsx",
    "reporting": "plans/{slug}/reporting.xlsx",
}


def fetched(client: Any, address: str) -> bytes:
    """A workbook as it is downloaded."""
    response = client.get(address)
    assert response.status_code == 200
    assert isinstance(response, FileResponse)
    assert response["Content-Disposition"].startswith("attachment")
    return b"".join(response.streaming_content)


@pytest.mark.apart
def test_every_workbook_opens_in_openpyxl_and_in_libreoffice(client, tmp_path):
    plan = Plan.objects.get()
    unit = plan.actions.first().assignments.first().unit
    client.force_login(UserFactory(roles=["staff", "coordinator"], units=[unit]))
    names = []
    for number, (name, address) in enumerate(WORKBOOKS.items()):
        data = fetched(client, f"/{address.format(slug=plan.slug, unit='กพร.')}")
        book = load_workbook(BytesIO(data))
        assert book.sheetnames, name
        assert all(len(title) <= 31 for title in book.sheetnames), name
        (tmp_path / f"{number}.xlsx").write_bytes(data)
        names.append(f"{number}")
    office = shutil.which("soffice")
    if office is None and not IS_REQUIRED:
        pytest.skip("LibreOffice is missing")
    assert office, "LibreOffice is missing"
    subprocess.run(
        [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf", "--outdir",
         str(tmp_path), *(str(tmp_path / f"{name}.xlsx") for name in names)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    for name in names:
        assert (tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF"), name


def test_only_who_is_logged_in_gets_a_workbook(client):
    plan = Plan.objects.get()
    for address in WORKBOOKS.values():
        response = client.get(f"/{address.format(slug=plan.slug, unit='กพร.')}")
        assert (response.status_code, response.url.startswith("/login/")) == (302, True)


def test_a_day_out_of_the_plan_and_an_unknown_unit(client):
    plan = Plan.objects.get()
    client.force_login(UserFactory())
    data = fetched(client, f"/plans/{plan.slug}/reports/progress.xlsx?as_of=2570-99-99&since=x")
    assert "15 พฤษภาคม 2563" in {cell.value for cell in load_workbook(BytesIO(data))["ปก"]["B"]}
    data = fetched(client, f"/plans/{plan.slug}/reports/progress.xlsx?as_of={date(2031, 1, 1)}")
    assert "30 กันยายน 2563" in {cell.value for cell in load_workbook(BytesIO(data))["ปก"]["B"]}
    assert list(client.get("/password/").context["messages"]) == []  # nothing waits to be said elsewhere
    for address in (f"/plans/{plan.slug}/units/ไม่มี/progress.xlsx", f"/plans/{plan.slug}/data-sheet.xlsx?unit=ไม่มี"):
        response = client.get(address)
        assert response.status_code == 404
        assert response.context["nearest"]
