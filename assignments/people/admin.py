"""Admin pages of people: list, forms and workbook."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from assignments.access import access_of
from assignments.models import Invitation, User
from assignments.people.forms import FirstPasswordForm, NewPersonForm, PersonForm
from assignments.people.invitation_admin import (
    ONLY_ADMINISTRATORS,
    WITHOUT_MAIL,
    InvitationFilter,
    InvitesPeople,
)
from assignments.people.record import read_people, record_people
from assignments.people.removal import DeactivatesPeople
from assignments.people.resource import PeopleResource, digest
from assignments.people.rights import may_manage, visible_people
from assignments.people.write import units_of
from pmqa_tracker.admin import KeepsTypedText, ThaiText
from pmqa_tracker.mail import is_mail_on
from pmqa_tracker.templatetags.thai import be_date
from spreadsheets.admin_tables import ExchangeAdmin
from spreadsheets.uploads import ConfirmForm


class ConfirmPeopleForm(ConfirmForm):
    """Confirmation of a preview of people, who have no version."""

    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


@admin.register(User)
class PersonAdmin(DeactivatesPeople, InvitesPeople, ExchangeAdmin, ThaiText, KeepsTypedText, DjangoUserAdmin):
    """People with their organization, units and roles."""

    resource_classes = (PeopleResource,)
    confirm_form_class = ConfirmPeopleForm
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = FirstPasswordForm
    add_form_template = None
    list_display = ("username", "first_name", "last_name", "units", "roles", "invited", "is_active", "is_demo")
    list_filter = ("groups", "is_active", InvitationFilter, "is_staff", "is_demo")
    list_select_related = ("organization", "invitation")
    readonly_fields = ("is_demo", "seen", "joined", "invited")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Where this person works"), {"fields": ("organization", "units")}),
        (_("What this person may do"), {"fields": ("groups", "is_active", "is_staff", "is_superuser")}),
        (_("About the account"), {"fields": ("invited", "is_demo", "seen", "joined")}),
    )
    add_fieldsets = (
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        fieldsets[2],
        (_("What this person may do"), {"fields": ("groups",)}),
    )
    only_for_administrators = ("username", "password", "organization", "is_staff", "is_superuser")
    filter_horizontal = ()  # its search compares character by character, without the Thai folding

    # Who may do what.

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people = super().get_queryset(request).filter(pk__in=visible_people(access_of(request)).values("pk"))
        return people.prefetch_related("groups", "memberships__unit")

    def has_add_permission(self, request: HttpRequest) -> bool:
        is_somewhere = request.user.is_superuser or request.user.organization_id is not None
        return super().has_add_permission(request) and is_somewhere

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_manage(access_of(request), obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only administrators: the page lists what names the person, in every organization they worked in."""
        return request.user.is_superuser and super().has_delete_permission(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        if not request.user.is_superuser:
            raise PermissionDenied(ONLY_ADMINISTRATORS)
        if id == str(request.user.pk):
            return redirect("password_change")
        return super().user_change_password(request, id, form_url)

    # List and forms.

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        """Add the organization for administrators, who see the people of all of them."""
        names = list(super().get_list_display(request))
        return [*names[:3], "organization", *names[3:]] if request.user.is_superuser else names

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        filters = super().get_list_filter(request)
        return [*filters, "organization"] if request.user.is_superuser else filters

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what only administrators set; a page only to read has no form fields."""
        fieldsets = super().get_fieldsets(request, obj)
        hidden = set() if request.user.is_superuser else set(self.only_for_administrators)
        shown = {}
        if obj is not None:
            hidden -= {"username", "organization"}
            if not self.has_change_permission(request, obj):
                hidden, shown = {"password", "is_superuser", "is_staff"}, {"groups": "roles"}
        fields = [
            (title, [shown.get(name, name) for name in options["fields"] if name not in hidden])
            for title, options in fieldsets
        ]
        return [(title, {"fields": names}) for title, names in fields if names]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        names = [*super().get_readonly_fields(request, obj)]
        if obj is not None and not request.user.is_superuser:
            names += ["username", "organization"]
        if obj is not None and not self.has_change_permission(request, obj):
            names += ["units", "roles"]
        return names

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.access = access_of(request)
        return form

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Show the few roles as checkboxes."""
        return super().formfield_for_manytomany(db_field, request, **kwargs, widget=forms.CheckboxSelectMultiple)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save a person; invite a new one as soon as everything is saved."""
        if not change:
            obj.set_unusable_password()
        form.people_before = read_people([obj.pk])
        super().save_model(request, obj, form, change)
        if not change:
            Invitation.objects.create(person=obj)
            transaction.on_commit(lambda: self.invite(request, [obj]))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save units and roles; record what has changed of the person."""
        super().save_related(request, form, formsets, change)
        record_people(form.people_before, [form.instance.pk])

    @admin.display(description=_("last login"))
    def seen(self, person: User) -> str:
        return be_date(person.last_login) or "–"

    @admin.display(description=_("made on"))
    def joined(self, person: User) -> str:
        return be_date(person.date_joined)

    @admin.display(description=_("units"))
    def units(self, person: User) -> str:
        return ", ".join(map(str, units_of(person)))

    @admin.display(description=_("role"))
    def roles(self, person: User) -> str:
        return ", ".join(str(group) for group in person.groups.all())

    # Workbook.

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {"access": access_of(request)}

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {"access": access_of(request)}

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """Pass on the digest of the confirmed preview."""
        seen = getattr(kwargs.get("form"), "cleaned_data", {}).get("seen", "")
        return super().get_import_data_kwargs(**kwargs) | {"seen": seen}

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Show the upload or the preview, and what becomes of the invitations."""
        response = super().import_action(request, **kwargs)
        context = getattr(response, "context_data", None) or {}
        if "confirm_form" in context:
            context["confirm_form"].initial["seen"] = digest(context["result"])
        new = context["result"].totals["new"] if "result" in context else 0
        if not is_mail_on() and (new or "result" not in context):
            context["import_note"] = WITHOUT_MAIL
        elif new:
            text = ngettext(
                "%(count)s new person gets an invitation by mail.",
                "%(count)s new people get an invitation by mail.",
                new,
            )
            context["import_note"] = text % {"count": new}
        return response

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponse:
        """Invite the new people of a finished import; by now its transaction is committed."""
        response = super().process_result(result, request)
        if not (result.has_errors() or result.has_validation_errors()):
            new = [row.instance for row in result.rows if row.is_new() and row.instance.is_active]
            if new:
                self.invite(request, new)
        return response
