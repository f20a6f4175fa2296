"""Finds a query whose order is that of the database's own collation, which is not Thai everywhere."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import FieldError
from django.db.models import CharField, OrderBy, TextField
from django.db.models.functions import Collate

# Of the libraries' models the site lists only the roles.
OURS = ("pmqa_tracker", "criteria", "assignments", "plan")


def guarded(get_order_by: Callable[..., Any]) -> Callable[..., Any]:
    """`SQLCompiler.get_order_by` that fails on such an order."""

    @wraps(get_order_by)
    def inner(compiler: Any) -> Any:
        found = get_order_by(compiler)
        loose = [str(order) for order, _sql in found if is_loose(order)]
        assert not loose, f"in the order of the database's collation; use pmqa_tracker.database_text.by_thai: {loose}"
        return found

    return inner


def is_loose(order: OrderBy) -> bool:
    """Whether an order is by a text, and not in Thai order; a choice's code is no text."""
    source = getattr(order.expression, "source", order.expression)
    try:
        field = source.output_field
    except (AttributeError, FieldError):
        return False
    if isinstance(source, Collate) or not isinstance(field, (CharField, TextField)) or field.choices:
        return False
    model = getattr(field, "model", None)
    return model is None or model._meta.app_label in OURS or model._meta.label == "auth.Group"
