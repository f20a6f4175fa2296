"""Constraints of the models: the message of a violated one, and the check of a record's conditions without a query."""

import operator
import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.append_only_triggers import APPEND_ONLY

UNIQUE = "unique"  # error code of a violated unique constraint
UNIQUE_VIOLATION = "23505"  # SQLSTATE of PostgreSQL
REFUSAL = _("This entry belongs to a log that is only ever added to. Nothing was changed; record a new entry instead.")


# Lookups that the conditions of check constraints use.
LOOKUPS: dict[str, Callable[[Any, Any], bool]] = {
    "exact": operator.eq, "lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge,
    "contains": operator.contains, "in": lambda value, values: value in values,
    "range": lambda value, ends: ends[0] <= value <= ends[1],
}  # fmt: skip


Test = Callable[[models.Model], bool | None]


class Refusal(NamedTuple):
    """The violated constraint, as the database describes it.

    Attributes:
        name: name of the constraint; "" if SQLite gives only the columns.
        columns: "table.column" of each column of a unique constraint.
    """

    name: str = ""
    columns: frozenset[str] = frozenset()


def explain_violation(error: IntegrityError) -> ValidationError | None:
    """Return the message of the violated constraint, without a query.

    Returns:
        The constraint's `violation_error_message`, or Django's message if a unique constraint has none of its own. The
        error code is `UNIQUE` for every unique constraint or field, `APPEND_ONLY` for a row that is kept for good.
        None for violations that no model constraint describes: foreign keys, NULL, a column's type.
    """
    refusal = read_refusal(error)
    if refusal.name.startswith(f"{APPEND_ONLY}_"):
        return ValidationError(REFUSAL, code=APPEND_ONLY)
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            fields = tuple(getattr(constraint, "fields", ()))
            if constraint.name == refusal.name or _holds(model, fields, refusal):
                if fields and constraint.violation_error_message == constraint.default_violation_error_message:
                    return _taken(model, fields)
                code = UNIQUE if isinstance(constraint, models.UniqueConstraint) else constraint.violation_error_code
                return ValidationError(constraint.get_violation_error_message(), code=code)
        for field in model._meta.local_fields:
            if field.unique and _holds(model, (field.name,), refusal):
                return _taken(model, (field.name,))
    return None


def read_refusal(error: IntegrityError) -> Refusal:
    """Read the driver's error: PostgreSQL names each constraint; SQLite names the columns of most unique ones."""
    if diagnosis := getattr(error.__cause__, "diag", None):
        found = re.search(r"\(([^=]*)\)=\(", diagnosis.message_detail or "")
        names = found[1].split(", ") if found and diagnosis.sqlstate == UNIQUE_VIOLATION else ()
        return Refusal(diagnosis.constraint_name or "", frozenset(f"{diagnosis.table_name}.{name}" for name in names))
    kind, _colon, rest = str(error).partition(" constraint failed: ")
    if kind == "UNIQUE" and not rest.startswith("index "):
        return Refusal(columns=frozenset(rest.split(", ")))
    return Refusal(name=rest.removeprefix("index ").strip("'"))


def _holds(model: type[models.Model], names: tuple[str, ...], refusal: Refusal) -> bool:
    """Return whether the violated unique constraint is on the fields with these names."""
    table = model._meta.db_table
    return bool(names) and refusal.columns == {f"{table}.{model._meta.get_field(name).column}" for name in names}


def _taken(model: type[models.Model], names: tuple[str, ...]) -> ValidationError:
    """Return Django's message for values that another row already has."""
    error = model().unique_error_message(model, names)
    error.code = UNIQUE
    return error


def violation_message(model: type[models.Model], name: str) -> str:
    """Return the message of a constraint of a model."""
    return next(each for each in model._meta.constraints if each.name == name).get_violation_error_message()


def check_constraints(record: models.Model, exclude: Collection[str] = ()) -> None:
    """Check the check constraints of a record as the database does, without a query.

    Raises:
        ValidationError: the message of the first violated constraint.
    """
    for constraint, fields, is_met in conditions_of(type(record)):
        if is_met(record) is False and fields.isdisjoint(exclude):
            raise ValidationError(constraint.get_violation_error_message(), code=constraint.violation_error_code)


@cache
def conditions_of(model: type[models.Model]) -> list[tuple[models.CheckConstraint, frozenset[str], Test]]:
    """The check constraints of a model, each with its fields and its condition as a function of a record."""
    checks = [each for each in model._meta.constraints if isinstance(each, models.CheckConstraint)]
    return [(each, frozenset(_fields_of(each.condition)), _test_of(each.condition, model)) for each in checks]


def _fields_of(condition: Q) -> Iterator[str]:
    for each in condition.children:
        if isinstance(each, Q):
            yield from _fields_of(each)
        else:
            yield each[0].partition("__")[0]


def _test_of(condition: Q, model: type[models.Model]) -> Test:
    """A function that says whether a record meets a condition; None if a NULL makes it unknown, as in SQL."""
    tests = [
        _test_of(each, model) if isinstance(each, Q) else _test_of_lookup(*each, model) for each in condition.children
    ]
    decisive = condition.connector == Q.OR  # one such answer decides

    def is_met(record: models.Model) -> bool | None:
        answer: bool | None = not decisive
        for test in tests:
            found = test(record)
            if found is decisive:
                answer = decisive
                break
            if found is None:
                answer = None
        return answer if answer is None or not condition.negated else not answer

    return is_met


def _test_of_lookup(name: str, wanted: Any, model: type[models.Model]) -> Test:
    field, _sign, lookup = name.partition("__")
    value_of = operator.attrgetter(model._meta.get_field(field).attname)
    if lookup == "isnull":
        return lambda record: (value_of(record) is None) is wanted
    compare = LOOKUPS[lookup or "exact"]
    other = operator.attrgetter(model._meta.get_field(wanted.name).attname) if isinstance(wanted, F) else None

    def is_met(record: models.Model) -> bool | None:
        value, limit = value_of(record), other(record) if other else wanted
        return None if value is None or limit is None else compare(value, limit)

    return is_met
