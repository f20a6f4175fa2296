"""Base classes of the admin: version check, Thai order and search, Buddhist dates, and the look of the site.

`assignments.admin` decides which users may open the admin.
"""

import re
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from itertools import pairwise
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.templatetags import admin_list
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_tasks_db.models import DBTaskResult
from simple_history.admin import SimpleHistoryAdmin

from pmqa_tracker.autocomplete import may_be_key
from pmqa_tracker.database_text import Folded, in_thai_order
from pmqa_tracker.forms import BuddhistDateField, LinesField
from pmqa_tracker.history import ReadableChanges, changes_since, is_changed_only_by, uneditable_fields
from pmqa_tracker.models import Versioned
from pmqa_tracker.parsing.fields import WholeNumberField
from pmqa_tracker.scoped_admin import OwnChoices, OwnRecords
from pmqa_tracker.templatetags.thai import be_date
from pmqa_tracker.transactions import write_transaction
from pmqa_tracker.typed_text import typed_text
from pmqa_tracker.versioned_forms import READ_VERSION, VersionedForm, VersionedInlineFormSet
from pmqa_tracker.write_once import StaleVersionError

admin.site.site_title = gettext_lazy("PMQA Tracker")
admin.site.site_header = gettext_lazy("Improvement plan tracker")
admin.site.index_title = gettext_lazy("Manage the data")
admin.site.site_url = "/"
admin.site.enable_nav_sidebar = False  # the tables need the width
admin.site.unregister(DBTaskResult)  # users see `tasks.models.BackgroundTask`; the log has the rest


def boolean_icon(value: bool | None) -> str:
    """Return Django's icon for yes or no, with a text in the language of the page; Django's own text is “True”."""
    name, label = {True: ("yes", _("yes")), False: ("no", _("no"))}.get(value, ("unknown", _("unknown")))
    return format_html('<img src="{}" alt="{}">', static(f"admin/img/icon-{name}.svg"), label)


admin_list._boolean_icon = boolean_icon


class ThaiList(ChangeList):
    """A change list that sorts text columns in Thai order, and ignores numbers that no database can hold."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        numbers = [int(value) for values in found.values() for value in values if re.fullmatch(r"-?\d{1,100}", value)]
        if any(abs(number) > models.BigIntegerField.MAX_BIGINT for number in numbers):
            raise IncorrectLookupParameters
        return found

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        return in_thai_order(self.model, super().get_ordering(request, queryset))


class ThaiText:
    """An admin that sorts in Thai order and finds a text in any spelling, in its list and in autocomplete fields."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ThaiList

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Return the order of the list, of autocomplete results, and of the choices in filters and forms."""
        return in_thai_order(self.model, super().get_ordering(request))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return the values that the URL of a new record brings, without keys that a relation cannot have."""
        initial = super().get_changeform_initial_data(request)
        return {name: value for name, value in initial.items() if self._may_hold(name, value)}

    def _may_hold(self, name: str, value: Any) -> bool:
        fields = (*self.model._meta.concrete_fields, *self.model._meta.many_to_many)
        relations = {field.name: field for field in fields if field.is_relation}
        if name not in relations or value is None:
            return True
        return all(may_be_key(relations[name], key) for key in (value if isinstance(value, list) else [value]))

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Return whether other models may refer to this column; Django fails on the name of a reverse relation."""
        is_column = any(to_field in (field.name, field.attname) for field in self.model._meta.concrete_fields)
        return is_column and super().to_field_allowed(request, to_field)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the record; Django fails on an empty name of a column."""
        return super().get_object(request, object_id, from_field or None)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Return the fields to search; they are compared by search key, see `pmqa_tracker.database_text`."""
        return [f"{name}__{Folded.lookup_name}" for name in super().get_search_fields(request)]


class BuddhistDates:
    """An admin whose forms and lists show days in the Buddhist era; its texts have LF line ends."""

    formfield_overrides = {
        models.DateField: {"form_class": BuddhistDateField, "widget": forms.TextInput},
        models.TextField: {"form_class": LinesField},
        models.IntegerField: {"form_class": WholeNumberField, "widget": WholeNumberField.widget},
        models.URLField: {"assume_scheme": "https"},
    }

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._column(name) for name in super().get_list_display(request)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Return Django's fieldsets; a read-only page shows days the way the list does."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [(title, {**options, "fields": self._readable(options["fields"])}) for title, options in fieldsets]

    def _readable(self, names: Any) -> list[Any]:
        shown = [name for name in names if name != READ_VERSION]
        return [self._readable(name) if isinstance(name, (list, tuple)) else self._column(name) for name in shown]

    def _column(self, name: Any) -> Any:
        fields = {field.name: field for field in self.model._meta.concrete_fields}
        return be_column(fields[name]) if isinstance(fields.get(name), models.DateField) else name


@cache
def be_column(field: models.Field) -> Any:
    """Return a column that shows a date or datetime field in the Buddhist era."""

    @admin.display(description=field.verbose_name, ordering=field.name)
    def column(record: models.Model) -> str:
        return be_date(getattr(record, field.name)) or "–"

    column.__name__ = field.name
    return column


class RequestChoices:
    """Query the choices of a relation once for all rows of an inline."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name not in self.get_autocomplete_fields(request):
            field.choices = [("", field.empty_label), *((each.pk, str(each)) for each in field.queryset)]
        return field


class TableInline(OwnChoices, BuddhistDates, admin.TabularInline):
    """Related records in a table; read-only rows show days in the Buddhist era too."""

    extra = 0

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        if self.has_change_permission(request, obj):
            return readonly
        return [*readonly, *(name for name in self._readable(self.fields) if name not in readonly)]


class VersionedInline(RequestChoices, TableInline):
    """Related records in a table, each with its own version."""

    form = VersionedForm
    formset = VersionedInlineFormSet


class ReadOnly:
    """An admin or inline without permission to write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(ReadOnly, TableInline):
    """Related records in a read-only table."""


class ReadOnlyAdmin(OwnRecords, ThaiText, BuddhistDates, ReadOnly, admin.ModelAdmin):
    """An admin of read-only records."""


def _transaction_of(request: HttpRequest) -> AbstractContextManager[None]:
    """Return the transaction of a form that is posted; a form that is opened needs none."""
    return write_transaction() if request.method == "POST" else nullcontext()


class KeepsTypedText:
    """An admin whose form never answers 500 or loses typed text: if it cannot save, it shows the text to copy."""

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Show or save a form; try once more if another save came in between."""
        for _time in range(2):
            try:
                with _transaction_of(request):
                    return super().changeform_view(request, object_id, *args, **kwargs)
            except (StaleVersionError, IntegrityError):
                # Rolled back. On the second try the form sees the other save: it is stale or not unique, and says so.
                continue
        return self.not_saved(request, _("Somebody else is changing the same record at this moment."))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask before deleting, or delete."""
        with _transaction_of(request):
            return super().delete_view(request, object_id, extra_context)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete the records chosen in a list, all or none."""
        with write_transaction():
            super().delete_queryset(request, queryset)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        if request.method == "POST" and typed_text(request):
            return self.not_saved(request, _("Somebody else removed this record while you were writing."))
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)

    def not_saved(self, request: HttpRequest, message: str) -> HttpResponse:
        """Return a page with the typed text for the user to copy; 409."""
        context = {"title": _("Not saved"), "message": message, "typed": typed_text(request), "opts": self.opts}
        return render(request, "admin/not_saved.html", {**self.admin_site.each_context(request), **context}, status=409)


def check_key(model: type[models.Model], text: str) -> None:
    """Raise Http404 for a part of a URL that cannot be a key of the model."""
    try:
        model._meta.pk.to_python(unquote(text))
    except ValidationError:
        raise Http404(text) from None


class VersionedAdmin(OwnRecords, ThaiText, BuddhistDates, KeepsTypedText, SimpleHistoryAdmin):
    """An admin of versioned records: a stale form is refused with 409 and keeps everything typed.

    The history is read-only: restoring an old copy would overwrite later changes, including an action's progress.
    """

    form = VersionedForm
    list_per_page = 50
    save_on_top = False

    def save_model(self, request: HttpRequest, obj: Versioned, form: VersionedForm, change: bool) -> None:
        """Save the record; a form without changes makes no new version."""
        if not change or form.changed_data:
            super().save_model(request, obj, form, change)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Render the form; answer 409 if the form or one of its rows was filled in on an older version."""
        response = super().render_change_form(request, context, *args, **kwargs)
        rows = [form for inline in context["inline_admin_formsets"] for form in inline.formset.forms]
        stale = [form for form in (context["adminform"].form, *rows) if getattr(form, "is_stale", False)]
        for form in stale:
            form.use_current_version()
        if stale:
            response.status_code = 409
        return response

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out the deletion of many records at once, which checks no version."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask before deleting; ask again with 409 if the record has changed since the question."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except StaleVersionError as error:
            record, version = error.args[0], posted_version(request)
            head = _("Somebody else changed it after this page was opened. Nothing was removed; look at it again.")
            if is_changed_only_by(request.user, record, version):
                head = _("You changed it yourself, in another tab or on another device, after this page was opened. "
                         "Nothing was removed; look at it again.")  # fmt: skip
            changes = changes_since(record, version)
        messages.error(request, " ".join([head, *changes]))
        request.POST = QueryDict()
        response = super().delete_view(request, object_id, extra_context)
        response.status_code = 409
        return response

    def delete_model(self, request: HttpRequest, obj: Versioned) -> None:
        """Delete a record.

        Raises:
            StaleVersionError: it has changed since the question.
        """
        same = type(obj)._base_manager.filter(pk=obj.pk, version=posted_version(request))
        if not same.update(version=F("version") + 1):
            raise StaleVersionError(obj)
        super().delete_model(request, obj)

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def set_history_delta_changes(self, request: HttpRequest, historical_records: Any, **kwargs: Any) -> None:
        """Describe each change in words; fields that users do not edit are left out."""
        excluded = uneditable_fields(self.model)
        for record, before in pairwise(historical_records):
            delta = record.diff_against(before, excluded_fields=excluded, foreign_keys_are_objs=True)
            record.history_delta_changes = ReadableChanges(self.model, record).context_for_delta_changes(delta)

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the history; 404 for what is no key."""
        check_key(self.model, object_id)
        return super().history_view(request, object_id, *args, **kwargs)

    def history_form_view(self, request: HttpRequest, object_id: str, version_id: str, **kwargs: Any) -> HttpResponse:
        """Show an old copy; 404 for what is no key."""
        check_key(self.model, object_id)
        check_key(self.model.history.model, version_id)
        if request.method != "GET":
            raise PermissionDenied(_("An old copy is only read; make the change in the record itself."))
        return super().history_form_view(request, object_id, version_id, **kwargs)


def posted_version(request: HttpRequest) -> int:
    """Return the version a posted form was opened with; 0 if it has none."""
    version = request.POST.get(READ_VERSION, "")
    return int(version) if version.isdecimal() and len(version) < 19 else 0
