"""Export and import of categories, criteria, requirements and verdicts as tables."""

from import_export import fields

from criteria.models import Assessment, Category, Criterion, Requirement, Verdict
from pmqa_tracker.database_text import find_named
from pmqa_tracker.parsing.cell import ReadCell
from pmqa_tracker.parsing.values import parse_whole_number
from spreadsheets.admin_tables import TableMeta, TableResource
from spreadsheets.widgets import NamedWidget, unknown_name_message


class CategoryResource(TableResource):
    """One row per category, identified by its number."""

    class Meta(TableMeta):
        model = Category
        import_id_fields = ("number",)
        fields = ("number", "name", "version")


class CriterionResource(TableResource):
    """One row per criterion, identified by its code."""

    category = fields.Field("category", "category", NamedWidget(Category, "number"))
    parent = fields.Field("parent", "parent", NamedWidget(Criterion, "code"))
    related = ("category", "parent")

    class Meta(TableMeta):
        model = Criterion
        import_id_fields = ("code",)
        fields = ("code", "category", "parent", "title", "position", "reading_note", "version")


class RequirementResource(TableResource):
    """One row per requirement, identified by criterion and level (1 Basic, 2 Advance, 3 Significance)."""

    criterion = fields.Field("criterion", "criterion", NamedWidget(Criterion, "code"))
    related = ("criterion",)

    class Meta(TableMeta):
        model = Requirement
        import_id_fields = ("criterion", "level")
        fields = ("criterion", "level", "text", "version")


class RequirementWidget(NamedWidget):
    """A requirement, found by the code of its criterion and its level, which are two columns."""

    def clean(self, value, row=None, **kwargs):
        level = row.get("level")
        requirements = Requirement.objects.filter(level=parse_whole_number(ReadCell(level)) or 0)
        found = find_named(requirements, "criterion__code", str(value))
        if found is None:
            raise ValueError(unknown_name_message(Requirement, f"{value} · {level}"))
        return found

    def render(self, value, obj=None, **kwargs):
        return value.criterion.code


class VerdictResource(TableResource):
    """One row per verdict, identified by assessment, criterion and level."""

    assessment = fields.Field("assessment", "assessment", NamedWidget(Assessment, "name"))
    criterion = fields.Field("requirement", "criterion", RequirementWidget(Requirement))
    level = fields.Field("requirement__level", "level", readonly=True)
    related = ("assessment", "requirement__criterion")

    class Meta(TableMeta):
        model = Verdict
        import_id_fields = ("assessment", "criterion")
        fields = ("assessment", "criterion", "level", "passed", "reason", "printed", "version")

    def key_columns(self):
        return ["assessment", "criterion", "level"]
