"""Admin of accounts: the locked logins. allauth's own pages are left out."""

from collections.abc import Sequence
from typing import Any

import allauth.account.admin
import allauth.mfa.admin
import allauth.socialaccount.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

import accounts.notices  # noqa: F401 - its receiver
from accounts.attempts import limits, locked_rows
from accounts.models import Attempts, SecondFactor
from assignments.models import User
from audit.models import Event
from audit.record import record_event
from pmqa_tracker import clock
from pmqa_tracker.admin import ReadOnlyAdmin
from pmqa_tracker.templatetags.thai import be_date
from pmqa_tracker.transactions import write_transaction

admin.site.unregister((EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken))


class ForAdministrators(ReadOnlyAdmin):
    """An admin that only administrators open."""

    list_display_links = None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser


@admin.register(Attempts)
class AttemptsAdmin(ForAdministrators):
    """Who cannot log in for a while, after too many wrong attempts; for administrators, who lift the lock."""

    list_display = ("who", "purpose", "address", "count", "last_at", "until")
    list_select_related = ("person",)
    list_filter = ("purpose",)
    search_fields = ("person__username", "person__first_name", "person__last_name", "address")
    ordering = ("-last_at",)
    actions = ("lift",)

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
        for row in rows:
            record_event(Event.Kind.UNLOCKED, request=request, about=str(row))
        queryset.model.objects.filter(pk__in=[row.pk for row in rows]).delete()
        text = ngettext("%(count)s lock is lifted.", "%(count)s locks are lifted.", len(rows))
        messages.success(request, text % {"count": len(rows)})


@admin.register(SecondFactor)
class SecondFactorAdmin(ForAdministrators):
    """List of users with a second factor; an administrator resets one whose phone and recovery codes are lost."""

    fields = ("user", "created_at", "last_used_at")
    list_display = ("person", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__first_name", "user__last_name")
    ordering = ("user__username",)
    actions = ("reset",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SecondFactor]:
        return super().get_queryset(request).filter(type=Authenticator.Type.TOTP)

    @admin.display(description=_("person"), ordering="user__username")
    def person(self, row: SecondFactor) -> str:
        return f"{row.user} ({row.user.username})"

    @admin.action(description=_("Reset the second factor"), permissions=["view"])
    def reset(self, request: HttpRequest, queryset: QuerySet[SecondFactor]) -> None:
        """Remove the second factor and the recovery codes of these people, and end their logins."""
        rows = list(queryset)
        with write_transaction():
            self.log_deletions(request, rows)
            for row in rows:
                record_event(
                    Event.Kind.SECOND_FACTOR, request=request, about=row.user.username, details=gettext_noop("reset")
                )
            people = [row.user_id for row in rows]
            Authenticator.objects.filter(user__in=people).delete()
            User.objects.filter(pk__in=people).end_logins()
        text = gettext("Reset for %(names)s. Their password alone is enough now; tell them to set it up again.")
        messages.success(request, text % {"names": ", ".join(str(row) for row in rows)})
