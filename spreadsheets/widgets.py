"""Cells of the admin's tables, read as every other import reads them: relations, whole numbers, yes and no."""

from typing import Any

from django.db.models import CharField, Model, TextField
from django.utils.translation import gettext as _
from import_export import widgets
from import_export.instance_loaders import ModelInstanceLoader

from pmqa_tracker.database_text import find_named
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import parse_yes_no
from pmqa_tracker.parsing.values import parse_day, parse_whole_number


class NamedWidget(widgets.ForeignKeyWidget):
    """A relation by what people call it, however that is spelled."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Model | None:
        """The record.

        Raises:
            ValueError: nobody has this name.
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
    """Yes or no, in words of both languages."""

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
    """Finds the record a row is about by its names, however they are spelled."""

    def get_instance(self, row: Any) -> Model | None:
        """The record; None for a row about a new one."""
        rows, name = self.get_queryset(), ()
        for key in self.resource.get_import_id_fields():
            field = self.resource.fields[key]
            value = field.clean(row)
            if is_text_field(rows.model, field.attribute):  # of which a record has one
                name = (field.attribute, str(value))
            else:
                rows = rows.filter(**{field.attribute: value})
        return find_named(rows, *name) if name else rows.first()


def is_text_field(model: type[Model], name: str) -> bool:
    """Whether a field of a model is a text."""
    return isinstance(model._meta.get_field(name), (CharField, TextField))


def unknown_name_message(model: type[Model], name: Any) -> str:
    """The sentence for a name nobody has."""
    return _("There is no %(kind)s “%(name)s”.") % {"kind": model._meta.verbose_name, "name": name}
