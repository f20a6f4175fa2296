"""Pass the triggers of append-only tables, as the flush after a test does, or somebody with the database's password."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import Model

from pmqa_tracker.append_only import KeptForGood
from pmqa_tracker.append_only_triggers import _drop, _existing, install


@contextmanager
def triggers_off(connection: Any = connection) -> Iterator[None]:
    """Run a block in which every row can be changed and deleted."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
        else:
            for name, table in _existing(connection):
                cursor.execute(_drop(connection, name, table))
    try:
        yield
    finally:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = origin")
        else:
            install(connection.alias)


def rewrite(record: Model, **values: Any) -> None:
    """Write values into a row, also of a log."""
    with triggers_off() if isinstance(record, KeptForGood) else nullcontext():
        type(record)._base_manager.filter(pk=record.pk).update(**values)


def let_flush_pass(patch: pytest.MonkeyPatch) -> None:
    """Let Django empty the database after a test with transactions.

    Without triggers PostgreSQL can delete the few rows of each table, which is faster than to truncate all tables.
    """
    execute = BaseDatabaseOperations.execute_sql_flush

    def flush(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        truncated = [table for sql in sql_list if sql.startswith("TRUNCATE") for table in re.findall(r'"\w+"', sql)]
        with triggers_off(self.connection):
            execute(self, [f"DELETE FROM {table}" for table in truncated] if truncated else sql_list)  # noqa: S608

    patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush)
