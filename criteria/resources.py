"""Export and import of categories, criteria, requirements and verdicts as tables."""

from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from import_export import fields
from import_export.widgets import CharWidget, ManyToManyWidget
from tablib import Dataset

from criteria.models import Assessment, Category, Criterion, Framework, Requirement, Verdict
from criteria.shared_admin import used_elsewhere, why_only_administrators
from pmqa_tracker.database_text import find_named
from pmqa_tracker.history import current_user
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.choices import parse_choice
from pmqa_tracker.parsing.values import parse_codes, parse_whole_number
from spreadsheets.admin_tables import TableMeta, TableResource
from spreadsheets.widgets import NamedWidget, unknown_name_message


def framework_field() -> fields.Field:
    """Return the column with the address of the framework."""
    return fields.Field("framework", "framework", NamedWidget(Framework, "slug"))


class OfFrameworkWidget(NamedWidget):
    """A relation by the name of the record, among those of the framework in the same row."""

    def get_queryset(self, value: Any, row: Any, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        framework = find_named(Framework.objects.all(), "slug", str(row.get("framework") or "").strip())
        return super().get_queryset(value, row, *args, **kwargs).filter(framework=framework)


class ChangeWidget(CharWidget):
    """The change of a criterion, by its code such as SAME or by its name."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        names = {change.value: [change.value, str(change.label)] for change in Criterion.Change}
        return parse_choice(ReadCell(value), names) or ""


class PredecessorsWidget(ManyToManyWidget):
    """Criteria of the edition before the row's framework, by their codes with commas."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[Criterion]:
        """Return the criteria.

        Raises:
            ValueError: the edition before has no criterion with one of these codes.
        """
        found = []
        framework = find_named(Framework.objects.all(), "slug", str(row.get("framework") or "").strip())
        before = framework.previous_id if framework else None
        for code in parse_codes(ReadCell(value)):
            criterion = find_named(Criterion.objects.filter(framework=before), "code", code)
            if criterion is None:
                raise ValueError(unknown_name_message(Criterion, code))
            found.append(criterion)
        return list(dict.fromkeys(found))

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        """Return the codes; `filter_export` has read them."""
        return ", ".join(each.code for each in value.all()) if value is not None else ""


class SharedTable(TableResource):
    """A table of records of a framework; a coordinator changes none of one that other organizations use."""

    framework_of = attrgetter("framework_id")

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        self.used = used_elsewhere(current_user())
        super().before_import(dataset, **kwargs)

    def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        if type(self).framework_of(instance) in self.used:
            raise ValidationError(why_only_administrators())
        super().before_save_instance(instance, row, **kwargs)


class CategoryResource(SharedTable):
    """One row per category, identified by framework and number."""

    framework = framework_field()
    related = ("framework",)

    class Meta(TableMeta):
        model = Category
        import_id_fields = ("framework", "number")
        fields = ("framework", "number", "name", "version")


class CriterionResource(SharedTable):
    """One row per criterion, identified by framework and code."""

    framework = framework_field()
    category = fields.Field("category", "category", OfFrameworkWidget(Category, "number"))
    parent = fields.Field("parent", "parent", OfFrameworkWidget(Criterion, "code"))
    change = fields.Field("change", "change", ChangeWidget())
    predecessors = fields.Field("predecessors", "predecessors", PredecessorsWidget(Criterion, field="code"))
    related = ("framework", "category", "parent")

    class Meta(TableMeta):
        model = Criterion
        import_id_fields = ("framework", "code")
        fields = (
            "framework", "code", "category", "parent", "title", "position", "reading_note", "change", "predecessors",
            "version",
        )  # fmt: skip

    def filter_export(self, queryset: QuerySet[Criterion], **kwargs: Any) -> QuerySet[Criterion]:
        return super().filter_export(queryset, **kwargs).with_predecessors()

    def import_row(self, row: dict[str, str], instance_loader: Any, **kwargs: Any) -> Any:
        """Import a row; `validate_instance` needs its predecessors."""
        self.row = row
        return super().import_row(row, instance_loader, **kwargs)

    def validate_instance(
        self, instance: Criterion, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        """Check the predecessors of the row too; without their column, those that are stored."""
        errors = dict(import_validation_errors or {})
        is_given = "predecessors" in self.row
        stored = instance.predecessors.all() if instance.pk else ()
        try:
            instance.clean_crosswalk(self.fields["predecessors"].clean(self.row) if is_given else stored)
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        super().validate_instance(instance, errors, validate_unique)


class RequirementResource(SharedTable):
    """One row per requirement, identified by framework, criterion and level (1 Basic, 2 Advance, 3 Significance)."""

    framework_of = attrgetter("criterion.framework_id")
    framework = fields.Field("criterion__framework__slug", "framework", readonly=True)
    criterion = fields.Field("criterion", "criterion", OfFrameworkWidget(Criterion, "code"))
    related = ("criterion__framework",)

    class Meta(TableMeta):
        model = Requirement
        import_id_fields = ("criterion", "level")
        fields = ("framework", "criterion", "level", "text", "version")

    def key_columns(self) -> list[str]:
        return ["framework", "criterion", "level"]


class AssessmentWidget(NamedWidget):
    """An assessment by its name, of the organization in the same row if the table has that column."""

    def get_queryset(self, value: Any, row: Any, *args: Any, **kwargs: Any) -> QuerySet[Assessment]:
        rows = super().get_queryset(value, row, *args, **kwargs)
        organization = str(row.get("organization") or "").strip()
        return rows.filter(organization__short_name__spelled=organization) if organization else rows


class RequirementWidget(NamedWidget):
    """A requirement of the assessment's framework, found by its criterion and its level, which are two columns."""

    def clean(self, value, row=None, **kwargs):
        level = row.get("level")
        assessment = AssessmentWidget(Assessment, "name").clean(row.get("assessment"), row)
        framework = assessment.framework_id if assessment else None
        requirements = Requirement.objects.filter(
            criterion__framework=framework, level=parse_whole_number(ReadCell(level)) or 0
        )
        found = find_named(requirements, "criterion__code", str(value))
        if found is None:
            raise ValueError(unknown_name_message(Requirement, f"{value} · {level}"))
        return found

    def render(self, value, obj=None, **kwargs):
        return value.criterion.code


class VerdictResource(TableResource):
    """One row per verdict, identified by assessment, criterion and level."""

    organization = fields.Field("assessment__organization__short_name", "organization", readonly=True)
    assessment = fields.Field("assessment", "assessment", AssessmentWidget(Assessment, "name"))
    criterion = fields.Field("requirement", "criterion", RequirementWidget(Requirement))
    level = fields.Field("requirement__level", "level", readonly=True)
    related = ("assessment__organization", "requirement__criterion")

    class Meta(TableMeta):
        model = Verdict
        import_id_fields = ("assessment", "criterion")
        fields = ("organization", "assessment", "criterion", "level", "passed", "reason", "printed", "version")

    def key_columns(self):
        return ["assessment", "criterion", "level"]
