"""The units that a cell names: several in one, however they are parted and however each is written."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from django.utils.translation import gettext as _

from assignments.models import Unit, UnitQuerySet
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import nearest, read_words
from pmqa_tracker.parsing.errors import UnreadableError, shown

BETWEEN = r"(?:[\s,/;·|&+、，\u200b-\u200d\ufeff-]|และ|ร่วมกับ|กับ|\band\b)"
PARTING = re.compile(f"{BETWEEN}+")
ENDS = rf"(?:\s?\.)*(?:(?<=\.)|(?={BETWEEN}|\Z))"  # a name ends at its dot, or before what parts it from the next
LOOSE = r"[\s.\u200b-\u200d\ufeff]*"
HARD = re.compile(r"[,;\n]")
JOINS = (", ", "; ", "\n")
LONGEST = 2_000  # characters of a cell that names units
DEEPEST = 200  # names, and what parts them, in a cell
MOST_SPLITS = 50  # looked at before a cell is taken to be unclear
MOST_READINGS = 5

Thing = TypeVar("Thing")
Split = list[tuple[str, tuple[Unit, ...]]]  # what is written, and the units called so


@dataclass(frozen=True, slots=True)
class Name:
    """One way to name a unit; several units may share it."""

    exact: re.Pattern[str]  # as it is written; its dots may be left out
    loose: re.Pattern[str]  # with spaces and dots anywhere
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class UnitNames:
    """What units are called: by abbreviation, Thai and English name. Made once; it asks the database nothing."""

    by_abbreviation: dict[str, Unit]
    names: dict[str, list[Name]]  # by the first letter, the longest first
    called: dict[str, list[Unit]]  # by a name's key, those it is the name of

    @classmethod
    def of(cls, units: Iterable[Unit]) -> "UnitNames":
        """The names of these units, the inactive among them too."""
        abbreviations: dict[str, Unit] = {}
        sharing: dict[str, list[Unit]] = {}
        spellings: dict[str, list[str]] = {}
        for unit in units:
            abbreviations[unit.abbreviation.strip()] = unit
            for name in (unit.abbreviation, unit.name_th, unit.name_en):
                if (key := _key(name)) and unit not in sharing.setdefault(key, []):
                    sharing[key].append(unit)
                if key:
                    spellings.setdefault(key, []).append(_exactly(name))
        names: dict[str, list[Name]] = {}
        for key in sorted(sharing, key=len, reverse=True):
            exact = "|".join(dict.fromkeys(spellings[key]))
            loose = LOOSE.join(map(re.escape, key))
            name = Name(re.compile(f"(?:{exact}){ENDS}"), re.compile(loose + ENDS), tuple(sharing[key]))
            names.setdefault(key[0], []).append(name)
        return cls(abbreviations, names, sharing)

    def written(self, units: Sequence[Unit]) -> str:
        """Units as one text that `read_units` gives back: by abbreviation, parted by commas unless a name holds one."""
        texts = [join.join(unit.abbreviation for unit in units) for join in JOINS]
        texts += [join.join(unit.name_th for unit in units) for join in JOINS]
        return next((text for text in texts if _clear(_taken(text, self)) == list(units)), texts[0])


def find_unit_by_name(units: UnitQuerySet, name: str) -> Unit | None:
    """The one of `units` of this abbreviation, or the only one that a cell with this name would mean."""
    if "\0" in name:  # PostgreSQL takes no such text
        return None
    found = units.filter(abbreviation=name).first()
    if found is None and thai.search_key(name):
        with suppress(UnreadableError):
            meant = read_units(ReadCell(name), UnitNames.of(units))
            found = meant[0] if len(meant) == 1 else None
    return found


def read_units(cell: ReadCell, names: UnitNames) -> list[Unit]:
    """The units a cell names, in its order, each once; an inactive one too (`Unit.is_active` tells).

    They are parted by spaces, lines, commas, slashes, semicolons, "และ" or "กับ". A name that holds one of these is
    taken whole where it is written whole: the longest wins. A unit's very abbreviation is that unit, whatever else is
    called so.

    Raises:
        UnreadableError: a piece is no unit (the nearest is said), or it is not clear which units are meant.
    """
    told = read_words(cell)
    splits = _taken(told, names)
    units = _clear(splits)
    if units is not None:
        return units
    if not splits:
        raise _unknown(told, names)
    for written, sharing in splits[0]:
        if len(sharing) > 1:
            raise UnreadableError(
                _("“%(name)s” is the name of several units; write the one that is meant.") % {"name": shown(written)},
                (names.written([unit]) for unit in sharing[:MOST_READINGS]),
            )
    clear = (units for split in splits if (units := _clear([split])))
    raise UnreadableError(
        _("“%(value)s” may mean several units; part them with commas.") % {"value": shown(told)},
        map(names.written, _once(clear)[:MOST_READINGS]),
    )


def _taken(told: str, names: UnitNames) -> list[Split]:
    """The ways to take a text as names of units: one where they are written out, more where spaces are free."""
    if not told:
        return [[]]
    for pieces in ([told], *(told.split(join.strip(" ")) for join in reversed(JOINS))):
        if all(piece.strip() in names.by_abbreviation for piece in pieces):
            return [[(piece, (names.by_abbreviation[piece.strip()],)) for piece in pieces]]
    if len(told) > LONGEST:
        return []
    text = thai.fold(told)
    exact = list(islice(_splits(text, 0, names, set(), is_loose=False), 1))
    return exact or list(islice(_splits(text, 0, names, set(), is_loose=True), MOST_SPLITS))


def _clear(splits: Sequence[Split]) -> list[Unit] | None:
    """The units, each once, where all splits mean the same and no name is shared; None otherwise."""
    found = _once(_once(units[0] for _written, units in split) for split in splits)
    is_shared = any(len(units) > 1 for split in splits for _written, units in split)
    return found[0] if len(found) == 1 and not is_shared else None


def _splits(
    text: str, start: int, names: UnitNames, dead: set[int], *, is_loose: bool, depth: int = 0
) -> Iterator[Split]:
    """The ways to take a folded text from `start` on as names, the longest names first.

    `dead` remembers the places from which there is no way, so that none is looked at twice.
    """
    if start == len(text):
        yield []
        return
    if start in dead or depth > DEEPEST:
        return
    is_dead = True
    for name in names.names.get(text[start], ()):
        if match := (name.loose if is_loose else name.exact).match(text, start):
            for rest in _splits(text, match.end(), names, dead, is_loose=is_loose, depth=depth + 1):
                is_dead = False
                yield [(match.group(), _called(match.group(), name.units)), *rest]
    if match := PARTING.match(text, start):
        for rest in _splits(text, match.end(), names, dead, is_loose=is_loose, depth=depth + 1):
            is_dead = False
            yield rest
    if is_dead:
        dead.add(start)


def _called(written: str, units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    """Those units that share a name whose very abbreviation is written; all where it is no one's, or several's."""
    very = tuple(unit for unit in units if thai.fold(unit.abbreviation).strip() == written.strip())
    return very if len(very) == 1 else units


def _unknown(told: str, names: UnitNames) -> UnreadableError:
    """What to raise for a text that is not all names of units: the first piece that is none, and the nearest names."""
    if len(told) > LONGEST:
        return UnreadableError(_("The cell is too long to name units only; write their abbreviations."))
    text = thai.fold(told)
    dead: set[int] = set()
    list(_splits(text, 0, names, dead, is_loose=True))  # it gives none, and leaves how far names reach
    place = max(dead)
    parts = list(PARTING.finditer(text))
    first = max((part.end() for part in parts if part.end() <= place), default=0)
    last = min((part.start() for part in parts if part.start() > place), default=len(text))
    ending = HARD.search(text, first)
    piece, more = text[first:last], text[first : ending.start() if ending else None]
    offered = {key: _offer(units[0]) for key, units in names.called.items()}
    near = nearest(piece.replace(".", ""), offered) or nearest(more.replace(".", ""), offered)
    typed = told[first:last] if len(told) == len(text) else piece
    return UnreadableError(_("“%(name)s” is not a unit.") % {"name": shown(typed)} + near)


def _once(things: Iterable[Thing]) -> list[Thing]:
    """Each thing once, in its order; a unit that is not saved yet has no hash."""
    once: list[Thing] = []
    for thing in things:
        if thing not in once:
            once.append(thing)
    return once


def _key(name: str) -> str:
    return thai.search_key(name).replace(".", "")


def _exactly(name: str) -> str:
    """A pattern of a name as it is written, more or fewer spaces between its words, its dots left out or not."""
    words = ("".join(r"\.?" if sign == "." else re.escape(sign) for sign in word) for word in thai.fold(name).split())
    return r"\s*".join(words)


def _offer(unit: Unit) -> str:
    return unit.abbreviation if unit.is_active else _("%(unit)s (no longer active)") % {"unit": unit}
