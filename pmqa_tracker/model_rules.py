"""Check a record of an import by the rules of its model; some of its values may be unknown."""

from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model

from pmqa_tracker.constraints import conditions_of


class BrokenRule(NamedTuple):
    """A rule that a record breaks.

    Attributes:
        field: the field with the wrong value; "" for a rule on several fields.
        message: its message.
        about: for a constraint, fields that it compares.
    """

    field: str
    message: str
    about: Collection[str] = ()


def broken_rules(record: Model, *, exclude: Collection[str] = ()) -> list[BrokenRule]:
    """Check a record without a query; one wrong value breaks only its own rule.

    The caller checks what needs other records: that related ones exist, and that values are unique. As in a form,
    `clean` has to bear that an excluded or wrong field is empty.

    Args:
        record: the record; its related records are in memory.
        exclude: fields that are not checked, because their value is not known.
    """
    found: list[BrokenRule] = []
    relations = _relations_of(type(record))
    wrong: dict[str, Any] = {}
    for check in (lambda: record.clean_fields(exclude=relations.union(exclude)), record.clean):
        try:
            check()
        except ValidationError as error:
            by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
            for name, messages in by_field.items():
                field = "" if name == NON_FIELD_ERRORS else name
                found += [BrokenRule(field, message) for message in dict.fromkeys(messages)]
                if field and name not in relations:
                    wrong[name] = getattr(record, name)
                    setattr(record, name, None)
    for name, value in wrong.items():
        setattr(record, name, value)
    unknown = {*exclude, *(rule.field for rule in found)}
    for constraint, fields, is_met in conditions_of(type(record)):
        if fields.isdisjoint(unknown) and is_met(record) is False:
            found.append(BrokenRule("", str(constraint.get_violation_error_message()), fields))
    return found


def check_without_query(record: Model) -> None:
    """Check a record as `full_clean` does, but for related records and unique values, which need a query.

    Raises:
        ValidationError: by field, the broken rules.
    """
    errors: dict[str, list[str]] = {}
    for rule in broken_rules(record):
        errors.setdefault(rule.field or NON_FIELD_ERRORS, []).append(rule.message)
    if errors:
        raise ValidationError(errors)


@cache
def _relations_of(model: type[Model]) -> frozenset[str]:
    """The names of the fields of a model that hold the key of another record."""
    return frozenset(field.name for field in model._meta.concrete_fields if field.is_relation)
