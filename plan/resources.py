"""The actions as a table. Their progress and their units are shown in it, and changed on the site."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext as _
from import_export import fields, widgets

from assignments.models import Assignment, Role, Unit
from assignments.unit_names import UnitNames, read_units
from criteria.models import Criterion, Level, Requirement
from plan.models import ActionItem, Period, Plan, Status
from plan.typed_cells import names_of, read_period
from plan.workbooks.levels import read_levels
from pmqa_tracker.database_text import find_named
from pmqa_tracker.exchange import TableMeta, TableResource
from pmqa_tracker.read_cells import ReadCell
from pmqa_tracker.table_widgets import NamedWidget, not_there
from pmqa_tracker.thai import search_key
from pmqa_tracker.typed_cells import read_percent

UNIT_COLUMNS = {"lead": Role.LEAD, "support": Role.SUPPORT}


class ChoiceWidget(widgets.CharWidget):
    """A choice by its label in either language, as the data sheet has it; its code is taken too."""

    def __init__(self, choices: type[TextChoices]) -> None:
        super().__init__()
        self.choices = choices

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        """The code of what is written; what names no choice stays, for the model to refuse."""
        typed = search_key(str(value or ""))
        found = (each for each, names in names_of(self.choices).items() if typed in map(search_key, names))
        return next((each.value for each in found), str(value or "").strip())

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(dict(self.choices.choices).get(value, value or ""))


class LevelsWidget(widgets.ManyToManyWidget):
    """The requirements an action answers, by the initials of their levels: "A, S"."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> QuerySet[Requirement]:
        levels = read_levels(ReadCell(value))
        if not levels:
            raise ValueError(_("The levels are missing; write B, A or S."))
        criterion = find_named(Criterion.objects.all(), "code", str(row.get("criterion") or "").strip())
        found = Requirement.objects.filter(criterion=criterion, level__in=levels)
        if len(found) < len(levels):
            raise ValueError(not_there(Requirement, f"{row.get('criterion')} {value}"))
        return found

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(Level(requirement.level).initial for requirement in value.all()) if value else ""


class PeriodWidget(NamedWidget):
    """A period of the row's plan, by its number or its months."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Period | None:
        plan = find_named(Plan.objects.prefetch_related("periods"), "slug", str(row.get("plan") or "").strip())
        return read_period(ReadCell(value), plan.periods.all()) if plan else None


class ActionResource(TableResource):
    """A row an action, named by its plan and ref."""

    plan = fields.Field("plan", "plan", NamedWidget(Plan, "slug"))
    criterion = fields.Field("criterion", "criterion", NamedWidget(Criterion, "code"))
    levels = fields.Field("requirements", "levels", LevelsWidget(Requirement))
    first_period = fields.Field("first_period", "first_period", PeriodWidget(Period, "number"))
    last_period = fields.Field("last_period", "last_period", PeriodWidget(Period, "number"))
    lead = fields.Field(column_name="lead", readonly=True)
    support = fields.Field(column_name="support", readonly=True)
    schedule_basis = fields.Field("schedule_basis", "schedule_basis", ChoiceWidget(ActionItem.Basis))
    status = fields.Field("status", "status", ChoiceWidget(Status), readonly=True)
    progress = fields.Field("progress", "progress", readonly=True)
    shown_only = ("status", "progress", "lead", "support")

    class Meta(TableMeta):
        model = ActionItem
        import_id_fields = ("plan", "ref")
        fields = (
            "plan", "ref", "criterion", "levels", "number", "position", "text", "first_period", "last_period",
            "schedule_basis", "lead", "support", "status", "progress", "reading_note", "version",
        )  # fmt: skip

    def filter_export(self, queryset: QuerySet[ActionItem], **kwargs: Any) -> QuerySet[ActionItem]:
        bare = super().filter_export(queryset, **kwargs).prefetch_related(None)
        return bare.select_related("plan").with_details()

    def get_queryset(self) -> QuerySet[ActionItem]:
        return super().get_queryset().with_details()

    def dehydrate_lead(self, action: ActionItem) -> str:
        return ", ".join(str(assignment.unit) for assignment in action.lead) if action.pk else ""

    def dehydrate_support(self, action: ActionItem) -> str:
        return ", ".join(str(assignment.unit) for assignment in action.support) if action.pk else ""

    def shown(self, instance: ActionItem, name: str) -> str:
        if name in UNIT_COLUMNS:
            return getattr(self, f"dehydrate_{name}")(instance)
        return str(getattr(instance, name))

    def as_told(self, name: str, told: str) -> str:
        if name in UNIT_COLUMNS:
            return ", ".join(map(str, self.read_units(told)))
        if name == "progress" and told:
            return str(read_percent(ReadCell(told, is_percent=True)))
        return ChoiceWidget(Status).clean(told) if told else told

    def read_units(self, told: str) -> list[Unit]:
        """The units that a cell names."""
        return read_units(ReadCell(told), UnitNames.of(Unit.objects.all())) if told else []

    def refuse(self, instance: ActionItem, name: str, told: str, *, new: bool) -> None:
        """Name the rule that a changed status or unit breaks; a new action may name its units and has not begun."""
        if name in UNIT_COLUMNS:
            if new:
                return
            raise ValidationError(_("The units in charge are changed in the action's own form, not by import."))
        if new and told in (Status.NOT_STARTED, "0"):
            return
        raise ValidationError(_("Status and progress change only by an update on the site, not by import."))

    def after_save_instance(self, instance: ActionItem, row: Any, **kwargs: Any) -> None:
        """Assign the units that a new action's row names."""
        super().after_save_instance(instance, row, **kwargs)
        if instance.assignments.exists():
            return
        for column, role in UNIT_COLUMNS.items():
            for position, unit in enumerate(self.read_units(row.get(column)), start=1):
                Assignment.objects.create(action=instance, unit=unit, role=role, position=position)
