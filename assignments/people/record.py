"""Record changes of people for the audit: their fields, units and roles, before and after."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from assignments.models import Membership, User
from audit.models import Event
from audit.record import build_event
from pmqa_tracker.database_text import by_thai

FIELDS = ("username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser")
ORGANIZATION, UNITS, ROLES = "organization", "units", "groups"
State = Mapping[int, Mapping[str, Any]]


def read_people(people: Iterable[int]) -> State:
    """Return pk → name of a field → value of stored people, in three queries."""
    keys = [pk for pk in people if pk]
    units, roles = defaultdict(list), defaultdict(list)
    memberships = Membership.objects.filter(user__in=keys).order_by(by_thai("unit__abbreviation"))
    for pk, unit in memberships.values_list("user", "unit__abbreviation"):
        units[pk].append(unit)
    groups = User.groups.through.objects.filter(user__in=keys).order_by("group")
    for pk, role in groups.values_list("user", "group__name"):
        roles[pk].append(role)
    rows = User.objects.filter(pk__in=keys).values("pk", "organization_id", "organization__short_name", *FIELDS)
    return {
        row["pk"]: {
            **{name: row[name] for name in FIELDS},
            ORGANIZATION: row["organization__short_name"] or "",
            UNITS: units[row["pk"]],
            ROLES: roles[row["pk"]],
            "owner": row["organization_id"],
        }
        for row in rows
    }


def record_people(before: State, people: Iterable[int]) -> None:
    """Record an event for each person who is not as before; part of the transaction that changed them.

    Args:
        before: what `read_people` returned earlier.
        people: keys of people who may have changed since, or were added.
    """
    after = read_people([*before, *people])
    events = []
    for pk in sorted({*before, *after}):
        old, new = before.get(pk, {}), after.get(pk, {})
        changes = {
            name: [old.get(name), new.get(name)]
            for name in (*FIELDS, ORGANIZATION, UNITS, ROLES)
            if old.get(name) != new.get(name)
        }
        if changes:
            now = new or old
            owner = SimpleNamespace(organization_id=now["owner"])
            events.append(build_event(Event.Kind.PERSON, owner=owner, about=now["username"], changes=changes))
    Event.objects.bulk_create(events)


@contextmanager
def recorded_people(people: Iterable[int]) -> Iterator[None]:
    """Record what a block changes of people; use it inside the transaction."""
    keys = [*people]
    before = read_people(keys)
    yield
    record_people(before, keys)


def record_invitations(people: Iterable[User], *, by: User, details: str = "") -> None:
    """Record that people are invited, or that an administrator reads the links of their invitations."""
    Event.objects.bulk_create(
        build_event(Event.Kind.INVITATION, person=by, owner=person, about=person.username, details=details)
        for person in people
    )
