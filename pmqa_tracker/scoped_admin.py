"""Admin pages of an organization's records: its users see, choose and change no others (`pmqa_tracker.scope`)."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.db import models
from django.http import Http404, HttpRequest

from pmqa_tracker.autocomplete import SelectKey, SelectKeys
from pmqa_tracker.scope import is_own, own_records

OWNER = "organization"  # field of the models that name their organization themselves


class OwnRelatedFilter(admin.RelatedFieldListFilter):
    """A filter of a list by a relation, which offers only the user's own records."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        own = own_records(field.related_model._default_manager.all(), request.user)
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to={"pk__in": own.values("pk")})


class OwnChoices:
    """An admin or inline whose relations offer, and accept, only the user's own records."""

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> Any:
        rows = super().get_field_queryset(db, db_field, request)
        if rows is None and hasattr(db_field.remote_field.model, "ORGANIZATION"):
            rows = db_field.remote_field.model._default_manager.all()
        return rows if rows is None else own_records(rows, request.user)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            select = SelectKeys if db_field.many_to_many else SelectKey
            kwargs.setdefault("widget", select(db_field, self.admin_site))
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class OwnRecords(OwnChoices):
    """An admin in which the users of an organization see and change only its records; administrators choose one."""

    def get_queryset(self, request: HttpRequest) -> Any:
        return own_records(super().get_queryset(request), request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and _may_touch(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    def has_view_history_or_change_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer 404 for the history of a record that is not the user's, as for one that never was.

        Raises:
            Http404: it belongs to another organization.
        """
        if not _may_touch(request, obj):
            raise Http404
        return super().has_view_history_or_change_history_permission(request, obj)

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """Return the filters; those by a relation offer only the user's own records."""
        return [self._scoped_filter(each) for each in super().get_list_filter(request)]

    def _scoped_filter(self, name: Any) -> Any:
        if not isinstance(name, str):
            return name
        field = get_fields_from_path(self.model, name)[-1]
        return (name, OwnRelatedFilter) if hasattr(field.related_model, "ORGANIZATION") else name

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Leave out the organization for users who see only one."""
        return [name for name in super().get_list_display(request) if name != OWNER or request.user.is_superuser]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Leave out the organization, which only administrators choose."""
        excluded = [*(super().get_exclude(request, obj) or ())]
        return excluded if request.user.is_superuser else [*excluded, OWNER]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {OWNER: request.user.organization_id, **super().get_changeform_initial_data(request)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form; a new record belongs to the organization of a user who does not choose one."""
        form = super().get_form(request, obj, change, **kwargs)
        has_owner = getattr(self.model, "ORGANIZATION", "") == OWNER
        if has_owner and not request.user.is_superuser:
            form.owner = request.user.organization_id
        return form

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only users of an organization add its records; administrators choose one."""
        is_somewhere = request.user.is_superuser or request.user.organization_id is not None
        return super().has_add_permission(request) and is_somewhere


def _may_touch(request: HttpRequest, record: models.Model | None) -> bool:
    return record is None or is_own(record, request.user)
