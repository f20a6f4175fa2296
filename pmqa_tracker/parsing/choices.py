"""Parse a cell that names one of several choices; a choice may have several names."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import date, time
from typing import TypeVar

from django.utils.translation import gettext as _

from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError, quote
from pmqa_tracker.parsing.nearest import nearest_sentence
from pmqa_tracker.parsing.values import parse_text

Choice = TypeVar("Choice", bound=Hashable)


def parse_name(cell: ReadCell) -> str:
    """Return the text of a cell that should contain a name; a day or a time is quoted as it is, and matches no name.

    Raises:
        UnreadableError: as for `parse_text`.
    """
    if isinstance(cell.value, (date, time)) and not cell.error:
        return quote(cell.value)
    return parse_text(cell)


def parse_choice(cell: ReadCell, choices: Mapping[Choice, Sequence[str]]) -> Choice | None:
    """Return the one of `choices` that a cell names, or None for an empty cell; spelling does not matter.

    Args:
        choices: value → its names, at least one; messages offer the first.

    Raises:
        UnreadableError: the cell names none of them (the message offers similar names), or several.
    """
    text = parse_name(cell)
    if not text:
        return None
    values: dict[str, list[Choice]] = {}
    for choice, names in choices.items():
        for key in dict.fromkeys(map(thai.search_key, names)):
            values.setdefault(key, []).append(choice)
    found = values.get(thai.search_key(text), [])
    if len(found) == 1:
        return found[0]
    if found:
        only = [next((name for name in choices[each] if values[thai.search_key(name)] == [each]), "") for each in found]
        raise UnreadableError(
            _("“%(value)s” may mean several things; write the one that is meant.") % {"value": quote(text)},
            filter(None, only),
        )
    first = {choice: names[0] for choice, names in choices.items()}
    near = nearest_sentence(text, {key: first[each[0]] for key, each in values.items()})
    listed = ", ".join(first.values())
    raise UnreadableError(
        _("“%(value)s” is not one of the choices. Allowed: %(allowed)s.") % {"value": quote(text), "allowed": listed}
        + near
    )


def parse_yes_no(cell: ReadCell) -> bool | None:
    """Parse yes or no: ใช่, ไม่ใช่, yes, no, TRUE, FALSE, 1, 0.

    Raises:
        UnreadableError: the cell is neither.
    """
    yes, no = ("ใช่", "yes", "y", "true", "1"), ("ไม่ใช่", "ไม่", "no", "n", "false", "0")
    return parse_choice(cell, {True: yes, False: no})
