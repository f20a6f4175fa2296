"""What the overview, the wall and the meeting pack show of a plan, read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assignments.models import Role, Unit
from plan.actions.filters import ActionFilter
from plan.as_of import AsOf
from plan.models import ActionItem, Age, Change, Plan, Status
from plan.models.action import ActionItemQuerySet
from reports.figures import groups
from reports.figures.curve import Curve, draw_curve
from reports.figures.groups import Compared, Figure, Group, PeriodLoad
from reports.figures.standings import (
    read_past_updates,
    read_reporters,
    read_standings,
    read_units_by_role,
    standings_of,
)

FILTERS = ("category", "level", "unit", "role")


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The figures of a plan, or of the part of it that filters show, on a day and against an earlier one.

    Attributes:
        then: the whole on the earlier day.
        leads, supports: what each unit leads and supports, worst first; empty where the filters ask for the other
            role.
        silent_units: what units lead that have reported nothing in this period; None where only support is shown.
        owing_since: action pk → pks of the units and collectives whose update is missing since the earlier day.
    """

    as_of: AsOf
    since: AsOf
    whole: Group
    then: Group
    compared: list[Compared]
    changes: list[tuple[Change, Figure]]
    ages: list[tuple[Age, Figure]]
    categories: list[Group]
    leads: list[Group]
    supports: list[Group]
    silent_units: list[Group] | None
    owing_since: Mapping[int, frozenset[int]]
    periods: list[PeriodLoad]
    curve: Curve


def read_overview(
    plan: Plan,
    chosen: ActionFilter,
    since: AsOf,
    query: Mapping[str, Any],
    *,
    rows: Sequence[ActionItem] | None = None,
) -> Overview:
    """Every figure of the overview.

    Args:
        plan: whose.
        chosen: the filters of the page on the plan's actions, with the day.
        since: the earlier day.
        query: what each link keeps besides the filters: the day.
        rows: the actions of `chosen`, where they were read already, with `since()` and `with_details()`.
    """
    as_of = chosen.as_of
    kept = {**query, **chosen.query}
    earlier = {"as_of": since.day.isoformat(), **chosen.query}
    units, told = read_units_by_role(plan), read_past_updates(plan, as_of)
    reporters, since_reporters, earlier_reporters = read_reporters(
        plan.pk,
        (as_of.period_starts_at, as_of.ends_at),
        (since.ends_at, as_of.ends_at),
        (since.period_starts_at, since.ends_at),
    )
    if rows is None:
        standings = read_standings(chosen.qs, as_of, units, reporters, since=since, since_reporters=since_reporters)
        categories = groups.offered_categories(plan)
    else:
        standings = standings_of(rows, as_of, units, reporters, since_reporters)
        categories = sorted({row.criterion.category for row in rows}, key=lambda each: each.number)
    same = plan.actions.filter(pk__in=chosen.qs.values("pk"))  # no filter of the overview depends on the day
    only = chosen.chosen.get("unit")
    role = chosen.chosen.get("role") if only else None  # without a unit a role narrows nothing
    reporter = only if chosen.reporters else None
    whole = groups.group(plan, standings, kept, reporter=reporter)
    before = read_standings(same.as_of(since), since, units, earlier_reporters)
    then = groups.group(plan, before, earlier, reporter=reporter)
    pairs = groups.by_unit(offered_units(only), standings, kept)
    leads = [lead for lead, _support in pairs if role != Role.SUPPORT]
    return Overview(
        as_of=as_of,
        since=since,
        whole=whole,
        then=then,
        compared=groups.compare(then, whole),
        changes=groups.by_change(standings, since, kept, reporter=reporter),
        ages=groups.by_age(standings, kept),
        categories=groups.by_category(categories, standings, kept, reporter=reporter),
        leads=leads,
        supports=[support for _lead, support in pairs if role != Role.LEAD],
        silent_units=None if role == Role.SUPPORT else groups.silent_units(leads, standings),
        owing_since={each.pk: each.owing_since for each in standings},
        periods=groups.by_period(standings, as_of, kept),
        curve=draw_curve(plan, as_of, standings, told),
    )


def offered_units(only: Unit | None = None) -> Sequence[Unit]:
    """The divisions that are still there, or the one that was asked for."""
    return [only] if only else list(Unit.objects.divisions().active().in_order())


def blocked(actions: ActionItemQuerySet, as_of: AsOf) -> ActionItemQuerySet:
    """What is blocked on the day, with `problem_on`: what was last told of the problem."""
    return actions.filter(status_on=Status.BLOCKED).with_problem(as_of).with_details().behind_first()
