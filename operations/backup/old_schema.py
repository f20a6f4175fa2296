"""The tables of an earlier release, made anew from its migrations, and the way from there to the present ones."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.apps.registry import Apps
from django.contrib.contenttypes.models import ContentType
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from operations.backup.manifest import applied_migrations

Migrations = Iterable[tuple[str, str]]


def unknown_migrations(migrations: Migrations) -> list[tuple[str, str]]:
    """Return those migrations that this release does not have."""
    known = MigrationLoader(None).disk_migrations
    return [migration for migration in migrations if migration not in known]


@lru_cache(maxsize=1)
def models_after(migrations: tuple[tuple[str, str], ...]) -> Apps:
    """Return the models as these migrations leave them."""
    loader = MigrationLoader(None)
    return loader.project_state(_last(loader, migrations)).apps


def tables() -> list[str]:
    """Return the names of all tables of the site, of whatever release; not those of other programs."""
    labels = {config.label for config in apps.get_app_configs()} | {app for app, _name in applied_migrations()}
    starts = tuple(f"{label}_" for label in [*labels, "django"])
    return [name for name in connection.introspection.table_names() if name.startswith(starts)]


def drop_tables() -> None:
    """Drop all tables of the site."""
    quoted = [connection.ops.quote_name(name) for name in tables()]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and quoted:
            cursor.execute(f"DROP TABLE {', '.join(quoted)} CASCADE")
        elif connection.vendor == "sqlite":
            for name in quoted:
                cursor.execute(f"DROP TABLE {name}")


def create_tables(migrations: Migrations) -> None:
    """Create the tables as these migrations leave them, without rows, in a database that has none of them."""
    executor = MigrationExecutor(connection)
    executor.migrate(_last(executor.loader, migrations))
    with connection.cursor() as cursor:
        for model in models_after(tuple(migrations)).get_models(include_auto_created=True):
            # A migration may have added rows; those of the backup replace them.
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608 - our own
        if connection.vendor == "postgresql":  # a column that is added with a foreign key leaves it IMMEDIATE
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def migrate_forward() -> None:
    """Run the migrations of this release that the database lacks, and what follows from every `migrate`."""
    if connection.vendor == "postgresql":
        # It alters no table whose rows wait for a check of their foreign keys, as each row waits that this transaction
        # has inserted and a migration changes.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    ContentType.objects.clear_cache()
    emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias, plan=[])


def _last(loader: MigrationLoader, migrations: Migrations) -> list[Any]:
    """Return those migrations that no other of them comes after."""
    given = set(migrations)
    needed = {parent.key for each in given for parent in loader.graph.node_map[each].parents}
    return sorted(given - needed)
