"""Write many people at once, with their units, roles and invitations."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet

from assignments.models import Invitation, Membership, Unit, User
from assignments.people.record import read_people, record_people
from pmqa_tracker.transactions import mark_changed, write_transaction

BATCH = 500
WRITTEN = ("first_name", "last_name", "email", "is_active")


class Chosen(tuple):
    """Units or roles of a person; a copy of the person shares them."""

    __slots__ = ()

    def __deepcopy__(self, memo: Any) -> "Chosen":
        return self


@write_transaction()
def save_people(new: Sequence[User], changed: Sequence[User]) -> None:
    """Save people with their `unit_list` and `role_list`, in a number of queries that does not grow with each person.

    Of changed people, `load_person` has read what is stored.
    New people have no password and are to be invited.
    """
    before = read_people(person.pk for person in changed)
    for person in new:
        person.password = make_password(None)
    User.objects.bulk_create(new, batch_size=BATCH)
    edited = [person for person in changed if person.stored != read_fields(person)]
    for person in edited:
        person.has_new_name = person.stored[:2] != read_fields(person)[:2]
    User.objects.bulk_update(edited, WRITTEN, batch_size=BATCH)
    Invitation.objects.bulk_create([Invitation(person=person) for person in new if person.is_active])
    people = [*new, *changed]
    mark_changed(people)
    units = {(person.pk, unit.pk) for person in people for unit in person.unit_list}
    _replace(Membership.objects.filter(user__in=changed), ("user_id", "unit_id"), units)
    roles = {(person.pk, group.pk) for person in people for group in person.role_list}
    _replace(User.groups.through.objects.filter(user__in=changed), ("user_id", "group_id"), roles)
    record_people(before, [person.pk for person in people])


def set_units(person: User, units: Iterable[Unit]) -> None:
    """Make a person a member of exactly these units."""
    mark_changed([person])
    pairs = {(person.pk, unit.pk) for unit in units}
    _replace(Membership.objects.filter(user=person), ("user_id", "unit_id"), pairs)


def read_fields(person: User) -> tuple[Any, ...]:
    """Return the fields of a person that a workbook changes."""
    return tuple(getattr(person, name) for name in WRITTEN)


def units_of(person: User) -> list[Unit]:
    """Return the units of a person whose memberships are prefetched, as `Unit.objects.of_user` does."""
    units = (membership.unit for membership in person.memberships.all())
    own = (unit for unit in units if person.organization_id in (None, unit.organization_id))
    return sorted(own, key=lambda unit: unit.sort_key)


def load_person(person: User, roles: Iterable[Group]) -> None:
    """Set `unit_list`, `role_list` and `stored` of a person whose memberships and groups are prefetched.

    Args:
        roles: all roles, in their order.
    """
    held = {group.pk for group in person.groups.all()}
    person.unit_list = Chosen(units_of(person))
    person.role_list = Chosen(group for group in roles if group.pk in held)
    person.stored = read_fields(person)
    person._prefetched_objects_cache = {}  # an import copies the person


def _replace(rows: QuerySet[Model], columns: tuple[str, str], wanted: set[tuple[int, int]]) -> None:
    """Delete the rows that are not wanted, and add the missing ones."""
    stored = {(first, second): pk for pk, first, second in rows.values_list("pk", *columns)}
    rows.model._base_manager.filter(pk__in=[pk for pair, pk in stored.items() if pair not in wanted]).delete()
    missing = sorted(wanted - stored.keys())
    rows.model._base_manager.bulk_create(
        [rows.model(**dict(zip(columns, pair, strict=True))) for pair in missing], batch_size=BATCH
    )
