"""The unit × status matrix: its columns, and the order its address asks for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from plan.models import Due, Status
from reports.figures.groups import BAR_ORDER, Figure, Group

WORST = "worst"


@dataclass(frozen=True)
class FigureColumn:
    """A column: its name in the address, its heading, the icon before it, and the figure of a group."""

    name: str
    label: str
    kind: str
    read: Callable[[Group], Figure]


@dataclass(frozen=True)
class Heading:
    """A heading as a link that sorts by its column.

    Attributes:
        sort: what the link asks for: most first, and the other way round where it is so already.
        direction: "descending" or "ascending" where the table is sorted by it.
    """

    column: FigureColumn
    sort: str
    direction: str


@dataclass(frozen=True)
class Matrix:
    """The rows of one role in order, with their headings."""

    headings: list[Heading]
    by_name: Heading
    by_progress: Heading
    rows: list[tuple[Group, list[tuple[FigureColumn, Figure]]]]

    @property
    def order_words(self) -> str:
        """The order in words: "Overdue ↓"."""
        for heading in (self.by_name, *self.headings, self.by_progress):
            if heading.direction:
                arrow = "↓" if heading.direction == "descending" else "↑"
                return _("Order: %(column)s %(arrow)s") % {"column": heading.column.label, "arrow": arrow}
        return _("most overdue first, then furthest behind")


def figure_columns() -> list[FigureColumn]:
    """In all, the statuses, overdue, silent."""

    def of_status(status: Status) -> Callable[[Group], Figure]:
        return lambda part: part.by_status[status]

    return [
        FigureColumn("total", _("in all"), "", lambda part: part.total),
        *(FigureColumn(status.lower(), str(status.label), status.look.icon, of_status(status)) for status in BAR_ORDER),
        FigureColumn("overdue", str(Due.OVERDUE.label), Due.OVERDUE.look.icon, lambda part: part.overdue),
        FigureColumn("silent", _("silent"), "silent", lambda part: part.silent),
    ]


def sorts() -> Mapping[str, Callable[[Group], Any]]:
    """What the table can be sorted by, besides worst first."""
    figures = {column.name: (lambda part, column=column: column.read(part).count) for column in figure_columns()}
    return {
        "unit": lambda part: (part.subject.is_collective, part.subject.position, part.subject.abbreviation),
        **figures,
        "progress": lambda part: -1 if part.progress is None else part.progress,
    }


def is_offered(sort: str) -> bool:
    """Whether the table can be sorted by what the address asks for."""
    return sort in ("", WORST) or sort.removeprefix("-") in sorts()


def arrange(groups: Sequence[Group], sort: str = WORST) -> Matrix:
    """The matrix of groups that come worst first; units without any row are left out.

    Args:
        groups: of one role.
        sort: a column's name, most first ("unit": as the department lists them); with "-" before it the other way
            round; anything else leaves them worst first.
    """
    name, is_reversed = sort.removeprefix("-"), sort.startswith("-")
    rows = [part for part in groups if part.total.count]
    offered = sorts()
    if name in offered:
        rows = sorted(rows, key=offered[name], reverse=(name != "unit") != is_reversed)

    def heading(column: FigureColumn) -> Heading:
        is_sorted = column.name == name
        descends = (column.name != "unit") != is_reversed
        direction = ("descending" if descends else "ascending") if is_sorted else ""
        return Heading(column, f"-{name}" if is_sorted and not is_reversed else column.name, direction)

    shown = figure_columns()
    return Matrix(
        headings=[heading(column) for column in shown],
        by_name=heading(FigureColumn("unit", _("Unit"), "", lambda part: part.total)),
        by_progress=heading(FigureColumn("progress", _("Progress"), "", lambda part: part.total)),
        rows=[(part, [(column, column.read(part)) for column in shown]) for part in rows],
    )
