"""The columns of the data sheet: what each holds, how its cells are read and written, and who may change it.

Declared as a django-import-export resource; the widgets are ours, because a cell of a workbook is more than its text.
Headings, choices and periods are always written in Thai: the sheet is the department's own paper. They are read in both
languages.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from hashlib import sha256
from json import dumps
from typing import Any

from django.utils.translation import override
from import_export import fields, resources, widgets

from assignments.models import Role, Unit
from assignments.unit_names import UnitNames, read_units
from criteria.models import Level
from exchange.levels import read_levels
from exchange.parse import read_basis, read_period, read_status
from plan.models import ActionItem, Period, Status
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.values import read_code, read_percent, read_text
from spreadsheets.text import clean_text

# Columns of an action's own fields, and of the units with a part in it.
FIELDS = {"number": "number", "text": "text", "first": "first_period", "last": "last_period", "basis": "schedule_basis"}
ROLES = {"lead": Role.LEAD, "support": Role.SUPPORT}


class Part(StrEnum):
    """Who may change a column: nobody, coordinators, or who reports progress too."""

    KEY = "KEY"
    SHOWN = "SHOWN"
    CONTENT = "CONTENT"
    PROGRESS = "PROGRESS"


class TextWidget(widgets.Widget):
    """A text as it is kept; what a cell cannot hold makes no difference."""

    def clean(self, value: ReadCell, row: Any = None, **kwargs: Any) -> str:
        return read_text(value)

    def take(self, value: Any) -> Any:
        """What the model holds, as `clean` gives it."""
        text = clean_text(str(value or ""))
        try:
            return read_text(ReadCell(text))
        except UnreadableError:
            return text

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        """What the cell says."""
        return value

    def cell(self, raw: Any) -> Any:
        """The same of what the model holds: a text as it was typed, spaces around it and all."""
        return raw

    def key(self, value: Any) -> Any:
        """What two values that mean the same share, in any language."""
        return value


class CodeWidget(TextWidget):
    """A code, such as 1.1 or 1.2.1-A-3: a spreadsheet that made a number of it is told."""

    def clean(self, value: ReadCell, row: Any = None, **kwargs: Any) -> str:
        return read_code(value)


class ValueWidget(TextWidget):
    """What is not kept as text."""

    def cell(self, raw: Any) -> Any:
        return self.render(self.take(raw))


class LevelsWidget(ValueWidget):
    """The levels an action answers: "Advance, Significance"."""

    def clean(self, value: ReadCell, row: Any = None, **kwargs: Any) -> tuple[Level, ...]:
        return read_levels(value)

    def take(self, value: Any) -> tuple[Level, ...]:
        return tuple(sorted(Level(each.level) for each in value.all())) if value else ()

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(level.short for level in value)

    def key(self, value: Any) -> Any:
        return [int(level) for level in value]


class PeriodWidget(ValueWidget):
    """A period of the plan by its months."""

    def __init__(self, periods: Sequence[Period]) -> None:
        super().__init__()
        self.periods = periods

    def clean(self, value: ReadCell, row: Any = None, **kwargs: Any) -> Period | None:
        return read_period(value, self.periods)

    def take(self, value: Any) -> Period | None:
        return value

    def render(self, value: Period | None, obj: Any = None, **kwargs: Any) -> str:
        return period_words(value) if value else ""

    def key(self, value: Period | None) -> Any:
        return value.number if value else None


class UnitsWidget(ValueWidget):
    """Units by their abbreviations, in the document's order."""

    def __init__(self, names: UnitNames) -> None:
        super().__init__()
        self.names = names

    def clean(self, value: ReadCell, row: Any = None, **kwargs: Any) -> tuple[Unit, ...]:
        return tuple(read_units(value, self.names))

    def take(self, value: Any) -> tuple[Unit, ...]:
        return tuple(assignment.unit for assignment in value or ())

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(unit.abbreviation for unit in value)

    def key(self, value: Any) -> Any:
        return [unit.abbreviation for unit in value]


class ChoiceWidget(ValueWidget):
    """A status, or the basis of a schedule, by its Thai name."""

    def __init__(self, choices: Any, read: Any) -> None:
        super().__init__()
        self.choices, self.read = choices, read

    def clean(self, value: ReadCell, row: Any = None, **kwargs: Any) -> Any:
        return self.read(value)

    def take(self, value: Any) -> Any:
        return self.choices(value) if value else None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return in_thai(value.label) if value else ""

    def key(self, value: Any) -> Any:
        return str(value.value) if value else ""


class PercentWidget(ValueWidget):
    """A whole percentage, written as a number."""

    def clean(self, value: ReadCell, row: Any = None, **kwargs: Any) -> int | None:
        return read_percent(value)

    def take(self, value: Any) -> int | None:
        return value


class Column(fields.Field):
    """A column of the sheet.

    Args:
        heading: its heading.
        part: who may change it.
        width: in characters.
        note: what the sheet of explanations says of it.
        widget: how its cells are read and written.
        attribute: of the action; empty where the sheet only asks.
    """

    widget: TextWidget

    def __init__(
        self,
        heading: str,
        *,
        part: Part,
        width: float,
        note: str,
        widget: TextWidget | None = None,
        attribute: str = "",
    ) -> None:
        super().__init__(attribute or None, heading, widget or TextWidget(), readonly=part in (Part.KEY, Part.SHOWN))
        self.part, self.width, self.note = part, width, note

    def stored(self, action: ActionItem) -> Any:
        """What the action holds."""
        return self.widget.take(self.get_value(action))

    def words(self, value: Any) -> str:
        """A value as a person reads it."""
        rendered = self.widget.render(value)
        return "" if rendered is None else str(rendered)


class ActionSheet(resources.Resource):
    """The data sheet's columns, for one plan; `ActionItem` rows come with `with_details()`."""

    ref = Column(
        "รหัสรายการ",
        attribute="ref",
        widget=CodeWidget(),
        part=Part.KEY,
        width=14,
        note="รหัสประจำรายการ ใช้จับคู่กับข้อมูลในระบบ ห้ามแก้ไข หากเพิ่มรายการใหม่ให้เว้นว่าง ระบบจะกำหนดให้",
    )
    token = Column(
        "รุ่นข้อมูล",
        part=Part.KEY,
        width=24,
        note="รุ่นของข้อมูลในวันที่ส่งออกและหน่วยงานเจ้าของไฟล์ ใช้ตรวจว่ามีผู้อื่นแก้ไขหลังจากนั้นหรือไม่ และรายงานในนามหน่วยงานใด "
        "ห้ามแก้ไข หากเพิ่มรายการใหม่ให้เว้นว่าง",
    )
    criterion = Column(
        "เกณฑ์",
        attribute="criterion__code",
        part=Part.KEY,
        width=9,
        widget=CodeWidget(),
        note="รหัสเกณฑ์ เช่น 1.1.3 กรอกเฉพาะรายการใหม่",
    )
    levels = Column(
        "ระดับ",
        attribute="requirements",
        part=Part.CONTENT,
        width=17,
        widget=LevelsWidget(),
        note="ระดับที่รายการนี้ตอบ ได้แก่ Basic, Advance, Significance หากตอบหลายระดับให้คั่นด้วยจุลภาค",
    )
    number = Column(
        "ข้อที่",
        attribute="number",
        part=Part.CONTENT,
        width=7,
        widget=CodeWidget(),
        note="ลำดับข้อตามที่พิมพ์ในเอกสาร เว้นว่างได้",
    )
    text = Column("สิ่งที่ต้องดำเนินการ", attribute="text", part=Part.CONTENT, width=58, note="สิ่งที่ต้องดำเนินการเพิ่มเติม")
    first = Column(
        "เริ่มช่วงเวลา",
        attribute="first_period",
        part=Part.CONTENT,
        width=26,
        note="ช่วงเวลาแรกที่ดำเนินการ เลือกจากรายการ หรือพิมพ์ เช่น ต.ค.-ธ.ค. 2562 หรือ ไตรมาส 1/2563",
    )
    last = Column(
        "ถึงช่วงเวลา",
        attribute="last_period",
        part=Part.CONTENT,
        width=26,
        note="ช่วงเวลาสุดท้ายที่ดำเนินการ ต้องระบุคู่กับช่วงเวลาเริ่ม หรือเว้นว่างทั้งคู่",
    )
    basis = Column(
        "ที่มาของช่วงเวลา",
        attribute="schedule_basis",
        part=Part.CONTENT,
        width=22,
        widget=ChoiceWidget(ActionItem.Basis, read_basis),
        note="ช่วงเวลาตามเอกสาร อนุมานจากเอกสาร หรือผู้ประสานงานยืนยันแล้ว",
    )
    lead = Column(
        "หน่วยงานหลัก",
        attribute="lead",
        part=Part.CONTENT,
        width=18,
        note="อักษรย่อหน่วยงาน หากมีหลายหน่วยงานให้คั่นด้วยจุลภาค เว้นวรรค / หรือ และ",
    )
    support = Column(
        "หน่วยงานสนับสนุน",
        attribute="support",
        part=Part.CONTENT,
        width=18,
        note="อักษรย่อหน่วยงาน หากมีหลายหน่วยงานให้คั่นด้วยจุลภาค เว้นวรรค / หรือ และ",
    )
    status = Column(
        "สถานะ",
        attribute="status",
        part=Part.PROGRESS,
        width=20,
        widget=ChoiceWidget(Status, read_status),
        note="เลือกจากรายการ หากดำเนินการแล้วเสร็จต้องมีผลการดำเนินการ หากติดปัญหาต้องระบุปัญหาอุปสรรค",
    )
    progress = Column(
        "ความก้าวหน้า (%)",
        attribute="progress",
        part=Part.PROGRESS,
        width=14,
        widget=PercentWidget(),
        note="จำนวนเต็ม 0 ถึง 100 พิมพ์ 50 หรือ 50% ก็ได้",
    )
    told = Column(
        "ผลล่าสุดในระบบ",
        attribute="result_on",
        part=Part.SHOWN,
        width=38,
        note="ผลการดำเนินการที่รายงานไว้ล่าสุด แสดงให้ทราบเท่านั้น ไม่นำเข้า",
    )
    result = Column(
        "ผลการดำเนินการ (รายงานครั้งนี้)",
        part=Part.PROGRESS,
        width=38,
        note="ข้อความที่พิมพ์จะเป็นรายงานใหม่ของรายการนั้น ข้อความเดิมไม่หายไป",
    )
    problem = Column("ปัญหาอุปสรรค", part=Part.PROGRESS, width=30, note="ปัญหาอุปสรรคที่จะรายงานครั้งนี้")
    next_step = Column("ขั้นตอนต่อไป", part=Part.PROGRESS, width=30, note="สิ่งที่จะดำเนินการต่อไป")
    reason = Column("เหตุผล", part=Part.PROGRESS, width=26,
                    note="ต้องระบุเมื่อความก้าวหน้าหรือสถานะย้อนกลับ หรือยกเลิกรายการ")  # fmt: skip

    WORDS = ("result", "problem", "next_step", "reason")  # what the sheet only asks

    def __init__(self, periods: Sequence[Period], units: Iterable[Unit]) -> None:
        """Set up for a plan.

        Args:
            periods: of the plan, in order.
            units: all there are.
        """
        super().__init__()
        self.periods, self.units = periods, list(units)
        names = UnitNames.of(self.units)
        for name in ("first", "last"):
            self.fields[name].widget = PeriodWidget(periods)
        for name in ("lead", "support"):
            self.fields[name].widget = UnitsWidget(names)

    @property
    def columns(self) -> dict[str, Column]:
        """The columns by name, in their order."""
        return self.fields

    @property
    def stored_columns(self) -> dict[str, Column]:
        """Those that people change and the action holds."""
        return {
            name: column
            for name, column in self.columns.items()
            if column.part in (Part.CONTENT, Part.PROGRESS) and column.attribute
        }

    def stored(self, action: ActionItem) -> dict[str, Any]:
        """What an action holds, by column."""
        return {name: column.stored(action) for name, column in self.stored_columns.items()}

    def digest(self, values: dict[str, Any]) -> str:
        """A mark that two rows with the same values share, in any language."""
        keys = [column.widget.key(values[name]) for name, column in self.stored_columns.items()]
        return sha256(dumps(keys, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()[:10]

    def token_of(self, action: ActionItem) -> str:
        """The version of an action with the mark of what it holds: "3-1f9a2b3c4d".

        The version counts what was told and edited; the mark tells of units and levels too, which are kept apart.
        """
        return f"{action.version}-{self.digest(self.stored(action))}"


def period_words(period: Period) -> str:
    """A period as the sheet names it: "ต.ค.–ธ.ค. 2562 · ไตรมาส 1/2563"."""
    with override("th"):
        return f"{period.label} · {period.quarter_label}"


def in_thai(label: Any) -> str:
    """A translated label in Thai."""
    with override("th"):
        return str(label)
