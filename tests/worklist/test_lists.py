"""Workbooks of the plan's lists: many rows, hostile texts, submissions."""

import pytest

from assignments.models import Role
from plan.models import ActionItem
from spreadsheets.text import LONGEST_TEXT
from submissions.models import SubmissionState
from tests.factories import (
    ActionItemFactory,
    PlanFactory,
    SubmissionFactory,
    SubmissionStepFactory,
    UnitFactory,
    UserFactory,
)
from tests.spreadsheets.test_list_export import PAYLOADS
from tests.test_lists import open_sheet, shape

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases(only_full=True)]


@pytest.mark.both_databases
def test_2000_rows_are_all_there_in_order(client):
    plan, unit = PlanFactory(), UnitFactory()
    first = ActionItemFactory(plan=plan, lead=[unit])
    made = ActionItem.objects.bulk_create(
        ActionItem(
            plan=plan,
            criterion=first.criterion,
            ref=f"R-{number:04}",
            text=f"รายการที่ {number}",
            position=2_000 - number,
            search_text=f"r-{number:04}",
        )
        for number in range(1_999)
    )
    made[5].assignments.create(unit=unit, role=Role.SUPPORT)
    client.force_login(UserFactory())
    sheet = open_sheet(client.get(f"/plans/{plan.slug}/actions.xlsx"))
    rows = shape(sheet)[2]
    assert [row[0] for row in rows] == [first.ref, *(f"R-{number:04}" for number in reversed(range(1_999)))]
    assert [row[0] for row in rows if row[5]] == [first.ref]
    assert [row[0] for row in rows if row[6]] == ["R-0005"]


def test_hostile_texts_stay_texts(client):
    plan, unit = PlanFactory(title="=1+1"), UnitFactory(abbreviation="=2+2")
    texts = [*PAYLOADS, "ก\x0bข\x1f", "ย" * 40_000]
    for number, text in enumerate(texts):
        action = ActionItemFactory(plan=plan, ref=f"={number}", position=number, lead=[unit], criterion__title="=3")
        ActionItem.objects.filter(pk=action.pk).update(text=text)
    person = UserFactory(roles=["staff"], units=[unit])
    client.force_login(person)
    for name in ("actions", "my", "owed", "timeline", "units", "criteria"):
        sheet = open_sheet(client.get(f"/plans/{plan.slug}/{name}.xlsx"))
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}, name
        column = {"actions": 4, "my": 3, "owed": 3, "timeline": 4}.get(name)
        if column:
            rows = [row for row in shape(sheet)[2] if name != "owed" or row[column - 1]]  # the others are submissions
            found = sorted((row[column] or "").lstrip() for row in rows)
            assert len(found) == len(texts)
            assert found[-1] == "＝1+1" or max(map(len, found)) == LONGEST_TEXT
            assert "กข" in found
            assert {"=1+1", "+1", "@SUM(A1)", "{=1}"} <= set(found)


def test_reports_of_the_periods(client):
    plan, unit = PlanFactory(), UnitFactory(abbreviation="กอ.")
    UnitFactory(abbreviation="กข.")
    ActionItemFactory(plan=plan, lead=[unit], runs=(1, 4))
    first, second = plan.periods.order_by("number")[:2]
    report = SubmissionFactory(unit=unit, period=first, state=SubmissionState.ACCEPTED)
    SubmissionStepFactory(submission=report, state=SubmissionState.ACCEPTED)
    client.force_login(UserFactory())
    lines, headings, rows = shape(open_sheet(client.get(f"/plans/{plan.slug}/reporting.xlsx")))
    assert lines[-1] == "หน่วยงานที่ยังไม่มีรายการต้องรายงาน: กข."
    assert headings == [
        "หน่วยงาน",
        "ชื่อหน่วยงาน",
        f"{first.label}\nส่งแล้ว 1 จาก 1",
        f"{second.label}\nส่งแล้ว 0 จาก 1",
        "เม.ย.–มิ.ย. 2563\nช่วงเวลานี้ · ส่งแล้ว 0 จาก 1",
        "ก.ค.–ก.ย. 2563",
    ]
    assert rows == [
        [
            "กอ.",
            unit.name_th,
            "รับรายงานแล้ว · 3 เม.ย. 2563",
            "เกินกำหนดส่ง · พ้นสิ้นงวดมาแล้ว 45 วัน",
            "ยังไม่ส่ง · สิ้นงวด 30 มิ.ย. 2563",
            "ยังไม่ถึงกำหนด",
        ]
    ]
