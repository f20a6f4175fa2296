"""Sheets and columns of the whole-plan workbook: how each value is written and parsed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from criteria.models import Assessment, Criterion, Level, Requirement, Verdict
from exchange.data_sheet.columns import format_period, in_thai
from exchange.levels import parse_levels
from exchange.parse import choice_names, parse_basis
from exchange.workbook import InputColumn
from plan.models import ActionItem
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import parse_choice, parse_yes_no
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.values import parse_code, parse_codes, parse_day, parse_text, parse_whole_number
from spreadsheets.tables import STYLES, ColumnKind

WHOLE_PLAN_FORMAT = "pmqa-whole-plan-1"
PLAN, PERIODS, UNITS, CATEGORIES = "แผน", "ช่วงเวลา", "หน่วยงาน", "หมวด"
CRITERIA, VERDICTS, ACTIONS = "เกณฑ์", "ผลการประเมิน", "รายการ"
LABEL_HEADING, VALUE_HEADING, NOTE_HEADING = "หัวข้อ", "ค่าที่กรอก", "คำอธิบาย"
PASSED, FAILED = "ผ่าน", "ไม่ผ่าน"
YES, NO = "ใช่", "ไม่ใช่"
DAY_FORMAT = STYLES[ColumnKind.DAY].number_format
KIND_TERMS = {
    Assessment.Kind.ASSESSOR: ("ผู้ตรวจประเมิน", "ผู้ประเมินภายนอก", "assessor"),
    Assessment.Kind.SELF: ("ส่วนราชการประเมินตนเอง", "การประเมินตนเอง", "self"),
}


@dataclass(frozen=True, kw_only=True)
class PlanField(InputColumn):
    """A value in the whole-plan workbook: a column of a sheet, or a line of the plan sheet.

    Attributes:
        name: name of the value; without `get`, also the attribute of the record to write.
        read: parses its cell; None if that needs other sheets (periods, units).
        is_required: whether it must be filled in.
    """

    name: str
    width: float = 16
    read: Callable[[ReadCell], Any] | None = parse_text
    is_required: bool = False

    def __post_init__(self) -> None:
        if self.get is None:
            object.__setattr__(self, "get", attrgetter(self.name))


class VerdictRow(NamedTuple):
    """A requirement, with its verdict if the assessment has one."""

    requirement: Requirement
    verdict: Verdict | None


def parse_kind(cell: ReadCell) -> Any:
    """The kind of an assessment, by its name or a term from the guide of the workbook."""
    names = choice_names(Assessment.Kind)
    return parse_choice(cell, {kind: (*names[kind], *KIND_TERMS[kind]) for kind in names})


def parse_change(cell: ReadCell) -> Criterion.Change | None:
    """How a criterion came out of the edition before, by its Thai or English name or its code."""
    return parse_choice(cell, choice_names(Criterion.Change))


def parse_verdict(cell: ReadCell) -> bool | None:
    """Whether a requirement passed; None if it was not judged."""
    return parse_choice(
        cell, {True: [PASSED, "ผ่านเกณฑ์", "passed", "pass"], False: [FAILED, "ไม่ผ่านเกณฑ์", "failed", "fail", "X ไม่ผ่าน"]}
    )


def parse_level(cell: ReadCell) -> Level | None:
    """The level of a row.

    Raises:
        UnreadableError: the cell names several levels.
    """
    levels = parse_levels(cell)
    if len(levels) > 1:
        raise UnreadableError(_("Write one level in a row: Basic, Advance or Significance."))
    return levels[0] if levels else None


def _yes_no(attribute: str) -> Callable[[Any], str]:
    read = attrgetter(attribute)
    return lambda record: YES if read(record) else NO


def _of_verdict(read: Callable[[Verdict], Any]) -> Callable[[VerdictRow], Any]:
    return lambda row: read(row.verdict) if row.verdict else None


def _period(attribute: str) -> Callable[[ActionItem], str | None]:
    return lambda action: format_period(period) if (period := getattr(action, attribute)) else None


def _units(attribute: str) -> Callable[[ActionItem], str]:
    return lambda action: ", ".join(str(each.unit) for each in getattr(action, attribute))


# The plan sheet: one value per line.
PLAN_FIELDS: Sequence[PlanField] = (
    PlanField(name="slug", heading="รหัสแผน", is_required=True, read=parse_code,
        note="อักษรภาษาอังกฤษ ตัวเลข และขีด ใช้เป็นส่วนหนึ่งของที่อยู่หน้าเว็บ เช่น 2564-2565"),
    PlanField(name="title", heading="ชื่อแผน", is_required=True, note="ชื่อเต็มตามเอกสาร"),
    PlanField(name="organization", heading="ส่วนราชการ", get=attrgetter("organization.name"),
        note="ชื่อหรือชื่อย่อของส่วนราชการของท่าน เว้นว่างได้"),
    PlanField(name="starts_on", heading="วันเริ่มแผน", is_required=True, read=parse_day, number_format=DAY_FORMAT,
        note="เช่น 1 ต.ค. 2563"),
    PlanField(name="ends_on", heading="วันสิ้นสุดแผน", is_required=True, read=parse_day, number_format=DAY_FORMAT,
        note="เช่น 30 ก.ย. 2565"),
    PlanField(name="previous", heading="รหัสแผนก่อนหน้า", read=parse_code,
        get=lambda plan: plan.previous.slug if plan.previous else None,
        note="รหัสของแผนที่มีอยู่ในระบบแล้ว เว้นว่างได้"),
    PlanField(name="assessment", heading="ชื่อการประเมิน", is_required=True, read=parse_code,
        get=attrgetter("assessment.name"), note="การตรวจประเมินที่แผนนี้ตอบ"),
    PlanField(name="kind", heading="ผู้ประเมิน", read=parse_kind, offers="ผู้ประเมิน",
        get=lambda plan: in_thai(Assessment.Kind(plan.assessment.kind).label), note="ผู้ตรวจประเมิน หรือประเมินตนเอง"),
    PlanField(name="assessed_on", heading="วันที่ประเมิน", read=parse_day, number_format=DAY_FORMAT,
        get=attrgetter("assessment.assessed_on"), note="เว้นว่างได้หากเอกสารไม่ระบุ"),
    PlanField(name="framework", heading="รหัสฉบับของเกณฑ์", is_required=True, read=parse_code,
        get=attrgetter("framework.slug"), note="อักษรภาษาอังกฤษ ตัวเลข และขีด เช่น pmqa-2562"),
    PlanField(name="framework_name", heading="ชื่อเกณฑ์มาตรฐาน", get=attrgetter("framework.name"),
        note="เช่น เกณฑ์คุณภาพการบริหารจัดการภาครัฐ เว้นว่างได้หากมีฉบับนี้ในระบบแล้ว"),
    PlanField(name="edition", heading="ฉบับ", get=attrgetter("framework.edition"),
        note="เช่น พ.ศ. 2562 เว้นว่างได้หากมีฉบับนี้ในระบบแล้ว"),
    PlanField(name="fiscal_year", heading="ใช้ตั้งแต่ปีงบประมาณ", read=parse_whole_number, number_format="0",
        get=attrgetter("framework.fiscal_year"), note="ปี พ.ศ. เช่น 2562 เว้นว่างได้หากมีฉบับนี้ในระบบแล้ว"),
    PlanField(name="previous_framework", heading="รหัสฉบับก่อนหน้า", read=parse_code,
        get=lambda plan: plan.framework.previous.slug if plan.framework.previous else None,
        note="รหัสของเกณฑ์ฉบับก่อนที่มีในระบบแล้ว เช่น pmqa-2558 เว้นว่างได้ ต้องกรอกหากระบุรหัสเกณฑ์เดิมในแผ่นงานเกณฑ์"),
    PlanField(name="basic_points", heading="คะแนนระดับ Basic", read=parse_whole_number, number_format="0",
        get=attrgetter("framework.basic_points"), note="เว้นว่างหมายถึง 300 หรือตามฉบับที่มีในระบบแล้ว"),
    PlanField(name="advance_points", heading="คะแนนที่เพิ่มเมื่อผ่าน Advance", read=parse_whole_number, number_format="0",
        get=attrgetter("framework.advance_points"), note="เว้นว่างหมายถึง 100 หรือตามฉบับที่มีในระบบแล้ว"),
    PlanField(name="significance_points", heading="คะแนนที่เพิ่มเมื่อผ่าน Significance", read=parse_whole_number,
        number_format="0", get=attrgetter("framework.significance_points"),
        note="เว้นว่างหมายถึง 100 หรือตามฉบับที่มีในระบบแล้ว"),
    PlanField(name="are_points_confirmed", heading="ยืนยันค่าคะแนนแล้ว", read=parse_yes_no, offers="ใช่หรือไม่",
        get=_yes_no("framework.are_points_confirmed"), note="ใช่ เมื่อตรวจสอบกับเกณฑ์ทางการแล้ว"),
)  # fmt: skip

# The other sheets: one record per row.
TABLES: Mapping[str, Sequence[PlanField]] = {
    PERIODS: (
        PlanField(name="number", heading="ลำดับ", width=9, is_required=True, read=parse_whole_number, number_format="0",
            note="1, 2, 3, …"),
        PlanField(name="starts_on", heading="วันแรก", is_required=True, read=parse_day, number_format=DAY_FORMAT,
            note="เช่น 1 ต.ค. 2563"),
        PlanField(name="ends_on", heading="วันสุดท้าย", is_required=True, read=parse_day, number_format=DAY_FORMAT,
            note="เช่น 31 ธ.ค. 2563"),
    ),
    UNITS: (
        PlanField(name="abbreviation", heading="อักษรย่อ", width=26, is_required=True, read=parse_code,
            note="อักษรย่อที่ใช้ในตาราง เช่น กพร."),
        PlanField(name="name_th", heading="ชื่อภาษาไทย", width=40, is_required=True, note="ชื่อเต็ม"),
        PlanField(name="name_en", heading="ชื่อภาษาอังกฤษ", width=40, note="เว้นว่างได้"),
        PlanField(name="is_active", heading="ใช้งานอยู่", width=11, read=parse_yes_no, offers="ใช่หรือไม่",
            get=_yes_no("is_active"), note="เว้นว่างหมายถึง ใช่"),
        PlanField(name="is_collective", heading="เป็นหน่วยงานรวม", width=17, read=parse_yes_no, offers="ใช่หรือไม่",
            get=_yes_no("is_collective"),
            note="ใช่ สำหรับคำที่หมายถึงหลายหน่วยงาน เช่น ทุกหน่วยงาน เว้นว่างหมายถึง ไม่ใช่"),
        PlanField(name="members", heading="หน่วยงานในกลุ่ม", width=40, read=None,
            get=lambda unit: ", ".join(each.abbreviation for each in unit.members.all()),
            note="เฉพาะหน่วยงานรวม คั่นด้วยจุลภาค"),
        PlanField(name="position", heading="ลำดับ", width=9, read=parse_whole_number, number_format="0",
            note="ลำดับในการแสดงผล"),
        PlanField(name="reading_note", heading="หมายเหตุ", width=40, note="สิ่งที่ควรยืนยัน เว้นว่างได้"),
    ),
    CATEGORIES: (
        PlanField(name="number", heading="เลขหมวด", width=11, is_required=True, read=parse_whole_number,
            number_format="0", note="1 ถึง 7"),
        PlanField(name="name", heading="ชื่อหมวด", width=50, is_required=True, note="เช่น การนำองค์การ"),
    ),
    CRITERIA: (
        PlanField(name="code", heading="รหัสเกณฑ์", width=12, is_required=True, read=parse_code, note="เช่น 1.1.3"),
        PlanField(name="category", heading="เลขหมวด", width=11, is_required=True, read=parse_whole_number,
            number_format="0", get=attrgetter("category.number"), note="หมวดของเกณฑ์"),
        PlanField(name="parent", heading="เกณฑ์หลัก", width=12, read=parse_code,
            get=lambda criterion: criterion.parent.code if criterion.parent else None,
            note="รหัสของเกณฑ์ที่เกณฑ์นี้อยู่ภายใต้ เช่น 1.1 เว้นว่างหากเป็นเกณฑ์หลักเอง"),
        PlanField(name="title", heading="ชื่อเกณฑ์", width=80, is_required=True, note="ข้อความของเกณฑ์"),
        PlanField(name="position", heading="ลำดับ", width=9, read=parse_whole_number, number_format="0",
            note="ลำดับภายในหมวด"),
        PlanField(name="change", heading="เทียบกับฉบับก่อน", width=20, read=parse_change, offers="การเปลี่ยนแปลง",
            get=lambda criterion: in_thai(Criterion.Change(criterion.change).label) if criterion.change else None,
            note="เกณฑ์นี้เปลี่ยนจากเกณฑ์ฉบับก่อนหน้าอย่างไร เว้นว่างได้"),
        PlanField(name="predecessors", heading="รหัสเกณฑ์เดิม", width=20, read=parse_codes,
            get=lambda criterion: ", ".join(each.code for each in criterion.predecessors.all()),
            note="รหัสในฉบับก่อนหน้า หากรวมจากหลายเกณฑ์ให้คั่นด้วยจุลภาค เช่น 1.1.2, 1.1.3"),
        PlanField(name="reading_note", heading="หมายเหตุ", width=40,
            note="สิ่งที่ไม่แน่ใจเมื่ออ่านเอกสาร เว้นว่างได้"),
    ),
    VERDICTS: (
        PlanField(name="criterion", heading="รหัสเกณฑ์", width=12, is_required=True, read=parse_code,
            get=attrgetter("requirement.criterion.code"), note="เกณฑ์ย่อยที่ถูกประเมิน"),
        PlanField(name="level", heading="ระดับ", width=15, is_required=True, read=parse_level, offers="ระดับ",
            get=lambda row: Level(row.requirement.level).short,
            note="Basic, Advance หรือ Significance ระดับละหนึ่งแถว"),
        PlanField(name="text", heading="ข้อกำหนด", width=60, get=attrgetter("requirement.text"),
            note="สิ่งที่เกณฑ์กำหนดในระดับนั้น เว้นว่างได้หากเอกสารไม่พิมพ์"),
        PlanField(name="passed", heading="ผลการประเมิน", width=15, read=parse_verdict, offers="ผล",
            get=_of_verdict(lambda verdict: PASSED if verdict.passed else FAILED),
            note="ผ่าน หรือ ไม่ผ่าน เว้นว่างหากไม่ได้ประเมิน"),
        PlanField(name="reason", heading="เหตุผล", width=60, get=_of_verdict(attrgetter("reason")),
            note="ความเห็นของผู้ตรวจประเมิน"),
        PlanField(name="printed", heading="พิมพ์ในเอกสาร", width=15, read=parse_yes_no, offers="ใช่หรือไม่",
            get=_of_verdict(_yes_no("printed")),
            note="ไม่ใช่ เมื่อเอกสารไม่ได้พิมพ์ไว้แต่อนุมานได้ เว้นว่างหมายถึง ใช่"),
    ),
    ACTIONS: (
        PlanField(name="ref", heading="รหัสรายการ", width=14, read=parse_code,
            note="เช่น 1.2.1-A-3 เว้นว่างได้ ระบบจะกำหนดให้"),
        PlanField(name="criterion", heading="รหัสเกณฑ์", width=12, is_required=True, read=parse_code,
            get=attrgetter("criterion.code"), note="เกณฑ์ของรายการ"),
        PlanField(name="levels", heading="ระดับ", width=22, is_required=True, read=parse_levels, offers="ระดับ",
            allows_other_text=True,
            get=lambda action: ", ".join(Level(each.level).short for each in action.requirements.all()),
            note="ระดับที่รายการนี้ตอบ หากหลายระดับให้คั่นด้วยจุลภาค"),
        PlanField(name="number", heading="ข้อที่", width=7, read=parse_code,
            note="ลำดับข้อตามที่พิมพ์ในเอกสาร เว้นว่างได้"),
        PlanField(name="position", heading="ลำดับ", width=9, read=parse_whole_number, number_format="0",
            note="ลำดับภายในเกณฑ์ เว้นว่างหมายถึงตามแถว"),
        PlanField(name="text", heading="สิ่งที่ต้องดำเนินการ", width=70, is_required=True,
            note="สิ่งที่ต้องดำเนินการเพิ่มเติม"),
        PlanField(name="first", heading="เริ่มช่วงเวลา", width=26, read=None, offers="ช่วงเวลา", allows_other_text=True,
            get=_period("first_period"), note="ช่วงเวลาแรกที่ดำเนินการ"),
        PlanField(name="last", heading="ถึงช่วงเวลา", width=26, read=None, offers="ช่วงเวลา", allows_other_text=True,
            get=_period("last_period"), note="ช่วงเวลาสุดท้ายที่ดำเนินการ"),
        PlanField(name="basis", heading="ที่มาของช่วงเวลา", width=24, read=parse_basis, offers="ที่มา",
            get=lambda action: in_thai(ActionItem.Basis(action.schedule_basis).label),
            note="ช่วงเวลาตามเอกสาร อนุมานจากเอกสาร หรือผู้ประสานงานยืนยันแล้ว เว้นว่างหมายถึง ตามเอกสาร"),
        PlanField(name="lead", heading="หน่วยงานหลัก", width=20, read=None, offers="หน่วยงาน", allows_other_text=True,
            get=_units("lead"), note="อักษรย่อ หากหลายหน่วยงานให้คั่นด้วยจุลภาค"),
        PlanField(name="support", heading="หน่วยงานสนับสนุน", width=20, read=None, offers="หน่วยงาน",
            allows_other_text=True, get=_units("support"), note="อักษรย่อ หากหลายหน่วยงานให้คั่นด้วยจุลภาค"),
        PlanField(name="reading_note", heading="หมายเหตุ", width=40,
            note="สิ่งที่ไม่แน่ใจเมื่ออ่านเอกสาร เว้นว่างได้"),
    ),
}  # fmt: skip

DEFAULTS = {
    "kind": Assessment.Kind.ASSESSOR, "change": "", "is_active": True, "is_collective": False, "printed": True,
    "basis": ActionItem.Basis.STATED,
}  # fmt: skip
