"""Admin pages for users, roles, units, memberships and assignments."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from assignments.access import RoleGroup, access_of
from assignments.models import Assignment, Membership, Organization, Unit
from assignments.people.admin import PersonAdmin
from assignments.people.record import recorded_people
from assignments.resources import UnitResource
from pmqa_tracker.admin import (
    KeepsTypedText,
    RequestChoices,
    ThaiText,
    VersionedAdmin,
    VersionedInline,
)
from pmqa_tracker.scoped_admin import OwnChoices, OwnRecords
from pmqa_tracker.transactions import write_transaction
from pmqa_tracker.versioned_forms import VersionedForm
from spreadsheets.admin_tables import ExchangeAdmin

__all__ = ["PersonAdmin"]  # registered in a module of its own


def may_enter(request: HttpRequest) -> bool:
    """Return whether the user may open จัดการข้อมูล; coordinators need no `is_staff` flag.

    Raises:
        PermissionDenied: the user is logged in and may not, with the reason. Django would redirect to the login, and
            text typed in a form would be lost.
    """
    if not request.user.is_authenticated:
        return False
    if reason := access_of(request).why_not_manage:
        raise PermissionDenied(reason)
    return True


@login_not_required
def login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Redirect to the site's login; a logged-in user without access sees the reason."""
    if request.user.is_authenticated:
        access = access_of(request)
        raise PermissionDenied(access.why_not_manage or access.why_not_here)
    return redirect_to_login(request.GET.get("next", request.get_full_path()))


admin.site.has_permission = may_enter  # type: ignore[method-assign]
admin.site.login = login  # type: ignore[method-assign]
# The site's own page counts wrong passwords; the admin's would check any number of them.
admin.site.password_change = admin.site.password_change_done = (  # type: ignore[method-assign]
    lambda request, extra_context=None: redirect("password_change")
)


class MembershipInline(OwnChoices, RequestChoices, admin.TabularInline):
    """The members of a unit."""

    model = Membership
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "unit")


def role_name(group: Group) -> str:
    """Return the label of one of the four roles, or the name of any other group."""
    return str(dict(RoleGroup.choices).get(group.name, group.name))


Group.__str__ = role_name  # type: ignore[method-assign]
admin.site.unregister(Group)


class PermissionsField(forms.ModelMultipleChoiceField):
    """Permissions with translated names; Django stores their names in English."""

    verbs = {"view": _("view"), "add": _("add"), "change": _("change"), "delete": _("remove")}

    def label_from_instance(self, permission: Permission) -> str:
        verb = permission.codename.split("_")[0]
        model = permission.content_type.model_class()
        recorded = getattr(model, "instance_type", None)  # the model whose history this model stores
        if recorded:
            name = _("history of %(name)s") % {"name": recorded._meta.verbose_name}
        else:
            name = model._meta.verbose_name if model else permission.content_type.model
        return f"{name} · {self.verbs.get(verb, permission.name)}"


@admin.register(Group)
class RoleAdmin(ThaiText, KeepsTypedText, DjangoGroupAdmin):
    """The roles; the four built-in roles keep their names and cannot be removed."""

    filter_horizontal = ()

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        is_built_in = obj is not None and obj.name in RoleGroup.values
        return not is_built_in and super().has_delete_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        return ["role_name" if obj and obj.name in RoleGroup.values else "name", "permissions"]

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        return ["role_name"]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Leave out the permissions on the history tables of many-to-many relations."""
        if db_field.name == "permissions":
            kwargs["form_class"] = PermissionsField
            kwargs["widget"] = forms.CheckboxSelectMultiple
            kwargs["queryset"] = Permission.objects.exclude(content_type__model__contains="_")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description=_("role"))
    def role_name(self, group: Group) -> str:
        return str(group)


class AssignmentInline(VersionedInline):
    """The lead and support units of an action, shown on its page in `plan.admin`."""

    model = Assignment
    fields = ("unit", "role", "position", "read_version")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        return super().get_queryset(request).select_related("unit", "action").order_by("role", "position", "pk")


class UnitForm(VersionedForm):
    """Form of a unit; only a collective has members."""

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("members") and not data.get("is_collective"):
            self.add_error("members", _("Only a collective has member units."))
        owner = data["organization"].pk if data.get("organization") else self.instance.organization_id
        if any(unit.organization_id != owner for unit in data.get("members") or ()):
            self.add_error("members", _("The members must be units of the same organization."))
        return data


@admin.register(Organization)
class OrganizationAdmin(VersionedAdmin):
    """The organizations; only administrators see and change them."""

    list_display = ("short_name", "name", "parent", "time_zone")
    list_display_links = ("short_name", "name")
    list_select_related = ("parent",)
    search_fields = ("short_name", "name")
    ordering = ("name",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser


@admin.register(Unit)
class UnitAdmin(ExchangeAdmin, VersionedAdmin):
    form = UnitForm
    resource_classes = (UnitResource,)
    list_display = ("abbreviation", "name_th", "name_en", "organization", "is_collective", "is_active")
    list_select_related = ("organization",)
    list_display_links = ("abbreviation", "name_th")
    list_filter = ("is_collective", "is_active")
    search_fields = ("abbreviation", "name_th", "name_en")
    ordering = ("is_collective", "position", "abbreviation")
    autocomplete_fields = ("members",)
    inlines = (MembershipInline,)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the members; record it at each person."""
        rows = [row for formset in formsets for row in formset.forms]
        with recorded_people({row.initial.get("user") for row in rows} | {row.instance.user_id for row in rows}):
            super().save_related(request, form, formsets, change)


@admin.register(Membership)
class MembershipAdmin(OwnRecords, ThaiText, KeepsTypedText, admin.ModelAdmin):
    list_display = ("user", "unit")
    list_filter = ("unit",)
    list_select_related = ("user", "unit")
    search_fields = ("user__username", "user__first_name", "user__last_name", "unit__abbreviation", "unit__name_th")
    autocomplete_fields = ("user", "unit")
    ordering = ("unit__position", "user__username")

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Save a membership; record it at its person, and at the one it had before."""
        with recorded_people({form.initial.get("user"), obj.user_id}):
            super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        with recorded_people([obj.user_id]):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        with write_transaction(), recorded_people(queryset.values_list("user", flat=True)):
            super().delete_queryset(request, queryset)


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
