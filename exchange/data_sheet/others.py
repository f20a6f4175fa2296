"""What others changed of an action since a row about it was exported: each column, by whom and when."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from assignments.models import Assignment
from exchange.data_sheet.columns import FIELD_OF_COLUMN, ROLE_OF_COLUMN, WORDS, ActionColumn, ActionSheet
from exchange.findings import CellChange
from plan.models import ActionItem, ProgressUpdate
from pmqa_tracker import thai

Exported = tuple[ActionItem, int, Mapping[str, Any] | None]


class Author(TypedDict):
    """Who wrote a value, and when, in words; and the pk of that user."""

    by: str
    by_id: int | None


@dataclass(frozen=True, kw_only=True)
class OtherChanges:
    """What others made of one action.

    Attributes:
        cells: column → as exported, as it is now, by whom; words that were reported since count.
        words: column → the words of each kind reported last, at any time.
        authors: column → who wrote what is on the site, and when, as far as it is known.
    """

    cells: dict[str, CellChange] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    authors: dict[str, Author] = field(default_factory=dict)


def read_other_changes(columns: ActionSheet, rows: Sequence[Exported]) -> dict[int, OtherChanges]:
    """Action pk → what others changed, in a fixed number of queries.

    Args:
        columns: of the data sheet.
        rows: action (`with_details()`), the version that was exported, and what it held then by column; None where
            the file no longer says so: then what has an author since counts as changed.
    """
    pks = [action.pk for action, _seen, _exported in rows]
    if not pks:
        return {}
    edits, parts, updates = _read_edits(pks), _read_parts(pks), _read_updates(pks)
    found = {}
    for action, seen, exported in rows:
        authors = {name: by for name, (version, by) in edits[action.pk].items() if exported or version > seen}
        authors |= {name: by for (pk, name), by in parts.items() if pk == action.pk}
        others = OtherChanges(authors=authors)
        since = set()
        for update in updates[action.pk]:
            by = _by(update.author, update.at)
            told = {name: text for name in WORDS if (text := getattr(update, name))}
            others.words.update(told)
            authors.update(dict.fromkeys(told, by))
            moved = ("status", "progress") if update.changes_status and (exported or update.version > seen) else ()
            authors.update(dict.fromkeys(moved, by))
            since |= set(told) if update.version > seen else set()
        stored = columns.stored(action)
        for name, column in columns.columns.items():
            before = column.words(exported[name]) if exported and name in exported else ""
            if name in since:
                after = others.words[name]
            elif name in stored and (_differs(column, exported[name], stored[name]) if exported else name in authors):
                after = column.words(stored[name])
            else:
                continue
            by = authors.get(name, {})
            others.cells[name] = CellChange(heading=column.heading, before=before, after=after, **by)
        found[action.pk] = others
    return found


def _differs(column: ActionColumn, one: Any, other: Any) -> bool:
    return column.widget.key(one) != column.widget.key(other)


def _read_edits(pks: Iterable[int]) -> dict[int, dict[str, tuple[int, Author]]]:
    """Action pk → column → the version that last changed it on the site, and by whom."""
    edits: dict[int, dict[str, tuple[int, Author]]] = defaultdict(dict)
    entries = ActionItem.history.filter(id__in=pks).order_by("history_id").select_related("history_user")
    held: dict[int, dict[str, Any]] = {}
    for entry in entries.prefetch_related("historicalactionitem_requirements_set"):
        holds = {
            name: getattr(entry, ActionItem._meta.get_field(attribute).attname)
            for name, attribute in FIELD_OF_COLUMN.items()
        }
        holds["levels"] = {each.requirement_id for each in entry.historicalactionitem_requirements_set.all()}
        before = held.get(entry.id)
        for name in holds if before else ():
            if holds[name] != before[name]:
                edits[entry.id][name] = entry.version, _by(entry.history_user, entry.history_date)
        held[entry.id] = holds
    return edits


def _read_parts(pks: Iterable[int]) -> dict[tuple[int, str], Author]:
    """(action pk, "lead" or "support") → who last changed these units, and when."""
    columns = {role: name for name, role in ROLE_OF_COLUMN.items()}
    entries = Assignment.history.filter(action_id__in=pks).order_by("history_id").select_related("history_user")
    return {(each.action_id, columns[each.role]): _by(each.history_user, each.history_date) for each in entries}


def _read_updates(pks: Iterable[int]) -> dict[int, list[ProgressUpdate]]:
    """Action pk → its updates that count, oldest first."""
    updates: dict[int, list[ProgressUpdate]] = defaultdict(list)
    rows = ProgressUpdate.objects.without_undone().filter(action__in=pks).order_by("version").select_related("author")
    for update in rows:
        updates[update.action_id].append(update)
    return updates


def _by(user: Any, at: datetime) -> Author:
    words = _("%(who)s, %(when)s") % {"who": user or _("The system"), "when": thai.format_datetime(at)}
    return Author(by=words, by_id=user.pk if user else None)
