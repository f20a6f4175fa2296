"""Parse the criterion levels in a cell."""

import re

from criteria.models import Level
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import parse_choice
from pmqa_tracker.parsing.values import parse_text

LEVEL_SEPARATOR = re.compile(r"[,;/·\n]|\s+และ\s*|\s+and\s+|และ")


def parse_levels(cell: ReadCell) -> tuple[Level, ...]:
    """The levels in a cell, lowest first: "Advance, Significance", "A, S", "Basic (A&D)" or 1; none if it is empty.

    Raises:
        UnreadableError: a part of the text is not a level; the message offers the nearest.
    """
    parts = LEVEL_SEPARATOR.split(parse_text(cell))
    return tuple(sorted({level for part in parts if (level := parse_choice(ReadCell(part), NAMES))}))


TERMS = {
    Level.BASIC: ("พื้นฐาน", "ระดับพื้นฐาน"),
    Level.ADVANCE: ("ก้าวหน้า", "ระดับก้าวหน้า", "Advanced"),
    Level.SIGNIFICANCE: ("พัฒนาจนเกิดผล", "ระดับพัฒนาจนเกิดผล", "Significant"),
}
NAMES = {
    level: (level.short, level.label, level.initial, str(level.value), level.short[:3], f"ระดับ {level.short}", *terms)
    for level, terms in TERMS.items()
}
