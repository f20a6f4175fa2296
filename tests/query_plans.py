"""Statements that read a whole table that grows with the use of the site, as the planner of the database says."""

import re
from collections.abc import Iterable

from django.apps import apps
from django.db import connection

from assignments.models import Assignment
from plan.models import Plan

LARGE = 20_000  # rows
ROOMS = ("plan", "submissions", "exchange", "worklist", "audit")
NAMED = re.compile(r'(?:FROM|JOIN) "(\w+)" (?!INNER|LEFT|CROSS|ON|WHERE|ORDER|GROUP|UNION|LIMIT|HAVING)"?(\w+)"?')
SELECT = re.compile(r"\(*SELECT\b")  # PostgreSQL writes the parts of a union in brackets


def growing_tables() -> set[str]:
    """Return the tables of actions, updates, schedules, evidence, histories, logs and events; plans are fewer."""
    models = [each for each in apps.get_models(include_auto_created=True) if each._meta.app_label in ROOMS]
    models += [each for each in apps.get_models() if each.__name__.startswith("Historical")]
    return {each._meta.db_table for each in [*models, Assignment]} - {Plan._meta.db_table}


def whole_reads(statements: Iterable[str], *, is_large: bool = False) -> dict[str, str]:
    """Return table → a statement that reads all of its rows, for tables that grow.

    SQLite plans without statistics, as if tables were large. PostgreSQL is asked to read a whole table only if it must.
    In a large database both know the numbers of rows, as on a site, and small tables do not count.
    """
    tables, found = growing_tables(), {}
    if is_large:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        tables = {table for table in tables if _rows(table) > LARGE}
    alike = {re.sub(r"'[^']*'|\d+", "0", sql): sql for sql in statements if SELECT.match(sql)}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in alike.values():
            aliases = {alias: table for table, alias in NAMED.findall(sql)}
            found |= {table: sql for name in _scanned(cursor, sql) if (table := aliases.get(name, name)) in tables}
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = on")
    return found


def _rows(table):
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - our own tables
        return cursor.fetchone()[0]


def _scanned(cursor, sql):
    if connection.vendor == "postgresql":
        cursor.execute(f"EXPLAIN {sql}")
        return re.findall(r"Seq Scan on (\w+)", "\n".join(line for (line,) in cursor.fetchall()))
    cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
    return [found[1] for *_ids, line in cursor.fetchall() if (found := re.match(r"SCAN (\w+)", line))]
