"""Who manages which people, and who gives which roles.

Administrators manage everybody. Coordinators manage the people of their own organization except administrators, and
give every role but that of a coordinator.
"""

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from assignments.access import Access, RoleGroup
from assignments.models import Unit, User

GIVEN_BY_COORDINATORS = (RoleGroup.STAFF, RoleGroup.MANAGEMENT, RoleGroup.ASSESSOR)


def visible_people(access: Access) -> QuerySet[User]:
    """Return the people whom the user may see under จัดการข้อมูล."""
    user = access.user
    return User.objects.all() if user.is_superuser else User.objects.filter(_in_organization_of(user))


def managed_people(access: Access) -> QuerySet[User]:
    """Return the people whom the user may change, invite and import; permissions are checked elsewhere."""
    people = visible_people(access)
    return people if access.user.is_superuser else people.filter(is_superuser=False, is_staff=False)


def may_manage(access: Access, person: User) -> bool:
    """Return whether `managed_people` contains a person."""
    user = access.user
    is_own = person.organization_id is not None and person.organization_id == user.organization_id
    return user.is_superuser or (is_own and not person.is_superuser and not person.is_staff)


def given_roles(access: Access) -> QuerySet[Group]:
    """Return the roles that the user gives and takes, in the order of `RoleGroup`, then other groups."""
    groups = Group.objects.order_by("pk")
    return groups if access.user.is_superuser else groups.filter(name__in=GIVEN_BY_COORDINATORS)


def offered_units(access: Access, person: User | None = None) -> QuerySet[Unit]:
    """Return the units to choose from for a person: those in use, and those the person is a member of.

    For a new person these are the units of every organization in which the user adds people.
    """
    units = Unit.objects.select_related("organization")
    if person is not None:
        is_member = Q(memberships__user=person)
        return units.filter(Q(organization=person.organization_id, is_active=True) | is_member).distinct().in_order()
    units = units.filter(is_active=True).in_order()
    return units if access.user.is_superuser else units.filter(_in_organization_of(access.user))


def foreign_address(address: str) -> str:
    """Return the message for the address of a person whom the user may not see."""
    return _(
        "The address “%(address)s” cannot be used here. Check how it is spelt; if it is correct, ask the system "
        "administrator."
    ) % {"address": address}


def _in_organization_of(user: User) -> Q:
    return Q(organization=user.organization_id, organization__isnull=False)
