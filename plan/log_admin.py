"""Admin screens of what the site writes and people only read: periods' reports, withdrawn evidence, reminders."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from plan.models import EvidenceWithdrawal, PeriodReport, Reminder, ReportStep, WorkbookImport
from pmqa_tracker import thai
from pmqa_tracker.admin import BuddhistDates, ReadOnly, ThaiText


class ReportStepInline(ReadOnly, admin.TabularInline):
    """What was done with a report, and why actions were returned."""

    model = ReportStep
    fields = ("taken_at", "by", "state", "note", "reasons")
    readonly_fields = ("taken_at", "reasons")
    formfield_overrides = BuddhistDates.formfield_overrides
    ordering = ("version",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportStep]:
        return super().get_queryset(request).select_related("by").prefetch_related("lines__action")

    @admin.display(description=_("at"))
    def taken_at(self, step: ReportStep) -> str:
        return thai.format_datetime(step.at)

    @admin.display(description=_("reason"))
    def reasons(self, step: ReportStep) -> str:
        lines = ((line.action.ref, line.reason) for line in step.lines.all() if line.reason)
        return format_html_join("", "<p>{} · {}</p>", lines) or "–"


@admin.register(PeriodReport)
class PeriodReportAdmin(ThaiText, BuddhistDates, ReadOnly, admin.ModelAdmin):
    """The units' reports; they are sent and reviewed on the site."""

    list_display = ("unit", "period_label", "state")
    list_filter = ("state", "unit")
    list_select_related = ("unit", "period")
    search_fields = ("unit__abbreviation", "unit__name_th")
    ordering = ("-period__starts_on", "unit__position", "pk")
    fields = ("unit", "period", "state", "version")
    inlines = (ReportStepInline,)

    @admin.display(description=_("period"), ordering="period__starts_on")
    def period_label(self, report: PeriodReport) -> str:
        return report.period.label


@admin.register(EvidenceWithdrawal)
class EvidenceWithdrawalAdmin(ThaiText, BuddhistDates, ReadOnly, admin.ModelAdmin):
    """Evidence that was taken back, and why."""

    list_display = ("evidence", "reason", "by", "at")
    list_select_related = ("evidence", "by")
    search_fields = ("evidence__title", "reason", "by__username")
    ordering = ("-at", "-pk")
    fields = ("evidence", "reason", "by", "taken_back_at")
    readonly_fields = ("taken_back_at",)

    @admin.display(description=_("at"))
    def taken_back_at(self, withdrawal: Any) -> str:
        return thai.format_datetime(withdrawal.at)


@admin.register(Reminder)
class ReminderAdmin(ThaiText, BuddhistDates, ReadOnly, admin.ModelAdmin):
    """Which reminders went out to whom."""

    list_display = ("day", "user", "action_count", "sent_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__first_name", "user__last_name")
    ordering = ("-day", "user__username")
    fields = ("user", "day", "action_count", "sent_at")


@admin.register(WorkbookImport)
class WorkbookImportAdmin(ThaiText, BuddhistDates, ReadOnly, admin.ModelAdmin):
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
