"""The names most similar to an unknown one, for every message and page that offers them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import lru_cache

from django.utils.translation import gettext as _

from pmqa_tracker import thai
from pmqa_tracker.parsing.errors import LONGEST_SHOWN

OFFERED = 3
LEAST_SIMILARITY = 0.3
COMPARED = 100  # names; of longer lists, those that share the most pairs of letters with the text


def nearest(text: str, names: Iterable[str], *, least: float = LEAST_SIMILARITY) -> list[str]:
    """Return the three names most similar to a text, the most similar first; fewer if the others have little in common.

    Args:
        text: the typed text.
        names: the known names.
        least: similarity from which on a name is offered, 0 to 1.
    """
    return list(_nearest(text[:LONGEST_SHOWN], tuple((name, name) for name in names), least))


def nearest_sentence(text: str, spellings: Mapping[str, str]) -> str:
    """Return a space and a sentence with the three names most similar to a text; "" if none is.

    Args:
        spellings: spelling → name to offer; a name may have several spellings.
    """
    found = _nearest(text[:LONGEST_SHOWN], tuple(spellings.items()), LEAST_SIMILARITY)
    return " " + _("The nearest: %(names)s") % {"names": ", ".join(found)} if found else ""


@lru_cache(maxsize=2_000)  # many rows have the same mistake
def _nearest(text: str, spellings: tuple[tuple[str, str], ...], least: float) -> tuple[str, ...]:
    typed = thai.search_key(text)
    keys, places_of_pair = _index(spellings)
    places: Iterable[int] = range(len(keys))
    if len(keys) > COMPARED:
        shared: Counter[int] = Counter()
        for pair in _pairs(typed):
            shared.update(places_of_pair.get(pair, ()))
        places = [place for place, _count in shared.most_common(COMPARED)]
    matcher = SequenceMatcher(b=typed, autojunk=False)
    best: dict[str, float] = {}
    for place in places:
        matcher.set_seq1(keys[place])
        name = spellings[place][1]
        least_here = max(least, best.get(name, 0.0))
        if matcher.real_quick_ratio() >= least_here and matcher.quick_ratio() >= least_here:
            best[name] = max(matcher.ratio(), best.get(name, 0.0))
    found = [name for name in best if best[name] >= least]
    return tuple(sorted(found, key=lambda name: -best[name])[:OFFERED])


@lru_cache(maxsize=20)
def _index(spellings: tuple[tuple[str, str], ...]) -> tuple[list[str], Mapping[str, list[int]]]:
    """Return the key of each spelling, and pair of letters → places of the keys that contain it."""
    keys = [thai.search_key(spelling) for spelling, _name in spellings]
    places: dict[str, list[int]] = defaultdict(list)
    for place, key in enumerate(keys if len(keys) > COMPARED else ()):
        for pair in _pairs(key):
            places[pair].append(place)
    return keys, places


def _pairs(key: str) -> set[str]:
    return {key[start : start + 2] for start in range(len(key) - 1)}
