"""Find the organization of a whole-plan workbook, and plan its units."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from django.utils.translation import gettext as _

from assignments.models import Organization, Unit, User
from assignments.unit_names import UnitNames, former_names, parse_units
from exchange.whole_plan.records import PlannedRecords
from exchange.whole_plan.references import Find, Register
from exchange.whole_plan.rows import PlanRow, PlanSheets
from exchange.whole_plan.tables import UNITS
from pmqa_tracker import thai
from pmqa_tracker.parsing.nearest import nearest


def find_organization(
    records: PlannedRecords, head: PlanRow, user: User, owner: Organization | None = None
) -> Organization:
    """The organization that the plan sheet names: the user's own, or any for an administrator of the installation.

    An administrator adds the first one. With an error, the rest of the file is checked against the user's own.

    Args:
        owner: the organization whose coordinator uploaded the file; for an administrator it takes the place of their
            own.
    """
    own = (owner if user.is_superuser else None) or user.organization
    name = head.values.get("organization") or ""
    if not user.is_superuser:
        if own is None:
            text = _("Your account belongs to no organization yet. Ask the system administrator to add it to one.")
            head.add_error("organization", text)
        elif name and not _is_named(own, name):
            text = _("A plan is made for your own organization, %(own)s. Enter its name, or leave the cell empty.")
            head.add_error("organization", text % {"own": own.name}, [own.name])
        return own or _unknown(records)
    stored = list(Organization.objects.in_order()) if name or own is None else [own]
    alike = [each for each in stored if _is_named(each, name)] if name else list(filter(None, [own]))
    if len(alike) == 1:
        return alike[0]
    if name and not stored:
        made = Organization()
        records.add(head, made, name, given={"name": name, "short_name": name[:60]})
        return made
    if "organization" in head.values:
        names = [each.name for each in stored]
        text = _("There is no organization with this name; add it under “Manage the data” first.")
        text = text if name else _("This cell must not be empty.")
        head.add_error("organization", text, nearest(name, names) or names[:3])
    return own or _unknown(records)


def _unknown(records: PlannedRecords) -> Organization:
    """What stands for the organization of a file that names none."""
    unknown = Organization(pk=0)
    records.unsound.add(id(unknown))
    return unknown


def _is_named(organization: Organization, name: str) -> bool:
    return thai.name_key(name) in (thai.name_key(organization.name), thai.name_key(organization.short_name))


def plan_units(records: PlannedRecords, sheets: PlanSheets, organization: Organization) -> Register:
    """The units of the organization, with those that the file adds."""
    is_new = organization._state.adding
    stored = [] if is_new else list(organization.units.prefetch_related("members"))
    units = Register(
        names=("abbreviation", "name_th", "name_en"), index=partial(_find_units, former=former_names(stored)),
        unsound=records.unsound, owner=(sheets.head, ["organization"]),
    )  # fmt: skip
    existing = {thai.name_key(unit.abbreviation): unit for unit in stored}
    for unit in stored:
        units.add(unit)
    pairs, seen = [], {}
    for row in sheets.rows[UNITS]:
        key = thai.name_key(row.values.get("abbreviation", "")) or row.number
        unit = existing.get(key) if row.is_first(seen, key, "abbreviation") else None
        members: list[Unit] = []  # found once all units are known
        if unit is None:
            unit, place = Unit(organization=organization), len(stored) + len(pairs) + 1
            records.add(row, unit, row.values.get("abbreviation", ""), row.values.get("name_th", ""), given={
                "organization": organization,
                **({"position": place} if row.values.get("position") is None else {}),
            }, many={"members": members})  # fmt: skip
            units.add(unit, row)
        elif not records.compare(row, unit, given={}, leave=["position"]):
            units.add_forms(row, [Unit(**{name: row.values[name] for name in units.names if name in row.values})])
        pairs.append((row, unit, members))
    for row, unit, members in pairs:
        members += _members(row, unit, units)
    records.show_found(row for row, _unit, members in pairs if members)
    return units


def _members(row: PlanRow, unit: Unit, units: Register) -> Sequence[Unit]:
    """The members of a collective; those of a stored one are compared."""
    found = units.find(row, "members", row.cells["members"])
    if found and not unit.is_collective and "is_collective" in row.values:
        row.add_error("members", _("Only a collective has member units."))
    elif found is not None and not unit._state.adding:
        stored = list(unit.members.all())
        if {each.pk for each in found} != {each.pk for each in stored}:
            row.add_difference(unit, "members", ", ".join(map(str, stored)) or "–")
    return found or ()


def _find_units(units: Sequence[Unit], former: Mapping[int, Collection[str]]) -> Find:
    names = UnitNames.of(units, former)
    return lambda cell: tuple(parse_units(cell, names))
