"""Insert many records fast: Django's `bulk_create` takes longer for its statements than the database for the rows."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model
from psycopg2.extras import execute_values

# Their values go into the database as they are.
PLAIN = {
    "AutoField", "BigAutoField", "BooleanField", "CharField", "IntegerField", "PositiveBigIntegerField",
    "PositiveIntegerField", "PositiveSmallIntegerField", "SlugField", "SmallIntegerField", "TextField",
}  # fmt: skip


def insert(model: type[Model], records: Iterable[Any]) -> list[Any]:
    """Insert unsaved records in one statement, and return them with their keys; no signal is sent.

    Relations are instances that have their keys, and the caller has the only open write transaction of SQLite.
    """
    added = list(records)
    fields = model._meta.local_concrete_fields
    for record, key in zip(added, _new_keys(model, len(added)), strict=True):
        if record.pk is None:
            record.pk = key
    readers = [_reader(field) for field in fields]
    rows = [[read(record) for read in readers] for record in added]
    if rows:
        _write(model, [field.column for field in fields], rows)
    for record in added:
        record._state.adding, record._state.db = False, DEFAULT_DB_ALIAS
    return added


def _new_keys(model: type[Model], count: int) -> Sequence[int]:
    """Return unused keys; the sequence of the table gives none of them to anybody else."""
    connection = connections[DEFAULT_DB_ALIAS]
    table, column = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = [f'"{table}"', column]
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)", [*sequence, count]
            )
            return [key for (key,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = (cursor.fetchone() or (0,))[0]
    return range(last + 1, last + 1 + count)


def _reader(field: Field[Any, Any]) -> Callable[[Model], Any]:
    """Return a function from a record to the value of a field for the database."""
    name, connection = field.attname, connections[DEFAULT_DB_ALIAS]
    if field.is_relation:
        return lambda record: _key_of(record, field)
    if field.get_internal_type() in PLAIN:
        return attrgetter(name)
    return lambda record: field.get_db_prep_save(field.pre_save(record, add=True), connection)


def _key_of(record: Model, field: Field[Any, Any]) -> Any:
    """Return the key of a related record, also if that was saved after the relation was set."""
    key = getattr(record, field.attname)
    if key is None and (related := record._state.fields_cache.get(field.name)) is not None:
        key = related.pk
        setattr(record, field.attname, key)
        record._state.fields_cache[field.name] = related  # setting the key alone forgets the record
    return key


def _write(model: type[Model], columns: list[str], rows: list[list[Any]]) -> None:
    connection = connections[DEFAULT_DB_ALIAS]
    quote = connection.ops.quote_name
    target = f"{quote(model._meta.db_table)} ({', '.join(map(quote, columns))})"
    statement = f"INSERT INTO {target} VALUES "  # noqa: S608 - names of our own tables
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors:
                execute_values(cursor.cursor, f"{statement}%s", rows, page_size=1000)
        else:
            cursor.executemany(f"{statement}({', '.join(['%s'] * len(columns))})", rows)
