"""Export and import of units as a table."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export import fields, widgets
from tablib import Dataset

from assignments.models import Organization, Unit, UnitQuerySet
from assignments.unit_names import UnitNames, former_names, parse_units
from pmqa_tracker import thai
from pmqa_tracker.history import current_user
from pmqa_tracker.parsing.cell import ReadCell
from spreadsheets.admin_tables import TableMeta, TableResource
from spreadsheets.widgets import NamedWidget


class UnitListWidget(widgets.ManyToManyWidget):
    """Units of the row's organization as names separated by commas, parsed as in the other imports."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> UnitQuerySet:
        """Return the units that the cell names.

        Raises:
            UnreadableError: a part of the text is not a unit.
        """
        owner = NamedWidget(Organization, "short_name").clean(row.get("organization"), row) if value else None
        known = list(owner.units.all()) if owner else []
        units = parse_units(ReadCell(value), UnitNames.of(known, former_names(known))) if owner else ()
        return Unit.objects.filter(pk__in=[unit.pk for unit in units])

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(unit.abbreviation for unit in value.all()) if value else ""


class UnitResource(TableResource):
    """One row per unit, identified by organization and abbreviation; one cell holds the members of a collective.

    A table without the column of the organization holds units of the user's own.
    """

    organization = fields.Field("organization", "organization", NamedWidget(Organization, "short_name"))
    related = ("organization",)
    members = fields.Field("members", "members", UnitListWidget(Unit))

    class Meta(TableMeta):
        model = Unit
        import_id_fields = ("organization", "abbreviation")
        fields = (
            "organization",
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

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        owner = getattr(current_user(), "organization", None)
        if owner and dataset.headers and "organization" not in map(thai.search_key, dataset.headers):
            dataset.append_col([owner.short_name] * dataset.height, header="organization")
        super().before_import(dataset, **kwargs)

    def filter_export(self, queryset, **kwargs):
        return super().filter_export(queryset, **kwargs).prefetch_related("members")

    def before_save_instance(self, instance, row, **kwargs):
        """Refuse members of a unit that is not a collective."""
        if row.get("members") and not instance.is_collective:
            raise ValidationError(_("Only a collective has member units."))
        super().before_save_instance(instance, row, **kwargs)
