"""What a row of the audit changed: the values before and after, for many rows of one source in few queries."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db.models import ForeignKey, ManyToManyField, Model, OuterRef, Subquery
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from simple_history.utils import get_m2m_reverse_field_name

from accounts.models import Purpose
from assignments.access import RoleGroup
from assignments.models import User
from assignments.people.record import ROLES, UNITS
from audit.models import Event
from operations.audit.sources import Source
from plan.models import Evidence, EvidenceWithdrawal, PlanStep, ProgressUpdate, RemovedUpdate
from pmqa_tracker.history import uneditable_fields
from pmqa_tracker.templatetags.thai import be_date

UPDATE_TEXTS = ("result", "problem", "next_step", "reason")


class Change(NamedTuple):
    """A changed value: its name, and the values before and after, "" for none."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Description:
    """What happened in a row: its kind for users, a remark, and the changed values."""

    kind: str
    what: str = ""
    changes: Sequence[Change] = field(default_factory=tuple)


def describe_rows(source: Source, keys: Sequence[int]) -> Mapping[int, Description]:
    """Return key → description of rows of a source."""
    if source.record is not None:
        return _describe_history(source, keys)
    rows = source.model._base_manager.filter(pk__in=keys)
    return {row.pk: _describe_log(source, row) for row in rows}


def _describe_log(source: Source, row: Any) -> Description:
    """Describe an entry of a log without a query."""
    if isinstance(row, Event):
        return _describe_event(row)
    changes: list[Change] = []
    if isinstance(row, ProgressUpdate):
        changes = [
            _change(row, "status_to", row.get_status_from_display(), row.get_status_to_display()),
            _change(row, "progress_to", f"{row.progress_from} %", f"{row.progress_to} %"),
            *(_change(row, name, "", getattr(row, name)) for name in UPDATE_TEXTS),
        ]
    elif isinstance(row, PlanStep):
        changes = [
            _change(row, "state_to", row.get_state_from_display(), row.get_state_to_display()),
            _change(row, "note", "", row.note),
        ]
    elif isinstance(row, Evidence):
        changes = [_change(row, name, "", getattr(row, name)) for name in ("title", "original_name", "link")]
    elif isinstance(row, (EvidenceWithdrawal, RemovedUpdate)):
        changes = [_change(row, "reason", "", row.reason)]
    else:
        changes = [_change(row, "state", "", row.get_state_display()), _change(row, "note", "", row.note)]
    return Description(kind=source.label, changes=[each for each in changes if each.before != each.after])


def _describe_event(event: Event) -> Description:
    """Describe an event; of a person, what changed."""
    if not event.changes:
        return Description(kind=event.get_kind_display(), what=_words_of(event))
    username = event.changes.get("username", ["", ""])
    done = _("added") if username[0] is None else _("removed") if username[1] is None else _("changed")
    changes = [
        Change(_name_of(name), *(_value_of_person(name, value) for value in pair))
        for name, pair in event.changes.items()
    ]
    return Description(
        kind=f"{event.get_kind_display()}: {done}",
        changes=[each for each in changes if each.before != each.after],
    )


def _words_of(event: Event) -> str:
    """Return the details of an event in the language of the page; they are stored in English, or as a name."""
    if event.kind == Event.Kind.LOCKED:
        return str(dict(Purpose.choices).get(event.details, event.details))
    is_words = event.kind in (Event.Kind.SECOND_FACTOR, Event.Kind.INVITATION)
    return _(event.details) if is_words and event.details else event.details


def _name_of(name: str) -> str:
    """Return the heading of a field of a person; units and roles are none of the account itself."""
    headings = {UNITS: _("units"), ROLES: _("roles")}
    return str(capfirst(headings.get(name) or User._meta.get_field(name).verbose_name))


def _value_of_person(name: str, value: Any) -> str:
    if isinstance(value, list):
        labels = dict(RoleGroup.choices) if name == ROLES else {}
        return ", ".join(str(labels.get(each, each)) for each in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value or ""


def _change(row: Model, name: str, before: Any, after: Any) -> Change:
    return Change(str(capfirst(row._meta.get_field(name).verbose_name)), str(before), str(after))


def _describe_history(source: Source, keys: Sequence[int]) -> Mapping[int, Description]:
    """Describe entries of a history: compare each with the entry before it, in a fixed number of queries."""
    model: Any = source.model
    earlier = model.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    entries = list(model.objects.filter(pk__in=keys).annotate(before=Subquery(earlier.values("pk")[:1])))
    before = model.objects.in_bulk({entry.before for entry in entries} - {None})
    hidden = {*uneditable_fields(source.record), "id"}
    fields = [each for each in model.tracked_fields if each.name not in hidden]
    parts = _read_parts(model, {*before, *(entry.pk for entry in entries)})
    pairs = {
        entry.pk: [
            *(
                (each, getattr(before.get(entry.before), each.attname, None), getattr(entry, each.attname))
                for each in fields
            ),
            *((each, found.get(entry.before, ()), found.get(entry.pk, ())) for each, found in parts.items()),
        ]
        for entry in entries
    }
    names = _names_of_related(pair for found in pairs.values() for pair in found)
    kinds = {"+": _("added"), "~": _("changed"), "-": _("removed")}
    described = {}
    for entry in entries:
        changes = [
            Change(str(capfirst(each.verbose_name)), _readable(each, old, names), _readable(each, new, names))
            for each, old, new in pairs[entry.pk]
            if old != new and entry.history_type != "-"
        ]
        described[entry.pk] = Description(
            kind=f"{source.label}: {kinds[entry.history_type]}",
            what=entry.history_change_reason or "",
            changes=[each for each in changes if each.before != each.after],
        )
    return described


def _read_parts(model: Any, keys: Collection[int]) -> Mapping[ManyToManyField, Mapping[int, tuple[int, ...]]]:
    """Return many-to-many field → key of an entry → keys of its parts, with one query for each field."""
    parts: dict[ManyToManyField, dict[int, tuple[int, ...]]] = {}
    for each in model._history_m2m_fields:
        through = getattr(model, each.name).model
        found = defaultdict(list)
        rows = through.objects.filter(history__in=keys).order_by("pk")
        for entry, part in rows.values_list("history", get_m2m_reverse_field_name(each)):
            found[entry].append(part)
        parts[each] = {entry: tuple(sorted(names)) for entry, names in found.items()}
    return parts


def _names_of_related(pairs: Any) -> Mapping[tuple[type[Model], int], str]:
    """Return (model, key) → name of the records that relations name, with one query for each model."""
    keys = defaultdict(set)
    for each, old, new in pairs:
        if old != new and each.related_model:
            found = {*old, *new} if isinstance(each, ManyToManyField) else {old, new}
            keys[each.related_model] |= found - {None}
    return {
        (model, pk): str(record)
        for model, found in keys.items()
        for pk, record in model._base_manager.select_related().in_bulk(found).items()
    }


def _readable(each: Any, value: Any, names: Mapping[tuple[type[Model], int], str]) -> str:
    """Return a value for people."""
    if value is None or value == "":
        return ""
    if isinstance(each, ManyToManyField):
        return ", ".join(names.get((each.related_model, part), f"#{part}") for part in value)
    if isinstance(each, ForeignKey):
        return names.get((each.related_model, value), f"#{value}")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, date):
        return be_date(value)
    return str(dict(each.flatchoices).get(value, value))
