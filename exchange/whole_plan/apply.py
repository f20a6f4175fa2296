"""Write the new records of a whole-plan workbook with their history, in bulk."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Model

from exchange.data_sheet.changes import ChangeNote
from exchange.run import ChangedMeanwhileError
from exchange.whole_plan.records import NewRecord
from pmqa_tracker.transactions import mark_changed

Versions = Mapping[type[Model], Mapping[int, int]]  # model → key → version


def read_versions(records: Iterable[Model]) -> Versions:
    """The versions of the stored records among these."""
    versions: dict[type[Model], dict[int, int]] = defaultdict(dict)
    for record in records:
        if not record._state.adding:
            versions[type(record)][record.pk] = record.version
    return versions


def check_versions(versions: Versions) -> None:
    """Check that nobody has changed records since they were read.

    Raises:
        ChangedMeanwhileError: somebody has.
    """
    for model, read in versions.items():
        stored = dict(model._base_manager.filter(pk__in=read).values_list("pk", "version"))
        if stored != read:
            raise ChangedMeanwhileError(model)


def add_records(new: Sequence[NewRecord], note: ChangeNote, at: datetime) -> list[dict[str, Any]]:
    """Add records with their relations and history, a few statements for each model. The caller opens the transaction.

    Returns:
        The data to undo each record that has a name.

    Raises:
        ChangedMeanwhileError: a constraint refuses a record, because somebody else was first.
    """
    try:
        for batch in _batches(new):
            _add_batch(batch, note, at)
    except IntegrityError as error:
        raise ChangedMeanwhileError(new) from error
    mark_changed(each.record for each in new)
    return [
        {"model": each.record._meta.label_lower, "pk": each.record.pk, "ref": each.name, "version": each.record.version}
        | ({"token": each.token} if each.token else {})
        for each in new
        if each.name
    ]


def _batches(new: Sequence[NewRecord]) -> Iterator[list[NewRecord]]:
    """The records of each model together; those that refer to others of their model come after these."""
    batches: dict[tuple[type[Model], bool], list[NewRecord]] = defaultdict(list)
    for each in new:
        model = type(each.record)
        own = [field for field in model._meta.concrete_fields if field.related_model is model]
        depends = any((value := getattr(each.record, field.name)) and value._state.adding for field in own)
        batches[model, depends].append(each)
    yield from batches.values()


def _add_batch(batch: Sequence[NewRecord], note: ChangeNote, at: datetime) -> None:
    """Add records of one model. Their keys and those of related new records were provisional until now."""
    model, records = type(batch[0].record), [each.record for each in batch]
    relations = [field for field in model._meta.concrete_fields if field.is_relation]
    for record in records:
        record.pk = None
        for field in relations:
            if field.is_cached(record):
                setattr(record, field.name, field.get_cached_value(record))
    model._base_manager.bulk_create(records)
    history = model.history.bulk_history_create(
        records, default_user=note.user, default_change_reason=note.reason, default_date=at
    )
    for field in model._meta.local_many_to_many:
        source, target = field.m2m_column_name(), field.m2m_reverse_name()
        past = getattr(model.history.model, field.name).model  # the relation in the history
        through = field.remote_field.through
        links = [
            (entry, through(**{source: each.record.pk, target: other.pk}))
            for each, entry in zip(batch, history, strict=True)
            for other in each.many[field.name]
        ]
        through._base_manager.bulk_create([link for _entry, link in links])
        past._base_manager.bulk_create(
            past(history=entry, **{each.attname: getattr(link, each.attname) for each in through._meta.concrete_fields})
            for entry, link in links
        )
