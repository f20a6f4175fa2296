"""Export and import of units as a table."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export import fields, widgets

from assignments.models import Unit, UnitQuerySet
from assignments.unit_names import UnitNames, parse_units
from pmqa_tracker.parsing.cell import ReadCell
from spreadsheets.admin_tables import TableMeta, TableResource


class UnitListWidget(widgets.ManyToManyWidget):
    """Units as names separated by commas, parsed as in the other imports."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> UnitQuerySet:
        """Return the units that the cell names.

        Raises:
            UnreadableError: a part of the text is not a unit.
        """
        units = parse_units(ReadCell(value), UnitNames.of(Unit.objects.all())) if value else ()
        return Unit.objects.filter(pk__in=[unit.pk for unit in units])

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(unit.abbreviation for unit in value.all()) if value else ""


class UnitResource(TableResource):
    """One row per unit, identified by its abbreviation; one cell holds the members of a collective."""

    members = fields.Field("members", "members", UnitListWidget(Unit))

    class Meta(TableMeta):
        model = Unit
        import_id_fields = ("abbreviation",)
        fields = (
            "abbreviation",
            "name_th",
            "name_en",
            "is_active",
            "is_collective",
            "members",
            "position",
            "reading_note",
            "version",
        )

    def filter_export(self, queryset, **kwargs):
        return super().filter_export(queryset, **kwargs).prefetch_related("members")

    def before_save_instance(self, instance, row, **kwargs):
        """Refuse members of a unit that is not a collective."""
        if row.get("members") and not instance.is_collective:
            raise ValidationError(_("Only a collective has member units."))
        super().before_save_instance(instance, row, **kwargs)
