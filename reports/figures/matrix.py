"""The unit × status matrix: its columns, rows and sort order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from plan.models import Due, Status
from reports.figures.groups import BAR_ORDER, Figure, Group

WORST = "worst"


@dataclass(frozen=True)
class FigureColumn:
    """A column: its name in the URL, heading, icon, and the function that reads its figure from a group."""

    name: str
    label: str
    kind: str
    read: Callable[[Group], Figure]


@dataclass(frozen=True)
class Heading:
    """A column heading that links to the table sorted by the column.

    Attributes:
        sort: value of `?sort=` in the link; the reverse order if the table is sorted by this column already.
        direction: "descending" or "ascending" if the table is sorted by this column, else empty.
    """

    column: FigureColumn
    sort: str
    direction: str


@dataclass(frozen=True)
class Matrix:
    """Sorted rows of one role, with the headings of the columns."""

    headings: list[Heading]
    by_name: Heading
    by_progress: Heading
    rows: list[tuple[Group, list[tuple[FigureColumn, Figure]]]]

    @property
    def order_label(self) -> str:
        """Describe the sort order: "Overdue ↓"."""
        for heading in (self.by_name, *self.headings, self.by_progress):
            if heading.direction:
                arrow = "↓" if heading.direction == "descending" else "↑"
                return _("Order: %(column)s %(arrow)s") % {"column": heading.column.label, "arrow": arrow}
        return _("most overdue first, then furthest behind")


def figure_columns() -> list[FigureColumn]:
    """Return the columns: total, each status, overdue, silent."""

    def of_status(status: Status) -> Callable[[Group], Figure]:
        return lambda part: part.by_status[status]

    return [
        FigureColumn("total", _("in all"), "", lambda part: part.total),
        *(FigureColumn(status.lower(), str(status.label), status.look.icon, of_status(status)) for status in BAR_ORDER),
        FigureColumn("overdue", str(Due.OVERDUE.label), Due.OVERDUE.look.icon, lambda part: part.overdue),
        FigureColumn("silent", _("silent"), "silent", lambda part: part.silent),
    ]


def sort_keys() -> Mapping[str, Callable[[Group], Any]]:
    """Return column name → sort key; without a sort, the worst unit is first."""
    figures = {column.name: (lambda part, column=column: column.read(part).count) for column in figure_columns()}
    return {
        "unit": lambda part: (part.subject.is_collective, part.subject.position, part.subject.abbreviation),
        **figures,
        "progress": lambda part: -1 if part.progress is None else part.progress,
    }


def is_sort_option(sort: str) -> bool:
    """Whether the table can be sorted by this value of `?sort=`."""
    return sort in ("", WORST) or sort.removeprefix("-") in sort_keys()


def build_heading(column: FigureColumn, sort: str, *, ascends: bool = False) -> Heading:
    """Return the heading of a column in a table sorted by `sort`; `ascends` if its own order is smallest first."""
    is_sorted, is_reversed = sort.removeprefix("-") == column.name, sort.startswith("-")
    direction = ("ascending" if ascends != is_reversed else "descending") if is_sorted else ""
    return Heading(column, f"-{column.name}" if is_sorted and not is_reversed else column.name, direction)


def build_matrix(groups: Sequence[Group], sort: str = WORST) -> Matrix:
    """Build the matrix of one role; units without actions are left out.

    Args:
        groups: figures of the units in the role, worst first.
        sort: name of a column, largest first ("unit": in the order of the department); a leading "-" reverses it. Any
            other value keeps the order of `groups`.
    """
    name, is_reversed = sort.removeprefix("-"), sort.startswith("-")
    rows = [part for part in groups if part.total.count]
    offered = sort_keys()
    if name in offered:
        rows = sorted(rows, key=offered[name], reverse=(name != "unit") != is_reversed)

    shown = figure_columns()
    return Matrix(
        headings=[build_heading(column, sort) for column in shown],
        by_name=build_heading(FigureColumn("unit", _("Unit"), "", lambda part: part.total), sort, ascends=True),
        by_progress=build_heading(FigureColumn("progress", _("Progress"), "", lambda part: part.total), sort),
        rows=[(part, [(column, column.read(part)) for column in shown]) for part in rows],
    )
