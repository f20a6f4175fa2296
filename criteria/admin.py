"""Admin pages for categories, criteria, requirements, assessments and verdicts."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.checks import InlineModelAdminChecks
from django.db.models import QuerySet
from django.forms import modelformset_factory
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from criteria.models import Assessment, Category, Criterion, Requirement, Verdict
from criteria.resources import CategoryResource, CriterionResource, RequirementResource, VerdictResource
from pmqa_tracker.admin import VersionedAdmin, VersionedInline
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
        verdicts = Verdict.objects.select_related("assessment", "requirement__criterion")
        return verdicts.order_by("assessment", "requirement__level")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("level"))
    def level(self, verdict: Verdict) -> str:
        return verdict.requirement.get_level_display()


@admin.register(Category)
class CategoryAdmin(ExchangeAdmin, VersionedAdmin):
    resource_classes = (CategoryResource,)
    list_display = ("number", "name")
    list_display_links = ("number", "name")
    search_fields = ("name",)
    ordering = ("number",)


@admin.register(Criterion)
class CriterionAdmin(ExchangeAdmin, VersionedAdmin):
    resource_classes = (CriterionResource,)
    list_display = ("code", "title", "category", "noted")
    list_display_links = ("code", "title")
    list_filter = ("category",)
    list_select_related = ("category",)
    search_fields = ("code", "title")
    ordering = ("category__number", "position", "code")
    autocomplete_fields = ("parent",)
    inlines = (RequirementInline, VerdictInline)

    @admin.display(description=_("reading note"), boolean=True)
    def noted(self, criterion: Criterion) -> bool:
        return bool(criterion.reading_note)


@admin.register(Requirement)
class RequirementAdmin(ExchangeAdmin, VersionedAdmin):
    resource_classes = (RequirementResource,)
    list_display = ("criterion_code", "level", "short_text")
    list_display_links = ("criterion_code", "level", "short_text")
    list_filter = ("level", "criterion__category")
    list_select_related = ("criterion",)
    search_fields = ("criterion__code", "criterion__title", "text")
    ordering = ("criterion__category__number", "criterion__position", "criterion__code", "level")
    autocomplete_fields = ("criterion",)

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
class VerdictAdmin(ExchangeAdmin, VersionedAdmin):
    resource_classes = (VerdictResource,)
    list_display = ("criterion_code", "level", "passed", "short_reason", "printed", "assessment")
    list_display_links = ("criterion_code", "level")
    list_filter = ("passed", "printed", "requirement__level", "requirement__criterion__category", "assessment")
    list_select_related = ("assessment", "requirement__criterion")
    search_fields = ("requirement__criterion__code", "requirement__criterion__title", "reason")
    ordering = (
        "requirement__criterion__category__number",
        "requirement__criterion__position",
        "requirement__criterion__code",
        "requirement__level",
    )
    autocomplete_fields = ("requirement", "assessment")

    @admin.display(description=_("criterion"), ordering="requirement__criterion__position")
    def criterion_code(self, verdict: Verdict) -> str:
        return verdict.requirement.criterion.code

    @admin.display(description=_("level"), ordering="requirement__level")
    def level(self, verdict: Verdict) -> str:
        return verdict.requirement.get_level_display()

    @admin.display(description=_("reason"))
    def short_reason(self, verdict: Verdict) -> str:
        return Truncator(verdict.reason).chars(100)
