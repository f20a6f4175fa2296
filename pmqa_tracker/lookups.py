"""Lookups for keys that users send: `pk__in` with a number that no column can hold finds nothing.

Django does so for `exact` and comparisons; for `in` the database raises an error.
"""

from typing import Any

from django.db.models import ForeignObject, IntegerField
from django.db.models.fields.related_lookups import RelatedIn
from django.db.models.lookups import In


class _InRange:
    """Leaves out the numbers that the column cannot hold."""

    def process_rhs(self, compiler: Any, connection: Any) -> Any:
        field = getattr(self.lhs.output_field, "target_field", self.lhs.output_field)
        if self.rhs_is_direct_value() and isinstance(field, IntegerField):
            low, high = connection.ops.integer_field_range(field.get_internal_type())
            self.rhs = [each for each in self.rhs if not isinstance(each, int) or low <= each <= high]
        return super().process_rhs(compiler, connection)


@IntegerField.register_lookup
class IntegerIn(_InRange, In):
    """`in` of a column of numbers."""


@ForeignObject.register_lookup
class KeyIn(_InRange, RelatedIn):
    """`in` of a relation."""
