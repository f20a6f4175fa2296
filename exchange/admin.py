"""Read-only admin screen of the import jobs."""

from django.contrib import admin

from exchange.models import ImportJob
from pmqa_tracker.admin import ReadOnlyAdmin


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    """Uploaded workbooks. They are confirmed and undone on the site, not here."""

    list_display = ("file_name", "kind", "organization", "plan", "unit", "by", "at", "state")
    list_filter = ("kind", "state", "plan")
    list_select_related = ("organization", "plan", "unit", "by")
    search_fields = ("file_name", "sha256")
    ordering = ("-at", "-pk")
    fields = (
        "file_name", "kind", "plan", "unit", "by", "at", "size", "sha256", "state", "refusal", "written_at",
        "undone_at", "undone_by",
    )  # fmt: skip
