"""Export of the actions as a table; only the data sheet imports actions."""

from typing import Any

from django.db.models import QuerySet
from import_export import fields, resources
from import_export.widgets import IntegerWidget

from assignments.models import Assignment
from criteria.models import Level
from plan.models import ActionItem

AS_NUMBER = IntegerWidget(coerce_to_string=False)


class ActionResource(resources.ModelResource):
    """One row per action, with the labels that the pages show."""

    plan = fields.Field("plan__slug", "plan")
    criterion = fields.Field("criterion__code", "criterion")
    levels = fields.Field(column_name="levels")
    first_period = fields.Field("first_period__number", "first_period", AS_NUMBER)
    last_period = fields.Field("last_period__number", "last_period", AS_NUMBER)
    schedule_basis = fields.Field("get_schedule_basis_display", "schedule_basis")
    lead = fields.Field(column_name="lead")
    support = fields.Field(column_name="support")
    status = fields.Field("get_status_display", "status")

    class Meta:
        model = ActionItem
        fields = (
            "plan", "ref", "criterion", "levels", "number", "position", "text", "first_period", "last_period",
            "schedule_basis", "lead", "support", "status", "progress", "reading_note", "version",
        )  # fmt: skip

    def filter_export(self, queryset: QuerySet[ActionItem], **kwargs: Any) -> QuerySet[ActionItem]:
        return queryset.prefetch_related(None).select_related("plan").with_details()

    def dehydrate_levels(self, action: ActionItem) -> str:
        return ", ".join(Level(requirement.level).initial for requirement in action.requirements.all())

    def dehydrate_lead(self, action: ActionItem) -> str:
        return _names(action.lead)

    def dehydrate_support(self, action: ActionItem) -> str:
        return _names(action.support)


def _names(assignments: list[Assignment]) -> str:
    return ", ".join(str(assignment.unit) for assignment in assignments)
