"""Admin of accounts: the locked logins. allauth's own pages are left out."""

from collections.abc import Sequence
from typing import Any

import allauth.account.admin  # noqa: F401 - registers its models
from allauth.account.models import EmailAddress
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.attempts import limits, locked_rows
from accounts.models import Attempts
from pmqa_tracker import clock
from pmqa_tracker.admin import ReadOnlyAdmin
from pmqa_tracker.templatetags.thai import be_date

admin.site.unregister(EmailAddress)


@admin.register(Attempts)
class AttemptsAdmin(ReadOnlyAdmin):
    """Who cannot log in for a while, after too many wrong attempts; for administrators, who lift the lock."""

    list_display = ("who", "purpose", "address", "count", "last_at", "until")
    list_display_links = None
    list_select_related = ("person",)
    list_filter = ("purpose",)
    search_fields = ("person__username", "person__first_name", "person__last_name", "address")
    ordering = ("-last_at",)
    actions = ("lift",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempts]:
        return super().get_queryset(request).filter(pk__in=locked_rows(at=clock.now()).values("pk"))

    @admin.display(description=_("person"), ordering="person__username")
    def who(self, row: Attempts) -> str:
        return f"{row.person} ({row.person.username})" if row.person else str(_("unknown user name"))

    @admin.display(description=_("locked until"), ordering="last_at")
    def until(self, row: Attempts) -> str:
        return be_date(row.last_at + limits()[row.purpose].period)

    @admin.action(description=_("Lift the lock"), permissions=["view"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Attempts]) -> None:
        """Let these users and addresses try again."""
        rows: Sequence[Attempts] = list(queryset)
        self.log_deletions(request, rows)
        queryset.model.objects.filter(pk__in=[row.pk for row in rows]).delete()
        text = ngettext("%(count)s lock is lifted.", "%(count)s locks are lifted.", len(rows))
        messages.success(request, text % {"count": len(rows)})
