"""Organizations of a generated world, with their units and people."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group

from assignments.access import RoleGroup
from assignments.models import Membership, Organization, Unit, User
from demo.world.insert import insert
from demo.world.options import WorldOptions
from demo.world.texts import COORDINATING_DIVISION, DIVISIONS, EVERY_UNIT, SOME_UNITS, SUBJECTS

# Every tenth organization is a ministry. Place among the ten → place of the parent; the others have no parent.
PARENTS = {1: 0, 3: 0, 4: 1, 6: 0, 7: 0, 9: 3}
PARENTED = 10


@dataclass(frozen=True)
class Person:
    """A user with their role and units."""

    user: User
    role: RoleGroup
    units: list[Unit]


@dataclass(frozen=True)
class Department:
    """An organization with its units and people.

    Attributes:
        number: from 1.
        divisions: also those that are not active.
        collectives: each with its members.
        people: the members of staff of the active divisions come first, in the order of the divisions.
    """

    number: int
    organization: Organization
    divisions: list[Unit]
    collectives: list[tuple[Unit, list[Unit]]]
    people: list[Person]

    @property
    def active(self) -> list[Unit]:
        """The active divisions."""
        return [unit for unit in self.divisions if unit.is_active]

    @property
    def coordinator(self) -> User:
        """The PMQA coordinator."""
        return next(person.user for person in self.people if person.role == RoleGroup.COORDINATOR)

    def reporter(self, unit: Unit) -> User:
        """Return the member of staff of an active division."""
        return next(person.user for person in self.people if person.units == [unit])

    def represented(self, unit: Unit) -> list[Unit]:
        """Return the active divisions that a unit stands for: the members of a collective, or the unit itself."""
        members = dict(self.collectives).get(unit, [unit])
        return [each for each in members if each.is_active]


def write_organizations(options: WorldOptions, at: datetime) -> tuple[list[Department], Counter[str]]:
    """Write the organizations with units and people; return them, and the number of rows by name of the model."""
    organizations: list[Organization] = []
    for place in range(options.organizations):
        parent = PARENTS.get(place % PARENTED)
        above = organizations[place - place % PARENTED + parent] if parent is not None else None
        organizations.append(_organization(options, place, above))
    for depth in range(Organization.MAX_DEPTH):
        insert(Organization, [each for each in organizations if _depth(each) == depth])
    departments = [_department(options, number, each, at) for number, each in enumerate(organizations, start=1)]
    collectives = [pair for department in departments for pair in department.collectives]
    people = [person for department in departments for person in department.people]
    divisions = [unit for department in departments for unit in department.divisions]
    units = insert(Unit, [*divisions, *(collective for collective, _members in collectives)])
    members = Unit.members.through
    insert(members, [members(from_unit=unit, to_unit=each) for unit, inside in collectives for each in inside])
    insert(User, [person.user for person in people])
    insert(Membership, [Membership(user=person.user, unit=unit) for person in people for unit in person.units])
    groups = {group.name: group for group in Group.objects.all()}
    roles = User.groups.through
    insert(roles, [roles(user=person.user, group=groups[person.role]) for person in people])
    return departments, Counter(Organization=len(organizations), Unit=len(units), User=len(people))


def _organization(options: WorldOptions, place: int, parent: Organization | None) -> Organization:
    kind = "กระทรวง" if place % PARENTED == 0 else "กรม"
    subject, short = SUBJECTS[place % len(SUBJECTS)]
    number = f"{options.seed}-{place + 1}"
    return Organization(name=f"{kind}{subject} (จำลอง {number})", short_name=f"{kind[0]}{short}{number}", parent=parent)


def _depth(organization: Organization) -> int:
    return 1 + _depth(organization.parent) if organization.parent else 0


def _department(options: WorldOptions, number: int, organization: Organization, at: datetime) -> Department:
    divisions = [
        Unit(
            organization=organization, abbreviation=abbreviation, name_th=name_th, name_en=name_en, position=position,
            is_active=position < len(DIVISIONS),
        )
        for position, (abbreviation, name_th, name_en) in enumerate(DIVISIONS, start=1)
    ]  # fmt: skip
    every_unit, some_units = (
        Unit(
            organization=organization, abbreviation=abbreviation, name_th=name_th, name_en=name_en, is_collective=True,
            position=position,
        )
        for position, (abbreviation, name_th, name_en) in enumerate((EVERY_UNIT, SOME_UNITS), len(DIVISIONS) + 1)
    )  # fmt: skip
    collectives = [(every_unit, divisions), (some_units, divisions[1:4])]
    department = Department(number, organization, divisions, collectives, [])

    def add(name: str, title: str, role: RoleGroup, units: list[Unit], *, is_active: bool = True) -> None:
        user = User(
            organization=organization,
            username=f"{options.prefix}{number}-{name}",
            first_name=title,
            last_name=organization.short_name,
            email=f"{options.prefix}{number}-{name}@example.org",
            password=f"{UNUSABLE_PASSWORD_PREFIX}generated",
            is_active=is_active,
            is_demo=True,
            date_joined=at,
        )
        department.people.append(Person(user, role, units))

    for place, unit in enumerate(department.active, start=1):
        add(f"staff-{place}", f"เจ้าหน้าที่ {unit}", RoleGroup.STAFF, [unit])
    add("staff-two-units", "เจ้าหน้าที่สองหน่วยงาน", RoleGroup.STAFF, divisions[:2])
    add("staff-left", "เจ้าหน้าที่ที่ลาออกแล้ว", RoleGroup.STAFF, divisions[:1], is_active=False)
    add("manager", "ผู้บริหาร", RoleGroup.MANAGEMENT, [])
    coordinating = [unit for unit in divisions if unit.abbreviation == COORDINATING_DIVISION]
    add("coordinator", "ผู้ประสานงาน PMQA", RoleGroup.COORDINATOR, coordinating)
    add("assessor", "ผู้ตรวจประเมิน", RoleGroup.ASSESSOR, [])
    return department
