"""Queries of values that are compiled once and run many times.

Django builds and compiles the statement of the state of a plan's actions anew on every page, which takes longer than
its answer by the database. The statement depends on the plan and the day only, so each process keeps it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from copy import copy
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

MOST_KEPT = 200  # statements of a process

_kept: OrderedDict[Hashable, Any] = OrderedDict()  # key → compiler, the last used one at the end
_lock = threading.Lock()


def read_prepared(key: Hashable, build: Callable[[], QuerySet[Any]]) -> list[tuple[Any, ...]]:
    """Return the rows of a query, read anew from the database.

    Args:
        key: names everything that the statement and its parameters depend on.
        build: returns the query, with `values_list`; called only if the process does not know the key.
    """
    with _lock:
        kept = _kept.get(key)
        if kept is not None:
            _kept.move_to_end(key)
    if kept is None:
        kept = _compile(build())
        if kept is None:
            return []
        with _lock:
            _kept[key] = kept
            if len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    compiler = copy(kept)
    compiler.connection = connections[kept.using or DEFAULT_DB_ALIAS]  # a connection belongs to one thread
    return list(compiler.results_iter(tuple_expected=True))


def _compile(rows: QuerySet[Any]) -> Any:
    """Return the compiler of a query, which has compiled it; None for a query that can have no rows."""
    compiler = rows.query.get_compiler(rows.db)
    try:
        statement = compiler.as_sql()
    except EmptyResultSet:
        return None
    compiler.as_sql = lambda *args, **kwargs: statement
    return compiler
