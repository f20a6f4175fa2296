"""Read-only admin of the reminders and the requests for sheets that were sent."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.admin import ReadOnlyAdmin
from worklist.models import Reminder, SheetRequest


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    """List of the reminders by user and day."""

    list_display = ("day", "user", "plan", "action_count", "sent_at")
    list_select_related = ("user", "plan")
    search_fields = ("user__username", "user__first_name", "user__last_name")
    ordering = ("-day", "user__username")
    fields = ("user", "plan", "day", "action_count", "sent_at")


@admin.register(SheetRequest)
class SheetRequestAdmin(ReadOnlyAdmin):
    """List of the requests for sheets by unit and day."""

    list_display = ("at", "unit", "period_label", "by", "finished_at")
    list_select_related = ("unit", "period", "by")
    search_fields = ("unit__abbreviation", "unit__name_th")
    ordering = ("-at", "-pk")
    fields = ("unit", "period", "day", "by", "at", "sent_to", "failures", "finished_at")

    @admin.display(description=_("period"), ordering="period__starts_on")
    def period_label(self, request: SheetRequest) -> str:
        """The period, sorted by its first day."""
        return str(request.period)
