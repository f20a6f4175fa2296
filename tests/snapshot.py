"""Save all rows of a database and restore them, which is faster than creating them again."""

from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Max, Model

# Django fills these tables whenever it flushes a database, with other keys.
LEFT = {
    "django_migrations", "django_content_type", "auth_permission", "auth_group_permissions", "django_session",
    "accounts_session",
}  # fmt: skip


class Rows(NamedTuple):
    """Content of a database: (table, columns, rows) of each table, and the permissions of each group by name."""

    tables: list[tuple[str, list[str], list[tuple[Any, ...]]]]
    permissions: list[tuple[str, str, str, str]]


def models() -> list[type[Model]]:
    """Return all models, also those of libraries and of many-to-many relations."""
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def tables() -> list[str]:
    """Return the names of their tables."""
    names = dict.fromkeys(model._meta.db_table for model in models())
    return [name for name in names if name not in LEFT]


def take() -> Rows:
    """Return the rows of every table that has any."""
    taken = []
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables
            if rows := cursor.fetchall():
                taken.append((table, [column[0] for column in cursor.description], rows))
    by_name = "permissions__content_type__app_label", "permissions__content_type__model", "permissions__codename"
    return Rows(taken, [*Group.objects.exclude(permissions=None).values_list("name", *by_name)])


def put_back(taken: Rows) -> None:
    """Insert the rows into an empty database, with their keys."""
    quote = connection.ops.quote_name
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA defer_foreign_keys = ON")
        else:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        last_group = Group.objects.aggregate(last=Max("pk"))["last"] or 1
        Group.objects.all().delete()  # `migrate` and a flush add the roles, perhaps with other keys
        for table, columns, rows in taken.tables:
            names, slots = ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {quote(table)} ({names}) VALUES ({slots})", rows)  # noqa: S608 - likewise
        groups = {group.name: group for group in Group.objects.all()}
        given = Permission.objects.values_list("content_type__app_label", "content_type__model", "codename", "pk")
        keys = {(app, model, codename): pk for app, model, codename, pk in given}
        link = Group.permissions.through
        link.objects.bulk_create(
            link(group_id=groups[name].pk, permission_id=keys[app, model, codename])
            for name, app, model, codename in taken.permissions
        )
        # The rows have their keys already, so the sequences must continue after them.
        for statement in connection.ops.sequence_reset_sql(no_style(), models()):
            cursor.execute(statement)
        if connection.vendor == "postgresql":  # a rollback brings the roles back, but not the sequence of their keys
            cursor.execute("SELECT setval('auth_group_id_seq', greatest(%s, max(id))) FROM auth_group", [last_group])
