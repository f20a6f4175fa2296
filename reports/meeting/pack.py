"""Data of the meeting pack, read once for the print page and the Word file."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from plan.actions.filters import ActionFilter
from plan.as_of import AsOf
from plan.models import ActionItem, Change, Due, Plan
from reports.figures.maturity import MaturityMap, build_map
from reports.figures.overview import OVERVIEW_FILTERS, Overview, read_overview
from reports.figures.unlock import find_unlock_steps
from reports.sentences import MAX_NAMED, summarize

LISTED_CHANGES = tuple(change for change in Change if change not in (Change.FORWARD, Change.SILENT))


@dataclass(frozen=True, kw_only=True)
class MeetingPack:
    """Everything the meeting pack shows.

    Attributes:
        since_name: name of the earlier day, such as a meeting's; empty if it has none.
        sentences: the summary, see `reports.sentences`.
        overdue: overdue actions, the latest first, with `days_late` and `problem_on`.
        changed: (kind of change, its actions), for `LISTED_CHANGES` kinds.
        silent: (abbreviation of a unit or collective, its actions in progress without an update since the
            earlier day); each action counts for its first lead unit without an update.
    """

    plan: Plan
    as_of: AsOf
    since: AsOf
    since_name: str
    overview: Overview
    map: MaturityMap
    sentences: list[str]
    overdue: list[ActionItem]
    changed: list[tuple[Change, list[ActionItem]]]
    silent: list[tuple[str, list[ActionItem]]]


def read_meeting_pack(
    plan: Plan, as_of: AsOf, since: AsOf, days: Sequence[tuple[str, date]], query: Mapping[str, Any]
) -> MeetingPack:
    """Read the pack of a plan as of a day, compared with an earlier day, in a fixed number of queries.

    Args:
        plan: the plan.
        as_of: the day of the figures.
        since: the earlier day.
        days: (name, day) of the days that have a name, such as meetings.
        query: parameters that the links of all figures keep (the day).
    """
    filters = ActionFilter({}, plan, as_of=as_of, since=since, only=OVERVIEW_FILTERS)
    found = plan.actions.as_of(as_of).since(since, as_of).annotate_latest("problem", as_of).with_days_late(as_of)
    actions = list(found.with_details().in_order())
    overview = read_overview(plan, filters, since, query, rows=actions)
    the_map = build_map(plan, as_of, query, actions=actions)
    steps = find_unlock_steps(the_map, MAX_NAMED)
    since_name = next((name for name, day in days if day == since.day), "")
    return MeetingPack(
        plan=plan,
        as_of=as_of,
        since=since,
        since_name=since_name,
        overview=overview,
        map=the_map,
        sentences=summarize(overview, the_map, steps, since_name),
        overdue=sorted((each for each in actions if each.due == Due.OVERDUE), key=lambda each: -each.days_late),
        changed=[(change, [each for each in actions if getattr(each, change.field)]) for change in LISTED_CHANGES],
        silent=_by_lead([each for each in actions if getattr(each, Change.SILENT.field)], overview.owing_since),
    )


def _by_lead(actions: Sequence[ActionItem], owing: Mapping[int, Collection[int]]) -> list[tuple[str, list[ActionItem]]]:
    """Group actions by the first lead unit whose update is missing, largest group first; "–" without a lead.

    Args:
        actions: the actions to group.
        owing: action pk → pks of the units and collectives whose update is missing.
    """
    groups: dict[str, list[ActionItem]] = {}
    for each in actions:
        units = (part.unit.abbreviation for part in each.lead if part.unit_id in owing[each.pk])
        groups.setdefault(next(units, "–"), []).append(each)
    return sorted(groups.items(), key=lambda group: -len(group[1]))
