"""The meeting pack: what a meeting is handed of the plan, read once for the print page and the Word file."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from plan.actions.filters import ActionFilter
from plan.as_of import AsOf
from plan.models import ActionItem, Change, Due, Plan
from reports.figures.maturity import MaturityMap, build_map
from reports.figures.overview import FILTERS, Overview, read_overview
from reports.figures.unlock import unlock
from reports.sentences import NAMED, summarize

LISTED = tuple(change for change in Change if change not in (Change.FORWARD, Change.SILENT))


@dataclass(frozen=True, kw_only=True)
class MeetingPack:
    """What the meeting is handed.

    Attributes:
        since_name: what the earlier day was, such as a meeting's name; empty where it is just a day.
        sentences: the summary.
        overdue: what is overdue, the longest first, with `days_late` and `problem_on`.
        changed: (kind of change, its actions) for the kinds that are listed.
        silent: (abbreviation of the first lead unit, or collective, whose update is missing since; actions that should
            be moving).
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
    """The pack of a plan on a day, against an earlier one, in a fixed number of queries.

    Args:
        plan: whose.
        as_of: the day.
        since: the earlier day.
        days: (name, day) of the days that have one.
        query: what each figure's link keeps: the day.
    """
    chosen = ActionFilter({}, plan.actions.all(), as_of=as_of, since=since, only=FILTERS)
    found = plan.actions.as_of(as_of).since(since, as_of).with_problem(as_of).with_days_late(as_of)
    actions = list(found.with_details().in_order())
    overview = read_overview(plan, chosen, since, query, rows=actions)
    the_map = build_map(plan, as_of, query, actions=actions)
    steps = unlock(the_map, NAMED)
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
        changed=[(change, [each for each in actions if getattr(each, change.field)]) for change in LISTED],
        silent=_by_lead([each for each in actions if getattr(each, Change.SILENT.field)], overview.owing_since),
    )


def _by_lead(actions: Sequence[ActionItem], owing: Mapping[int, Collection[int]]) -> list[tuple[str, list[ActionItem]]]:
    """By the first lead unit whose update is missing, the most rows first; those nobody leads under a dash.

    `owing` holds action pk → pks of the units and collectives whose update is missing.
    """
    groups: dict[str, list[ActionItem]] = {}
    for each in actions:
        units = (part.unit.abbreviation for part in each.lead if part.unit_id in owing[each.pk])
        groups.setdefault(next(units, "–"), []).append(each)
    return sorted(groups.items(), key=lambda group: -len(group[1]))
