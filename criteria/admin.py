"""Admin pages for frameworks, categories, criteria, requirements, assessments and verdicts."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.checks import InlineModelAdminChecks
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelChoiceField, modelformset_factory
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from criteria.admin_choices import FrameworkChoices, OfferedByFramework
from criteria.models import Assessment, Category, Criterion, Framework, Requirement, Verdict
from criteria.resources import CategoryResource, CriterionResource, RequirementResource, VerdictResource
from criteria.shared_admin import SharedRecords
from pmqa_tracker.admin import VersionedAdmin, VersionedInline
from pmqa_tracker.scope import own_records
from pmqa_tracker.versioned_forms import VersionedForm, VersionedFormSet
from spreadsheets.admin_tables import ExchangeAdmin


class RequirementInline(VersionedInline):
    """The requirements of a criterion, one per level."""

    model = Requirement
    fields = ("level", "text", "read_version")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Requirement]:
        return super().get_queryset(request).select_related("criterion").order_by("level")


class CriterionVerdictFormSet(VersionedFormSet):
    """The verdicts of a criterion, related to it through its requirements."""

    def __init__(self, *args: Any, instance: Criterion, queryset: QuerySet[Verdict], **kwargs: Any) -> None:
        kwargs.pop("save_as_new", None)
        self.instance = instance
        below = queryset.filter(requirement__criterion=instance) if instance.pk else queryset.none()
        super().__init__(*args, queryset=below, **kwargs)

    @classmethod
    def get_default_prefix(cls) -> str:
        return "verdicts"


class IndirectInlineChecks(InlineModelAdminChecks):
    """Checks without the one for a foreign key: a verdict has none to the criterion."""

    def _check_relation(self, obj: Any, parent_model: Any) -> list[Any]:
        return []

    def _check_exclude_of_parent_model(self, obj: Any, parent_model: Any) -> list[Any]:
        return []


class VerdictInline(VersionedInline):
    """The verdicts on a criterion, one per level and assessment."""

    model = Verdict
    checks_class = IndirectInlineChecks
    readonly_fields = ("level", "assessment")
    fields = ("level", "assessment", "passed", "reason", "printed", "read_version")
    can_delete = False

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return modelformset_factory(
            Verdict,
            form=VersionedForm,
            formset=CriterionVerdictFormSet,
            fields=("passed", "reason", "printed"),
            formfield_callback=lambda field, **options: self.formfield_for_dbfield(field, request, **options),
            extra=0,
            max_num=0,
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Verdict]:
        verdicts = own_records(Verdict.objects.all(), request.user)
        verdicts = verdicts.select_related("assessment", "requirement__criterion")
        return verdicts.order_by("assessment", "requirement__level")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("level"))
    def level(self, verdict: Verdict) -> str:
        return verdict.requirement.get_level_display()


class CategoryFilter(admin.AllValuesFieldListFilter):
    """Filter by the number of the category, in all editions at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("category")


class CategoryInline(VersionedInline):
    """The categories of a framework."""

    model = Category
    fields = ("number", "name", "read_version")
    ordering = ("number",)


@admin.register(Framework)
class FrameworkAdmin(SharedRecords, VersionedAdmin):
    framework_path = ""
    parents = ()
    list_display = ("name", "edition", "fiscal_year", "previous", "are_points_confirmed", "slug")
    list_display_links = ("name", "edition")
    list_select_related = ("previous",)
    search_fields = ("name", "edition", "slug")
    ordering = ("-fiscal_year", "slug")
    fieldsets = (
        (None, {"fields": ("slug", "name", "edition", "fiscal_year", "previous", "read_version")}),
        (
            _("Points"),
            {"fields": ("basic_points", "advance_points", "significance_points", "are_points_confirmed")},
        ),
    )
    inlines = (CategoryInline,)


@admin.register(Category)
class CategoryAdmin(SharedRecords, ExchangeAdmin, VersionedAdmin):
    resource_classes = (CategoryResource,)
    list_display = ("number", "name", "framework")
    list_display_links = ("number", "name")
    list_filter = ("framework",)
    list_select_related = ("framework",)
    search_fields = ("name",)
    ordering = ("-framework__fiscal_year", "number")


class CategoryField(ModelChoiceField):
    """A category, named with its edition."""

    def label_from_instance(self, category: Category) -> str:
        return f"{category.framework.edition} · {category}"


class CriterionForm(VersionedForm):
    """Form of a criterion; checks its change and its predecessors together."""

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        self.instance.change = data.get("change", self.instance.change)
        if data.get("category") and not self.instance.pk:
            self.instance.framework = data["category"].framework
        if "predecessors" in data:
            try:
                self.instance.clean_crosswalk(data["predecessors"])
            except ValidationError as error:
                self.add_error(None, error)
        return data

    def _get_validation_exclusions(self) -> set[str]:
        """Check the constraint on framework and code too; the framework is not a field of the form."""
        return super()._get_validation_exclusions() - ({"framework"} if self.instance.framework_id else set())


@admin.register(Criterion)
class CriterionAdmin(SharedRecords, FrameworkChoices, OfferedByFramework, ExchangeAdmin, VersionedAdmin):
    form = CriterionForm
    resource_classes = (CriterionResource,)
    list_display = ("code", "title", "category", "change", "noted", "framework")
    list_display_links = ("code", "title")
    list_filter = ("framework", ("category__number", CategoryFilter), "change")
    list_select_related = ("category", "framework")
    search_fields = ("code", "title")
    ordering = ("-framework__fiscal_year", "category__number", "position", "code")
    fields = (
        "category", "parent", "code", "title", "position", "reading_note", "change", "predecessors", "read_version",
    )  # fmt: skip
    autocomplete_fields = ("parent", "predecessors")
    framework_fields = ("parent", "predecessors")
    inlines = (RequirementInline, VerdictInline)

    def framework_for(self, name: str, record: Criterion) -> Framework | None:
        """Return its own framework for the parent, the edition before for the predecessors."""
        return record.framework.previous if name == "predecessors" else record.framework

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Offer only the categories of the framework of an existing criterion."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj and "category" in form.base_fields:
            form.base_fields["category"].queryset = obj.framework.categories.select_related("framework").in_order()
        return form

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "category":
            categories = self.without_used(request, Category).select_related("framework").in_order()
            kwargs |= {"form_class": CategoryField, "queryset": categories}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Protect a criterion that a later edition names as a predecessor."""
        to_delete, counts, missing, protected = super().get_deleted_objects(objs, request)
        followed = Criterion.objects.filter(predecessors__in=[each.pk for each in objs]).distinct().in_order()
        return to_delete, counts, missing, [*protected, *map(str, followed)]

    @admin.display(description=_("reading note"), boolean=True)
    def noted(self, criterion: Criterion) -> bool:
        return bool(criterion.reading_note)


@admin.register(Requirement)
class RequirementAdmin(SharedRecords, FrameworkChoices, OfferedByFramework, ExchangeAdmin, VersionedAdmin):
    resource_classes = (RequirementResource,)
    list_display = ("criterion_code", "level", "short_text")
    list_display_links = ("criterion_code", "level", "short_text")
    list_filter = ("criterion__framework", "level", ("criterion__category__number", CategoryFilter))
    list_select_related = ("criterion",)
    search_fields = ("criterion__code", "criterion__title", "text")
    ordering = (
        "-criterion__framework__fiscal_year",
        "criterion__category__number",
        "criterion__position",
        "criterion__code",
        "level",
    )
    autocomplete_fields = ("criterion",)
    framework_fields = ("criterion",)
    parents = ("criterion",)
    framework_path = "criterion__framework"

    def framework_for(self, name: str, record: Requirement) -> Framework:
        return record.criterion.framework

    @admin.display(description=_("criterion"), ordering="criterion__position")
    def criterion_code(self, requirement: Requirement) -> str:
        return requirement.criterion.code

    @admin.display(description=_("text"))
    def short_text(self, requirement: Requirement) -> str:
        return Truncator(requirement.text).chars(120)


@admin.register(Assessment)
class AssessmentAdmin(VersionedAdmin):
    list_display = ("name", "organization", "kind", "assessed_on", "framework")
    list_filter = ("kind", "framework")
    list_select_related = ("organization", "framework")
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(Verdict)
class VerdictAdmin(FrameworkChoices, ExchangeAdmin, VersionedAdmin):
    resource_classes = (VerdictResource,)
    list_display = ("criterion_code", "level", "passed", "short_reason", "printed", "assessment")
    list_display_links = ("criterion_code", "level")
    list_filter = (
        "passed",
        "printed",
        "requirement__level",
        ("requirement__criterion__category__number", CategoryFilter),
        "assessment",
    )
    list_select_related = ("assessment", "requirement__criterion")
    search_fields = ("requirement__criterion__code", "requirement__criterion__title", "reason")
    ordering = (
        "requirement__criterion__category__number",
        "requirement__criterion__position",
        "requirement__criterion__code",
        "requirement__level",
    )
    autocomplete_fields = ("requirement", "assessment")
    framework_fields = ("requirement",)

    def framework_for(self, name: str, record: Verdict) -> Framework:
        return record.assessment.framework

    @admin.display(description=_("criterion"), ordering="requirement__criterion__position")
    def criterion_code(self, verdict: Verdict) -> str:
        return verdict.requirement.criterion.code

    @admin.display(description=_("level"), ordering="requirement__level")
    def level(self, verdict: Verdict) -> str:
        return verdict.requirement.get_level_display()

    @admin.display(description=_("reason"))
    def short_reason(self, verdict: Verdict) -> str:
        return Truncator(verdict.reason).chars(100)
