"""Store the summaries of plans, and compare stored ones with what the updates say."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.apps import AppConfig
from django.db import InterfaceError, OperationalError, connections
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from plan.models import Plan, PlanSummary
from plan.models.plan import PlanQuerySet
from pmqa_tracker import clock
from pmqa_tracker.tasks import chores
from pmqa_tracker.tasks.priority import at_low_priority
from pmqa_tracker.transactions import write_transaction
from reports.figures.summaries import Summary, count_summaries, days_of_change

logger = logging.getLogger(__name__)
BATCH = 20  # plans
NO_DATABASE = (InterfaceError, OperationalError)


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
    """Store the summaries of a few plans that lack them; return whether there may be more.

    A plan that cannot be counted does not hold up the others: it waits until it changes, the next day, or the next
    start of the worker. The log says why.
    """
    today = clock.today()
    _failed.intersection_update({each for each in _failed if each[0] == today})
    waiting = plans_without_summary(today).order_by("pk")
    for _day, pk, revision in _failed:
        waiting = waiting.exclude(pk=pk, revision=revision)
    chosen = list(waiting.values_list("pk", "revision")[:BATCH])
    try:
        store_summaries(Plan.objects.filter(pk__in=[pk for pk, _revision in chosen]), today)
    except NO_DATABASE:
        raise
    except Exception:
        for pk, revision in chosen:
            _store_one(pk, revision, today)
    return len(chosen) == BATCH


_failed: set[tuple[date, int, int]] = set()  # (day, key of a plan, its revision)


def _store_one(pk: int, revision: int, today: date) -> None:
    try:
        store_summaries(Plan.objects.filter(pk=pk), today)
    except NO_DATABASE:
        raise
    except Exception:
        _failed.add((today, pk, revision))
        logger.exception("The figures of the plan with the key %s cannot be counted.", pk)


@receiver(post_migrate, dispatch_uid="operations.summaries")
def forget_summaries(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Remove all stored summaries after `migrate`, which ends every upgrade: the new release may count otherwise.

    Pages count until the worker has stored them again.
    """
    if sender.label == "operations" and PlanSummary._meta.db_table in connections[using].introspection.table_names():
        PlanSummary.objects.using(using).delete()


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
