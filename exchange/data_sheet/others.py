"""Changes that other users made to an action after its row was exported: columns, authors and times."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from assignments.models import Assignment
from exchange.data_sheet.columns import FIELD_OF_COLUMN, ROLE_OF_COLUMN, TEXT_COLUMNS, ActionSheet
from exchange.findings import CellChange
from plan.models import ActionItem, ProgressUpdate
from pmqa_tracker import thai

Exported = tuple[ActionItem, int, Mapping[str, Any] | None]


class CellAuthor(TypedDict):
    """CellAuthor and time of a value as text, and the pk of the author."""

    by: str
    by_id: int | None


@dataclass(frozen=True, kw_only=True)
class OtherChanges:
    """Changes of other users to one action.

    Attributes:
        cells: column → value at the export, value now and its author; includes texts reported since.
        texts: column → the latest text reported at any time.
        authors: column → author of the value on the site, as far as known.
    """

    cells: dict[str, CellChange] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    authors: dict[str, CellAuthor] = field(default_factory=dict)


def read_other_changes(columns: ActionSheet, rows: Sequence[Exported]) -> dict[int, OtherChanges]:
    """Action pk → changes of other users, in a fixed number of queries.

    Args:
        columns: columns of the data sheet.
        rows: (action read `with_details()`, version at the export, column → value at the export). Without the
            exported values, every column that has an author since then counts as changed.
    """
    pks = [action.pk for action, _version, _exported in rows]
    if not pks:
        return {}
    edits, assignments, updates = _read_edit_authors(pks), _read_assignment_authors(pks), _read_updates(pks)
    found = {}
    for action, base_version, exported in rows:
        authors = {name: by for name, (version, by) in edits[action.pk].items() if exported or version > base_version}
        authors |= assignments[action.pk]
        others = OtherChanges(authors=authors)
        since = set()
        for update in updates[action.pk]:
            by = _by(update.author, update.at)
            is_newer = update.version > base_version
            texts = {name: text for name in TEXT_COLUMNS if (text := getattr(update, name))}
            others.texts.update(texts)
            authors.update(dict.fromkeys(texts, by))
            if update.changes_status and (exported or is_newer):
                authors.update(dict.fromkeys(("status", "progress"), by))
            if is_newer:
                since |= set(texts)
        stored = columns.stored(action)
        for name, column in columns.columns.items():
            before = column.display(exported[name]) if exported and name in exported else ""
            if name in since:
                after = others.texts[name]
            elif name in stored and (
                not columns.is_same(name, exported[name], stored[name]) if exported else name in authors
            ):
                after = column.display(stored[name])
            else:
                continue
            by = authors.get(name, {})
            others.cells[name] = CellChange(heading=column.heading, before=before, after=after, **by)
        found[action.pk] = others
    return found


def _read_edit_authors(pks: Iterable[int]) -> dict[int, dict[str, tuple[int, CellAuthor]]]:
    """Action pk → column → (version, author) of its last edit on the site."""
    edits: dict[int, dict[str, tuple[int, CellAuthor]]] = defaultdict(dict)
    entries = ActionItem.history.filter(id__in=pks).order_by("history_id").select_related("history_user")
    previous: dict[int, dict[str, Any]] = {}
    for entry in entries.prefetch_related("historicalactionitem_requirements_set"):
        values = {
            name: getattr(entry, ActionItem._meta.get_field(attribute).attname)
            for name, attribute in FIELD_OF_COLUMN.items()
        }
        values["levels"] = {each.requirement_id for each in entry.historicalactionitem_requirements_set.all()}
        before = previous.get(entry.id)
        for name in values if before else ():
            if values[name] != before[name]:
                edits[entry.id][name] = entry.version, _by(entry.history_user, entry.history_date)
        previous[entry.id] = values
    return edits


def _read_assignment_authors(pks: Iterable[int]) -> dict[int, dict[str, CellAuthor]]:
    """Action pk → "lead" or "support" → author of the last change to these units."""
    columns = {role: name for name, role in ROLE_OF_COLUMN.items()}
    entries = Assignment.history.filter(action_id__in=pks).order_by("history_id").select_related("history_user")
    authors: dict[int, dict[str, CellAuthor]] = defaultdict(dict)
    for each in entries:
        authors[each.action_id][columns[each.role]] = _by(each.history_user, each.history_date)
    return authors


def _read_updates(pks: Iterable[int]) -> dict[int, list[ProgressUpdate]]:
    """Action pk → its updates without undone ones, oldest first."""
    updates: dict[int, list[ProgressUpdate]] = defaultdict(list)
    rows = ProgressUpdate.objects.without_undone().filter(action__in=pks).order_by("version").select_related("author")
    for update in rows:
        updates[update.action_id].append(update)
    return updates


def _by(user: Any, at: datetime) -> CellAuthor:
    text = _("%(who)s, %(when)s") % {"who": user or _("The system"), "when": thai.format_datetime(at)}
    return CellAuthor(by=text, by_id=user.pk if user else None)
