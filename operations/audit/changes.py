"""What a row of the audit changed: the values before and after, for many rows of one source in few queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db.models import ForeignKey, Model, OuterRef, Subquery
from django.utils.text import capfirst
from django.utils.translation import gettext as _

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
        return Description(kind=row.get_kind_display(), what=row.details)
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
    pairs = {
        entry.pk: [
            (each, getattr(before.get(entry.before), each.attname, None), getattr(entry, each.attname))
            for each in fields
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
        is_of_parts = entry.history_type == "~" and not changes
        what = " · ".join(filter(None, [_("its parts") if is_of_parts else "", entry.history_change_reason or ""]))
        kind = f"{source.label}: {kinds[entry.history_type]}"
        described[entry.pk] = Description(kind=kind, what=what, changes=[x for x in changes if x.before != x.after])
    return described


def _names_of_related(pairs: Any) -> Mapping[tuple[type[Model], int], str]:
    """Return (model, key) → name of the records that relations name, with one query for each model."""
    keys = defaultdict(set)
    for each, old, new in pairs:
        if isinstance(each, ForeignKey) and old != new:
            keys[each.related_model] |= {old, new} - {None}
    return {
        (model, pk): str(record)
        for model, found in keys.items()
        for pk, record in model._base_manager.select_related().in_bulk(found).items()
    }


def _readable(each: Any, value: Any, names: Mapping[tuple[type[Model], int], str]) -> str:
    """Return a value for people."""
    if value is None or value == "":
        return ""
    if isinstance(each, ForeignKey):
        return names.get((each.related_model, value), f"#{value}")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, date):
        return be_date(value)
    return str(dict(each.flatchoices).get(value, value))
