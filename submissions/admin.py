"""Read-only admin of the submissions, with their steps."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.admin import ReadOnlyAdmin, ReadOnlyInline
from submissions.models import Submission, SubmissionStep


class SubmissionStepInline(ReadOnlyInline):
    """Steps of a submission, with the reasons of returned actions."""

    model = SubmissionStep
    fields = ("at", "by", "state", "note", "reasons")
    readonly_fields = ("reasons",)
    ordering = ("version",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SubmissionStep]:
        return super().get_queryset(request).select_related("by").prefetch_related("lines__action")

    @admin.display(description=_("reason"))
    def reasons(self, step: SubmissionStep) -> str:
        lines = ((line.action.ref, line.reason) for line in step.lines.all() if line.reason)
        return format_html_join("", "<p>{} · {}</p>", lines) or "–"


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    """List of the submissions. They are sent and reviewed on the site."""

    list_display = ("unit", "period_label", "state")
    list_filter = ("state", "unit")
    list_select_related = ("unit", "period")
    search_fields = ("unit__abbreviation", "unit__name_th")
    ordering = ("-period__starts_on", "unit__position", "pk")
    fields = ("unit", "period", "state", "version")
    inlines = (SubmissionStepInline,)

    @admin.display(description=_("period"), ordering="period__starts_on")
    def period_label(self, submission: Submission) -> str:
        return submission.period.label
