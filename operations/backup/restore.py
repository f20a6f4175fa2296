"""Restore a backup: all of it in one transaction, or nothing.

Nobody else can write meanwhile, so the backup of the data that it replaces has everything that the site has
acknowledged, also if somebody forgot to stop the site.

The tables of the release that made the backup are made anew, filled, compared with the backup, and migrated to this
release, all in one transaction, which both databases allow. Until it commits, the old data stays as it is. Files of
evidence come first: they never replace one with the same content, and until rows name them nobody sees them.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from django.core.files import File
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _

from operations.backup import old_schema
from operations.backup.check import CheckedBackup
from operations.backup.keys import go_on_after
from operations.backup.manifest import LEFT_OUT, Table, present_models
from operations.backup.refusals import BackupError
from operations.backup.rows import insert_rows, write_rows
from plan.evidence import storage
from pmqa_tracker.append_only_triggers import missing_triggers
from pmqa_tracker.outage import Outage, find_outage
from pmqa_tracker.transactions import write_transaction

# `manage.py migrate` fills these tables itself, so they say nothing about whether the site was used.
FILLED_BY_MIGRATE = {
    "auth.Group", "auth.Group_permissions", "auth.Permission", "contenttypes.ContentType", "sites.Site", *LEFT_OUT,
}  # fmt: skip
LOCK_SECONDS = 60
LOCK_TRY_MILLISECONDS = 300

REFUSED_BY_DATABASE = _("The database refused “%(file)s” (%(reason)s). Nothing was changed; use another backup.")
DIFFERENT = _("“%(table)s” is not in the database as it is in “%(file)s”. Nothing was changed; use another backup.")
NOT_PROTECTED = _("The database does not protect its logs from changes. Nothing was changed; tell the developers.")
FILE_NOT_STORED = _("The file “%(name)s” could not be stored as it is in the backup. Nothing else was changed.")


def is_empty() -> bool:
    """Return whether the database has no data of users: it is new, or only `manage.py migrate` ran."""
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for model in present_models():
            if model._meta.label in FILLED_BY_MIGRATE or model._meta.db_table not in existing:
                continue
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(model._meta.db_table)} LIMIT 1")  # noqa: S608
            if cursor.fetchone():
                return False
    return True


def restore_files(backup: CheckedBackup) -> int:
    """Store the evidence files that the storage lacks or has in another state; return how many.

    Raises:
        BackupError: a file was not stored as it is in the backup.
        OSError: the storage failed.
    """
    added = 0
    for file in backup.manifest.files:
        if storage.digest_of_stored(file.name) == file.sha256:
            continue
        with backup.archive.open(file.member) as content:
            storage.put_back(file.name, File(content, name=file.name))
        if storage.digest_of_stored(file.name) != file.sha256:
            raise BackupError(FILE_NOT_STORED, name=file.name)
        added += 1
    return added


def restore_rows(backup: CheckedBackup, *, to_present: bool = True) -> None:
    """Replace everything in the database by the rows of a backup, in one transaction.

    Args:
        backup: a checked backup.
        to_present: whether to migrate to this release; otherwise the tables stay those of the backup's.

    Raises:
        BackupError: the rows do not fit together, or the database has not stored them as they are in the backup.
    """
    try:
        with closed_to_writers():
            old_schema.drop_tables()
            old_schema.create_tables(backup.manifest.migrations)
            for table in backup.manifest.tables:
                insert_rows(backup.model(table), connection, backup.rows(table))
            connection.check_constraints()  # PostgreSQL alters no table that waits for a check
            for table in backup.manifest.tables:
                _compare(backup, table)
            _continue_keys(backup, {table.model: backup.model(table) for table in backup.manifest.tables})
            if to_present:  # migrations add rows too
                old_schema.migrate_forward()
                connection.check_constraints()
                if missing_triggers(connection):
                    raise BackupError(NOT_PROTECTED)
                # SQLite forgets the keys of deleted rows when a migration makes a table anew.
                _continue_keys(backup, {model._meta.label: model for model in present_models()})
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise BackupError(REFUSED_BY_DATABASE, file=backup.name, reason=reason) from error


@contextmanager
def closed_to_writers() -> Iterator[None]:
    """Open the transaction of a restore; others only read, until it commits.

    Raises:
        DatabaseError: somebody writes for longer than `LOCK_SECONDS`.
    """
    with _foreign_keys_at_the_end(), write_transaction():  # on SQLite it locks the database
        if connection.vendor == "postgresql":
            _lock_tables()
        yield


def _lock_tables() -> None:
    """Lock all tables for writers; readers go on.

    A writer may hold one table and wait for another that is locked here already. So wait for a moment only, shorter
    than PostgreSQL takes to end a deadlock; then let all tables go, so that writers end, and begin again.
    """
    names = ", ".join(connection.ops.quote_name(name) for name in old_schema.tables())
    end = monotonic() + LOCK_SECONDS
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TRY_MILLISECONDS}ms'")
        while names:
            before = transaction.savepoint()
            try:
                cursor.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
                break
            except OperationalError as error:
                transaction.savepoint_rollback(before)
                if monotonic() > end or find_outage(error) is not Outage.BUSY:
                    raise
                sleep(random.uniform(0.05, 0.3))  # noqa: S311 - so that writers end
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")


@contextmanager
def _foreign_keys_at_the_end() -> Iterator[None]:
    """Let rows come in any order: SQLite checks no foreign key meanwhile, and migrations may alter its tables.

    PostgreSQL checks them at the end of a transaction anyway.
    """
    connection.disable_constraint_checking()
    try:
        yield
    finally:
        connection.enable_constraint_checking()


def _compare(backup: CheckedBackup, table: Table) -> None:
    """Read a table back and compare it with the backup."""
    written = write_rows(backup.model(table), connection.alias, lambda line: None)
    if (written.count, written.sha256) != (table.rows, table.sha256):
        raise BackupError(DIFFERENT, table=table.model, file=backup.name)


def _continue_keys(backup: CheckedBackup, models: dict[str, Any]) -> None:
    """Let new rows get keys after those of the backup; `models` are the tables of the database by label."""
    for table in backup.manifest.tables:
        if table.last_key and (model := models.get(table.model)):
            go_on_after(model, table.last_key, connection)
