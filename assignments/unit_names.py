"""Look units up by name, and split a typed list of units: "กพร., กองคลัง และ กน." """

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from django.utils.translation import gettext as _

from assignments.models import Unit, UnitQuerySet
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import nearest, parse_name
from pmqa_tracker.parsing.errors import UnreadableError, quote

SEPARATOR = r"(?:[\s,/;·|&+、，\u200b-\u200d\ufeff-]|และ|ร่วมกับ|กับ|\band\b)"
SEPARATORS = re.compile(f"{SEPARATOR}+")
NAME_END = re.compile(rf"(?:\s?\.)+|(?={SEPARATOR}|\Z)")  # a name ends after its dot or before a separator
GAPS = re.compile(r"[\s.\u200b-\u200d\ufeff]+")
HARD = re.compile(r"[,;\n]")
JOINS = (", ", "; ", "\n")
MAX_UNITS_LENGTH = 2_000  # characters of a cell that names units
MOST_SPLITS = 50  # looked at before a cell is taken to be unclear
MOST_READINGS = 5

Split = list[tuple[str, Sequence[Unit]]]  # each written name, and the units that it may mean
Steps = dict[int, list[tuple[int, Split]]]


@dataclass(frozen=True, slots=True)
class UnitNames:
    """Units by abbreviation, Thai and English name. Made once; it asks the database nothing. Units may share a name."""

    by_spelling: dict[str, list[Unit]] = field(default_factory=dict)  # with its spaces; with and without its dots
    by_key: dict[str, list[Unit]] = field(default_factory=dict)  # without spaces and dots

    @classmethod
    def of(cls, units: Iterable[Unit]) -> "UnitNames":
        """The names of these units, active or not."""
        names = cls()
        for unit in units:
            for name in filter(_key, (unit.abbreviation, unit.name_th, unit.name_en)):
                spelling = _spelling(thai.fold(name))
                for index, text in (
                    (names.by_key, _key(name)),
                    (names.by_spelling, spelling),
                    (names.by_spelling, spelling.replace(".", "")),
                ):
                    if unit not in index.setdefault(text, []):
                        index[text].append(unit)
        return names

    def find(self, name: str) -> Sequence[Unit]:
        """The units of this name, however it is spelled."""
        return _narrowed(thai.fold(name), self.by_key.get(_key(name), ()))

    def written(self, units: Sequence[Unit]) -> str:
        """Units as a text that `parse_units` reads back: abbreviations with commas, unless a name holds a comma."""
        texts = [join.join(unit.abbreviation for unit in units) for join in JOINS]
        texts += [join.join(unit.name_th for unit in units) for join in JOINS]
        return next((text for text in texts if _clear(_split(text, self)) == list(units)), texts[0])


def find_unit_by_name(units: UnitQuerySet, name: str) -> Unit | None:
    """The one of `units` with this abbreviation, or the only one of this name."""
    found = units.filter(abbreviation=name).first()
    if found is None and _key(name):
        alike = UnitNames.of(units).find(name)
        found = alike[0] if len(alike) == 1 else None
    return found


def parse_units(cell: ReadCell, names: UnitNames) -> list[Unit]:
    """The units a cell names, in its order, each once, active or not.

    Names are separated by spaces, lines, commas, slashes, semicolons, "และ" or "กับ". A name that contains a separator
    is read whole where it is written whole: the longest name wins. An abbreviation always means its own unit.

    Raises:
        UnreadableError: a piece is no unit (the message names the nearest), or may mean several.
    """
    text = parse_name(cell)
    splits = _split(text, names)
    units = _clear(splits)
    if units is not None:
        return units
    if not splits:
        raise _unknown(text, names)
    for written, sharing in splits[0]:
        if len(sharing) > 1:
            raise UnreadableError(
                _("“%(name)s” is the name of several units; write the one that is meant.") % {"name": quote(written)},
                (names.written([unit]) for unit in sharing[:MOST_READINGS]),
            )
    readings = dict.fromkeys(names.written(units) for split in splits if (units := _meaning(split)))
    raise UnreadableError(
        _("“%(value)s” may mean several units; part them with commas.") % {"value": quote(text)},
        list(readings)[:MOST_READINGS],
    )


def _split(text: str, names: UnitNames) -> list[Split]:
    """The ways to split a text: one where names are spelled as they are known, more where spaces and dots are free."""
    if not text:
        return [[]]
    if len(text) > MAX_UNITS_LENGTH:
        return []
    folded = thai.fold(text)
    return _splits(_steps(folded, names.by_spelling, _spelling), len(folded))[:1] or _splits(
        _steps(folded, names.by_key, _without_gaps), len(folded)
    )


def _steps(text: str, names: Mapping[str, Sequence[Unit]], spell: Callable[[str], str]) -> Steps:
    """The names and separators that a folded text may be made of, from its start as far as they reach.

    Args:
        names: units by spelling.
        spell: turns a piece of the text into such a spelling.

    Returns:
        for each place that is reached, the places to go on from, the longest name first, each with the name in between.
    """
    ends = sorted({match.end() for match in NAME_END.finditer(text)})
    longest = max(map(len, names), default=0)
    steps: Steps = {0: []}
    for start in range(len(text)):
        if start not in steps:
            continue
        if not GAPS.match(text, start):
            pieces = takewhile(
                lambda piece: len(spell(piece)) <= longest, (text[start:end] for end in ends if end > start)
            )
            named = [(piece, units) for piece in pieces if (units := names.get(spell(piece)))]
            steps[start] = [
                (start + len(piece), [(piece, _narrowed(piece, units))]) for piece, units in reversed(named)
            ]
        if separator := SEPARATORS.match(text, start):
            steps[start].append((separator.end(), []))
        for end, _found in steps[start]:
            steps.setdefault(end, [])
    return steps


def _splits(steps: Steps, length: int) -> list[Split]:
    """The ways to split a text of this length, the longest names first."""
    ways: dict[int, list[Split]] = {length: [[]]}
    for start in sorted(steps.keys() - ways.keys(), reverse=True):
        found = ([*name, *rest] for end, name in steps[start] for rest in ways[end])
        ways[start] = list(islice(found, MOST_SPLITS))
    return ways[0]


def _meaning(split: Split) -> list[Unit] | None:
    """The units of a split, each once; None where a name is shared. A unit that is not saved yet has no hash."""
    is_shared = any(len(units) > 1 for _written, units in split)
    return None if is_shared else list({id(unit): unit for _written, (unit, *_more) in split}.values())


def _clear(splits: Sequence[Split]) -> list[Unit] | None:
    """The units, where all splits mean the same; None otherwise."""
    meanings = [_meaning(split) for split in splits]
    return meanings[0] if meanings and all(each == meanings[0] for each in meanings) else None


def _narrowed(written: str, units: Sequence[Unit]) -> Sequence[Unit]:
    """Of units that share a folded name the one whose abbreviation it is, dot by dot; all, if that is not one."""
    same = [unit for unit in units if thai.fold(unit.abbreviation).strip() == written.strip()]
    return same if len(same) == 1 else units


def _unknown(typed: str, names: UnitNames) -> UnreadableError:
    """The error for a text that is no list of units: its first unknown piece, and the nearest names."""
    if len(typed) > MAX_UNITS_LENGTH:
        return UnreadableError(_("The cell is too long to name units only; write their abbreviations."))
    text = thai.fold(typed)
    place = max(_steps(text, names.by_key, _without_gaps))
    separators = list(SEPARATORS.finditer(text))
    first = max((each.end() for each in separators if each.end() <= place), default=0)
    last = min((each.start() for each in separators if each.start() > place), default=len(text))
    ending = HARD.search(text, first)
    piece, more = text[first:last], text[first : ending.start() if ending else None]
    offered = {key: _offer(units[0]) for key, units in names.by_key.items()}
    near = nearest(piece.replace(".", ""), offered) or nearest(more.replace(".", ""), offered)
    name = typed[first:last] if len(typed) == len(text) else piece
    return UnreadableError(_("“%(name)s” is not a unit.") % {"name": quote(name)} + near)


def _key(name: str) -> str:
    return thai.search_key(name).replace(".", "")


def _without_gaps(folded: str) -> str:
    return GAPS.sub("", folded)


def _spelling(folded: str) -> str:
    """A folded name with single spaces and without the dots at its end."""
    return " ".join(folded.split()).rstrip(" .")


def _offer(unit: Unit) -> str:
    return unit.abbreviation if unit.is_active else _("%(unit)s (no longer active)") % {"unit": unit}
