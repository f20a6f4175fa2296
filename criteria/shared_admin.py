"""Admin pages of the frameworks, which organizations share: a coordinator changes only what no other one uses."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from criteria.models import Assessment


def used_elsewhere(user: Any) -> frozenset[int]:
    """Return the pks of the frameworks that other organizations use; only administrators change those.

    A plan uses the framework of its assessment, which belongs to the same organization. For an administrator of the
    installation the result is empty.
    """
    if user is None or user.is_superuser:
        return frozenset()
    others = Assessment.objects.exclude(organization=user.organization_id)
    return frozenset(others.values_list("framework", flat=True))


def why_only_administrators() -> str:
    """Return the reason why a coordinator cannot change a framework that others use."""
    return _(
        "Other organizations use this edition of the standard too, so only the system administrator changes it. If "
        "something in it is wrong, ask them."
    )


class SharedRecords:
    """An admin of the records of a framework; `framework_path` leads to it from a record."""

    framework_path = "framework"
    parents: Sequence[str] = ("framework",)  # relations through which a new record joins a framework

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not self._is_used_elsewhere(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not self._is_used_elsewhere(request, obj)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse a filter by the key of a record of an organization: the answer would say whether it exists."""
        named = lookup.split(LOOKUP_SEP)[0]
        related = {field.name: field.related_model for field in self.model._meta.get_fields()}
        return not hasattr(related.get(named), "ORGANIZATION") and super().lookup_allowed(lookup, value, request)

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> Any:
        """Offer no parent of a framework that others use."""
        rows = super().get_field_queryset(db, db_field, request)
        return rows if db_field.name not in self.parents else self.without_used(request, db_field.related_model, rows)

    def without_used(self, request: HttpRequest, model: Any, rows: QuerySet | None = None) -> QuerySet:
        """Return the records that are not of a framework in use elsewhere."""
        rows = model._default_manager.all() if rows is None else rows
        path = {"Framework": "pk", "Category": "framework", "Criterion": "framework"}[model.__name__]
        return rows.exclude(**{f"{path}__in": self._used(request)})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Say why the page is only to read."""
        if request.method == "GET" and self._is_used_elsewhere(request, kwargs.get("obj")):
            messages.info(request, why_only_administrators())
        return super().render_change_form(request, context, *args, **kwargs)

    def _is_used_elsewhere(self, request: HttpRequest, record: Any) -> bool:
        if record is None:
            return False
        path = ".".join([*filter(None, self.framework_path.split("__")), "pk"])
        return attrgetter(path)(record) in self._used(request)

    def _used(self, request: HttpRequest) -> frozenset[int]:
        if not hasattr(request, "_used_elsewhere"):
            request._used_elsewhere = used_elsewhere(request.user)  # type: ignore[attr-defined]
        return request._used_elsewhere  # type: ignore[attr-defined]
