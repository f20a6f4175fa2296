"""Find the organization of a whole-plan workbook, and write its units."""

from typing import Any

from django.utils.translation import gettext as _

from assignments.models import Organization, Unit, User
from assignments.unit_names import UnitNames, former_names, parse_units
from exchange.findings import similar
from exchange.whole_plan.rows import PlanRow, RecordReader
from exchange.whole_plan.tables import UNITS
from pmqa_tracker import thai
from pmqa_tracker.parsing.values import parse_text


def find_organization(
    records: RecordReader, head: PlanRow, user: User, owner: Organization | None = None
) -> Organization:
    """The organization that the plan sheet names: the user's own, or any for an administrator of the installation.

    An administrator adds the first one. With an error, the rest of the file is checked against the user's own.

    Args:
        owner: the organization whose coordinator uploaded the file; for an administrator it takes the place of their
            own.
    """
    own = (owner if user.is_superuser else None) or user.organization
    name = head.values.get("organization") or ""
    if user.is_superuser:
        found = _find(name) if name else own
        if found is None and name and not Organization.objects.exists():
            found = records.find_or_add(head, Organization(), {"name": name, "short_name": name[:60]}, name)
        elif found is None and "organization" in head.values:
            names = list(Organization.objects.in_order().values_list("name", flat=True))
            text = _("There is no organization with this name; add it under “Manage the data” first.")
            text = text if name else _("This cell must not be empty.")
            records.add_error(head, "organization", text, similar(name, names) or names[:3])
    elif own is None:
        text = _("Your account belongs to no organization yet. Ask the system administrator to add it to one.")
        records.add_error(head, "organization", text)
        found = None
    else:
        found = own
        if name and not _is_named(own, name):
            text = _("A plan is made for your own organization, %(own)s. Enter its name, or leave the cell empty.")
            records.add_error(head, "organization", text % {"own": own.name}, [own.name])
    return found or own or records.stand_in(Organization(name="–", short_name="–"))


def _find(name: str) -> Organization | None:
    """The organization with this name or short name, in any spelling."""
    alike = [each for each in Organization.objects.all() if _is_named(each, name)]
    return alike[0] if len(alike) == 1 else None


def _is_named(organization: Organization, name: str) -> bool:
    return thai.name_key(name) in (thai.name_key(organization.name), thai.name_key(organization.short_name))


def write_units(records: RecordReader, organization: Organization) -> list[Unit]:
    """Add the units of the file that the organization does not have yet; return all its units."""
    existing = {thai.name_key(unit.abbreviation): unit for unit in organization.units.prefetch_related("members")}
    seen: dict[Any, int] = {}
    later = []
    for row in records.read_rows(UNITS, {"members": parse_text}):
        key = thai.name_key(row.values.get("abbreviation") or "")
        if not records.is_complete(row) or not records.is_first(row, seen, key, "abbreviation"):
            continue
        values = {key: value for key, value in row.values.items() if key not in ("members", "position")}
        unit = existing.get(key) or Unit(organization=organization)
        is_new = unit.pk is None
        if is_new:
            values["position"] = row.values["position"] if row.values["position"] is not None else len(existing) + 1
        unit = records.find_or_add(row, unit, values, values["abbreviation"], values["name_th"])
        if unit:
            existing[key] = unit
            later.append((row, unit, is_new))
    names = UnitNames.of(existing.values(), former_names(existing.values()))
    for row, unit, is_new in later:
        members = records.parse_later(row, "members", lambda cell: parse_units(cell, names))
        if members is None:
            continue
        if members and not unit.is_collective:
            records.add_error(row, "members", _("Only a collective has member units."))
        elif is_new:
            records.note.set_on(unit).members.set(members)
        elif {each.pk for each in members} != {each.pk for each in unit.members.all()}:
            stored = ", ".join(str(each) for each in unit.members.all()) or "–"
            records.add_difference(row, unit, "members", stored)
    return list(existing.values())
