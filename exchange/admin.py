"""Admin screen of the imported workbooks, which is only read."""

from django.contrib import admin

from exchange.models import ImportJob
from pmqa_tracker.admin import ReadOnlyAdmin


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    """Workbooks that were brought in; they are confirmed and undone on the site."""

    list_display = ("file_name", "kind", "plan", "unit", "by", "at", "state")
    list_filter = ("kind", "state", "plan")
    list_select_related = ("plan", "unit", "by")
    search_fields = ("file_name", "sha256")
    ordering = ("-at", "-pk")
    fields = (
        "file_name", "kind", "plan", "unit", "by", "at", "size", "sha256", "state", "refusal", "written_at",
        "undone_at", "undone_by",
    )  # fmt: skip
