"""Recognise an action without a ref by its content, and a workbook by its cells."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from difflib import SequenceMatcher
from hashlib import sha256
from json import dumps
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from assignments.models import Unit
from criteria.models import Level
from exchange.data_sheet.columns import TEXT_COLUMNS
from plan.models import ActionItem, Plan, ProgressUpdate
from pmqa_tracker import thai
from spreadsheets.read import ReadWorkbook

ContentKey = tuple[str, tuple[int, ...], str, str]
MIN_SIMILARITY = 0.6  # from this ratio on, one text is probably a version of the other
COMPARED_CHARACTERS = 250  # characters of each text
RARE_PIECES = 30  # pieces of a text by which similar ones are found
MIN_SHARE = 0.4  # of pieces, so that a comparison is worth its time
MAX_SIMILAR = 3  # texts that are compared in full


def content_key(code: str, levels: Iterable[Level], number: str, text: str) -> ContentKey:
    """A key that rows about the same action share, whatever their spelling and spacing."""
    return code.casefold(), tuple(sorted(map(int, levels))), thai.search_key(number), thai.search_key(text)


class ActionsByContent:
    """Look up the actions of a plan by content. The actions are read `with_details()`."""

    def __init__(self, actions: Iterable[ActionItem]) -> None:
        self.by_key: dict[ContentKey, list[ActionItem]] = {}
        self.by_code: dict[str, list[ActionItem]] = {}
        self.texts: dict[str, TextIndex] = {}
        for action in actions:
            levels = [Level(each.level) for each in action.requirements.all()]
            key = content_key(action.criterion.code, levels, action.number, action.text)
            self.by_key.setdefault(key, []).append(action)
            self.by_code.setdefault(key[0], []).append(action)

    def find(self, key: ContentKey, *, taken: Collection[str] = ()) -> ActionItem | None:
        """The action with this content whose ref is not in `taken`."""
        return next((each for each in self.by_key.get(key, ()) if each.ref not in taken), None)

    def describe_nearest(self, code: str, text: str, *, taken: Collection[str] = ()) -> str:
        """Ref and text of the criterion's action with the most similar text; empty if none is similar."""
        code = code.casefold()
        if code not in self.by_code:
            return ""
        key = thai.search_key(text)[:COMPARED_CHARACTERS]
        if code not in self.texts:
            self.texts[code] = TextIndex(self.by_code[code])
        matcher = SequenceMatcher(b=key, autojunk=False)
        best, share = None, MIN_SIMILARITY
        for action, other in self.texts[code].find_similar(key, taken):
            matcher.set_seq1(other)
            if matcher.quick_ratio() >= share and (ratio := matcher.ratio()) >= share:
                best, share = action, ratio
        if best is None:
            return ""
        return _("%(ref)s “%(text)s”") % {"ref": best.ref, "text": Truncator(best.text).chars(90)}


class TextIndex:
    """Actions by the pieces of their texts, to compare a text with a few of them instead of all."""

    def __init__(self, actions: Iterable[ActionItem]) -> None:
        self.rows = [(action, thai.search_key(action.text)[:COMPARED_CHARACTERS]) for action in actions]
        self.places: dict[str, list[int]] = {}
        for place, (_action, key) in enumerate(self.rows):
            for piece in _pieces(key):
                self.places.setdefault(piece, []).append(place)

    def find_similar(self, key: str, taken: Collection[str]) -> list[tuple[ActionItem, str]]:
        """The actions, and keys of their texts, that share the most of the rare pieces of a text.

        Args:
            key: the `search_key` of the text.
            taken: refs of actions to leave out.
        """
        pieces = _pieces(key)
        shared = sorted((len(self.places[piece]), piece) for piece in pieces if piece in self.places)
        places = (place for _count, piece in shared[:RARE_PIECES] for place in self.places[piece])
        votes = Counter(place for place in places if self.rows[place][0].ref not in taken)
        rows = [self.rows[place] for place, _votes in votes.most_common(MAX_SIMILAR)]
        return [row for row in rows if _share(pieces, _pieces(row[1])) >= MIN_SHARE]


def _pieces(key: str) -> set[str]:
    """The pairs of characters that follow each other."""
    return {key[place : place + 2] for place in range(max(len(key) - 1, 1))}


def _share(one: set[str], other: set[str]) -> float:
    """The share of pieces that two texts have in common: 0 to 1."""
    return 2 * len(one & other) / (len(one) + len(other))


class ImportedReports:
    """The imported updates of a plan that are not undone, read in one query."""

    def __init__(self, plan: Plan) -> None:
        updates = ProgressUpdate.objects.without_undone().filter(action__plan=plan, source=ProgressUpdate.Source.IMPORT)
        self.by_text: dict[tuple[Any, ...], list[tuple[int, int | None]]] = {}
        for pk, version, unit, *texts in updates.values_list("action", "version", "unit", *TEXT_COLUMNS):
            self.by_text.setdefault((pk, *texts), []).append((version, unit))

    def contains(self, action: ActionItem, values: Mapping[str, Any], *, base_version: int, unit: Unit | None) -> bool:
        """Whether an import has already reported the texts of a row for its unit, after the row was exported.

        The same texts in an earlier update, or from another unit, do not count: the row is a new update then.

        Args:
            action: the action of the row.
            values: column → value of the row.
            base_version: version of the action at the export.
            unit: the unit of the row; None accepts updates of any unit.
        """
        found = self.by_text.get((action.pk, *(values.get(name) or "" for name in TEXT_COLUMNS)), ())
        return any(version > base_version and (unit is None or unit.pk == reporter) for version, reporter in found)


def content_digest(book: ReadWorkbook) -> str:
    """A hash that files with the same visible cells share, whichever program saved them."""
    sheets = [
        (sheet.name.strip(), _without_end([_without_end([_plain(cell.value) for cell in row]) for row in sheet.rows]))
        for sheet in book.sheets
        if not sheet.is_hidden
    ]
    return sha256(dumps(sheets, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, (int, float)):
        return f"{value:.15g}"
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        value = value.date()
    return "" if value is None else str(value).replace("\r\n", "\n").strip()


def _without_end(parts: list[Any]) -> list[Any]:
    """The parts without the empty ones at the end."""
    while parts and not parts[-1]:
        parts.pop()
    return parts
