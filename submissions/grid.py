"""Grid of the submissions, unit × period: their states, and which are late."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Count, F, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assignments.access import Access
from assignments.models import Unit
from plan.as_of import AsOf
from plan.models import Period, Plan
from plan.models.duties import submission_duties
from pmqa_tracker.prepared import read_prepared
from submissions.models import SubmissionState, SubmissionStep


class SubmissionCellState(models.TextChoices):
    """State of a cell of the grid: a SubmissionState, or why there is no submission."""

    NONE = "NONE", _("Nothing to report")
    LATER = "LATER", _("Not due yet")
    OPEN = "OPEN", _("Not sent yet")
    LATE = "LATE", _("Late")
    SENT = SubmissionState.SENT.value, SubmissionState.SENT.label
    RETURNED = SubmissionState.RETURNED.value, SubmissionState.RETURNED.label
    ACCEPTED = SubmissionState.ACCEPTED.value, SubmissionState.ACCEPTED.label


@dataclass(frozen=True, kw_only=True)
class SubmissionCell:
    """The submission of a unit for a period, or its absence.

    Attributes:
        is_late: the period has ended, and the submission is not sent or is returned.
        days_late: days since the period's end if it is late, else 0.
        at, by: time and user of the last step; None if there is no submission.
        actions: number of actions in the last step.
    """

    unit: Unit
    period: Period
    state: SubmissionCellState
    is_late: bool = False
    days_late: int = 0
    at: datetime | None = None
    by: Any = None
    actions: int = 0

    @property
    def is_owed(self) -> bool:
        """Whether the unit must report for the period, and the period has begun."""
        return self.state not in (SubmissionCellState.NONE, SubmissionCellState.LATER)

    @property
    def is_missing(self) -> bool:
        """Whether the unit is reminded of it: it is late or returned."""
        return self.is_late or self.state == SubmissionCellState.RETURNED

    @property
    def is_handed_in(self) -> bool:
        """Whether the unit has sent it, and it is not returned."""
        return self.state in (SubmissionCellState.SENT, SubmissionCellState.ACCEPTED)


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """A unit with its cell of each period."""

    unit: Unit
    cells: list[SubmissionCell]

    @property
    def is_empty(self) -> bool:
        """Whether the unit has nothing to report in any period so far."""
        return not any(cell.is_owed for cell in self.cells)


@dataclass(frozen=True, kw_only=True)
class GridColumn:
    """A period, with the number of units that must report and that have handed in."""

    period: Period
    is_now: bool
    handed_in: int
    owed: int


@dataclass(frozen=True, kw_only=True)
class SubmissionGrid:
    """Submissions, unit × period."""

    columns: list[GridColumn]
    rows: list[GridRow]

    @property
    def waiting(self) -> list[SubmissionCell]:
        """Cells that wait for the coordinator's review, longest first."""
        cells = [cell for row in self.rows for cell in row.cells if cell.state == SubmissionCellState.SENT]
        return sorted(cells, key=lambda cell: cell.at)

    @property
    def owed(self) -> list[SubmissionCell]:
        """Cells still to be handed in, by period."""
        cells = [cell for row in self.rows for cell in row.cells if cell.is_owed and not cell.is_handed_in]
        return sorted(cells, key=lambda cell: cell.period.number)

    @property
    def idle(self) -> list[GridRow]:
        """Rows of units with nothing to report so far."""
        return [row for row in self.rows if row.is_empty]

    @property
    def is_owed(self) -> bool:
        """Whether any cell is owed, handed in or not."""
        return any(cell.is_owed for row in self.rows for cell in row.cells)

    @property
    def late(self) -> list[SubmissionCell]:
        """Late cells, longest first."""
        cells = [cell for row in self.rows for cell in row.cells if cell.is_late]
        return sorted(cells, key=lambda cell: -cell.days_late)


def read_submission_grid(plan: Plan, as_of: AsOf, units: Sequence[Unit]) -> SubmissionGrid:
    """Return the grid of `units`, in a fixed number of queries."""
    today = timezone.localdate(as_of.cutoff) if as_of.cutoff else as_of.day
    last = _last_steps(plan, units)
    owed = _owed(as_of, units, last, today)
    rows = [
        GridRow(
            unit=unit,
            cells=[
                _cell(unit, period, last.get((unit.pk, period.pk)), (unit.pk, period.pk) in owed, today)
                for period in as_of.periods
            ],
        )
        for unit in units
    ]
    columns = [_column(period, [row.cells[index] for row in rows], today) for index, period in enumerate(as_of.periods)]
    return SubmissionGrid(columns=columns, rows=rows)


def missing_submissions(plan: Plan, access: Access, as_of: AsOf) -> list[SubmissionCell]:
    """Return the cells that the user's units are reminded of, by period; in a fixed number of queries."""
    if not (access.may_lead and plan.takes_reports):
        return []
    units = [unit for unit in access.units if not unit.is_collective]
    return [cell for cell in read_submission_grid(plan, as_of, units).owed if cell.is_missing]


def _owed(as_of: AsOf, units: Sequence[Unit], sent: Container[tuple[int, int]], today: date) -> set[tuple[int, int]]:
    """Return (unit pk, period pk) of each period that has begun and in which the unit has something to report.

    Periods for which every unit has a submission in `sent` are left out: the submission tells the state of the cell.
    """
    pks = [unit.pk for unit in units]
    periods = [
        period
        for period in as_of.periods
        if period.starts_on <= today and any((pk, period.pk) not in sent for pk in pks)
    ]

    def build() -> models.QuerySet[Any]:
        held = [
            submission_duties(period, as_of).filter(owing_unit__in=pks).values_list("owing_unit", Value(period.pk))
            for period in periods
        ]
        return held[0].union(*held[1:])

    key = ("report duties", as_of.key, tuple(pks), tuple(period.pk for period in periods))
    return set(read_prepared(key, build)) if periods else set()


def _last_steps(plan: Plan, units: Sequence[Unit]) -> dict[tuple[int, int], SubmissionStep]:
    """Return (unit pk, period pk) → last step of the submission, annotated with `line_count`."""

    def build() -> models.QuerySet[Any]:
        steps = SubmissionStep.objects.filter(
            submission__period__plan=plan, submission__unit__in=units, version=F("submission__version")
        ).select_related("submission", "by")
        return steps.annotate(line_count=Count("lines"))

    found = read_prepared(("last steps", plan.pk, tuple(unit.pk for unit in units)), build)
    return {(step.submission.unit_id, step.submission.period_id): step for step in found}


def _cell(unit: Unit, period: Period, step: SubmissionStep | None, is_owed: bool, today: date) -> SubmissionCell:
    has_ended = period.ends_on < today
    if step is not None:
        state = SubmissionCellState(step.state)
    elif period.starts_on > today:
        state = SubmissionCellState.LATER
    elif not is_owed:
        state = SubmissionCellState.NONE
    else:
        state = SubmissionCellState.LATE if has_ended else SubmissionCellState.OPEN
    is_late = state == SubmissionCellState.LATE or (state == SubmissionCellState.RETURNED and has_ended)
    return SubmissionCell(
        unit=unit,
        period=period,
        state=state,
        is_late=is_late,
        days_late=(today - period.ends_on).days if is_late else 0,
        at=step and step.at,
        by=step and step.by,
        actions=step.line_count if step else 0,
    )


def _column(period: Period, cells: list[SubmissionCell], today: date) -> GridColumn:
    return GridColumn(
        period=period,
        is_now=period.starts_on <= today <= period.ends_on,
        handed_in=sum(cell.is_handed_in for cell in cells),
        owed=sum(cell.is_owed for cell in cells),
    )
