"""The actions as a table. Their progress and their units are shown in it, and changed on the site."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext as _
from import_export import fields, widgets

from assignments.models import Assignment, Role, Unit
from criteria.models import Criterion, Level, Requirement
from plan.models import ActionItem, Period, Plan, Status
from plan.typed_cells import names_of
from pmqa_tracker.exchange import NamedListWidget, NamedWidget, TableMeta, TableResource, not_there
from pmqa_tracker.thai import search_key

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


class LevelsWidget(NamedListWidget):
    """The requirements an action answers, by the initials of their levels: "A, S"."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> QuerySet[Requirement]:
        initials = [initial.strip().upper() for initial in str(value or "").split(",") if initial.strip()]
        levels = {level.initial: level for level in Level}
        if not initials:
            raise ValueError(_("The levels are missing; write B, A or S."))
        for initial in initials:
            if initial not in levels:
                raise ValueError(_("“%(initial)s” is not a level; write B, A or S.") % {"initial": initial})
        wanted = [levels[initial] for initial in initials]
        found = Requirement.objects.filter(criterion__code=row.get("criterion"), level__in=wanted)
        if len(found) < len(set(wanted)):
            raise ValueError(not_there(Requirement, f"{row.get('criterion')} {value}"))
        return found

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(Level(requirement.level).initial for requirement in value.all()) if value else ""


class PeriodWidget(NamedWidget):
    """A period by its number in the row's plan."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Period | None:
        number = str(value or "").strip()
        if not number:
            return None
        found = Period.objects.filter(
            plan__slug=row.get("plan"), number=int(number) if number.isdecimal() else 0
        ).first()
        if found is None:
            raise ValueError(not_there(Period, value))
        return found


class ActionResource(TableResource):
    """A row an action, named by its plan and ref."""

    plan = fields.Field("plan", "plan", NamedWidget(Plan, "slug"))
    criterion = fields.Field("criterion", "criterion", NamedWidget(Criterion, "code"))
    levels = fields.Field("requirements", "levels", LevelsWidget(Requirement, ",", "level"))
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
        return ChoiceWidget(Status).clean(told) if name == "status" and told else told

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
            names = [name.strip() for name in str(row.get(column) or "").split(",") if name.strip()]
            for position, name in enumerate(names, start=1):
                unit = Unit.objects.filter(abbreviation=name).first()
                if unit is None:
                    raise ValidationError(not_there(Unit, name))
                Assignment.objects.create(action=instance, unit=unit, role=role, position=position)
