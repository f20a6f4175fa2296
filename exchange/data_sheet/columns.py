"""Columns of the data sheet: their content, how cells are parsed and written, and who may change them.

Headings, choices and periods are always written in Thai, because the sheet is a document of the department. Cells are
parsed in both languages.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from json import dumps
from operator import attrgetter
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import override

from assignments.models import Role, Unit
from assignments.unit_names import UnitNames, parse_units
from criteria.models import Level
from exchange.levels import parse_levels
from exchange.parse import parse_basis, parse_period, parse_status
from exchange.workbook import InputColumn
from plan.models import ActionItem, Period, Status
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError
from pmqa_tracker.parsing.values import parse_code, parse_percent, parse_text
from spreadsheets.text import clean_text

# Column → field of the action, and column → role of the units.
FIELD_OF_COLUMN = {
    "number": "number",
    "text": "text",
    "first": "first_period",
    "last": "last_period",
    "basis": "schedule_basis",
}
ROLE_OF_COLUMN = {"lead": Role.LEAD, "support": Role.SUPPORT}
TEXT_COLUMNS = ("result", "problem", "next_step", "reason")  # columns for a new update; empty in the export


class ColumnGroup(StrEnum):
    """Who may change a column: nobody (KEY and SHOWN), coordinators (CONTENT) or everyone who reports (PROGRESS)."""

    KEY = "KEY"
    SHOWN = "SHOWN"
    CONTENT = "CONTENT"
    PROGRESS = "PROGRESS"


class TextWidget:
    """A text, without characters that a cell cannot hold."""

    def read(self, cell: ReadCell) -> Any:
        """The value of a cell.

        Raises:
            UnreadableError: the cell cannot be parsed.
        """
        return parse_text(cell)

    def stored_value(self, stored: Any) -> Any:
        """A value of the model, in the type that `read` returns."""
        text = clean_text(str(stored or ""))
        try:
            return parse_text(ReadCell(text))
        except UnreadableError:
            return text

    def render(self, value: Any) -> Any:
        """The cell content for a value."""
        return value

    def cell(self, stored: Any) -> Any:
        """The cell content for a value of the model; a text keeps the spaces around it."""
        return stored

    def comparison_key(self, value: Any) -> Any:
        """A key that equal values share, in any language."""
        return value


TEXT = TextWidget()


class CodeWidget(TextWidget):
    """A code, such as 1.1 or 1.2.1-A-3; refused if a spreadsheet has turned it into a number."""

    def read(self, cell: ReadCell) -> str:
        return parse_code(cell)


class ValueWidget(TextWidget):
    """Base of the widgets whose value is not a text."""

    def cell(self, stored: Any) -> Any:
        return self.render(self.stored_value(stored))


class LevelsWidget(ValueWidget):
    """The levels of an action: "Advance, Significance"."""

    def read(self, cell: ReadCell) -> tuple[Level, ...]:
        return parse_levels(cell)

    def stored_value(self, stored: Any) -> tuple[Level, ...]:
        return tuple(sorted(Level(each.level) for each in stored.all())) if stored else ()

    def render(self, value: Any) -> str:
        return ", ".join(level.short for level in value)

    def comparison_key(self, value: Any) -> Any:
        return [int(level) for level in value]


class PeriodWidget(ValueWidget):
    """A period of the plan by its months."""

    def __init__(self, periods: Sequence[Period]) -> None:
        self.periods = periods
        self.names = {period: format_period(period) for period in periods}

    def read(self, cell: ReadCell) -> Period | None:
        return parse_period(cell, self.periods)

    def stored_value(self, stored: Any) -> Period | None:
        return stored

    def render(self, value: Period | None) -> str:
        return (self.names.get(value) or format_period(value)) if value else ""

    def comparison_key(self, value: Period | None) -> Any:
        return value.number if value else None


class UnitsWidget(ValueWidget):
    """Units by their abbreviations, in the document's order."""

    def __init__(self, names: UnitNames) -> None:
        self.names = names

    def read(self, cell: ReadCell) -> tuple[Unit, ...]:
        return tuple(parse_units(cell, self.names))

    def stored_value(self, stored: Any) -> tuple[Unit, ...]:
        return tuple(assignment.unit for assignment in stored or ())

    def render(self, value: Any) -> str:
        return ", ".join(unit.abbreviation for unit in value)

    def comparison_key(self, value: Any) -> Any:
        return [unit.abbreviation for unit in value]


class ChoiceWidget(ValueWidget):
    """A status or the basis of a schedule, by its Thai name."""

    def __init__(self, choices: type[TextChoices], parse_choice: Callable[[ReadCell], Any]) -> None:
        self.choices, self.parse_choice = choices, parse_choice
        self.names: dict[Any, str] = {}

    def read(self, cell: ReadCell) -> Any:
        return self.parse_choice(cell)

    def stored_value(self, stored: Any) -> Any:
        return self.choices(stored) if stored else None

    def render(self, value: Any) -> str:
        if value and value not in self.names:
            self.names[value] = in_thai(value.label)
        return self.names[value] if value else ""

    def comparison_key(self, value: Any) -> Any:
        return str(value.value) if value else ""


class PercentWidget(ValueWidget):
    """A whole percentage, written as a number."""

    def read(self, cell: ReadCell) -> int | None:
        return parse_percent(cell)

    def stored_value(self, stored: Any) -> int | None:
        return stored


@dataclass(frozen=True, kw_only=True)
class ActionColumn(InputColumn):
    """A column of the data sheet.

    Attributes:
        group: who may change it.
        widget: parses and writes its cells.
        attribute: the action's attribute it shows; empty for a column that is empty in the export.
    """

    group: ColumnGroup
    widget: TextWidget = TEXT
    attribute: str = ""

    def read(self, cells: Mapping[str, ReadCell]) -> Any:
        """The value of this column in a row, given as heading → cell.

        Raises:
            KeyError: the row has no such column.
            UnreadableError: the cell cannot be parsed.
        """
        return self.widget.read(cells[self.heading])

    def cell(self, action: ActionItem) -> Any:
        """The cell content for an action."""
        return self.widget.cell(attrgetter(self.attribute)(action))

    def stored(self, action: ActionItem) -> Any:
        """The value of an action."""
        return self.widget.stored_value(attrgetter(self.attribute)(action))

    def display(self, value: Any) -> str:
        """A value as a text for users."""
        rendered = self.widget.render(value)
        return "" if rendered is None else str(rendered)


ACTION_COLUMNS: Mapping[str, ActionColumn] = {
    "ref": ActionColumn(
        "รหัสรายการ", 14, group=ColumnGroup.KEY, attribute="ref", widget=CodeWidget(),
        note="รหัสประจำรายการ ใช้จับคู่กับข้อมูลในระบบ ห้ามแก้ไข หากเพิ่มรายการใหม่ให้เว้นว่าง ระบบจะกำหนดให้",
    ),
    "token": ActionColumn(
        "รุ่นข้อมูล", 24, group=ColumnGroup.KEY,
        note="รุ่นของข้อมูลในวันที่ส่งออกและหน่วยงานเจ้าของไฟล์ ใช้ตรวจว่ามีผู้อื่นแก้ไขหลังจากนั้นหรือไม่ และรายงานในนามหน่วยงานใด "
        "ห้ามแก้ไข หากเพิ่มรายการใหม่ให้เว้นว่าง",
    ),
    "criterion": ActionColumn(
        "เกณฑ์", 9, group=ColumnGroup.KEY, attribute="criterion.code", widget=CodeWidget(), offers="เกณฑ์",
        note="รหัสเกณฑ์ เช่น 1.1.3 กรอกเฉพาะรายการใหม่",
    ),
    "levels": ActionColumn(
        "ระดับ", 17, group=ColumnGroup.CONTENT, attribute="requirements", widget=LevelsWidget(), offers="ระดับ",
        allows_other_text=True,
        note="ระดับที่รายการนี้ตอบ ได้แก่ Basic, Advance, Significance หากตอบหลายระดับให้คั่นด้วยจุลภาค",
    ),
    "number": ActionColumn(
        "ข้อที่", 7, group=ColumnGroup.CONTENT, attribute="number", widget=CodeWidget(),
        note="ลำดับข้อตามที่พิมพ์ในเอกสาร เว้นว่างได้",
    ),
    "text": ActionColumn(
        "สิ่งที่ต้องดำเนินการ", 58, group=ColumnGroup.CONTENT, attribute="text",
        note="สิ่งที่ต้องดำเนินการเพิ่มเติม",
    ),
    "first": ActionColumn(
        "เริ่มช่วงเวลา", 26, group=ColumnGroup.CONTENT, attribute="first_period", offers="ช่วงเวลา", allows_other_text=True,
        note="ช่วงเวลาแรกที่ดำเนินการ เลือกจากรายการ หรือพิมพ์ เช่น ต.ค.-ธ.ค. 2562 หรือ ไตรมาส 1/2563",
    ),
    "last": ActionColumn(
        "ถึงช่วงเวลา", 26, group=ColumnGroup.CONTENT, attribute="last_period", offers="ช่วงเวลา", allows_other_text=True,
        note="ช่วงเวลาสุดท้ายที่ดำเนินการ ต้องระบุคู่กับช่วงเวลาเริ่ม หรือเว้นว่างทั้งคู่",
    ),
    "basis": ActionColumn(
        "ที่มาของช่วงเวลา", 22, group=ColumnGroup.CONTENT, attribute="schedule_basis",
        widget=ChoiceWidget(ActionItem.Basis, parse_basis), offers="ที่มา",
        note="ช่วงเวลาตามเอกสาร อนุมานจากเอกสาร หรือผู้ประสานงานยืนยันแล้ว",
    ),
    "lead": ActionColumn(
        "หน่วยงานหลัก", 18, group=ColumnGroup.CONTENT, attribute="lead", offers="หน่วยงาน", allows_other_text=True,
        note="อักษรย่อหน่วยงาน หากมีหลายหน่วยงานให้คั่นด้วยจุลภาค เว้นวรรค / หรือ และ",
    ),
    "support": ActionColumn(
        "หน่วยงานสนับสนุน", 18, group=ColumnGroup.CONTENT, attribute="support", offers="หน่วยงาน", allows_other_text=True,
        note="อักษรย่อหน่วยงาน หากมีหลายหน่วยงานให้คั่นด้วยจุลภาค เว้นวรรค / หรือ และ",
    ),
    "status": ActionColumn(
        "สถานะ", 20, group=ColumnGroup.PROGRESS, attribute="status", widget=ChoiceWidget(Status, parse_status),
        offers="สถานะ", allows_other_text=True,
        note="เลือกจากรายการ หรือพิมพ์คำที่ใช้กันทั่วไป เช่น เสร็จแล้ว กำลังทำ "
        "หากดำเนินการแล้วเสร็จต้องมีผลการดำเนินการ หากติดปัญหาต้องระบุปัญหาอุปสรรค",
    ),
    "progress": ActionColumn(
        "ความก้าวหน้า (%)", 14, group=ColumnGroup.PROGRESS, attribute="progress", widget=PercentWidget(),
        number_format="0",
        note="จำนวนเต็ม 0 ถึง 100 พิมพ์ 50 หรือ 50% ก็ได้",
    ),
    "latest_result": ActionColumn(
        "ผลล่าสุดในระบบ", 38, group=ColumnGroup.SHOWN, attribute="result_on",
        note="ผลการดำเนินการที่รายงานไว้ล่าสุด แสดงให้ทราบเท่านั้น ไม่นำเข้า",
    ),
    "result": ActionColumn(
        "ผลการดำเนินการ (รายงานครั้งนี้)", 38, group=ColumnGroup.PROGRESS,
        note="ข้อความที่พิมพ์จะเป็นรายงานใหม่ของรายการนั้น ข้อความเดิมไม่หายไป",
    ),
    "problem": ActionColumn(
        "ปัญหาอุปสรรค", 30, group=ColumnGroup.PROGRESS,
        note="ปัญหาอุปสรรคที่จะรายงานครั้งนี้",
    ),
    "next_step": ActionColumn(
        "ขั้นตอนต่อไป", 30, group=ColumnGroup.PROGRESS,
        note="สิ่งที่จะดำเนินการต่อไป",
    ),
    "reason": ActionColumn(
        "เหตุผล", 26, group=ColumnGroup.PROGRESS,
        note="ต้องระบุเมื่อความก้าวหน้าหรือสถานะย้อนกลับ หรือยกเลิกรายการ",
    ),
}  # fmt: skip


class ActionSheet:
    """The columns of the data sheet of one plan. The methods take actions read `with_details()`."""

    def __init__(
        self, periods: Sequence[Period], units: Iterable[Unit], former: Mapping[int, Collection[str]] | None = None
    ) -> None:
        """Set up the columns of a plan.

        Args:
            periods: the plan's periods, in order.
            units: all units.
            former: pk → earlier names of the units; not needed to write a sheet.
        """
        self.periods, self.units = periods, list(units)
        period, members = PeriodWidget(periods), UnitsWidget(UnitNames.of(self.units, former))
        widgets = {"first": period, "last": period, "lead": members, "support": members}
        self.columns = {
            name: replace(column, widget=widgets.get(name, column.widget)) for name, column in ACTION_COLUMNS.items()
        }

    @cached_property
    def stored_columns(self) -> dict[str, ActionColumn]:
        """The columns that users may change and that actions store."""
        return {
            name: column
            for name, column in self.columns.items()
            if column.group in (ColumnGroup.CONTENT, ColumnGroup.PROGRESS) and column.attribute
        }

    def stored(self, action: ActionItem) -> dict[str, Any]:
        """Column → value of an action."""
        return {name: column.stored(action) for name, column in self.stored_columns.items()}

    def digest(self, values: dict[str, Any]) -> str:
        """A hash that rows with the same values share, in any language."""
        keys = [column.widget.comparison_key(values[name]) for name, column in self.stored_columns.items()]
        return sha256(dumps(keys, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()[:10]

    def token_of(self, action: ActionItem) -> str:
        """The version of an action and the digest of its values: "3-1f9a2b3c4d".

        The version counts updates and edits. The hash also covers units and levels, which are stored in other tables.
        """
        return self.token(action.version, self.stored(action))

    def token(self, version: int, values: dict[str, Any]) -> str:
        """The token of an action with this version and these values."""
        return f"{version}-{self.digest(values)}"

    def is_same(self, name: str, one: Any, other: Any) -> bool:
        """Whether two values of a column are equal, in any language."""
        key = self.columns[name].widget.comparison_key
        return key(one) == key(other)


def linked_columns(names: Iterable[str]) -> set[str]:
    """Columns, with linked ones under one name: status and progress, first and last period."""
    return {{"progress": "status", "last": "first"}.get(name, name) for name in names}


def format_period(period: Period) -> str:
    """A period as the sheet names it: "ต.ค.–ธ.ค. 2562 · ไตรมาส 1/2563"."""
    with override("th"):
        return f"{period.label} · {period.quarter_label}"


def in_thai(label: Any) -> str:
    """A translated label in Thai."""
    with override("th"):
        return str(label)
