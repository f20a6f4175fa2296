"""The summary of the meeting pack, in sentences, against figures counted by hand."""

import re
from datetime import date
from io import BytesIO

import pytest
from django.utils.translation import override
from docx import Document

from plan.as_of import on_day
from plan.lookup import comparison_days
from plan.models import Plan, Status
from reports.meeting.document import build_meeting_word
from reports.meeting.pack import read_meeting_pack
from tests.factories import ActionItemFactory, MeetingFactory, PlanFactory, UnitFactory

pytestmark = pytest.mark.django_db


def read_pack(plan, day, since):
    """Read the pack of a plan on a day, compared with an earlier day."""
    on, before = (on_day(plan, each, plan.periods.all()) for each in (day, since))
    return read_meeting_pack(plan, on, before, comparison_days(plan, on), {})


@pytest.fixture
def small(coordinator, report_progress):
    """Four actions of one unit: one done since the meeting, one blocked, one late, one cancelled.

    On 15 May 2020 228 of the 274 days of periods 1 to 3 are over, 83.2 %; of period 1 all: (2 × 83.2 + 100) / 3 = 88.8.
    """
    plan = PlanFactory()
    unit = UnitFactory(abbreviation="กทส.")
    MeetingFactory(plan=plan, held_on=date(2020, 4, 1), name="การประชุมครั้งที่ 1")
    done, blocked, late, cancelled = (ActionItemFactory(plan=plan, runs=(1, 3), lead=[unit]) for _ in range(4))
    late.last_period = plan.periods.get(number=1)
    late.save()
    report_progress(done, coordinator, status=Status.DONE)
    report_progress(blocked, coordinator, status=Status.BLOCKED, progress=50, problem="งบประมาณไม่พอ")
    report_progress(cancelled, coordinator, status=Status.CANCELLED, progress=0, reason="รวมกับรายการอื่น")
    return Plan.objects.get(pk=plan.pk)


def test_the_summary_in_sentences(small):
    with override("th"):
        sentences = read_pack(small, date(2020, 5, 15), date(2020, 4, 1)).sentences
    assert sentences[:4] == [
        "ณ วันที่ 15 พ.ค. 2563 แผนมีสิ่งที่ต้องดำเนินการ 4 รายการ ได้แก่ ดำเนินการแล้วเสร็จ 1 รายการ (ร้อยละ 25) "
        "ติดปัญหา 1 รายการ (ร้อยละ 25) ยังไม่ดำเนินการ 1 รายการ (ร้อยละ 25) และ ยกเลิก 1 รายการ (ร้อยละ 25)",
        "ความก้าวหน้าเฉลี่ยร้อยละ 50 เทียบกับที่ควรได้ตามแผนร้อยละ 89 ช้ากว่าแผน 38.8 จุด",
        "มีรายการล่าช้า 1 รายการ หน่วยงานหลักที่มีรายการล่าช้ามากที่สุด ได้แก่ กทส. (1)",
        "ตั้งแต่การประชุมครั้งที่ 1 เมื่อวันที่ 1 เม.ย. 2563 มีรายการแล้วเสร็จเพิ่ม 1 รายการ คืบหน้าขึ้น 1 รายการ "
        "ติดปัญหาเพิ่ม 1 รายการ และ ยกเลิกเพิ่ม 1 รายการ ส่วนรายการที่อยู่ในช่วงดำเนินการแต่ไม่มีรายงานเพิ่มมี 1 รายการ",
    ]
    with override("en"):
        english = read_pack(small, date(2020, 5, 15), date(2020, 4, 1)).sentences
    assert len(english) == len(sentences)
    assert english[2] == "1 action is overdue; the units that lead most of them: กทส. (1)."
    assert not re.search("[ก-๙]", english[1])


def test_summary_of_an_empty_plan_and_of_one_without_changes():
    plan = PlanFactory()
    assert len(read_pack(plan, date(2020, 5, 15), date(2020, 4, 1)).sentences) == 1
    ActionItemFactory(plan=plan, runs=None)
    with override("en"):
        sentences = read_pack(plan, date(2020, 5, 15), date(2020, 4, 1)).sentences
    assert sentences[1] == "The mean progress is 0 %; no action has a schedule to compare with."
    assert sentences[2] == "Nothing is overdue."
    assert sentences[3].startswith("Nothing has changed since 1 ")


def test_characters_invalid_in_word_are_removed(small, settings):
    action = small.actions.order_by("pk").first()
    small.actions.filter(pk=action.pk).update(text="ก่อน\x0bหลัง\x1f\ud7ff\ufffe <w:p/> & =1+1")
    with override("th"):
        file = BytesIO()
        pack = read_pack(small, date(2020, 5, 15), date(2020, 4, 1))
        build_meeting_word(pack, settings.PMQA_MEETING_TEMPLATE).save(file)
    whole = " ".join(
        cell.text for table in Document(BytesIO(file.getvalue())).tables for row in table.rows for cell in row.cells
    )
    assert "ก่อนหลัง\ud7ff <w:p/> & =1+1" in whole
