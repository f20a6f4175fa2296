"""The last key that the database gave to a row of each table.

A restored table goes on after it. Otherwise a new row could get the key of a row that was deleted, and with it the
history of that row.
"""

from typing import Any

from django.db.models import AutoField, Model


def last_key(model: type[Model], connection: Any) -> int:
    """Return the last key given in the table of a model; 0 if none was, or its keys are not numbers in a row."""
    if not isinstance(model._meta.pk, AutoField):
        return 0
    table, column = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", [table])
        else:
            sequence = "pg_get_serial_sequence(%s, %s)::regclass"
            cursor.execute(f"SELECT pg_sequence_last_value({sequence})", [f'"{table}"', column])
        (key,) = cursor.fetchone()
    return key or 0


def go_on_after(model: type[Model], key: int, connection: Any) -> None:
    """Let the next row of a table get a key after `key`, and after the keys that the table has."""
    table, column, quote = model._meta.db_table, model._meta.pk.column, connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max({quote(column)}) FROM {quote(table)}")  # noqa: S608 - our own tables
        key = max(key, cursor.fetchone()[0] or 0)
        if not key:
            return
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [f'"{table}"', column, key])
        else:
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, key])
