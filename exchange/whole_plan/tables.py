"""The sheets of a workbook that holds a whole plan: what each asks, how it is read, and the records it stands for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from criteria.models import Assessment, Level
from exchange.levels import read_levels
from exchange.parse import names_of, read_basis
from exchange.workbook import Field
from plan.models import ActionItem
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import read_choice, read_yes_no
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.values import read_code, read_day, read_text, read_whole

FORM = "pmqa-whole-plan-1"
PLAN, PERIODS, UNITS, CATEGORIES = "แผน", "ช่วงเวลา", "หน่วยงาน", "หมวด"
CRITERIA, VERDICTS, ACTIONS = "เกณฑ์", "ผลการประเมิน", "รายการ"
LABEL, VALUE, NOTE = "หัวข้อ", "ค่าที่กรอก", "คำอธิบาย"
PASSED, FAILED = "ผ่าน", "ไม่ผ่าน"
YES, NO = "ใช่", "ไม่ใช่"
DAY = "d mmm yyyy"
KIND_WORDS = {
    Assessment.Kind.ASSESSOR: ("ผู้ตรวจประเมิน", "ผู้ประเมินภายนอก", "assessor"),
    Assessment.Kind.SELF: ("ส่วนราชการประเมินตนเอง", "การประเมินตนเอง", "self"),
}


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A cell the workbook asks for.

    Attributes:
        name: of the value.
        heading: of its column, or its label on the first sheet.
        note: what the guide says of it.
        read: reads it; None where it takes what other sheets say (periods, units).
        width: in characters.
        needs: whether it may not be empty.
        offers: the list it is chosen from.
        may_differ: whether something else may be typed.
        number_format: of its cells.
    """

    name: str
    heading: str
    note: str
    read: Callable[[ReadCell], Any] | None = read_text
    width: float = 16
    needs: bool = False
    offers: str = ""
    may_differ: bool = False
    number_format: str = "@"

    @property
    def field(self) -> Field:
        """The column as the sheet shows it."""
        return Field(
            heading=self.heading, width=self.width, note=self.note, offers=self.offers, may_differ=self.may_differ,
            number_format=self.number_format,
        )  # fmt: skip


def read_kind(cell: ReadCell) -> Any:
    """Who judged, by its name or the word the template explains it with."""
    names = names_of(Assessment.Kind)
    return read_choice(cell, {kind: (*names[kind], *KIND_WORDS[kind]) for kind in names})


def read_verdict(cell: ReadCell) -> bool | None:
    """Whether it passed; None where it was not judged."""
    return read_choice(cell, {True: [PASSED, "passed"], False: [FAILED, "failed", "X ไม่ผ่าน"]})


def read_level(cell: ReadCell) -> Level | None:
    """One level.

    Raises:
        UnreadableError: several are named.
    """
    levels = read_levels(cell)
    if len(levels) > 1:
        raise UnreadableError(_("Write one level in a row: Basic, Advance or Significance."))
    return levels[0] if levels else None


PLAN_ASKS: Sequence[Ask] = (
    Ask(name="slug", read=read_code, heading="รหัสแผน", needs=True,
        note="อักษรภาษาอังกฤษ ตัวเลข และขีด ใช้เป็นส่วนหนึ่งของที่อยู่หน้าเว็บ เช่น 2564-2565"),
    Ask(name="title", heading="ชื่อแผน", needs=True, note="ชื่อเต็มตามเอกสาร"),
    Ask(name="organization", heading="ส่วนราชการ", needs=True, note="ชื่อกรมหรือส่วนราชการ"),
    Ask(name="starts_on", heading="วันเริ่มแผน", needs=True, read=read_day, note="เช่น 1 ต.ค. 2563", number_format=DAY),
    Ask(name="ends_on", heading="วันสิ้นสุดแผน", needs=True, read=read_day, note="เช่น 30 ก.ย. 2565", number_format=DAY),
    Ask(name="previous", read=read_code, heading="รหัสแผนก่อนหน้า", note="รหัสของแผนที่มีอยู่ในระบบแล้ว เว้นว่างได้"),
    Ask(name="assessment", read=read_code, heading="ชื่อการประเมิน", needs=True, note="การตรวจประเมินที่แผนนี้ตอบ"),
    Ask(name="kind", heading="ผู้ประเมิน", read=read_kind, offers="ผู้ประเมิน", note="ผู้ตรวจประเมิน หรือประเมินตนเอง"),
    Ask(name="assessed_on", heading="วันที่ประเมิน", read=read_day, note="เว้นว่างได้หากเอกสารไม่ระบุ", number_format=DAY),
    Ask(name="basic_points", heading="คะแนนระดับ Basic", read=read_whole, note="เว้นว่างหมายถึง 300", number_format="0"),
    Ask(name="advance_points", heading="คะแนนที่เพิ่มเมื่อผ่าน Advance", read=read_whole, note="เว้นว่างหมายถึง 100",
        number_format="0"),
    Ask(name="significance_points", heading="คะแนนที่เพิ่มเมื่อผ่าน Significance", read=read_whole,
        note="เว้นว่างหมายถึง 100", number_format="0"),
    Ask(name="are_points_confirmed", heading="ยืนยันค่าคะแนนแล้ว", read=read_yes_no, offers="ใช่หรือไม่",
        note="ใช่ เมื่อตรวจสอบกับเกณฑ์ทางการแล้ว"),
)  # fmt: skip

TABLES: Mapping[str, Sequence[Ask]] = {
    PERIODS: (
        Ask(name="number", heading="ลำดับ", needs=True, read=read_whole, width=9, note="1, 2, 3, …", number_format="0"),
        Ask(name="starts_on", heading="วันแรก", needs=True, read=read_day, note="เช่น 1 ต.ค. 2563", number_format=DAY),
        Ask(name="ends_on", heading="วันสุดท้าย", needs=True, read=read_day, note="เช่น 31 ธ.ค. 2563", number_format=DAY),
    ),
    UNITS: (
        Ask(name="abbreviation", read=read_code, heading="อักษรย่อ", needs=True, width=26,
            note="อักษรย่อที่ใช้ในตาราง เช่น กพร."),
        Ask(name="name_th", heading="ชื่อภาษาไทย", needs=True, width=40, note="ชื่อเต็ม"),
        Ask(name="name_en", heading="ชื่อภาษาอังกฤษ", width=40, note="เว้นว่างได้"),
        Ask(name="is_active", heading="ใช้งานอยู่", read=read_yes_no, offers="ใช่หรือไม่", width=11,
            note="เว้นว่างหมายถึง ใช่"),
        Ask(name="is_collective", heading="เป็นหน่วยงานรวม", read=read_yes_no, offers="ใช่หรือไม่", width=17,
            note="ใช่ สำหรับคำที่หมายถึงหลายหน่วยงาน เช่น ทุกหน่วยงาน เว้นว่างหมายถึง ไม่ใช่"),
        Ask(name="members", heading="หน่วยงานในกลุ่ม", read=None, width=40, note="เฉพาะหน่วยงานรวม คั่นด้วยจุลภาค"),
        Ask(name="position", heading="ลำดับ", read=read_whole, width=9, note="ลำดับในการแสดงผล", number_format="0"),
        Ask(name="reading_note", heading="หมายเหตุ", width=40, note="สิ่งที่ควรยืนยัน เว้นว่างได้"),
    ),
    CATEGORIES: (
        Ask(name="number", heading="เลขหมวด", needs=True, read=read_whole, width=11, note="1 ถึง 7", number_format="0"),
        Ask(name="name", heading="ชื่อหมวด", needs=True, width=50, note="เช่น การนำองค์การ"),
    ),
    CRITERIA: (
        Ask(name="code", read=read_code, heading="รหัสเกณฑ์", needs=True, width=12, note="เช่น 1.1.3"),
        Ask(name="category", heading="เลขหมวด", needs=True, read=read_whole, width=11, note="หมวดของเกณฑ์",
            number_format="0"),
        Ask(name="parent", read=read_code, heading="เกณฑ์หลัก", width=12,
            note="รหัสของเกณฑ์ที่เกณฑ์นี้อยู่ภายใต้ เช่น 1.1 เว้นว่างหากเป็นเกณฑ์หลักเอง"),
        Ask(name="title", heading="ชื่อเกณฑ์", needs=True, width=80, note="ข้อความของเกณฑ์"),
        Ask(name="position", heading="ลำดับ", read=read_whole, width=9, note="ลำดับภายในหมวด", number_format="0"),
        Ask(name="reading_note", heading="หมายเหตุ", width=40, note="สิ่งที่ไม่แน่ใจเมื่ออ่านเอกสาร เว้นว่างได้"),
    ),
    VERDICTS: (
        Ask(name="criterion", read=read_code, heading="รหัสเกณฑ์", needs=True, width=12, note="เกณฑ์ย่อยที่ถูกประเมิน"),
        Ask(name="level", heading="ระดับ", needs=True, read=read_level, offers="ระดับ", width=15,
            note="Basic, Advance หรือ Significance ระดับละหนึ่งแถว"),
        Ask(name="text", heading="ข้อกำหนด", width=60, note="สิ่งที่เกณฑ์กำหนดในระดับนั้น เว้นว่างได้หากเอกสารไม่พิมพ์"),
        Ask(name="passed", heading="ผลการประเมิน", read=read_verdict, offers="ผล", width=15,
            note="ผ่าน หรือ ไม่ผ่าน เว้นว่างหากไม่ได้ประเมิน"),
        Ask(name="reason", heading="เหตุผล", width=60, note="ความเห็นของผู้ตรวจประเมิน"),
        Ask(name="printed", heading="พิมพ์ในเอกสาร", read=read_yes_no, offers="ใช่หรือไม่", width=15,
            note="ไม่ใช่ เมื่อเอกสารไม่ได้พิมพ์ไว้แต่อนุมานได้ เว้นว่างหมายถึง ใช่"),
    ),
    ACTIONS: (
        Ask(name="ref", read=read_code, heading="รหัสรายการ", width=14, note="เช่น 1.2.1-A-3 เว้นว่างได้ ระบบจะกำหนดให้"),
        Ask(name="criterion", read=read_code, heading="รหัสเกณฑ์", needs=True, width=12, note="เกณฑ์ของรายการ"),
        Ask(name="levels", heading="ระดับ", needs=True, read=read_levels, offers="ระดับ", may_differ=True, width=22,
            note="ระดับที่รายการนี้ตอบ หากหลายระดับให้คั่นด้วยจุลภาค"),
        Ask(name="number", heading="ข้อที่", read=read_code, width=7, note="ลำดับข้อตามที่พิมพ์ในเอกสาร เว้นว่างได้"),
        Ask(name="position", heading="ลำดับ", read=read_whole, width=9, note="ลำดับภายในเกณฑ์ เว้นว่างหมายถึงตามแถว",
            number_format="0"),
        Ask(name="text", heading="สิ่งที่ต้องดำเนินการ", needs=True, width=70, note="สิ่งที่ต้องดำเนินการเพิ่มเติม"),
        Ask(name="first", heading="เริ่มช่วงเวลา", read=None, offers="ช่วงเวลา", may_differ=True, width=26,
            note="ช่วงเวลาแรกที่ดำเนินการ"),
        Ask(name="last", heading="ถึงช่วงเวลา", read=None, offers="ช่วงเวลา", may_differ=True, width=26,
            note="ช่วงเวลาสุดท้ายที่ดำเนินการ"),
        Ask(name="basis", heading="ที่มาของช่วงเวลา", read=read_basis, offers="ที่มา", width=24,
            note="ช่วงเวลาตามเอกสาร อนุมานจากเอกสาร หรือผู้ประสานงานยืนยันแล้ว เว้นว่างหมายถึง ตามเอกสาร"),
        Ask(name="lead", heading="หน่วยงานหลัก", read=None, offers="หน่วยงาน", may_differ=True, width=20,
            note="อักษรย่อ หากหลายหน่วยงานให้คั่นด้วยจุลภาค"),
        Ask(name="support", heading="หน่วยงานสนับสนุน", read=None, offers="หน่วยงาน", may_differ=True, width=20,
            note="อักษรย่อ หากหลายหน่วยงานให้คั่นด้วยจุลภาค"),
        Ask(name="reading_note", heading="หมายเหตุ", width=40, note="สิ่งที่ไม่แน่ใจเมื่ออ่านเอกสาร เว้นว่างได้"),
    ),
}  # fmt: skip

DEFAULTS = {
    "kind": Assessment.Kind.ASSESSOR, "basic_points": 300, "advance_points": 100, "significance_points": 100,
    "are_points_confirmed": False, "is_active": True, "is_collective": False, "printed": True,
    "basis": ActionItem.Basis.STATED,
}  # fmt: skip
