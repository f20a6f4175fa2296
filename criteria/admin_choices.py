"""Autocomplete fields of the admin that offer the records of one framework."""

from functools import reduce
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from criteria.models import Framework
from pmqa_tracker.autocomplete import SelectKey, SelectKeys

PARAMETER = "of_framework"  # of the URL that answers an autocomplete field


class _OfFramework:
    """An autocomplete widget that asks for the records of the framework with this slug; None asks for all."""

    slug: str | None = None

    def get_url(self) -> str:
        url = super().get_url()
        return url if self.slug is None else f"{url}?{urlencode({PARAMETER: self.slug})}"


class SelectOfFramework(_OfFramework, SelectKey):
    """Select one record of a framework."""


class SelectManyOfFramework(_OfFramework, SelectKeys):
    """Select several records of a framework."""


class FrameworkChoices:
    """An admin whose form offers, in some autocomplete fields, only records of the framework of its object.

    A form for a new object offers the records of all frameworks.
    """

    framework_fields: tuple[str, ...] = ()

    def framework_for(self, name: str, record: Any) -> Framework | None:
        """Return the framework whose records a field offers; None if it offers nothing."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        for name in self.framework_fields if obj else ():
            if name in form.base_fields:
                framework = self.framework_for(name, obj)
                form.base_fields[name].widget.widget.slug = framework.slug if framework else ""
        return form

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.framework_fields:
            select = SelectManyOfFramework if db_field.many_to_many else SelectOfFramework
            kwargs["widget"] = select(db_field, self.admin_site)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class OfferedByFramework:
    """An admin whose records the autocomplete fields offer by framework; `framework_path` leads to it."""

    framework_path = "framework"

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        rows, may_repeat = super().get_search_results(request, queryset, search_term)
        if PARAMETER in request.GET:
            rows = rows.filter(**{f"{self.framework_path}__slug": request.GET[PARAMETER]})
        return rows.select_related(self.framework_path), may_repeat

    def choice_label(self, record: Any, request: HttpRequest) -> str:
        """Return the text of a choice, with the edition if records of all editions are offered."""
        framework = reduce(getattr, self.framework_path.split("__"), record)
        return str(record) if PARAMETER in request.GET else f"{framework.edition} · {record}"


class LabelledChoices(AutocompleteJsonView):
    """The answer to an autocomplete field, with the labels of the admin of its records if it has its own."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        result = super().serialize_result(obj, to_field_name)
        if isinstance(self.model_admin, OfferedByFramework):
            result["text"] = self.model_admin.choice_label(obj, self.request)
        return result


def _autocomplete(request: HttpRequest) -> HttpResponse:
    return LabelledChoices.as_view(admin_site=admin.site)(request)


admin.site.autocomplete_view = _autocomplete  # type: ignore[method-assign]
