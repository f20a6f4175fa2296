"""Admin screens of the units, their people, and who leads or supports what."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from assignments.models import Assignment, Membership, Unit
from assignments.resources import UnitResource
from pmqa_tracker.admin import KeepsWords, RequestChoices, UserAdmin, VersionedAdmin, VersionedInline
from pmqa_tracker.exchange import ExchangeAdmin
from pmqa_tracker.versioned_forms import VersionedForm


class MembershipInline(RequestChoices, admin.TabularInline):
    """The people of a unit, or the units of a person."""

    model = Membership
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "unit")


UserAdmin.inlines = (*UserAdmin.inlines, MembershipInline)


class AssignmentInline(VersionedInline):
    """Who leads and supports an action; `plan.admin` shows it below the action."""

    model = Assignment
    fields = ("unit", "role", "position", "read_version")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        return super().get_queryset(request).select_related("unit", "action").order_by("role", "position", "pk")


class UnitForm(VersionedForm):
    """A unit; only a collective has members."""

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("members") and not data.get("is_collective"):
            self.add_error("members", _("Only a collective has member units."))
        return data


@admin.register(Unit)
class UnitAdmin(ExchangeAdmin, VersionedAdmin):
    form = UnitForm
    resource_classes = (UnitResource,)
    list_display = ("abbreviation", "name_th", "name_en", "is_collective", "is_active")
    list_display_links = ("abbreviation", "name_th")
    list_filter = ("is_collective", "is_active")
    search_fields = ("abbreviation", "name_th", "name_en")
    ordering = ("is_collective", "position", "abbreviation")
    filter_horizontal = ("members",)
    inlines = (MembershipInline,)


@admin.register(Membership)
class MembershipAdmin(KeepsWords, admin.ModelAdmin):
    list_display = ("user", "unit")
    list_filter = ("unit",)
    list_select_related = ("user", "unit")
    search_fields = ("user__username", "user__first_name", "user__last_name", "unit__abbreviation", "unit__name_th")
    autocomplete_fields = ("user", "unit")
    ordering = ("unit__position", "user__username")


@admin.register(Assignment)
class AssignmentAdmin(VersionedAdmin):
    list_display = ("action_ref", "unit", "role", "position")
    list_display_links = ("action_ref", "unit")
    list_filter = ("role", "unit")
    list_select_related = ("action", "unit")
    search_fields = ("action__ref", "unit__abbreviation", "unit__name_th")
    autocomplete_fields = ("action", "unit")
    ordering = (
        "action__criterion__category__number",
        "action__criterion__position",
        "action__position",
        "role",
        "position",
    )

    @admin.display(description=_("action item"), ordering="action__ref")
    def action_ref(self, assignment: Assignment) -> Any:
        return assignment.action.ref
