"""Read-only admin of the reminders that were sent."""

from django.contrib import admin

from pmqa_tracker.admin import ReadOnlyAdmin
from worklist.models import Reminder


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    """List of the reminders by user and day."""

    list_display = ("day", "user", "plan", "action_count", "sent_at")
    list_select_related = ("user", "plan")
    search_fields = ("user__username", "user__first_name", "user__last_name")
    ordering = ("-day", "user__username")
    fields = ("user", "plan", "day", "action_count", "sent_at")
