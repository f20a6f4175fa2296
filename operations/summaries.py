"""Store the summaries of plans, and compare stored ones with what the updates say."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from plan.models import Plan, PlanSummary
from plan.models.plan import PlanQuerySet
from pmqa_tracker import clock
from pmqa_tracker.tasks import chores
from pmqa_tracker.tasks.priority import at_low_priority
from pmqa_tracker.transactions import write_transaction
from reports.figures.summaries import Summary, count_summaries, days_of_change

BATCH = 20  # plans


class Finding(NamedTuple):
    """A figure of a stored summary that is wrong."""

    plan: str
    day: date
    figure: str
    stored: object
    counted: object


def count_all_days(plans: Sequence[Plan], today: date) -> dict[Plan, dict[date, Summary]]:
    """Return plan → day → its summary, for today and each later day on which it changes by itself."""
    days = {plan: days_of_change(plan, today) for plan in plans}
    found: dict[Plan, dict[date, Summary]] = {plan: {} for plan in plans}
    for number in range(max(map(len, days.values()), default=0)):
        chosen = {plan: each[number] for plan, each in days.items() if number < len(each)}
        for plan, summary in zip(chosen, count_summaries(chosen).values(), strict=True):
            found[plan][chosen[plan]] = summary
    return found


def store_summaries(plans: PlanQuerySet, today: date) -> int:
    """Count the summaries of some plans and replace those that are stored; return the number of plans.

    A plan that somebody changes meanwhile gets summaries of the revision before, which no page uses.
    """
    chosen = list(plans.prefetch_related("periods"))
    if not chosen:
        return 0
    counted = at_low_priority(lambda: count_all_days(chosen, today))
    rows = [
        summary.stored(plan.pk, day, plan.revision) for plan, days in counted.items() for day, summary in days.items()
    ]
    with write_transaction():
        present = set(Plan.objects.filter(pk__in=[plan.pk for plan in chosen]).values_list("pk", flat=True))
        PlanSummary.objects.filter(plan__in=present).delete()
        PlanSummary.objects.bulk_create((row for row in rows if row.plan_id in present), ignore_conflicts=True)
    return len(chosen)


def plans_without_summary(today: date) -> PlanQuerySet:
    """Return the plans that have no summary for the day, or that have changed since."""
    return Plan.objects.exclude(pk__in=PlanSummary.objects.current(on=today).values("plan"))


def store_next_summaries() -> bool:
    """Store the summaries of a few plans that lack them; return whether there may be more."""
    today = clock.today()
    return store_summaries(plans_without_summary(today).order_by("pk")[:BATCH], today) == BATCH


def check_summaries(plans: PlanQuerySet, today: date) -> Iterator[Finding]:
    """Yield every figure that a page would read from a stored summary, today or later, and that is not so.

    Plans without a current summary are left out: pages count them.
    """
    keys = list(plans.filter(pk__in=PlanSummary.objects.current(on=today).values("plan")).values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        part = list(Plan.objects.filter(pk__in=keys[start : start + BATCH]).prefetch_related("periods", "summaries"))
        for plan, days in count_all_days(part, today).items():
            yield from _wrong_figures(plan, days)


def _wrong_figures(plan: Plan, days: dict[date, Summary]) -> Iterator[Finding]:
    """Yield the wrong figures of a plan; `days` has the right ones."""
    rows = sorted(plan.summaries.all(), key=lambda row: row.first_day)
    for day, summary in days.items():
        row = next(row for row in reversed(rows) if row.first_day <= day)
        if row.revision < plan.figures_revision:
            continue
        for name in PlanSummary.FIGURES:
            if (stored := getattr(row, name)) != (counted := getattr(summary, name)):
                yield Finding(plan.slug, day, name, stored, counted)


chores.register(store_next_summaries)
