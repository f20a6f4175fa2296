"""Find units by name, and parse a typed list of units such as "กพร., กองคลัง และ กน." """

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from django.utils.translation import gettext as _

from assignments.models import Unit, UnitQuerySet
from pmqa_tracker import thai
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import parse_name
from pmqa_tracker.parsing.errors import UnreadableError, quote
from pmqa_tracker.parsing.nearest import nearest_sentence

SEPARATOR = r"(?:[\s,/;·|&+、，\u200b-\u200d\ufeff-]|และ|ร่วมกับ|กับ|\band\b)"
SEPARATORS = re.compile(f"{SEPARATOR}+")
NAME_END = re.compile(rf"(?:\s?\.)+|(?={SEPARATOR}|\Z)")  # a name ends after its dot or before a separator
GAPS = re.compile(r"[\s.\u200b-\u200d\ufeff]+")
HARD_SEPARATOR = re.compile(r"[,;\n]")
JOINS = (", ", "; ", "\n")
MAX_UNITS_LENGTH = 2_000  # characters of a cell that names units
MAX_SPLITS = 50  # ways to split a cell that are compared
MAX_CANDIDATES = 5
# Words for the collective of all units, in an organization that has one called by one of them.
EVERY_UNIT = (
    "ทุกหน่วยงาน", "ทุกกลุ่ม", "ทุกหน่วย", "ทุกส่วนงาน", "ทุกกลุ่มงาน", "ทุกหน่วยงานในสังกัด", "ทุกหน่วยงานในกรม", "หน่วยงานทั้งหมด",
    "ทุกสำนัก/กอง", "ทุกกอง/สำนัก", "ทุกกอง/กลุ่ม", "ทุกสำนัก/กอง/กลุ่ม", "ทุกกอง/สำนัก/กลุ่ม", "every unit", "all units",
)  # fmt: skip

Split = list[tuple[str, Sequence[Unit]]]  # each name in the text, and the units it may mean
Steps = dict[int, list[tuple[int, Split]]]


@dataclass(frozen=True, slots=True)
class UnitNames:
    """Index of units by abbreviation, Thai name and English name; units may share a name. It makes no queries.

    A unit is also found by a name or abbreviation it had before, and the collective of all units by any of
    `EVERY_UNIT`, unless a unit has that name now.
    """

    by_spelling: dict[str, list[Unit]] = field(default_factory=dict)  # with spaces; both with and without dots
    by_key: dict[str, list[Unit]] = field(default_factory=dict)  # without spaces and dots

    @classmethod
    def of(cls, units: Iterable[Unit], former: Mapping[int, Collection[str]] | None = None) -> "UnitNames":
        """Index the names of these units, active or not.

        Args:
            former: pk → earlier names, from `former_names`.
        """
        units, names, also = list(units), cls(), cls()
        for unit in units:
            for name in _names_of(unit):
                names._add(name, unit)
            for name in (former or {}).get(unit.pk, ()):
                also._add(name, unit)
        every_key = set(map(thai.name_key, EVERY_UNIT))
        for unit in units:
            if any(thai.name_key(name) in every_key for name in _names_of(unit)):
                for name in EVERY_UNIT:
                    also._add(name, unit)
        names.by_spelling.update({**also.by_spelling, **names.by_spelling})
        names.by_key.update({**also.by_key, **names.by_key})
        return names

    def _add(self, name: str, unit: Unit) -> None:
        key, spelling = thai.name_key(name), _spelling(thai.fold(name))
        if not key:
            return
        for index, text in (
            (self.by_key, key),
            (self.by_spelling, spelling),
            (self.by_spelling, spelling.replace(".", "")),
        ):
            if unit not in index.setdefault(text, []):
                index[text].append(unit)

    def find(self, name: str) -> Sequence[Unit]:
        """Return the units of this name, whatever its spelling."""
        return _narrow(thai.fold(name), self.by_key.get(thai.name_key(name), ()))

    def format(self, units: Sequence[Unit]) -> str:
        """Return a text that `parse_units` reads back: abbreviations with commas, unless a name contains a comma."""
        texts = [join.join(unit.abbreviation for unit in units) for join in JOINS]
        texts += [join.join(unit.name_th for unit in units) for join in JOINS]
        return next((text for text in texts if _unambiguous(_split(text, self)) == list(units)), texts[0])


def former_names(units: Iterable[Unit]) -> dict[int, set[str]]:
    """Return pk → the names and abbreviations that these units have had, now or before; one query."""
    names: dict[int, set[str]] = {unit.pk: set() for unit in units if unit.pk}
    earlier = Unit.history.filter(id__in=names).order_by().values_list("id", "abbreviation", "name_th", "name_en")
    for pk, *texts in earlier.distinct() if names else ():
        names[pk].update(texts)
    return names


def find_unit_by_name(units: UnitQuerySet, name: str) -> Unit | None:
    """Return the unit with this abbreviation, or else the only one that has or had this name."""
    found = units.filter(abbreviation=name).first()
    if found is None and thai.name_key(name):
        alike = UnitNames.of(units, former_names(units)).find(name)
        found = alike[0] if len(alike) == 1 else None
    return found


def parse_units(cell: ReadCell, names: UnitNames) -> list[Unit]:
    """Return the units that a cell names, in its order, each once, active or not.

    Spaces, line breaks, commas, slashes, semicolons, "และ" and "กับ" separate names. The longest matching name wins, so
    a name may contain a separator. An abbreviation always means its own unit.

    Raises:
        UnreadableError: a part of the text is not a unit (the message suggests the nearest), or may mean several.
    """
    text = parse_name(cell)
    splits = _split(text, names)
    units = _unambiguous(splits)
    if units is not None:
        return units
    if not splits:
        raise _unknown(text, names)
    for written, sharing in splits[0]:
        if len(sharing) > 1:
            raise UnreadableError(
                _("“%(name)s” is the name of several units; write the abbreviation of the one you mean.")
                % {"name": quote(written)},
                (names.format([unit]) for unit in sharing[:MAX_CANDIDATES]),
            )
    readings = dict.fromkeys(names.format(units) for split in splits if (units := _meaning(split)))
    raise UnreadableError(
        _("“%(value)s” may mean several units; separate them with commas.") % {"value": quote(text)},
        list(readings)[:MAX_CANDIDATES],
    )


def _split(text: str, names: UnitNames) -> list[Split]:
    """Return the ways to split a text: one if exact spellings match, else all that match without spaces and dots."""
    if not text:
        return [[]]
    if len(text) > MAX_UNITS_LENGTH:
        return []
    folded = thai.fold(text)
    return _splits(_steps(folded, names.by_spelling, _spelling), len(folded))[:1] or _splits(
        _steps(folded, names.by_key, _without_gaps), len(folded)
    )


def _steps(text: str, names: Mapping[str, Sequence[Unit]], spell: Callable[[str], str]) -> Steps:
    """Find the names and separators that can follow each other from the start of a folded text.

    Args:
        names: spelling → units.
        spell: turns a part of the text into such a spelling.

    Returns:
        Position → the possible next positions, longest name first, each with the name in between. Only positions that
        are reached from the start are keys.
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
            steps[start] = [(start + len(piece), [(piece, _narrow(piece, units))]) for piece, units in reversed(named)]
        if separator := SEPARATORS.match(text, start):
            steps[start].append((separator.end(), []))
        for end, _found in steps[start]:
            steps.setdefault(end, [])
    return steps


def _splits(steps: Steps, length: int) -> list[Split]:
    """Return the ways to split a text of this length, longest names first."""
    ways: dict[int, list[Split]] = {length: [[]]}
    for start in sorted(steps.keys() - ways.keys(), reverse=True):
        found = ([*name, *rest] for end, name in steps[start] for rest in ways[end])
        ways[start] = list(islice(found, MAX_SPLITS))
    return ways[0]


def _meaning(split: Split) -> list[Unit] | None:
    """Return the units of a split, each once; None if a name is shared. By `id`: unsaved units have no hash."""
    is_shared = any(len(units) > 1 for _written, units in split)
    return None if is_shared else list({id(unit): unit for _written, (unit, *_more) in split}.values())


def _unambiguous(splits: Sequence[Split]) -> list[Unit] | None:
    """Return the units if all splits mean the same ones, otherwise None."""
    meanings = [_meaning(split) for split in splits]
    return meanings[0] if meanings and all(each == meanings[0] for each in meanings) else None


def _narrow(written: str, units: Sequence[Unit]) -> Sequence[Unit]:
    """Narrow units that share a name to the one with exactly this abbreviation; return all if there is none."""
    same = [unit for unit in units if thai.fold(unit.abbreviation).strip() == written.strip()]
    return same if len(same) == 1 else units


def _unknown(typed: str, names: UnitNames) -> UnreadableError:
    """Build the error for a text that is not a list of units: its first unknown part, and the nearest names."""
    if len(typed) > MAX_UNITS_LENGTH:
        return UnreadableError(_("The cell is too long to name units only; write their abbreviations."))
    text = thai.fold(typed)
    reached = max(_steps(text, names.by_key, _without_gaps))
    separators = list(SEPARATORS.finditer(text))
    first = max((each.end() for each in separators if each.end() <= reached), default=0)
    last = min((each.start() for each in separators if each.start() > reached), default=len(text))
    ending = HARD_SEPARATOR.search(text, first)
    piece, more = text[first:last], text[first : ending.start() if ending else None]
    offered = {key: _offer(units[0]) for key, units in names.by_key.items()}
    near = nearest_sentence(piece.replace(".", ""), offered) or nearest_sentence(more.replace(".", ""), offered)
    name = typed[first:last] if len(typed) == len(text) else piece
    return UnreadableError(_("“%(name)s” is not a unit.") % {"name": quote(name)} + near)


def _names_of(unit: Unit) -> tuple[str, str, str]:
    return unit.abbreviation, unit.name_th, unit.name_en


def _without_gaps(folded: str) -> str:
    return GAPS.sub("", folded)


def _spelling(folded: str) -> str:
    """Return a folded name with single spaces and no dots at the end."""
    return " ".join(folded.split()).rstrip(" .")


def _offer(unit: Unit) -> str:
    return unit.abbreviation if unit.is_active else _("%(unit)s (no longer active)") % {"unit": unit}
