"""The refs of new actions: the code of the criterion, the initials of the levels, and a number."""

from collections.abc import Iterable, Iterator
from itertools import count

from criteria.models import Level


def refs_of(code: str, levels: Iterable[Level]) -> Iterator[str]:
    """The refs of a criterion and levels in order, without end: "1.2.1-A-1", "1.2.1-A-2"."""
    stem = f"{code}-{''.join(level.initial for level in levels)}-"
    return (f"{stem}{number}" for number in count(1))
