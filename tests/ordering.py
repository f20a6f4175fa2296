"""Find queries that order by text without Thai order; the database's own collation is not Thai everywhere."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import FieldError
from django.db.models import CharField, OrderBy, TextField
from django.db.models.functions import Collate

from tests.revision_guard import innermost_frame_of_project, name_in_project
from tests.rooms import ROOMS


def guarded(get_order_by: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `SQLCompiler.get_order_by` so that it fails for such an order, unless a test itself runs the query."""

    @wraps(get_order_by)
    def inner(compiler: Any) -> Any:
        found = get_order_by(compiler)
        loose = [str(order) for order, _sql in found if is_loose(order)]
        assert not loose or is_of_a_test(), (
            f"ordered by the database's collation; use pmqa_tracker.database_text.by_thai: {loose}"
        )
        return found

    return inner


def is_of_a_test() -> bool:
    """Return whether the innermost project code that runs the query is a test."""
    frame = innermost_frame_of_project()
    assert frame
    return name_in_project(frame.f_code.co_filename).startswith("tests/")


def is_loose(order: OrderBy) -> bool:
    """Return whether an order is by text without Thai order; codes of choices do not count as text."""
    source = getattr(order.expression, "source", order.expression)
    try:
        field = source.output_field
    except (AttributeError, FieldError):
        return False
    if isinstance(source, Collate) or not isinstance(field, (CharField, TextField)) or field.choices:
        return False
    model = getattr(field, "model", None)
    return model is None or model._meta.app_label in ROOMS or model._meta.label == "auth.Group"  # pages list roles
