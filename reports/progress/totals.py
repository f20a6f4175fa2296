"""Live totals of the progress report: formulas over the data sheet, with the figures of the site as their results.

The formulas use plain ranges. Excel and LibreOffice calculate them alike, and they hold when the user sorts or filters
the data sheet. They contain addresses, numbers and the words of this file, and no text of users: a unit is found by its
column, a category by its number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from openpyxl.utils import get_column_letter

from assignments.models import Role
from plan.models import Age, Due, Status
from plan.models.status import CLOSED
from reports.figures.groups import BAR_ORDER, Group
from spreadsheets.formulas import Formula

DATA_SHEET = "รายการทั้งหมด"
NO_VALUE = "–"  # mean of nothing

# Words in the columns of the data sheet that the formulas look for.
SILENT, REPORTED, NOT_ASKED = "ยังไม่รายงาน", "รายงานแล้ว", "–"
ROLE_MARKS = {Role.LEAD: "ห", Role.SUPPORT: "ส"}
OWING_MARK = " ค้าง"  # after the roles of a unit that has not reported

Condition = tuple[str | int, str | int]  # column of the data sheet, criterion


@dataclass(frozen=True)
class DataRanges:
    """Where the data sheet keeps its columns.

    Attributes:
        first, last: first and last row below the headings.
        places: name of a column, or pk of a unit → number of the column.
    """

    first: int
    last: int
    places: Mapping[str | int, int]

    def area(self, column: str | int) -> str:
        """Return the address of a column's cells, for formulas on other sheets."""
        letter = get_column_letter(self.places[column])
        return f"'{DATA_SHEET}'!${letter}${self.first}:${letter}${self.last}"

    def count(self, *conditions: Condition) -> str:
        """Return the formula that counts the rows for which all conditions hold."""
        return f"COUNTIFS({','.join(map(self._pair, conditions))})"

    def mean(self, column: str, *conditions: Condition) -> str:
        """Return the formula of the mean of a column over these rows; empty cells do not count."""
        pairs = ",".join(map(self._pair, ((column, ">=0"), *conditions)))
        return f'IFERROR(AVERAGEIFS({self.area(column)},{pairs}),"{NO_VALUE}")'

    def _pair(self, condition: Condition) -> str:
        column, criterion = condition
        return f"{self.area(column)},{criterion if isinstance(criterion, int) else quoted(criterion)}"


def quoted(text: str) -> str:
    """Return a text of the site in quotes, for a formula."""
    return '"{}"'.format(text.replace('"', '""'))


def one_decimal(value: float) -> str:
    """Return a number as TEXT(value, "0.0") does: 46.25 becomes 46.3, while Python rounds it to 46.2."""
    return str(Decimal(repr(value)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def label(status: Status) -> str:
    """Return the word for a status in the data sheet."""
    return str(status.label)


@dataclass(frozen=True)
class Totals:
    """Figures of a part of the plan as formulas.

    Attributes:
        data: the columns of the data sheet.
        group: the figures of the part.
        conditions: what selects its rows; empty for the whole plan.
        silent: what selects the rows whose update is missing.
    """

    data: DataRanges
    group: Group
    conditions: tuple[Condition, ...] = ()
    silent_condition: Condition = ("report", SILENT)

    @property
    def total(self) -> Formula:
        return self._count(self.group.total.count, ("ref", "?*"))

    def status(self, status: Status) -> Formula:
        return self._count(self.group.by_status[status].count, ("status", label(status)))

    @property
    def overdue(self) -> Formula:
        return self._count(self.group.overdue.count, ("late", ">0"))

    @property
    def silent(self) -> Formula:
        still_open = [("status", f"<>{label(status)}") for status in CLOSED]
        return self._count(self.group.silent.count, self.silent_condition, *still_open)

    @property
    def progress(self) -> Formula:
        return self._mean("progress", self.group.progress)

    @property
    def expected(self) -> Formula:
        return self._mean("expected", self.group.expected)

    def age(self, age: Age, count: int) -> Formula:
        """Return the number of actions that have been overdue for this long."""
        low, high = age.days
        return self._count(count, ("late", f">={low}"), *([("late", f"<={high}")] if high else []))

    def sentence(self, name: str) -> Formula:
        """Return all figures as one line of text, which follows the data sheet too; `name` is a word of the report."""
        parts: list[str | Formula] = [f"{name} ", self.total, " รายการ: "]
        for status in BAR_ORDER:
            parts += [f"{label(status)} ", self.status(status), " · "]
        parts += [f"{Due.OVERDUE.label} ", self.overdue, f" · {SILENT}ในงวดนี้ ", self.silent]
        for word, mean in ((" · ความก้าวหน้า ", self.progress), ("% ตามแผน ", self.expected)):
            result = mean.result if isinstance(mean.result, str) else one_decimal(mean.result)
            parts += [word, Formula(f'TEXT({mean.text},"0.0")', result)]
        parts.append("%")
        return Formula(
            "&".join(part.text if isinstance(part, Formula) else quoted(part) for part in parts),
            "".join(str(part.result) if isinstance(part, Formula) else part for part in parts),
        )

    def _count(self, result: int, *conditions: Condition) -> Formula:
        return Formula(self.data.count(*self.conditions, *conditions), result)

    def _mean(self, column: str, result: float | None) -> Formula:
        counted = ("status", f"<>{label(Status.CANCELLED)}")
        return Formula(self.data.mean(column, *self.conditions, counted), NO_VALUE if result is None else result)


def of_category(data: DataRanges, group: Group) -> Totals:
    """Return the totals of a category."""
    return Totals(data, group, (("category", group.subject.number),))


def of_unit(data: DataRanges, group: Group, role: str) -> Totals:
    """Return the totals of the actions in which a unit has a role; the unit has a column in the data sheet."""
    unit = group.subject.pk
    if role == Role.LEAD:
        return Totals(data, group, ((unit, f"{ROLE_MARKS[Role.LEAD]}*"),), (unit, f"*{OWING_MARK}"))
    return Totals(data, group, ((unit, f"*{ROLE_MARKS[Role.SUPPORT]}*"),))
