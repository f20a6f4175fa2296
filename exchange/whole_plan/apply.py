"""Write the new records of a whole-plan workbook with their history, in bulk."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model, OuterRef, QuerySet, Subquery, Value

from exchange.data_sheet.changes import ChangeNote
from exchange.run import ChangedMeanwhileError
from exchange.whole_plan.records import NewRecord
from pmqa_tracker.history import current_address
from pmqa_tracker.transactions import mark_changed

MAX_KEYS = 10_000  # in one statement; SQLite takes 32,766 values at most
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
        IntegrityError: a constraint refuses a record, because somebody else was first.
    """
    for batch in _batches(new):
        _add_batch(batch, note, at)
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
    for field in model._meta.local_many_to_many:
        through, source, target = field.remote_field.through, field.m2m_column_name(), field.m2m_reverse_name()
        through._base_manager.bulk_create(
            through(**{source: each.record.pk, target: other.pk}) for each in batch for other in each.many[field.name]
        )
    for start in range(0, len(records), MAX_KEYS):
        _add_history(model, [each.pk for each in records[start : start + MAX_KEYS]], note, at)


def _add_history(model: type[Model], keys: Sequence[int], note: ChangeNote, at: datetime) -> None:
    """Copy new records and their relations into the history, inside the database."""
    past = model.history.model
    entry = {"history_date": at, "history_type": "+", "history_change_reason": note.reason}
    entry |= {"history_user_id": note.user.pk if note.user else None, "address": current_address()}
    values = {name: Value(value, past._meta.get_field(name)) for name, value in entry.items()}
    names = {field.attname: field.attname for field in past.tracked_fields}
    _copy(model._base_manager.filter(pk__in=keys), past, names | values)
    for field in model._meta.local_many_to_many:
        through, source = field.remote_field.through, field.m2m_column_name()
        entries = past._base_manager.filter(**{model._meta.pk.name: OuterRef(source)})
        names = {each.attname: each.attname for each in through._meta.concrete_fields}
        _copy(
            through._base_manager.filter(**{f"{field.m2m_field_name()}__in": keys}),
            getattr(past, field.name).model,
            names | {"history_id": Subquery(entries.values("history_id"))},
        )


def _copy(rows: QuerySet, model: type[Model], values: Mapping[str, Any]) -> None:
    """Add the rows of a query to the table of a model; `values` maps its columns to names and values of the query."""
    sql, params = rows.order_by().values_list(*values.values()).query.sql_with_params()
    quote = connection.ops.quote_name
    columns = ", ".join(quote(model._meta.get_field(name).column) for name in values)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {sql}", params)
