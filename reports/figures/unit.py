"""What needs attention in a unit first, and the work it shares with other units: who waits for whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assignments.models import Role, Unit
from plan.models import ActionItem, Due, Status
from reports.figures.groups import Figure, count
from reports.figures.standings import Standing


@dataclass(frozen=True)
class AttentionRow:
    """An action that is blocked or overdue on the day; `action` is annotated with `problem_on`."""

    action: ActionItem

    @property
    def is_blocked(self) -> bool:
        """Whether it is blocked."""
        return self.action.status_on == Status.BLOCKED

    @property
    def problem(self) -> str:
        """What blocks it; "" for an action that is only overdue."""
        return self.action.problem_on or "" if self.is_blocked else ""


def needing_attention(actions: Iterable[ActionItem]) -> list[AttentionRow]:
    """Return the blocked actions, then the overdue ones, each in the given order."""
    rows = [AttentionRow(action) for action in actions]
    return sorted(
        (row for row in rows if row.is_blocked or row.action.due == Due.OVERDUE), key=lambda row: not row.is_blocked
    )


@dataclass(frozen=True)
class Waiting:
    """Actions in progress that a unit shares with a partner.

    Attributes:
        partner: the other unit.
        for_them: actions that the unit leads and the partner supports; `for_them_late` are the overdue ones.
        for_us: actions that the partner leads and the unit supports; `for_us_late` are the overdue ones.
    """

    partner: Unit
    for_them: Figure
    for_them_late: Figure
    for_us: Figure
    for_us_late: Figure


def read_waiting(
    unit: Unit, partners: Sequence[Unit], standings: Sequence[Standing], query: Mapping[str, Any]
) -> list[Waiting]:
    """Return the partners of a unit, most shared actions first; units without shared actions are left out."""
    lead = [each for each in standings if unit.pk in each.lead]
    support = [each for each in standings if unit.pk in each.support]
    base_query = {**query, "unit": unit.abbreviation}

    def pair(rows: Sequence[Standing], role: Role, partner: Unit) -> tuple[Figure, Figure]:
        filters = {**base_query, "role": role.value, "partner": partner.abbreviation}
        return (
            count(rows, filters, lambda each: each.is_at_work, scope="at_work"),
            count(rows, filters, lambda each: each.due == Due.OVERDUE, due=Due.OVERDUE.value),
        )

    found = []
    for partner in partners:
        if partner.pk == unit.pk:
            continue
        for_them = pair([each for each in lead if partner.pk in each.support], Role.LEAD, partner)
        for_us = pair([each for each in support if partner.pk in each.lead], Role.SUPPORT, partner)
        if for_them[0].count or for_us[0].count:
            found.append(Waiting(partner, *for_them, *for_us))
    return sorted(found, key=lambda each: -(each.for_them.count + each.for_us.count))
