"""Finding what a row or a file is about where it names no ref: an action by its content, a file by its cells."""

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
from exchange.data_sheet.columns import WORDS
from plan.models import ActionItem, Plan, ProgressUpdate
from pmqa_tracker import thai
from spreadsheets.read import ReadWorkbook

ContentKey = tuple[str, tuple[int, ...], str, str]
ALIKE = 0.6  # share of a text from which another is likely a version of it
COMPARED = 400  # characters of a text


def content_key(code: str, levels: Iterable[Level], number: str, text: str) -> ContentKey:
    """What two rows about the same action share, however their words are spelled and spaced."""
    return code.casefold(), tuple(sorted(map(int, levels))), thai.search_key(number), thai.search_key(text)


class ActionsByContent:
    """The actions of a plan by what they say; they come with their details."""

    def __init__(self, actions: Collection[ActionItem]) -> None:
        self.by_key: dict[ContentKey, list[ActionItem]] = {}
        self.by_code: dict[str, list[ActionItem]] = {}
        for action in actions:
            levels = [Level(each.level) for each in action.requirements.all()]
            key = content_key(action.criterion.code, levels, action.number, action.text)
            self.by_key.setdefault(key, []).append(action)
            self.by_code.setdefault(key[0], []).append(action)

    def find(self, key: ContentKey, *, taken: Collection[str] = ()) -> ActionItem | None:
        """The action that says the same and whose ref is not among `taken`."""
        return next((each for each in self.by_key.get(key, ()) if each.ref not in taken), None)

    def describe_nearest(self, code: str, text: str, *, taken: Collection[str] = ()) -> str:
        """The ref and the text of the criterion's action that reads most like a text; "" where none does."""
        matcher = SequenceMatcher(b=thai.search_key(text)[:COMPARED], autojunk=False)
        best, share = None, ALIKE
        for action in self.by_code.get(code.casefold(), ()):
            matcher.set_seq1(thai.search_key(action.text)[:COMPARED])
            if action.ref not in taken and matcher.quick_ratio() >= share and (ratio := matcher.ratio()) >= share:
                best, share = action, ratio
        if best is None:
            return ""
        return _("%(ref)s “%(text)s”") % {"ref": best.ref, "text": Truncator(best.text).chars(90)}


class ImportedReports:
    """The reports that imports brought to a plan and that stand; read in one query."""

    def __init__(self, plan: Plan) -> None:
        updates = ProgressUpdate.objects.without_undone().filter(action__plan=plan, source=ProgressUpdate.Source.IMPORT)
        self.told: dict[tuple[Any, ...], list[tuple[int, int | None]]] = {}
        for pk, version, unit, *words in updates.values_list("action", "version", "unit", *WORDS):
            self.told.setdefault((pk, *words), []).append((version, unit))

    def contains(self, action: ActionItem, values: Mapping[str, Any], *, seen: int, unit: Unit | None) -> bool:
        """Whether an import has reported the words of a row, for the same unit, since the version it was exported with.

        The same words of an earlier report, or of another unit, are a report of their own.
        """
        told = self.told.get((action.pk, *(values.get(name) or "" for name in WORDS)), ())
        return any(version > seen and (unit is None or unit.pk == speaker) for version, speaker in told)


def mark_of_content(book: ReadWorkbook) -> str:
    """A mark that two files with the same visible cells share, whichever program saved them."""
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
    """The parts without empty ones at their end."""
    while parts and not parts[-1]:
        parts.pop()
    return parts
