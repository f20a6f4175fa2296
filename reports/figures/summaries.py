"""Summaries of plans: stored ones while they hold, counted from the updates otherwise."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import chain, repeat

from plan.as_of import AsOf, on_day
from plan.models import Due, Plan, PlanSummary, Status
from plan.models.plan import PlanQuerySet
from reports.figures.standings import Standing, mean, read_standings_of_plans

COUNTED_TOGETHER = 100  # plans in one statement; SQLite joins at most 500 calendars


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The headline figures of a plan on a day; see `plan.models.PlanSummary`."""

    total: int
    counted: int
    done: int
    overdue: int
    silent: int
    progress: int
    spans: Sequence[Sequence[int]]

    @property
    def mean_progress(self) -> float | None:
        """The mean progress (%) of the actions not cancelled; None without any."""
        return self.progress / self.counted if self.counted else None

    def expected(self, as_of: AsOf) -> float | None:
        """Return the mean expected progress (%) on a day that the summary holds for; None if nothing is scheduled."""
        periods = {period.number: period for period in as_of.periods}
        spans = ((as_of.expected(periods[first], periods[last]), count) for first, last, count in self.spans)
        return mean(chain.from_iterable(repeat(expected, count) for expected, count in spans))

    def stored(self, plan: int, first_day: date, revision: int) -> PlanSummary:
        """Return the row that stores it, unsaved."""
        return PlanSummary(plan_id=plan, first_day=first_day, revision=revision, **asdict(self))


def summarize(standings: Collection[Standing]) -> Summary:
    """Count the summary of the actions of a plan on a day."""
    counted = [each for each in standings if each.is_counted]
    spans = Counter((each.first, each.last) for each in counted if each.expected is not None)
    return Summary(
        total=len(standings),
        counted=len(counted),
        done=sum(each.status == Status.DONE for each in counted),
        overdue=sum(each.due == Due.OVERDUE for each in standings),
        silent=sum(each.is_silent for each in standings),
        progress=sum(each.progress for each in counted),
        spans=[[first, last, count] for (first, last), count in sorted(spans.items())],
    )


def count_summaries(days: Mapping[Plan, date]) -> dict[int, Summary]:
    """Return plan pk → its summary on a day, counted in two queries; the periods of the plans are prefetched."""
    standings = read_standings_of_plans({plan: on_day(plan, day, plan.periods.all()) for plan, day in days.items()})
    return {plan.pk: summarize(standings.get(plan.pk, ())) for plan in days}


def days_of_change(plan: Plan, today: date) -> list[date]:
    """Return today, and the later days on which the summary of a plan changes although nobody writes.

    A period begins or ends; or the plan is between two periods, where a report of today counts for this day only.
    """
    bounds = [(period.starts_on, period.ends_on + timedelta(days=1)) for period in plan.periods.all()]
    later = {today + timedelta(days=1), *chain.from_iterable(bounds)}
    return [today, *sorted(day for day in later if today < day <= plan.last_day)]


def read_summaries(plans: PlanQuerySet, keys: Sequence[int], today: date) -> dict[int, Summary]:
    """Return plan pk → its summary today: the stored one in one query, or else counted, a hundred plans at once.

    Args:
        plans: the plans.
        keys: their pks.
        today: the day.
    """
    rows = PlanSummary.objects.current(on=today).filter(plan__in=plans.order_by().values("pk"))
    fields = rows.values_list("plan_id", *PlanSummary.FIGURES)
    found = {plan: Summary(**dict(zip(PlanSummary.FIGURES, figures, strict=True))) for plan, *figures in fields}
    missing = [plan for plan in keys if plan not in found]
    for start in range(0, len(missing), COUNTED_TOGETHER):
        part = plans.filter(pk__in=missing[start : start + COUNTED_TOGETHER]).prefetch_related("periods")
        found |= count_summaries(dict.fromkeys(part, today))
    return found
