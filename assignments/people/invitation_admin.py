"""Invitations in the admin of people: their state, sending them again, and their links for administrators."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from assignments.access import access_of
from assignments.models import User
from assignments.people.invitations import (
    describe_invitation,
    invitation_url,
    read_outcome,
    start_sending,
    why_not_invite,
)
from assignments.people.record import record_invitations
from assignments.people.rights import may_manage
from pmqa_tracker import clock
from pmqa_tracker.mail import is_mail_on, site_url

MAX_NAMED = 10  # people named in a message
WITHOUT_MAIL = _(
    "No mail server is set up, so nobody gets an invitation by mail. An administrator opens the list of people, "
    "chooses “Show the links to set a password” and passes the links on, or sets a first password on the page of the "
    "person."
)
ONLY_ADMINISTRATORS = _("Only the system administrator sets passwords and sees the links to set them.")


class InvitationFilter(admin.SimpleListFilter):
    """People by the state of their invitation."""

    title = _("invitation")
    parameter_name = "invitation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("not sent")), ("open", _("sent, no password yet")), ("accepted", _("accepted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        conditions = {
            "failed": Q(invitation__sent_at=None, invitation__accepted_at=None, invitation__isnull=False),
            "open": Q(invitation__sent_at__isnull=False, invitation__accepted_at=None),
            "accepted": Q(invitation__accepted_at__isnull=False),
        }
        condition = conditions.get(self.value())
        return queryset.filter(condition) if condition else queryset


class InvitesPeople:
    """An admin of people with invitations."""

    actions = ("send_again", "show_links")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer sending only with a mail server, and the links only to administrators."""
        hidden = set() if is_mail_on() else {"send_again"}
        hidden |= set() if request.user.is_superuser else {"show_links"}
        return {name: action for name, action in super().get_actions(request).items() if name not in hidden}

    @admin.display(description=_("invitation"))
    def invited(self, person: User) -> str:
        return describe_invitation(person, at=clock.now()) or "–"

    def invite(self, request: HttpRequest, people: Sequence[User]) -> None:
        """Send invitations; the next page lists the mails that were sent and those that failed."""
        if not is_mail_on():
            messages.warning(request, format_html("{} {}", WITHOUT_MAIL, link_to_uninvited()))
            return
        start_sending(people, owner=request.user, site=site_url(request), at=clock.now())
        outcome = read_outcome(people)
        if outcome.sent:
            text = ngettext(
                "Invitation sent to %(names)s.", "%(count)s invitations sent: %(names)s.", len(outcome.sent)
            )
            messages.success(request, text % {"count": len(outcome.sent), "names": name_some(outcome.sent)})
        if outcome.waiting:
            text = gettext("Invitations are being sent to %(names)s. The list of people shows who has received one.")
            messages.info(request, text % {"names": name_some(outcome.waiting)})
        if outcome.failed:
            reasons = "; ".join(dict.fromkeys(reason for _person, reason in outcome.failed))
            text = gettext("The accounts exist, but the invitation could not be sent: %(names)s. Reason: %(reason)s.")
            text %= {"names": name_some([person for person, _reason in outcome.failed]), "reason": reasons}
            messages.warning(request, format_html("{} {}", text, link_to_uninvited()))

    def invitable(self, request: HttpRequest, queryset: QuerySet[User]) -> list[User]:
        """Return the chosen people who can be invited; say why others cannot."""
        people = []
        for person in queryset.select_related("invitation", "organization"):
            reason = why_not_invite(person)
            if not may_manage(access_of(request), person):
                reason = gettext("%(person)s is an administrator.") % {"person": person}
            if reason:
                messages.warning(request, reason)
            else:
                people.append(person)
        return people

    @admin.action(description=_("Send the invitation again"), permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        if people := self.invitable(request, queryset):
            self.invite(request, people)

    @admin.action(description=_("Show the links to set a password"), permissions=["change"])
    def show_links(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        if not request.user.is_superuser:
            raise PermissionDenied(ONLY_ADMINISTRATORS)
        people = self.invitable(request, queryset)
        record_invitations(people, by=request.user, details=gettext_noop("link shown"))
        return self.render_links(request, people) if people else None

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.invitation_view)
        return [path("<pk>/invitation/", view, name="assignments_user_invitation"), *super().get_urls()]

    def invitation_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Send the invitation of one person again by mail, or show its link to an administrator."""
        person = self.get_object(request, unquote(pk))
        if person is None:
            raise Http404
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        if request.method == "POST":
            self.send_again(request, self.get_queryset(request).filter(pk=person.pk))
            return redirect("admin:assignments_user_change", person.pk)
        people = self.invitable(request, self.get_queryset(request).filter(pk=person.pk))
        return self.render_links(request, people, person=person)

    def render_links(self, request: HttpRequest, people: Sequence[User], person: User | None = None) -> HttpResponse:
        """Render the people with their links; only administrators see the links."""
        site = site_url(request)
        sees = request.user.is_superuser
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Invitations"),
            "opts": self.opts,
            "person": person,
            "rows": [(each, invitation_url(each, site=site) if sees else "", self.invited(each)) for each in people],
            "sees_links": sees,
            "is_mail_on": is_mail_on(),
            "days": settings.PMQA_INVITATION_DAYS,
        }
        return render(request, "admin/assignments/user/invitations.html", context)


def link_to_uninvited() -> str:
    """Return a link to the list of people whose invitation was not sent."""
    address = reverse("admin:assignments_user_changelist") + "?invitation=failed"
    return format_html(
        '<a href="{}">{}</a>', address, gettext("Show the people whose invitation was not sent, to send it again")
    )


def name_some(people: Sequence[User]) -> str:
    """Return the names of the first people, and how many more there are."""
    names = ", ".join(str(person) for person in people[:MAX_NAMED])
    more = len(people) - MAX_NAMED
    return gettext("%(names)s and %(count)s more") % {"names": names, "count": more} if more > 0 else names
