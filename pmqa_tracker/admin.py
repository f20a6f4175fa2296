"""The admin screens' ground: the version check on every form, the site's look, people and roles."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from simple_history.admin import SimpleHistoryAdmin

from pmqa_tracker.forms import BuddhistDateField
from pmqa_tracker.history import changes_since
from pmqa_tracker.models import StaleVersionError, User, Versioned
from pmqa_tracker.templatetags.thai import be_date

READ_VERSION = "read_version"


@login_not_required
def login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """The site's own login; who is logged in and may not enter is told so."""
    if request.user.is_authenticated:
        raise PermissionDenied(_("Only the coordinator and the administrator manage the data."))
    return redirect_to_login(request.GET.get("next", request.get_full_path()))


admin.site.login = login  # type: ignore[method-assign]
admin.site.site_title = gettext_lazy("PMQA Tracker")
admin.site.site_header = gettext_lazy("Improvement plan tracker")
admin.site.index_title = gettext_lazy("Manage the data")
admin.site.site_url = "/"
admin.site.enable_nav_sidebar = False  # the tables need the width


class VersionedForm(forms.ModelForm):
    """A form that carries the version of the record it was opened with, and is refused when that is not the last."""

    read_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_stale = False
        if self.instance.pk:
            self.initial[READ_VERSION] = self.instance.version

    @property
    def changed_data(self) -> list[str]:
        """The fields a person changed; the version is not one."""
        return [name for name in super().changed_data if name != READ_VERSION]

    def clean(self) -> dict[str, Any]:
        """Refuse what was written on an older copy, telling what others changed since."""
        data = super().clean()
        if self.instance.pk and self.changed_data and data.get(READ_VERSION) != self.instance.version:
            self.is_stale = True
            head = _("Somebody else changed “%(record)s” while you were writing. Nothing was saved; what you typed is "
                     "still in its fields. Read what changed, then save yours over it or change it first.")  # fmt: skip
            changes = changes_since(self.instance, data.get(READ_VERSION) or 0)
            raise ValidationError([head % {"record": self.instance}, *changes])
        return data

    def take_fresh_version(self) -> None:
        """Let the same form be sent again, now on the copy that is shown beside it."""
        self.data = self.data.copy()
        self.data[self.add_prefix(READ_VERSION)] = str(self.instance.version)


class BuddhistDates:
    """Days in the Buddhist era in the forms and lists of an admin."""

    formfield_overrides = {
        models.DateField: {"form_class": BuddhistDateField, "widget": forms.TextInput},
        models.URLField: {"assume_scheme": "https"},
    }

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._column(name) for name in super().get_list_display(request)]

    def _column(self, name: str) -> Any:
        fields = {field.name: field for field in self.model._meta.concrete_fields}
        return be_column(fields[name]) if isinstance(fields.get(name), models.DateField) else name


def be_column(field: models.Field) -> Any:
    """A column that shows the day or moment of a field in the Buddhist era."""

    @admin.display(description=field.verbose_name, ordering=field.name)
    def column(record: models.Model) -> str:
        return be_date(getattr(record, field.name)) or "–"

    column.__name__ = field.name
    return column


class RequestChoices:
    """One query for the choices of a relation, however many rows of an inline offer them."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name not in self.get_autocomplete_fields(request):
            field.choices = [("", field.empty_label), *((each.pk, str(each)) for each in field.queryset)]
        return field


class VersionedInline(BuddhistDates, RequestChoices, admin.TabularInline):
    """Records below another, each with its own version."""

    form = VersionedForm
    extra = 0


class ReadOnly:
    """An admin or inline in which nothing is written."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VersionedAdmin(BuddhistDates, SimpleHistoryAdmin):
    """An admin of versioned records: a stale form is refused with 409, everything typed still in it."""

    form = VersionedForm
    list_per_page = 50
    save_on_top = False

    def save_model(self, request: HttpRequest, obj: Versioned, form: VersionedForm, change: bool) -> None:
        """Save what was changed; a form in which nothing was is no new version."""
        if not change or form.changed_data:
            super().save_model(request, obj, form, change)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show or save a form; where another save came in between, show it as stale."""
        try:
            response = super().changeform_view(request, *args, **kwargs)
        except StaleVersionError:
            # Rolled back. Read again, the form is stale by its version, and says so.
            response = super().changeform_view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and response.context_data:
            stale = [form for form in self._forms(response.context_data) if getattr(form, "is_stale", False)]
            for form in stale:
                form.take_fresh_version()
            if stale:
                response.status_code = 409
        return response

    @staticmethod
    def _forms(context: dict[str, Any]) -> list[forms.BaseForm]:
        inlines = context.get("inline_admin_formsets") or []
        own = [context["adminform"].form] if "adminform" in context else []
        return own + [form for inline in inlines for form in inline.formset.forms]


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """The roles."""


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """People; their units are added by `assignments.admin`."""

    list_display = ("username", "first_name", "last_name", "roles", "is_active", "is_demo")
    list_filter = ("groups", "is_active", "is_staff", "is_demo")
    readonly_fields = ("is_demo", "seen", "joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "email")}),
        (gettext_lazy("What this person may do"), {"fields": ("groups", "is_active", "is_staff", "is_superuser")}),
        (gettext_lazy("About the account"), {"fields": ("is_demo", "seen", "joined")}),
    )
    filter_horizontal = ("groups",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=gettext_lazy("last login"))
    def seen(self, person: User) -> str:
        return be_date(person.last_login) or "–"

    @admin.display(description=gettext_lazy("made on"))
    def joined(self, person: User) -> str:
        return be_date(person.date_joined)

    @admin.display(description=gettext_lazy("role"))
    def roles(self, person: User) -> str:
        return ", ".join(group.name for group in person.groups.all())
