"""Names behind the first figures of the overview: the oldest overdue actions, those newly done, the silent units."""

from collections.abc import Sequence
from dataclasses import dataclass

from assignments.models import Unit
from plan.models import ActionItem, Change, Due, Plan
from reports.figures.groups import Group
from reports.figures.overview import Overview

OLDEST = 3  # overdue actions
NEWLY_DONE = 4  # actions
MOST_SILENT = 4  # units


@dataclass(frozen=True)
class LateAction:
    """An overdue action, the units that lead it, and for how many days it is late."""

    action: ActionItem
    units: Sequence[Unit]
    days: int


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Names that the first screen of the overview shows.

    Attributes:
        oldest: the actions overdue for longest.
        silent: figures of the units that lead most actions without an update in this period.
        done: actions newly done since the earlier day.
    """

    oldest: Sequence[LateAction]
    silent: Sequence[Group]
    done: Sequence[ActionItem]


def read_answers(plan: Plan, overview: Overview, units: Sequence[Unit]) -> Answers:
    """Read the names behind the figures of an overview, in one query; `units` are those of the organization."""
    late = [each for each in overview.standings if each.due == Due.OVERDUE]
    oldest = sorted(late, key=lambda each: (each.last, each.pk))[:OLDEST]
    newly = sorted(each.pk for each in overview.standings if Change.DONE in each.changes)[:NEWLY_DONE]
    named = plan.actions.select_related("last_period").in_bulk([*(each.pk for each in oldest), *newly])
    silent = sorted((part for part in overview.leads if part.silent.count), key=lambda part: -part.silent.count)
    return Answers(
        oldest=[
            LateAction(
                named[each.pk],
                [unit for unit in units if unit.pk in each.own],
                (overview.as_of.day - named[each.pk].last_period.ends_on).days,
            )
            for each in oldest
        ],
        silent=silent[:MOST_SILENT],
        done=[named[pk] for pk in newly],
    )
