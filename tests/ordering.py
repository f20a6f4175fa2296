"""Finds a query whose order is that of the database's own collation, which is not Thai everywhere."""

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from django.core.exceptions import FieldError
from django.db.models import CharField, OrderBy, TextField
from django.db.models.functions import Collate

from tests.rooms import ROOMS

ROOT = Path(__file__).resolve().parent.parent
# Of the libraries' models the site lists only the roles.
OURS = ROOMS


def guarded(get_order_by: Callable[..., Any]) -> Callable[..., Any]:
    """`SQLCompiler.get_order_by` that fails on such an order, unless a test asks for it itself."""

    @wraps(get_order_by)
    def inner(compiler: Any) -> Any:
        found = get_order_by(compiler)
        loose = [str(order) for order, _sql in found if is_loose(order)]
        assert not loose or is_of_a_test(), (
            f"in the order of the database's collation; use pmqa_tracker.database_text.by_thai: {loose}"
        )
        return found

    return inner


def is_of_a_test() -> bool:
    """Whether the nearest code of the project that asks is a test's."""
    files = (Path(frame.filename) for frame in reversed(traceback.extract_stack()))
    ours = (path for path in files if ROOT in path.parents and ".venv" not in path.parts and path.name != "ordering.py")
    return next(ours).is_relative_to(ROOT / "tests")


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
