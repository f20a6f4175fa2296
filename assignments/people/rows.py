"""Read the rows of a workbook of people: whom each means, and what its cells say about them."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from assignments.models import Organization, User
from assignments.people.cells import parse_address, parse_roles
from assignments.people.columns import References, Row, cell_of, fingerprint, heading, text_of
from assignments.people.rights import foreign_address, may_manage
from assignments.people.write import Chosen, load_person
from assignments.unit_names import parse_units
from pmqa_tracker import thai
from pmqa_tracker.parsing.choices import parse_yes_no
from pmqa_tracker.parsing.errors import UnreadableError, quote
from pmqa_tracker.parsing.nearest import nearest_sentence
from pmqa_tracker.parsing.values import parse_text
from spreadsheets.text import clean_text

ALWAYS_READ = ("username", "first_name", "organization")  # of a new person, even if the file does not have the column


class RowReader:
    """Reads the rows of one file; the people they mean are read at once, with their units and roles."""

    def __init__(self, references: References, rows: Iterable[Row]) -> None:
        self.references, self.access = references, references.access
        self.by_address: dict[str, User] = {}
        self.by_username: dict[str, User] = {}
        self.fingerprints: dict[int, str] = {}
        self.row_of: dict[Any, int] = {}  # person, or address or user name of a new one → number of their row
        # Many rows hold the same cell.
        self._parse_units = cache(lambda cell, organization: parse_units(cell, references.unit_names(organization)))
        self._parse_roles = cache(lambda cell: parse_roles(cell, references.role_names))
        self._parse_yes_no = cache(parse_yes_no)
        self._read_people(list(rows))

    def _read_people(self, rows: list[Row]) -> None:
        """Read everybody with an address or a user name of the file, of any organization."""
        addresses = {_address_of(row) for row in rows}
        names = {text_of(row, "username") for row in rows} | addresses
        addresses |= {name.lower() for name in names}  # who logs in with an address must not meet another user name
        people = User.objects.annotate(address=Lower("email")).filter(
            Q(address__in=addresses - {""}) | Q(username__in=names - {""})
        )
        for person in people.select_related("organization").prefetch_related("memberships__unit", "groups"):
            load_person(person, self.references.role_names)
            self.by_username[person.username] = person
            if person.address:
                self.by_address[person.address] = person
            self.fingerprints[person.pk] = fingerprint(person)

    def find(self, row: Row) -> User | None:
        """Return the person whom a row means and the user manages: by the address, or else by the user name."""
        person = self._find(row)
        return person if person and may_manage(self.access, person) else None

    def _find(self, row: Row) -> User | None:
        if person := self.by_address.get(_address_of(row)):
            return person
        if name := text_of(row, "username"):
            return self.by_username.get(name)
        person = self.by_username.get(_address_of(row))
        return None if person and person.email else person

    def make(self) -> User:
        """Return a new person without units and roles."""
        person = User(organization=self.references.default_organization)
        person.unit_list, person.role_list = Chosen(), Chosen()
        return person

    def read(self, person: User, row: Row, number: int) -> None:
        """Set on a person what their row says.

        Args:
            number: number of the row in the table.

        Raises:
            ValidationError: every error of the row, by heading.
        """
        readers = {
            "email": self._read_email,
            "username": self._read_username,
            "first_name": self._read_first_name,
            "last_name": self._read_last_name,
            "organization": self._read_organization,
            "unit_list": self._read_units,
            "role_list": self._read_roles,
            "is_active": self._read_active,
        }
        errors: dict[str, list[str]] = {}
        is_new = person.pk is None
        for name, read in readers.items():
            if heading(name) in row or (is_new and name in ALWAYS_READ):
                try:
                    read(person, row)
                except UnreadableError as error:
                    errors[heading(name)] = [error.message]
                except ValidationError as error:
                    errors[heading(name)] = error.messages
        for name, why in (
            ("email", self._why_repeated(person, row, number)),
            ("version", self._why_stale(person, row)),
        ):
            if why:
                errors.setdefault(heading(name), []).append(why)
        if errors:
            raise ValidationError(errors)

    def _read_email(self, person: User, row: Row) -> None:
        address = parse_address(cell_of(row, "email"))
        if not address and (person.pk is None or person.email):
            raise ValidationError(_("The address is missing; it identifies the person. Write it."))
        if (owner := self.by_address.get(address)) and owner is not person:
            raise ValidationError(foreign_address(address))
        is_named = person.pk is not None or text_of(row, "username")  # otherwise the address becomes the user name
        if is_named and (owner := self.by_username.get(address)) and owner is not person:
            raise ValidationError(foreign_address(address))
        if address != person.email.lower():
            person.email = address

    def _read_username(self, person: User, row: Row) -> None:
        typed = parse_text(cell_of(row, "username"))
        if person.pk is not None:
            if typed and typed != person.username:
                text = _("The person with this address has the user name “%(username)s”. Write that, or nothing.")
                raise ValidationError(text % {"username": person.username})
            return
        if name := typed or _address_of(row):
            owner = self.by_username.get(name) or self.by_address.get(name.lower())
            if owner and _address_of(row) not in self.by_address:
                text = _("The user name “%(username)s” is taken. Write another one in this column.")
                raise ValidationError(text % {"username": quote(name)})
            person.username = User._meta.get_field("username").clean(name, None)

    def _read_first_name(self, person: User, row: Row) -> None:
        if text_of(row, "first_name"):
            self._read_text("first_name", person, row)
        elif person.pk is None:
            raise ValidationError(_("The name is missing. Write it."))

    def _read_last_name(self, person: User, row: Row) -> None:
        self._read_text("last_name", person, row)

    def _read_text(self, name: str, person: User, row: Row) -> None:
        text = parse_text(cell_of(row, name))
        if text != clean_text(getattr(person, name)).strip():
            setattr(person, name, User._meta.get_field(name).clean(text, None))

    def _read_organization(self, person: User, row: Row) -> None:
        named = self._find_organization(text_of(row, "organization"))
        if person.pk is None:
            person.organization = named or person.organization
            if person.organization is None:
                raise ValidationError(_("The organization is missing. Write its name or short name."))
        elif named not in (None, person.organization):
            text = _("%(person)s belongs to %(organization)s. Change it on the person's own page.")
            raise ValidationError(text % {"person": person, "organization": person.organization or "–"})

    def _find_organization(self, typed: str) -> Organization | None:
        if not typed:
            return None
        named = {
            thai.name_key(name): organization
            for organization in self.references.organizations.values()
            for name in (organization.name, organization.short_name)
        }
        if found := named.get(thai.name_key(typed)):
            return found
        near = nearest_sentence(
            typed.replace(".", ""), {key: organization.short_name for key, organization in named.items()}
        )
        raise UnreadableError(_("“%(name)s” is not an organization.") % {"name": quote(typed)} + near)

    def _read_units(self, person: User, row: Row) -> None:
        cell = cell_of(row, "unit_list")
        if person.organization is None:
            if person.pk is not None and cell.value != self.references.writers["unit_list"](person):
                raise ValidationError(_("Only the people of an organization have units. Leave the cell empty."))
            return
        units = self._parse_units(cell, person.organization_id)
        closed = [unit for unit in units if not unit.is_active and unit not in person.unit_list]
        if closed:
            text = _("“%(units)s” is no longer in use. Write the unit in which the person works now.")
            raise ValidationError(text % {"units": ", ".join(map(str, closed))})
        person.unit_list = Chosen(sorted(units, key=lambda unit: unit.sort_key))

    def _read_roles(self, person: User, row: Row) -> None:
        roles = self._parse_roles(cell_of(row, "role_list"))
        changed = [role for role in self.references.role_names if (role in roles) != (role in person.role_list)]
        refused = [self.references.role_names[role][0] for role in changed if role not in self.references.given_roles]
        if refused:
            text = _("Only the system administrator gives or takes the role “%(roles)s”. Leave it as it is.")
            raise ValidationError(text % {"roles": ", ".join(refused)})
        person.role_list = Chosen(roles)

    def _read_active(self, person: User, row: Row) -> None:
        is_active = self._parse_yes_no(cell_of(row, "is_active"))
        if is_active is False and person == self.access.user:
            raise ValidationError(_("You cannot deactivate your own account. Write “yes”."))
        person.is_active = person.is_active if is_active is None else is_active

    def _why_repeated(self, person: User, row: Row, number: int) -> str:
        """Return why a row cannot be for the same person as an earlier one; "" if there is no earlier one."""
        keys = filter(None, (person.pk or _address_of(row), person.username))
        others = [other for key in keys if (other := self.row_of.setdefault(key, number)) != number]
        text = _("Row %(row)s of the file is for the same person. Leave only one of the two.")
        return text % {"row": others[0] + 1} if others else ""

    def _why_stale(self, person: User, row: Row) -> str:
        """Return why a row is older than what is stored; "" if it is not, or says the same."""
        read = text_of(row, "version")
        if not read:
            return ""
        if person.pk is None:
            return _(
                "This record no longer exists, or its name was changed. To add a new one, leave the version empty."
            )
        if self.fingerprints[person.pk] in (read, fingerprint(person)):
            return ""
        text = _("Somebody changed “%(person)s” since the export. Export again and enter your change there.")
        return text % {"person": person}


def _address_of(row: Row) -> str:
    """Return the address of a row; "" if there is none, or it cannot be read."""
    try:
        return parse_address(cell_of(row, "email"))
    except UnreadableError:
        return ""
