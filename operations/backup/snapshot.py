"""A connection that sees the database as it was at one moment, while others write."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, connections, transaction

ALIAS = "snapshot"


@contextmanager
def open_snapshot() -> Iterator[str]:
    """Open a second connection in one read-only transaction and yield its alias; writers neither wait nor are seen.

    In SQLite's WAL mode and PostgreSQL's REPEATABLE READ a transaction reads the state at its first query. That is as
    consistent as SQLite's backup API, without a second copy of the file.
    """
    wanted = dict(connection.settings_dict)
    if connection.vendor == "sqlite":
        # IMMEDIATE, as the site's transactions are, would take the write lock.
        wanted["OPTIONS"] = wanted["OPTIONS"] | {"transaction_mode": "DEFERRED"}
        begin = "SELECT count(*) FROM sqlite_master"
    else:
        begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    connections.databases[ALIAS] = wanted
    try:
        with transaction.atomic(using=ALIAS):
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(begin)
            yield ALIAS
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.databases[ALIAS]
