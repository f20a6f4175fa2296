"""Plan against actual over the months of the plan, with a forecast for those to come."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from plan.as_of import AsOf
from plan.models import Plan, Status
from reports.figures.standings import PastUpdate, Standing, mean

FORESEEN_DAYS = 3_650  # what would take longer is not foreseen
PACE_DAYS = 90  # the forecast goes on at the pace of so many days before the day


@dataclass(frozen=True)
class Point:
    """Means (%) at the end of a day: expected by the schedule, told, and foreseen from the day of the page on."""

    day: date
    expected: float | None
    actual: float | None
    forecast: float | None


@dataclass(frozen=True)
class Curve:
    """The points in order, and how the forecast was made.

    Attributes:
        points: at the end of each month of the plan, and on the day of the page.
        pace: percentage points a day since `pace_from`; None where nothing can be said.
        pace_from: the day the pace is measured from: `PACE_DAYS` before, or the plan's first day.
        at_end: the forecast (%) for the plan's last day.
        full_on: the day it comes to 100 % at this pace, also after the plan's end; None where it never does.
    """

    points: list[Point]
    pace: float | None
    pace_from: date
    at_end: float | None
    full_on: date | None

    @property
    def pace_a_month(self) -> float | None:
        """Percentage points in 30 days."""
        return None if self.pace is None else self.pace * 30


def draw_curve(
    plan: Plan, as_of: AsOf, standings: Sequence[Standing], told: Mapping[int, Sequence[PastUpdate]]
) -> Curve:
    """The curve of these actions.

    The forecast goes on from the day's mean progress at the mean pace of the last `PACE_DAYS` days, between 0 and
    100 %; the actions, their schedule and the units are those of today.

    Args:
        plan: whose months are drawn.
        as_of: the day; nothing told later is read.
        standings: the actions; only their pk and periods are read.
        told: from `read_told`.
    """
    days = sorted({*month_ends(plan.starts_on, plan.ends_on), as_of.day})
    pace_from = max(as_of.day - timedelta(days=PACE_DAYS), plan.starts_on)
    now, before = (_actual(standings, told, replace(as_of, day=day)) for day in (as_of.day, pace_from))
    pace = None
    if now is not None and before is not None and pace_from < as_of.day < plan.ends_on:
        pace = (now - before) / (as_of.day - pace_from).days

    def forecast(day: date) -> float | None:
        if pace is None or now is None or day < as_of.day:
            return None
        return min(max(now + pace * (day - as_of.day).days, 0.0), 100.0)

    points = [
        Point(
            day=day,
            expected=_expected(standings, told, replace(as_of, day=day)),
            actual=_actual(standings, told, replace(as_of, day=day)) if day <= as_of.day else None,
            forecast=forecast(day),
        )
        for day in days
    ]
    full_on = None
    if pace and now is not None and now < 100 and (wait := math.ceil((100 - now) / pace)) in range(FORESEEN_DAYS):
        full_on = as_of.day + timedelta(days=wait)
    return Curve(points, pace, pace_from, forecast(plan.ends_on), full_on)


def _stood(told: Sequence[PastUpdate], on: AsOf) -> tuple[str, int]:
    """(status, progress) of an action at the end of a day."""
    until = [step for step in told if step.at < on.ends_at]
    return (until[-1].status, until[-1].progress) if until else (Status.NOT_STARTED.value, 0)


def _counted(
    standings: Iterable[Standing], told: Mapping[int, Sequence[PastUpdate]], on: AsOf
) -> Iterable[tuple[Standing, int]]:
    """(action, progress) of those not cancelled on the day."""
    for each in standings:
        status, progress = _stood(told.get(each.pk, ()), on)
        if status != Status.CANCELLED:
            yield each, progress


def _actual(standings: Sequence[Standing], told: Mapping[int, Sequence[PastUpdate]], on: AsOf) -> float | None:
    return mean(progress for _each, progress in _counted(standings, told, on))


def _expected(standings: Sequence[Standing], told: Mapping[int, Sequence[PastUpdate]], on: AsOf) -> float | None:
    periods = {period.number: period for period in on.periods}
    return mean(
        on.expected(periods[each.first], periods[each.last])
        for each, _progress in _counted(standings, told, on)
        if each.first and each.last
    )


def month_ends(first: date, last: date) -> list[date]:
    """The last day of each month from one day to another, the last day itself included."""
    ends, day = [], first.replace(day=1)
    while day <= last:
        following = (day + timedelta(days=32)).replace(day=1)
        ends.append(min(following - timedelta(days=1), last))
        day = following
    return ends
