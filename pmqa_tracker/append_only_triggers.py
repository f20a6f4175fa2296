"""Triggers by which the database itself refuses to change or delete the rows of append-only tables.

`manage.py migrate` adds those that are missing after all migrations, not in one of them: SQLite rebuilds a table that a
later migration alters, and drops its triggers with it.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connections
from django.db.models import Model

from pmqa_tracker.transactions import write_transaction

APPEND_ONLY = "append_only"  # error code, and start of the name by which the database refuses a change
SQLITE_EXISTING = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'append_only_%'"
POSTGRESQL_EXISTING = (
    "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
    "WHERE tgname LIKE 'append_only_%' AND tgenabled IN ('O', 'A') AND pg_table_is_visible(pg_class.oid)"
)


class Trigger(NamedTuple):
    """A trigger: its name ends with a digest of what it does, so another release replaces it."""

    name: str
    table: str
    statements: tuple[str, ...]


def append_only_models() -> list[type[Model]]:
    """Return the models of all append-only tables: the subclasses of `pmqa_tracker.append_only.KeptForGood`."""
    return [model for model in apps.get_models(include_auto_created=True) if hasattr(model, "REMOVABLE_WHEN")]


def missing_triggers(connection: Any) -> list[Trigger]:
    """Return the triggers that the database lacks, or that somebody has turned off."""
    existing = _existing(connection)
    tables = set(connection.introspection.table_names())
    return [each for each in _wanted(connection) if each.table in tables and (each.name, each.table) not in existing]


def install(using: str = "default", **kwargs: Any) -> None:
    """Add the triggers that are missing and drop those of other releases; a handler of `post_migrate`."""
    connection = connections[using]
    missing = missing_triggers(connection)
    wanted = {(each.name, each.table) for each in _wanted(connection)}
    with write_transaction(), connection.cursor() as cursor:
        for name, table in sorted(_existing(connection) - wanted):
            cursor.execute(_drop(connection, name, table))
        for trigger in missing:
            cursor.execute(_drop(connection, trigger.name, trigger.table))  # it may be there, turned off
            for statement in trigger.statements:
                cursor.execute(statement)


def _existing(connection: Any) -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(SQLITE_EXISTING if connection.vendor == "sqlite" else POSTGRESQL_EXISTING)
        return set(cursor.fetchall())


def _drop(connection: Any, name: str, table: str) -> str:
    quote = connection.ops.quote_name
    return f"DROP TRIGGER IF EXISTS {quote(name)}" + ("" if connection.vendor == "sqlite" else f" ON {quote(table)}")


def _wanted(connection: Any) -> Iterator[Trigger]:
    write = _for_sqlite if connection.vendor == "sqlite" else _for_postgresql
    for model in append_only_models():
        yield from write(model._meta.db_table, model.REMOVABLE_WHEN.get(connection.vendor, ""))


def _name(table: str, sql: str) -> str:
    return f"append_only_{sha256(f'{table} {sql}'.encode()).hexdigest()[:16]}"


def _for_sqlite(table: str, removable_when: str) -> Iterator[Trigger]:
    """Yield a trigger for UPDATE and one for DELETE; their message looks like that of a violated constraint."""
    refuse = f"SELECT RAISE(ABORT, 'TRIGGER constraint failed: {APPEND_ONLY}_{table}')"
    for event, condition in (("UPDATE", ""), ("DELETE", removable_when)):
        body = f'BEFORE {event} ON "{table}" BEGIN {refuse}{f" WHERE NOT ({condition})" if condition else ""}; END'
        name = _name(table, body)
        yield Trigger(name, table, (f"CREATE TRIGGER {name} {body}",))


def _for_postgresql(table: str, removable_when: str) -> Iterator[Trigger]:
    """Yield a trigger for UPDATE and DELETE of a row, and one for TRUNCATE."""
    leave = f"IF TG_OP = 'DELETE' THEN IF {removable_when} THEN RETURN OLD; END IF; END IF; " if removable_when else ""
    refuse = (
        f"RAISE EXCEPTION 'The rows of {table} are only ever added.' "
        f"USING ERRCODE = 'restrict_violation', CONSTRAINT = '{APPEND_ONLY}_{table}', TABLE = '{table}';"
    )
    body = f"RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {leave}{refuse} END $$"
    name = _name(table, body)
    yield Trigger(
        name,
        table,
        (
            f"CREATE OR REPLACE FUNCTION {name}() {body}",
            f'CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW EXECUTE FUNCTION {name}()',
        ),
    )
    yield Trigger(
        f"{name}_all",
        table,
        (f'CREATE TRIGGER {name}_all BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT EXECUTE FUNCTION {name}()',),
    )
