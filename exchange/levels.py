"""Parse the criterion levels in a cell."""

import re

from django.utils.translation import gettext as _

from criteria.models import Level
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.errors import UnreadableError, quote
from pmqa_tracker.parsing.values import parse_text

LEVEL_SEPARATOR = re.compile(r"[,;/·\n]|\s+และ\s*|\s+and\s+|และ")


def parse_levels(cell: ReadCell) -> tuple[Level, ...]:
    """The levels in a cell, lowest first: "Advance, Significance", "A, S", "Basic (A&D)" or 1; none if it is empty.

    Raises:
        UnreadableError: a part of the text is not a level.
    """
    text = parse_text(cell)
    found = set()
    for part in LEVEL_SEPARATOR.split(text):
        key = thai.search_key(part)
        if not key:
            continue
        level = NAMES.get(key)
        if level is None:
            sentence = _("“%(value)s” is not a level; write Basic, Advance or Significance, several with commas.")
            raise UnreadableError(sentence % {"value": quote(part.strip())})
        found.add(level)
    return tuple(sorted(found))


NAMES = {
    thai.search_key(name): level
    for level in Level
    for name in (level.short, level.label, level.initial, str(level.value), level.short[:3])
}
