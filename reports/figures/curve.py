"""Curve of expected, actual and forecast progress over the months of a plan."""

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain, repeat

from plan.as_of import AsOf
from plan.models import Plan, Status
from reports.figures.standings import PastUpdate, Standing, mean

MAX_FORECAST_DAYS = 3_650  # a later completion is not forecast
PACE_DAYS = 90  # days over which the pace of the forecast is measured


@dataclass(frozen=True)
class Point:
    """Mean progress (%) at the end of a day: expected by the schedule, actual, and forecast from the page's day on."""

    day: date
    expected: float | None
    actual: float | None
    forecast: float | None


@dataclass(frozen=True)
class Curve:
    """Points in order, and the basis of the forecast.

    Attributes:
        points: one for the end of each month of the plan, and one for the day of the page.
        pace: percentage points per day since `pace_from`; None if there is nothing to measure.
        pace_from: first day of the measured pace: `PACE_DAYS` earlier, or the first day of the plan.
        at_end: forecast (%) for the last day of the plan.
        complete_on: day on which the forecast reaches 100 %, possibly after the plan's end; None if it never does.
    """

    points: list[Point]
    pace: float | None
    pace_from: date
    at_end: float | None
    complete_on: date | None

    @property
    def pace_per_month(self) -> float | None:
        """Percentage points per 30 days."""
        return None if self.pace is None else self.pace * 30


def build_curve(plan: Plan, as_of: AsOf, standings: Sequence[Standing], updates: Sequence[PastUpdate]) -> Curve:
    """Compute the curve of these actions.

    The forecast continues the mean progress of the day at the mean pace of the last `PACE_DAYS` days, between 0 and
    100 %. Actions, schedules and units are those of today, also for past days.

    Args:
        plan: the plan that gives the months.
        as_of: the day; later updates do not count.
        standings: the actions; only their pk and periods are read.
        updates: those of the plan, from `read_past_updates`.
    """
    days = sorted({*month_ends(plan.starts_on, plan.ends_on), as_of.day})
    pace_from = max(as_of.day - timedelta(days=PACE_DAYS), plan.starts_on)
    means = _means([replace(as_of, day=day) for day in sorted({*days, pace_from})], standings, updates)
    now, before = means[as_of.day][1], means[pace_from][1]
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
            expected=means[day][0],
            actual=means[day][1] if day <= as_of.day else None,
            forecast=forecast(day),
        )
        for day in days
    ]
    complete_on = None
    if pace is not None and pace > 0 and now is not None and now < 100:
        days_left = math.ceil((100 - now) / pace)
        if days_left < MAX_FORECAST_DAYS:
            complete_on = as_of.day + timedelta(days=days_left)
    return Curve(points, pace, pace_from, forecast(plan.ends_on), complete_on)


def _means(
    days: Sequence[AsOf], standings: Sequence[Standing], updates: Sequence[PastUpdate]
) -> dict[date, tuple[float | None, float | None]]:
    """Return day → the mean expected and actual progress (%) at its end of the actions not cancelled.

    The days are in order, and each update is looked at once.
    """
    schedules = {each.pk: (each.first, each.last) for each in standings}
    progress: dict[int, int | None] = dict.fromkeys(schedules, 0)  # None while an action is cancelled
    last: dict[int, int] = {}  # action pk → place of its last update so far
    waiting = deque(sorted(enumerate(updates), key=lambda each: each[1].at))
    means = {}
    for on in days:
        while waiting and waiting[0][1].at < on.ends_at:
            place, update = waiting.popleft()
            if update.action in progress and last.get(update.action, -1) < place:  # else a clock was set back
                last[update.action] = place
                progress[update.action] = None if update.status == Status.CANCELLED else update.progress
        counted = {pk: value for pk, value in progress.items() if value is not None}
        periods = {period.number: period for period in on.periods}
        expected = [
            repeat(on.expected(periods[first], periods[end]), number)
            for (first, end), number in Counter(schedules[pk] for pk in counted).items()
            if first and end
        ]
        means[on.day] = mean(chain.from_iterable(expected)), mean(counted.values())
    return means


def month_ends(first: date, last: date) -> list[date]:
    """Return the last day of each month between two days; the final entry is `last` itself."""
    ends, day = [], first.replace(day=1)
    while day <= last:
        following = (day + timedelta(days=32)).replace(day=1)
        ends.append(min(following - timedelta(days=1), last))
        day = following
    return ends
