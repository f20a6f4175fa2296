"""Admin pages for plans, periods, meetings and actions, and read-only pages for updates and evidence."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from assignments.access import access_of
from assignments.admin import AssignmentInline
from criteria.admin_choices import FrameworkChoices
from criteria.models import Framework
from plan.models import ActionItem, Evidence, EvidenceWithdrawal, Meeting, Period, Plan, ProgressUpdate
from plan.models.action import PLAN_ORDER
from plan.resources import ActionResource
from pmqa_tracker import clock, thai
from pmqa_tracker.admin import ReadOnlyAdmin, ReadOnlyInline, RequestChoices, VersionedAdmin, VersionedInline
from pmqa_tracker.versioned_forms import VersionedForm
from spreadsheets.admin_tables import ExportAdmin


class PeriodInline(VersionedInline):
    """The periods of a plan."""

    model = Period
    fields = ("number", "starts_on", "ends_on", "read_version")
    ordering = ("number",)


class MeetingInline(VersionedInline):
    """The meetings that review the plan."""

    model = Meeting
    fields = ("held_on", "name", "read_version")
    ordering = ("held_on",)


@admin.register(Plan)
class PlanAdmin(VersionedAdmin):
    list_display = ("title", "slug", "organization", "starts_on", "ends_on")
    list_display_links = ("title", "slug")
    list_select_related = ("organization",)
    search_fields = ("title", "slug")
    ordering = ("-starts_on",)
    autocomplete_fields = ("assessment", "previous")
    inlines = (PeriodInline, MeetingInline)


@admin.register(Period)
class PeriodAdmin(VersionedAdmin):
    list_display = ("label", "quarter_label", "number", "starts_on", "ends_on", "plan")
    list_filter = ("plan",)
    list_select_related = ("plan",)
    search_fields = ("plan__slug", "plan__title")
    ordering = ("-plan__starts_on", "number")
    autocomplete_fields = ("plan",)

    @admin.display(description=_("period"), ordering="starts_on")
    def label(self, period: Period) -> str:
        return period.label

    @admin.display(description=_("quarter"))
    def quarter_label(self, period: Period) -> str:
        return period.quarter_label


@admin.register(Meeting)
class MeetingAdmin(VersionedAdmin):
    list_display = ("name", "held_on", "plan")
    list_filter = ("plan",)
    list_select_related = ("plan",)
    search_fields = ("name", "plan__title")
    ordering = ("-held_on",)
    autocomplete_fields = ("plan",)


class ActionForm(VersionedForm):
    """Form of an action; its requirements must belong to its criterion."""

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        criterion = data.get("criterion")
        foreign = [each for each in data.get("requirements") or () if criterion and each.criterion_id != criterion.pk]
        if foreign:
            message = _("These are requirements of another criterion: %(names)s.")
            self.add_error("requirements", ValidationError(message, params={"names": ", ".join(map(str, foreign))}))
        return data


@admin.register(ActionItem)
class ActionItemAdmin(FrameworkChoices, RequestChoices, ExportAdmin, VersionedAdmin):
    """The actions. Only updates change status and progress; the data sheet imports many actions at once."""

    form = ActionForm
    resource_classes = (ActionResource,)
    list_display = ("ref", "short_text", "leads", "status", "progress", "schedule", "schedule_basis")
    list_display_links = ("ref", "short_text")
    list_filter = (
        "plan",
        "status",
        "schedule_basis",
        "criterion__category",
        "requirements__level",
        "assignments__unit",
    )
    search_fields = ("ref", "text")
    ordering = PLAN_ORDER
    autocomplete_fields = ("criterion", "requirements")
    framework_fields = ("criterion", "requirements")
    readonly_fields = ("status", "progress", "latest")
    fieldsets = (
        (None, {"fields": ("plan", "ref", "criterion", "requirements", "number", "position", "text", "read_version")}),
        (_("Schedule"), {"fields": ("first_period", "last_period", "schedule_basis")}),
        (_("Progress, reported on the site"), {"fields": ("status", "progress", "latest")}),
        (_("Reading of the document"), {"fields": ("reading_note",)}),
    )
    inlines = (AssignmentInline,)
    import_export_change_list_template = "admin/plan/actionitem/change_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Add a link to the import of the data sheet for coordinators."""
        visible = Plan.objects.visible_to(request.user)
        plan = visible.current(on=clock.today()) if access_of(request).is_coordinator else None
        import_url = reverse("import_list", args=[plan.slug]) if plan else ""
        return super().changelist_view(request, {"import_url": import_url, **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[ActionItem]:
        return super().get_queryset(request).with_details().select_related("plan__assessment__framework")

    def framework_for(self, name: str, record: ActionItem) -> Framework:
        return record.plan.framework

    @admin.display(description=_("text"))
    def short_text(self, action: ActionItem) -> str:
        return Truncator(action.text).chars(90)

    @admin.display(description=_("lead"))
    def leads(self, action: ActionItem) -> str:
        return ", ".join(str(assignment.unit) for assignment in action.lead)

    @admin.display(description=_("period"), ordering="first_period__number")
    def schedule(self, action: ActionItem) -> str:
        return f"{action.first_period.number}-{action.last_period.number}" if action.first_period else "–"

    @admin.display(description=_("progress updates"))
    def latest(self, action: ActionItem) -> str:
        rows = action.updates.without_undone().newest_first().select_related("author")[:5]
        lines = (
            (thai.format_datetime(row.at), row.author, f"{row.get_status_to_display()} {row.progress_to} %", row.result)
            for row in rows
        )
        return format_html_join("", "<p>{} · {} · {}<br>{}</p>", lines) or "–"


class EvidenceInline(ReadOnlyInline):
    """The evidence of an update."""

    model = Evidence
    fields = ("title", "link", "added_by", "at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Evidence]:
        return super().get_queryset(request).select_related("added_by")


@admin.register(ProgressUpdate)
class ProgressUpdateAdmin(ReadOnlyAdmin):
    """The updates; they are written on the site and never change."""

    list_display = ("at", "action", "author", "status_to", "progress_to", "short_result", "source", "is_undone")
    list_filter = ("source", "status_to", "action__criterion__category")
    list_select_related = ("action", "author")
    search_fields = ("action__ref", "result", "problem", "author__username")
    ordering = ("-at", "-pk")
    fields = (
        "action", "at", "author", "unit", "source", "is_unchanged",
        "status_from", "progress_from", "status_to", "progress_to",
        "result", "problem", "next_step", "reason", "version", "op_id",
    )  # fmt: skip
    inlines = (EvidenceInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProgressUpdate]:
        return super().get_queryset(request).with_undone()

    @admin.display(description=_("undone"), boolean=True)
    def is_undone(self, update: ProgressUpdate) -> bool:
        return update.is_undone

    @admin.display(description=_("result"))
    def short_result(self, update: ProgressUpdate) -> str:
        return Truncator(update.result or update.problem or update.reason).chars(80)


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    """The evidence of updates; a correction is a new row, added on the site."""

    list_display = ("title", "action", "added_by", "at")
    list_select_related = ("action", "added_by")
    search_fields = ("title", "action__ref", "link")
    ordering = ("-at", "-pk")
    fields = (
        "title", "action", "update", "link", "original_name", "kind", "size", "sha256", "file", "added_by", "at",
    )  # fmt: skip


@admin.register(EvidenceWithdrawal)
class EvidenceWithdrawalAdmin(ReadOnlyAdmin):
    """Withdrawals of evidence, with their reasons."""

    list_display = ("evidence", "reason", "by", "at")
    list_select_related = ("evidence", "by")
    search_fields = ("evidence__title", "reason", "by__username")
    ordering = ("-at", "-pk")
    fields = ("evidence", "reason", "by", "at")
