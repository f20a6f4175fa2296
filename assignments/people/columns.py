"""Columns of the workbook of people, and what its rows refer to: organizations, units and roles.

Headings and choices are always written in Thai; English is understood too.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import Group

from assignments.access import Access
from assignments.models import Organization, Unit, User
from assignments.people.cells import role_names
from assignments.people.rights import given_roles
from assignments.unit_names import UnitNames, former_names
from pmqa_tracker.parsing.cell import ReadCell

HEADINGS = {  # column → heading, and other headings that are understood
    "email": ("อีเมล", "e-mail", "email"),
    "first_name": ("ชื่อ", "first name", "name"),
    "last_name": ("นามสกุล", "last name", "surname"),
    "organization": ("ส่วนราชการ", "organization"),
    "unit_list": ("หน่วยงาน", "units", "unit"),
    "role_list": ("บทบาท", "roles", "role"),
    "is_active": ("ใช้งานอยู่", "active"),
    "username": ("ชื่อผู้ใช้", "username", "user name"),
    "version": ("รุ่นข้อมูล", "version"),
}
LETTERS = str.maketrans("0123456789", "ghijklmnop")  # no spreadsheet takes letters for a number
Row = Mapping[str, Any]  # heading → text


def heading(name: str) -> str:
    """Return the heading of a column."""
    return HEADINGS[name][0]


def text_of(row: Row, name: str) -> str:
    """Return the text of a row in a column; "" if the file does not have the column."""
    return str(row.get(heading(name)) or "").strip()


def cell_of(row: Row, name: str) -> ReadCell:
    """Return the cell of a row in a column; an empty one if the file does not have the column."""
    return ReadCell(text_of(row, name))


class References:
    """What the rows of a user's workbook may refer to; each kind is read once."""

    def __init__(self, access: Access) -> None:
        self.access = access

    @cached_property
    def organizations(self) -> dict[int, Organization]:
        """The organizations the user manages people of, by pk."""
        user = self.access.user
        if user.is_superuser:
            return {each.pk: each for each in Organization.objects.in_order()}
        return {user.organization.pk: user.organization} if user.organization else {}

    @cached_property
    def default_organization(self) -> Organization | None:
        """The organization of a new person if the row has none."""
        only = next(iter(self.organizations.values())) if len(self.organizations) == 1 else None
        return self.access.user.organization or only

    @cached_property
    def _unit_names(self) -> dict[int, UnitNames]:
        units: dict[int, list[Unit]] = {}
        for unit in Unit.objects.filter(organization__in=self.organizations).in_order():
            units.setdefault(unit.organization_id, []).append(unit)
        former = former_names(unit for each in units.values() for unit in each)
        return {organization: UnitNames.of(each, former) for organization, each in units.items()}

    def unit_names(self, organization: int | None) -> UnitNames:
        """Return the names of the units of an organization."""
        return self._unit_names.get(organization, UnitNames())

    @cached_property
    def role_names(self) -> dict[Group, list[str]]:
        """All roles with their names."""
        return role_names(Group.objects.order_by("pk"))

    @cached_property
    def given_roles(self) -> frozenset[Group]:
        """The roles that the user gives and takes."""
        return frozenset(given_roles(self.access))

    @property
    def writers(self) -> dict[str, Callable[[User], str]]:
        """Column → the text that the workbook shows for a person."""
        return {
            "email": lambda person: person.email,
            "username": lambda person: person.username,
            "first_name": lambda person: person.first_name,
            "last_name": lambda person: person.last_name,
            "organization": lambda person: person.organization.short_name if person.organization else "",
            "unit_list": lambda person: self.unit_names(person.organization_id).format(person.unit_list),
            "role_list": lambda person: ", ".join(self.role_names[group][0] for group in person.role_list),
            "is_active": lambda person: "ใช่" if person.is_active else "ไม่ใช่",
            "version": fingerprint,
        }


def fingerprint(person: User) -> str:
    """Return a short text that changes with the row of a person."""
    parts = (
        *(person.email, person.username, person.first_name, person.last_name, person.organization_id),
        *(person.is_active, [unit.pk for unit in person.unit_list], [group.pk for group in person.role_list]),
    )
    return sha256(repr(parts).encode()).hexdigest()[:10].translate(LETTERS)
