"""Who has sent the report of which period, and who is late: unit × period."""

from collections.abc import Sequence
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
from submissions.models import SubmissionState, SubmissionStep


class SubmissionCellState(models.TextChoices):
    """Where a unit stands with the report of a period: a SubmissionState, or why there is none."""

    NONE = "NONE", _("Nothing to report")
    LATER = "LATER", _("Not due yet")
    OPEN = "OPEN", _("Not sent yet")
    LATE = "LATE", _("Late")
    SENT = SubmissionState.SENT.value, SubmissionState.SENT.label
    RETURNED = SubmissionState.RETURNED.value, SubmissionState.RETURNED.label
    ACCEPTED = SubmissionState.ACCEPTED.value, SubmissionState.ACCEPTED.label


@dataclass(frozen=True, kw_only=True)
class SubmissionCell:
    """A unit's report of a period.

    Attributes:
        state: a CellState.
        is_late: the period has ended, and the report is not sent or is returned.
        days_late: since the period's end, where it is late.
        at, by: when the last step was made, and who made it; None before the first.
        actions: how many actions the last sending holds, where it waits for review.
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
        """Whether a report is due of it by now."""
        return self.state not in (SubmissionCellState.NONE, SubmissionCellState.LATER)

    @property
    def is_missing(self) -> bool:
        """Whether the unit is reminded of it: it is late, or it was returned."""
        return self.is_late or self.state == SubmissionCellState.RETURNED

    @property
    def is_handed_in(self) -> bool:
        """Whether the unit has done its part."""
        return self.state in (SubmissionCellState.SENT, SubmissionCellState.ACCEPTED)


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """A unit and its cell of each period."""

    unit: Unit
    cells: list[SubmissionCell]

    @property
    def is_empty(self) -> bool:
        """Whether no period asks anything of it, by now."""
        return not any(cell.is_owed for cell in self.cells)


@dataclass(frozen=True, kw_only=True)
class GridColumn:
    """A period and how many of the units that owe its report have handed it in."""

    period: Period
    is_now: bool
    handed_in: int
    owed: int


@dataclass(frozen=True, kw_only=True)
class SubmissionGrid:
    """Unit × period."""

    columns: list[GridColumn]
    rows: list[GridRow]

    @property
    def waiting(self) -> list[SubmissionCell]:
        """What waits for the coordinator's review, longest first."""
        cells = [cell for row in self.rows for cell in row.cells if cell.state == SubmissionCellState.SENT]
        return sorted(cells, key=lambda cell: cell.at)

    @property
    def owed(self) -> list[SubmissionCell]:
        """What is still to be handed in, the longest late first."""
        cells = [cell for row in self.rows for cell in row.cells if cell.is_owed and not cell.is_handed_in]
        return sorted(cells, key=lambda cell: cell.period.number)

    @property
    def idle(self) -> list[GridRow]:
        """The units of which no period asks anything, by now."""
        return [row for row in self.rows if row.is_empty]

    @property
    def is_owed(self) -> bool:
        """Whether any report was due by now, handed in or not."""
        return any(cell.is_owed for row in self.rows for cell in row.cells)

    @property
    def late(self) -> list[SubmissionCell]:
        """What is late, longest first."""
        cells = [cell for row in self.rows for cell in row.cells if cell.is_late]
        return sorted(cells, key=lambda cell: -cell.days_late)


def read_submission_grid(plan: Plan, as_of: AsOf, units: Sequence[Unit]) -> SubmissionGrid:
    """Where each of `units` stands with the report of each period; three queries, whatever the rows."""
    today = timezone.localdate(as_of.cutoff) if as_of.cutoff else as_of.day
    owed = _owed(as_of, units, today)
    last = _last_steps(plan, units)
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
    columns = [_column(period, [row.cells[place] for row in rows], today) for place, period in enumerate(as_of.periods)]
    return SubmissionGrid(columns=columns, rows=rows)


def missing_submissions(plan: Plan, access: Access, as_of: AsOf) -> list[SubmissionCell]:
    """The reports that a person's units are reminded of, the longest late first; in a fixed number of queries."""
    if not access.may_lead:
        return []
    units = [unit for unit in access.units if not unit.is_collective]
    return [cell for cell in read_submission_grid(plan, as_of, units).owed if cell.is_missing]


def _owed(as_of: AsOf, units: Sequence[Unit], today: date) -> set[tuple[int, int]]:
    """(unit pk, period pk) of each period that has begun and in which the unit has something to report."""
    pks = [unit.pk for unit in units]
    held = [
        submission_duties(period, as_of).filter(holder__in=pks).values_list("holder", Value(period.pk))
        for period in as_of.periods
        if period.starts_on <= today
    ]
    return set(held[0].union(*held[1:])) if held else set()


def _last_steps(plan: Plan, units: Sequence[Unit]) -> dict[tuple[int, int], SubmissionStep]:
    """(unit pk, period pk) → the last step of the report, with `line_count`."""
    steps = SubmissionStep.objects.filter(
        report__period__plan=plan, report__unit__in=units, version=F("report__version")
    ).select_related("report", "by")
    found = steps.annotate(line_count=Count("lines"))
    return {(step.report.unit_id, step.report.period_id): step for step in found}


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
