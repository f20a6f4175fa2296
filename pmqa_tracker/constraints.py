"""The message of a violated database constraint, as its model defines it."""

import re
from typing import NamedTuple

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models

UNIQUE = "unique"  # error code of a violated unique constraint
UNIQUE_VIOLATION = "23505"  # SQLSTATE of PostgreSQL


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
        error code is `UNIQUE` for every unique constraint or field. None for violations that no model constraint
        describes: foreign keys, NULL, a column's type.
    """
    refusal = read_refusal(error)
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
