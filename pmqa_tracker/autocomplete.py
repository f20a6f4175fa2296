"""Autocomplete fields of the admin that survive a selected value which is no key."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteMixin, AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import Field


class _Keys(AutocompleteMixin):
    """Leaves out selected values that no record can have as its key; Django asks the database for them, and fails."""

    def optgroups(self, name: str, value: list[Any], attrs: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [each for each in value if each in ("", None) or may_be_key(self.field, each)])


class SelectKey(_Keys, AutocompleteSelect):
    """Select one record."""


class SelectKeys(_Keys, AutocompleteSelectMultiple):
    """Select several records."""


def may_be_key(field: Field, value: Any) -> bool:
    """Return whether a record that a relation leads to could have this key."""
    try:
        field.target_field.clean(value, None)
    except ValidationError:
        return False
    return True
