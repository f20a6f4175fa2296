"""Options of a generated world, and what all of its modules derive from them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from uuid import UUID, uuid5

from pmqa_tracker import thai

NAMESPACE = UUID("8d0b6a52-2563-4c15-9f0e-15a563000515")
MAX_PLANS_OF_ORGANIZATION = 40  # one for each fiscal year
start_of, end_of = cache(thai.start_of), cache(thai.end_of)  # asked for the same few days millions of times


@dataclass(frozen=True, kw_only=True)
class WorldOptions:
    """What to generate; the same options give the same rows, except for their keys.

    Attributes:
        seed: part of every unique name, so that worlds with different seeds fit into one database.
        organizations: number of organizations.
        plans: number of plans in total; the organizations take turns.
        actions: number of actions of each plan.
        max_updates: largest number of updates of an action.
        day: the last day on which anything happened; plans of its fiscal year are running.

    Raises:
        ValueError: a number is too small, or there are too many plans for the organizations.
    """

    seed: int = 1
    organizations: int = 3
    plans: int = 9
    actions: int = 40
    max_updates: int = 4
    day: date = date(2020, 5, 15)

    def __post_init__(self) -> None:
        for name, least in {"seed": 0, "organizations": 1, "plans": 0, "actions": 0, "max_updates": 0}.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}")
        if self.plans > self.organizations * MAX_PLANS_OF_ORGANIZATION:
            raise ValueError(f"an organization has at most {MAX_PLANS_OF_ORGANIZATION} plans")

    @property
    def prefix(self) -> str:
        """Start of the slugs and user names of this world."""
        return f"generated-{self.seed}-"

    @property
    def fiscal_year(self) -> int:
        """The fiscal year (พ.ศ.) of the running plans."""
        return thai.fiscal_year(self.day)

    def draw(self, *purpose: Any) -> Random:
        """Return random numbers that depend only on the seed and the purpose, not on the rest of the world."""
        return Random("/".join(map(str, (self.seed, *purpose))))  # noqa: S311 - nothing secret

    def op_id(self, *purpose: Any) -> UUID:
        """Return the id of the form that would have made a row."""
        return uuid5(NAMESPACE, "/".join(map(str, (self.seed, *purpose))))


def moment(draw: Random, day: date) -> datetime:
    """Return a time within working hours on a day, or on the Friday before a weekend."""
    day -= timedelta(days=max(0, day.weekday() - 4))
    return start_of(day) + timedelta(minutes=9 * 60 + draw.randrange(7 * 60))
