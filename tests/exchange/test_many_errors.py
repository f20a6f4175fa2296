"""Every error of a sheet is reported at once at its cell, and nothing else."""

import random

import pytest
from openpyxl.utils import get_column_letter

from exchange.data_sheet.export import SHEET
from exchange.models import ImportJobState
from plan.models import Plan
from tests import sizes
from tests.exchange.workbooks import exported, fingerprint, opened, places, preview, saved

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]

# What may be wrong in a column: what a person types, each wrong on its own.
WRONG = {
    "levels": ("Z", "Advnce", "Basic, 4", "", "ผ่าน"),
    "number": ("12345678901",),
    "text": ("", "   ", "\u00a0"),
    "first": ("1/2563", "ปีหน้า", "ต.ค.-ธ.ค. 2570", 99, "ไตรมาส 5/2563", True),
    "last": ("ม.ค.", 0, "30/9/2563", "x", -1, "ไตรมาส 1/2590"),
    "basis": ("เดา", "INFER", 3, "ยืนยันมั้ง"),
    "lead": ("กพล.", "สพม. กยย.", "กพร./ไม่มี", "Division 9", 7),
    "support": ("กองใหม่", "กคร.,กคส.", "ทุกคน", "ก"),
    "status": ("เสร็จมั้ง", "Done!", "ล่าช้า", 5, "ดำเนินการแล้ว"),
    "progress": (101, -1, "ห้าสิบ", 33.5, "1e2", 1, "120%", "50.5%", True),
    "result": ("=1+1 ไม่มีค่า",),
    "problem": ("#VALUE!",),
}


def test_many_errors_are_reported_at_once_at_their_cells(coordinator):
    plan = Plan.objects.get()
    data = exported(plan)
    book, sheet, columns = opened(data)
    chance = random.Random(2563 + sizes.SEED)  # noqa: S311 - to be the same again
    cells = [(row, name) for row in range(4, 145) for name in WRONG]
    wanted = []
    for row, name in chance.sample(cells, 300):
        cell = sheet.cell(row, columns[name])
        if name == "result":
            cell.value = "=1+1"  # a formula that no program has computed
        elif name == "problem":
            cell.value, cell.data_type = "#VALUE!", "e"
        else:
            cell.value = chance.choice(WRONG[name])
            if isinstance(cell.value, str) and name in ("levels", "text"):
                cell.data_type = "s"
        wanted.append(f"{get_column_letter(columns[name])}{row}")
    before = fingerprint()
    job = preview(saved(book), plan, coordinator)
    assert places(job) == sorted(wanted)
    assert all(error["message"] and error["sheet"] == SHEET for error in job.findings["errors"])
    assert job.state == ImportJobState.REFUSED
    assert fingerprint() == before
