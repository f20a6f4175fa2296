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
from django.db import connections
from django.db.models import QuerySet, Value
from django.db.models.expressions import BaseExpression, Col
from django.db.models.sql.where import WhereNode

MOST_KEPT = 500  # statements of a process

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
    """Return the rows of a query, read anew from the database: what a list of the query has, with what it prefetches.

    An object does not know the one whose manager read it: of the rows of `plan.actions`, set `plan` where it is used.

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
        rows._known_related_objects, rows._hints = {}, {}  # type: ignore[attr-defined]  # they belong to one request
        self.rows = rows
        self.compiler = rows.query.get_compiler(rows.db)
        self.sql, self.parameters = self.compiler.as_sql()
        self.compiler.connection = None  # of the thread that compiled it, which may end
        # From here on, only the statement and the kinds of its columns are needed: less than half of the memory.
        rows.query.where, rows.query.alias_map = WhereNode(), {}
        rows.query.annotations = dict.fromkeys(rows.query.annotations)
        self.compiler.where = self.compiler.having = self.compiler.qualify = None
        self.compiler.select = [(_kind(column), *rest) for column, *rest in self.compiler.select]
        self.of_thread = threading.local()

    def read(self, values: dict[str, Any]) -> list[Any]:
        """Run it."""
        compiler = self._compiler()
        database = compiler.connection
        given = [each.bind(values, database) if isinstance(each, Given) else each for each in self.parameters]
        statement = self.sql, tuple(given)
        compiler.as_sql = lambda *args, **kwargs: statement
        rows = self.rows.all()
        rows.query.get_compiler = lambda *args, **kwargs: compiler  # type: ignore[method-assign]
        return list(rows)

    def _compiler(self) -> Any:
        """Return the compiler for the connection of this thread, which finds out once how to convert each column."""
        connection = connections[self.rows.db]
        compiler = getattr(self.of_thread, "compiler", None)
        if compiler is None or compiler.connection is not connection:
            compiler = self.of_thread.compiler = copy(self.compiler)
            compiler.connection = connection
            converters = compiler.get_converters([each[0] for each in compiler.select[: compiler.col_count]])
            compiler.get_converters = lambda columns: converters
        return compiler


def _kind(column: Any) -> Any:
    """Return what a column of a compiled statement is, without the expression that computes it."""
    if isinstance(column, Col) or type(column).convert_value is not BaseExpression.convert_value:
        return column
    return Value(None, output_field=column.output_field)
