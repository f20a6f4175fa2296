"""The schema of the database as JSON; `python -m tests.schema` prints that of the configured database."""

import json
import re
from typing import Any

import django
from django.db import connection


def schema() -> dict[str, Any]:
    """Return the columns (name, type, null), constraints and indexes of every table."""
    from tests.snapshot import tables

    read = of_sqlite if connection.vendor == "sqlite" else of_postgresql
    with connection.cursor() as cursor:
        return {table: [sorted(part) for part in read(cursor, table)] for table in tables()}


def of_sqlite(cursor: Any, table: str) -> tuple[list[Any], ...]:
    """Read SQLite's own tables, because Django's introspection fails on some check constraints."""
    cursor.execute(f"PRAGMA table_info({connection.ops.quote_name(table)})")
    columns = [[name, kind, not not_null] for _place, name, kind, not_null, *_rest in cursor.fetchall()]
    cursor.execute(f"PRAGMA foreign_key_list({connection.ops.quote_name(table)})")
    keys = [[column, other] for _key, _place, other, column, *_rest in cursor.fetchall()]
    cursor.execute("SELECT type, name, sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [table])
    rows = cursor.fetchall()
    names = [name for kind, name, _sql in rows if kind == "index"]
    return columns, keys, names + [name for *_which, sql in rows for name in re.findall(r'CONSTRAINT "(\w+)"', sql)]


def of_postgresql(cursor: Any, table: str) -> tuple[list[Any], ...]:
    """Read them with Django's introspection."""
    columns = connection.introspection.get_table_description(cursor, table)
    constraints = connection.introspection.get_constraints(cursor, table)
    return (
        [[each.name, each.type_code, each.null_ok] for each in columns],
        [
            [
                name,
                sorted(map(str, each["columns"] or ())),
                each["unique"],
                each["check"],
                [*(each["foreign_key"] or ())],
            ]
            for name, each in constraints.items()
        ],
    )


if __name__ == "__main__":
    django.setup()
    print(json.dumps(schema()))  # noqa: T201 - read by tests/test_migrations.py
