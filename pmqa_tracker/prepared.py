"""Queries that are compiled once and run many times.

Django builds and compiles a statement anew each time, which takes ten times as long as its answer by the database. The
statements that every page needs, and those of the figures, have one form for many values; each process keeps them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from copy import copy
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet, Value
from django.db.models.query import ModelIterable

MOST_KEPT = 200  # statements of a process

_kept: OrderedDict[Hashable, "_Statement"] = OrderedDict()  # the last used one at the end
_lock = threading.Lock()


class Given(Value):
    """A value of a prepared query that `read_prepared` is given: `filter(pk=Given("user", BigAutoField()))`."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Leave a place for the value."""
        return "%s", [self]

    def bind(self, values: dict[str, Any], connection: Any) -> Any:
        """Return the value for the driver."""
        return self.output_field.get_db_prep_value(values[self.value], connection=connection)


def read_prepared(key: Hashable, build: Callable[[], QuerySet[Any]], **values: Any) -> list[Any]:
    """Return the rows of a query, read anew from the database: objects, or tuples after `values_list`.

    Args:
        key: names everything that the statement and its parameters depend on, except `values`.
        build: returns the query; called only if the process does not know the key.
        values: the values of each `Given` of the query.
    """
    with _lock:
        kept = _kept.get(key)
        if kept is not None:
            _kept.move_to_end(key)
    if kept is None:
        try:
            kept = _Statement(build())
        except EmptyResultSet:
            return []
        with _lock:
            _kept[key] = kept
            if len(_kept) > MOST_KEPT:
                _kept.popitem(last=False)
    return kept.read(values)


class _Statement:
    """A compiled query.

    Raises:
        EmptyResultSet: the query can have no rows.
    """

    def __init__(self, rows: QuerySet[Any]) -> None:
        self.model, self.database = rows.model, rows.db
        self.has_objects = rows._iterable_class is ModelIterable
        self.compiler = rows.query.get_compiler(rows.db)
        self.sql, self.parameters = self.compiler.as_sql()
        self.of_thread = threading.local()

    def read(self, values: dict[str, Any]) -> list[Any]:
        """Run it."""
        compiler = self._compiler()
        given = (
            each.bind(values, compiler.connection) if isinstance(each, Given) else each for each in self.parameters
        )
        statement = self.sql, tuple(given)
        compiler.as_sql = lambda *args, **kwargs: statement
        if self.has_objects:
            return list(ModelIterable(_Rows(self.model, self.database, compiler)))
        return list(compiler.results_iter(tuple_expected=True))

    def _compiler(self) -> Any:
        """Return the compiler for the connection of this thread, which finds out once how to convert each column."""
        connection = connections[self.database or DEFAULT_DB_ALIAS]
        compiler = getattr(self.of_thread, "compiler", None)
        if compiler is None or compiler.connection is not connection:
            compiler = self.of_thread.compiler = copy(self.compiler)
            compiler.connection = connection
            converters = compiler.get_converters([each[0] for each in compiler.select[: compiler.col_count]])
            compiler.get_converters = lambda columns: converters
        return compiler


class _Rows:
    """What `ModelIterable` needs of a queryset and of its query, to make objects of rows."""

    _known_related_objects: dict[Any, Any] = {}

    def __init__(self, model: Any, db: str, compiler: Any) -> None:
        self.model, self.db, self.query, self.compiler = model, db, self, compiler

    def get_compiler(self, *, using: str) -> Any:
        """Return the compiler that has compiled the query."""
        return self.compiler
