"""Queries of values that are compiled once and run many times.

Django builds and compiles the statement of the state of a plan's actions anew on every page, which takes longer than
its answer by the database. The statement depends on the plan and the day only, so each thread keeps it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

MOST_KEPT = 40  # statements of each thread


class _Thread(threading.local):
    """The compiled queries of a thread, the last used one at the end; a compiler belongs to one connection."""

    def __init__(self) -> None:
        self.kept: OrderedDict[Hashable, tuple[QuerySet[Any], Any]] = OrderedDict()


_thread = _Thread()


def read_prepared(key: Hashable, build: Callable[[], QuerySet[Any]]) -> list[tuple[Any, ...]]:
    """Return the rows of a query, read anew from the database.

    Args:
        key: names everything that the statement and its parameters depend on.
        build: returns the query, with `values_list`; called only if the thread does not know the key.
    """
    kept = _thread.kept
    found = kept.pop(key, None)
    if found is None:
        found = _compile(build())
        if found is None:
            return []
    kept[key] = found
    if len(kept) > MOST_KEPT:
        kept.popitem(last=False)
    rows, compiler = found
    compiler.connection = connections[rows.db]
    return list(compiler.results_iter(tuple_expected=True))


def _compile(rows: QuerySet[Any]) -> tuple[QuerySet[Any], Any] | None:
    compiler = rows.query.get_compiler(rows.db)
    try:
        statement = compiler.as_sql()
    except EmptyResultSet:
        return None
    compiler.as_sql = lambda *args, **kwargs: statement
    return rows, compiler
