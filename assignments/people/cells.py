"""Parse the e-mail address and the roles of a person."""

import re
from collections.abc import Iterable, Mapping, Sequence

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import override

from assignments.access import RoleGroup
from pmqa_tracker.mail import LANGUAGE
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import parse_choice, parse_name
from pmqa_tracker.parsing.errors import UnreadableError, quote

MAX_ADDRESS = 150  # characters; the address of a new person becomes their user name
ROLE_SEPARATOR = re.compile(r"[,;/\n、，]|และ")


def parse_address(cell: ReadCell) -> str:
    """Return an e-mail address in small letters; "" for an empty cell.

    Raises:
        UnreadableError: it is not an address, or too long.
    """
    text = parse_name(cell).lower()
    if not text:
        return ""
    try:
        validate_email(text)
    except ValidationError:
        raise UnreadableError(
            _("“%(value)s” is not an e-mail address. Write one like name@example.go.th.") % {"value": quote(text)}
        ) from None
    if len(text) > MAX_ADDRESS:
        raise UnreadableError(
            _("“%(value)s” has more than %(most)s characters. Write another address.")
            % {"value": quote(text), "most": MAX_ADDRESS}
        )
    return text


def role_names(groups: Iterable[Group]) -> dict[Group, list[str]]:
    """Return role → the names by which a cell may call it; the first is the one to write."""
    names = {}
    for group in groups:
        spellings = [group.name]
        if role := next((role for role in RoleGroup if role == group.name), None):
            with override(LANGUAGE):
                spellings.insert(0, str(role.label))
            with override("en"):
                spellings.append(str(role.label))
        names[group] = spellings
    return names


def parse_roles(cell: ReadCell, names: Mapping[Group, Sequence[str]]) -> list[Group]:
    """Return the roles that a cell names, in the order of `names`.

    Raises:
        UnreadableError: some of its parts are no roles; the message suggests the nearest for each.
    """
    text, found, messages = parse_name(cell), set(), []
    for part in ROLE_SEPARATOR.split(text):
        try:
            found.add(parse_choice(ReadCell(part), names))
        except UnreadableError as error:
            messages.append(error.message)
    if messages:
        raise UnreadableError(" ".join(messages))
    return [group for group in names if group in found]
