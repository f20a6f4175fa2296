"""Turn a violated database constraint into the message that its model gives it."""

import re
from typing import NamedTuple

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models

UNIQUE = "unique"  # the code of the error for a violated uniqueness
UNIQUE_VIOLATION = "23505"  # its SQLSTATE


class Refusal(NamedTuple):
    """The constraint that refused a row, as the database describes it.

    Attributes:
        name: the constraint's; "" where SQLite gives the columns alone.
        columns: "table.column" of each column of a uniqueness.
    """

    name: str = ""
    columns: frozenset[str] = frozenset()


def explain_violation(error: IntegrityError) -> ValidationError | None:
    """Return the message of the constraint that refused a row; no query is made.

    Returns:
        The constraint's `violation_error_message`, or Django's message where a uniqueness has none of its own; its code
        is `UNIQUE` for every uniqueness. None for what the models do not name: foreign keys, NULL, a column's type.
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
    """Read the driver's error: PostgreSQL names each constraint, SQLite names the columns of most unique ones."""
    if diagnosis := getattr(error.__cause__, "diag", None):
        found = re.search(r"\(([^=]*)\)=\(", diagnosis.message_detail or "")
        names = found[1].split(", ") if found and diagnosis.sqlstate == UNIQUE_VIOLATION else ()
        return Refusal(diagnosis.constraint_name or "", frozenset(f"{diagnosis.table_name}.{name}" for name in names))
    kind, _colon, rest = str(error).partition(" constraint failed: ")
    if kind == "UNIQUE" and not rest.startswith("index "):
        return Refusal(columns=frozenset(rest.split(", ")))
    return Refusal(name=rest.removeprefix("index ").strip("'"))


def _holds(model: type[models.Model], names: tuple[str, ...], refusal: Refusal) -> bool:
    """Whether the fields with these names are those of the refused uniqueness."""
    table = model._meta.db_table
    return bool(names) and refusal.columns == {f"{table}.{model._meta.get_field(name).column}" for name in names}


def _taken(model: type[models.Model], names: tuple[str, ...]) -> ValidationError:
    """Django's message for values that another row has."""
    error = model().unique_error_message(model, names)
    error.code = UNIQUE
    return error
