"""The lists of the dashboards as tables to download: units by status, the maturity map, the timeline."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from criteria.models import Level
from plan.as_of import AsOf
from plan.models import ActionItem, Due, Status
from plan.schedule import schedule_words
from pmqa_tracker.table_export import Column, Kind, Table
from reports.matrix import Matrix, columns
from reports.maturity import Cell, MaturityMap, Part, Row, level_name

RUNS, RUNS_INFERRED = "■", "□"
MARKS = {RUNS: "4B4799", RUNS_INFERRED: "B9B7DA"}


def unit_table(lead: Matrix, support: Matrix, *, notes: Sequence[str]) -> Table:
    """The unit × status matrices under one another, each in the order of the page."""
    return Table(
        title=_("Units"),
        notes=notes,
        columns=[
            Column(_("As"), 24),
            Column(_("Unit"), 12),
            Column(_("Name"), 34),
            *(Column(column.label, 12, Kind.NUMBER) for column in columns()),
            Column(_("Progress"), 12, Kind.PERCENT),
            Column(_("Expected"), 12, Kind.PERCENT),
        ],
        rows=(
            [
                name,
                group.subject.abbreviation,
                group.subject.name_th,
                *(figure.count for _column, figure in cells),
                group.progress,
                group.expected,
            ]
            for name, matrix in ((_("As lead"), lead), (_("As support"), support))
            for group, cells in matrix.rows
        ),
        empty=_("No unit has any action here."),
    )


def map_table(the_map: MaturityMap, *, notes: Sequence[str]) -> Table:
    """A row a criterion that the page shows: the state of each level, its actions, the points and the level reached."""
    by_level = [
        column
        for level in Level
        for column in (
            Column(level.short, 17),
            Column(_("%(level)s: actions done") % {"level": level.short}, 14, Kind.NUMBER),
            Column(_("%(level)s: actions") % {"level": level.short}, 14, Kind.NUMBER),
        )
    ]
    return Table(
        title=_("Maturity map"),
        notes=notes,
        columns=[
            Column(_("Category"), 24),
            Column(_("Code"), 9),
            Column(_("Criterion"), 46),
            *by_level,
            Column(_("Points"), 10, Kind.NUMBER),
            Column(_("Level reached"), 14),
            *([Column(_("Points as supposed"), 12, Kind.NUMBER)] if the_map.if_assumed else []),
            *([Column(_("Level reached as supposed"), 14)] if the_map.if_assumed else []),
        ],
        rows=(
            _map_row(part, row, is_supposed=the_map.if_assumed is not None)
            for part in the_map.parts
            for row in part.rows
            if row.is_shown
        ),
        empty=_("There are no criteria here."),
    )


def _map_row(part: Part, row: Row, *, is_supposed: bool) -> list[Any]:
    def reached(level: int) -> str | None:
        return None if row.is_parent or not row.is_assessed else level_name(level)

    cells = row.cells or [None] * len(Level)
    values = [part.category, row.criterion.code, row.criterion.title, *(value for cell in cells for value in _of(cell))]
    values += [_rounded(row.points), reached(row.reached)]
    return values + ([_rounded(row.points_assumed), reached(row.reached_assumed)] if is_supposed else [])


def _of(cell: Cell | None) -> tuple[str | None, int | None, int | None]:
    """A cell's state in words, its actions done, and all of them; a criterion with children has none of its own."""
    if cell is None:
        return None, None, None
    state = f"{cell.state.label} ({_('as supposed')})" if cell.is_assumed else str(cell.state.label)
    return state, cell.done if cell.total else None, cell.total or None


def _rounded(points: float | None) -> float | None:
    """Points as the page shows them."""
    return None if points is None else round(points, 1)


def timeline_table(actions: Sequence[ActionItem], as_of: AsOf, *, notes: Sequence[str]) -> Table:
    """A row an action, a column a period: filled where it runs."""
    legend = _("%(stated)s runs in the period · %(inferred)s schedule inferred from the document, to be confirmed")
    return Table(
        title=_("Timeline"),
        notes=[*notes, legend % {"stated": RUNS, "inferred": RUNS_INFERRED}],
        columns=[
            Column(_("Category"), 20),
            Column(_("Criterion"), 28),
            Column(_("Ref"), 14),
            Column(_("Lead units"), 16),
            Column(_("What is to be done"), 60),
            *(Column(period.label, 11, marks=MARKS) for period in as_of.periods),
            Column(_("Schedule"), 20),
            Column(_("Status"), 16),
            Column(_("Overdue"), 11),
            Column(_("Progress"), 10, Kind.PERCENT),
        ],
        rows=_timeline_rows(actions, as_of),
        empty=_("No action fits these filters"),
    )


def _timeline_rows(actions: Sequence[ActionItem], as_of: AsOf) -> Iterator[list[Any]]:
    for action in actions:
        mark = RUNS_INFERRED if action.schedule_basis == ActionItem.Basis.INFERRED else RUNS
        first, last = action.first_period, action.last_period
        yield [
            action.criterion.category,
            action.criterion,
            action.ref,
            ", ".join(str(part.unit) for part in action.lead),
            action.text,
            *(
                mark if first and last and first.number <= period.number <= last.number else None
                for period in as_of.periods
            ),
            schedule_words(first, last),
            Status(action.status_on).label,
            Due.OVERDUE.label if action.due == Due.OVERDUE else None,
            action.progress_on,
        ]
