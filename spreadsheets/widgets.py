"""Import widgets of the admin tables: relations by name, whole numbers, days, yes and no."""

from typing import Any

from django.db.models import CharField, Model, QuerySet, TextField
from django.utils.translation import gettext as _
from import_export import widgets
from import_export.instance_loaders import ModelInstanceLoader

from pmqa_tracker.database_text import find_named
from pmqa_tracker.history import current_user
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import parse_yes_no
from pmqa_tracker.parsing.values import parse_day, parse_whole_number
from pmqa_tracker.scope import own_records


def own_of_current_user(rows: QuerySet[Model]) -> QuerySet[Model]:
    """Return the rows that the user of the current request may manage; outside a request, all of them."""
    user = current_user()
    return rows if user is None else own_records(rows, user)


class NamedWidget(widgets.ForeignKeyWidget):
    """A relation by the name of the record, in any spelling, among the user's own records."""

    def get_queryset(self, value: Any, row: Any, *args: Any, **kwargs: Any) -> QuerySet[Model]:
        return own_of_current_user(super().get_queryset(value, row, *args, **kwargs))

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Model | None:
        """Return the record.

        Raises:
            ValueError: no record has this name.
        """
        name = str(value or "").strip()
        if not name:
            return None
        rows = self.get_queryset(value, row, **kwargs)
        if is_text_field(self.model, self.field):
            found = find_named(rows, self.field, name)
        else:
            found = rows.filter(**{self.field: parse_whole_number(ReadCell(name))}).first()
        if found is None:
            raise ValueError(unknown_name_message(self.model, value))
        return found


class WholeNumberWidget(widgets.IntegerWidget):
    """A whole number: 12, ๑๒."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        return parse_whole_number(ReadCell(value))


class YesNoWidget(widgets.BooleanWidget):
    """Yes or no, in Thai or English."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool | None:
        return parse_yes_no(ReadCell(value))


class DayWidget(widgets.DateWidget):
    """A day: 15/5/63."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return parse_day(ReadCell(value))


READERS = {
    widgets.IntegerWidget: WholeNumberWidget,
    widgets.BooleanWidget: YesNoWidget,
    widgets.DateWidget: DayWidget,
}


class NamedLoader(ModelInstanceLoader):
    """Find the record of a row by its name, in any spelling."""

    def get_instance(self, row: Any) -> Model | None:
        """Return the record; None if the row is for a new one."""
        rows, name = self.get_queryset(), ()
        for key in self.resource.get_import_id_fields():
            field = self.resource.fields[key]
            value = field.clean(row)
            if is_text_field(rows.model, field.attribute):  # a record has at most one such key
                name = (field.attribute, str(value))
            else:
                rows = rows.filter(**{field.attribute: value})
        return find_named(rows, *name) if name else rows.first()


def is_text_field(model: type[Model], name: str) -> bool:
    """Return whether a field of a model holds text."""
    return isinstance(model._meta.get_field(name), (CharField, TextField))


def unknown_name_message(model: type[Model], name: Any) -> str:
    """Return the message for a name that no record has."""
    return _("There is no %(kind)s “%(name)s”.") % {"kind": model._meta.verbose_name, "name": name}
