"""The units as a table."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from import_export import fields

from assignments.models import Unit
from pmqa_tracker.exchange import NamedListWidget, TableMeta, TableResource


class UnitResource(TableResource):
    """A row a unit, named by its abbreviation; the members of a collective are in one cell."""

    members = fields.Field("members", "members", NamedListWidget(Unit, ",", "abbreviation"))

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
        """Refuse members of a unit that is no collective."""
        if row.get("members") and not instance.is_collective:
            raise ValidationError(_("Only a collective has member units."))
        super().before_save_instance(instance, row, **kwargs)
