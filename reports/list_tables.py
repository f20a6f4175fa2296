"""Tables to download of the units by status, the maturity map and the timeline."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from criteria.models import Level
from plan.as_of import AsOf
from plan.models import ActionItem, Due, Period, Status
from plan.models.looks import WHITE
from plan.models.status import STATUSES
from plan.schedule import format_schedule
from reports.figures.groups import Group
from reports.figures.matrix import Matrix, figure_columns
from reports.figures.maturity import CriterionRow, MapCategory, MapCell, MaturityMap, level_name
from spreadsheets.list_export import Table
from spreadsheets.styles import INK, Style
from spreadsheets.tables import Column, ColumnKind

BAR_MARK, BAR_MARK_INFERRED = "■", "□"


class UnitRow(NamedTuple):
    """Figures of a unit in one role."""

    role: str
    group: Group


def unit_table(lead: Matrix, support: Matrix, *, notes: Sequence[str]) -> Table:
    """Both unit × status matrices in one table, each in the order of the page."""
    return Table(
        title=_("Units"),
        name="Units",
        notes=notes,
        columns=[
            Column(_("As"), 28, get=lambda row: row.role),
            Column(_("Unit"), 16, get=lambda row: row.group.subject.abbreviation),
            Column(_("Name"), 34, get=lambda row: row.group.subject.name_th),
            *(
                Column(each.label, 15, ColumnKind.NUMBER, get=lambda row, read=each.read: read(row.group).count)
                for each in figure_columns()
            ),
            Column(_("Progress"), 14, ColumnKind.PERCENT, get=lambda row: row.group.progress),
            Column(_("Expected"), 14, ColumnKind.PERCENT, get=lambda row: row.group.expected),
        ],
        rows=(
            UnitRow(role, group)
            for role, matrix in ((_("As lead"), lead), (_("As support"), support))
            for group, _cells in matrix.rows
        ),
        empty=_("No unit has any action here."),
    )


class MapRow(NamedTuple):
    """A criterion of the map with its category."""

    category: MapCategory
    row: CriterionRow


def map_table(the_map: MaturityMap, *, notes: Sequence[str]) -> Table:
    """A row per criterion on the page: state and actions of each level, points and level reached."""
    return Table(
        title=_("Maturity map"),
        name="Criteria",
        notes=notes,
        columns=[
            Column(_("Category"), 24, get=lambda each: each.category.category),
            Column(_("Code"), 11, get=lambda each: each.row.criterion.code),
            Column(_("Criterion"), 46, get=lambda each: each.row.criterion.title),
            *(column for index, level in enumerate(Level) for column in _level_columns(index, level)),
            Column(_("Points"), 12, ColumnKind.NUMBER, get=lambda each: _rounded(each.row.points)),
            Column(_("Level reached"), 18, get=lambda each: _reached(each.row, each.row.reached)),
            *(_assumed_columns() if the_map.if_assumed else ()),
        ],
        rows=(MapRow(category, row) for category in the_map.parts for row in category.rows if row.is_shown),
        empty=_("There are no criteria here."),
    )


def _level_columns(index: int, level: Level) -> list[Column]:
    """State, done actions and all actions of a level; empty for a criterion with children."""

    def of_cell(read: Callable[[MapCell], Any]) -> Callable[[MapRow], Any]:
        return lambda each: read(each.row.cells[index]) if each.row.cells else None

    names = {"level": level.short}
    return [
        Column(level.short, 17, get=of_cell(_state)),
        Column(
            _("%(level)s: actions done") % names, 17, ColumnKind.NUMBER,
            get=of_cell(lambda cell: cell.done if cell.total else None),
        ),
        Column(_("%(level)s: actions") % names, 17, ColumnKind.NUMBER, get=of_cell(lambda cell: cell.total or None)),
    ]  # fmt: skip


def _assumed_columns() -> list[Column]:
    return [
        Column(_("Points with assumptions"), 16, ColumnKind.NUMBER, get=lambda each: _rounded(each.row.points_assumed)),
        Column(_("Level reached with assumptions"), 18, get=lambda each: _reached(each.row, each.row.reached_assumed)),
    ]


def _state(cell: MapCell) -> str:
    return f"{cell.state.label} ({_('with assumptions')})" if cell.is_assumed else str(cell.state.label)


def _reached(row: CriterionRow, level: int) -> str | None:
    return None if row.is_parent or not row.is_assessed else level_name(level)


def _rounded(points: float | None) -> float | None:
    """Points with one decimal, as on the page."""
    return None if points is None else round(points, 1)


def timeline_table(actions: Sequence[ActionItem], as_of: AsOf, *, notes: Sequence[str]) -> Table:
    """A row per action and a column per period; a bar in the colour of the status fills the periods it runs in."""
    inferred = _("schedule inferred from the document's layout, to be confirmed")
    bars = {(status, is_inferred): _bar(status, is_inferred) for status in Status for is_inferred in (False, True)}
    return Table(
        title=_("Timeline"),
        name="Timeline",
        notes=notes,
        legend=[
            *(part for status in STATUSES for part in ((BAR_MARK, _color(status)), (f" {status.label}    ", ""))),
            (BAR_MARK_INFERRED, INK),
            (f" {inferred}", ""),
        ],
        columns=[
            Column(_("Category"), 24, get=lambda action: action.criterion.category),
            Column(_("Criterion"), 36, get=lambda action: action.criterion),
            Column(_("Ref"), 16, get=lambda action: action.ref),
            Column(_("Lead units"), 16, get=lambda action: ", ".join(str(part.unit) for part in action.lead)),
            Column(_("What is to be done"), 70, get=lambda action: action.text),
            *(
                Column(
                    period.label,
                    13,
                    get=lambda action, period=period: (
                        bars[Status(action.status_on), action.is_schedule_inferred] if _runs(action, period) else None
                    ),
                )
                for period in as_of.periods
            ),
            Column(_("Schedule"), 20, get=lambda action: format_schedule(action.first_period, action.last_period)),
            Column(_("Status"), 18, get=lambda action: Status(action.status_on).label),
            Column(_("Overdue"), 12, get=lambda action: Due.OVERDUE.label if action.due == Due.OVERDUE else None),
            Column(_("Progress"), 14, ColumnKind.PERCENT, get=lambda action: action.progress_on),
        ],
        rows=actions,
        empty=_("No action matches these filters"),
    )


def _bar(status: Status, is_inferred: bool) -> tuple[str, Style]:
    """Return the mark and the style of a period in which an action runs.

    The mark of a stated schedule is invisible on its colour. An inferred one has a light ground, a dashed border and a
    visible mark, so that it can be told in black and white.
    """
    colours = status.look.colours
    if is_inferred:
        return BAR_MARK_INFERRED, Style(
            fill=colours.tint,
            color=INK,
            horizontal="center",
            vertical="center",
            border="mediumDashed",
            border_color=colours.text,
        )
    return BAR_MARK, Style(
        fill=colours.chart, color=colours.chart, horizontal="center", border="thin", border_color=WHITE
    )


def _color(status: Status) -> str:
    return status.look.colours.chart


def _runs(action: ActionItem, period: Period) -> bool:
    """Return whether the action runs in the period."""
    first, last = action.first_period, action.last_period
    return bool(first and last and first.number <= period.number <= last.number)
