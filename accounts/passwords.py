"""Pages to change a password, and to set one by the link of a mail."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import PasswordChangeView, PasswordResetConfirmView
from django.contrib.messages.views import SuccessMessageMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.attempts import AnswersLocked, Attempt, TooManyAttemptsError, network
from accounts.forms import PasswordChangeForm, PasswordSetForm
from accounts.models import Attempts, Purpose
from accounts.reset import reset_tokens
from assignments.closed import why_closed
from assignments.models import Invitation, User
from assignments.people.invitations import invitation_tokens
from pmqa_tracker import clock
from pmqa_tracker.client_address import client_address


class PasswordChange(AnswersLocked, SuccessMessageMixin, PasswordChangeView):
    """Django's page to change a password, in the site's design; the user's other sessions end."""

    form_class = PasswordChangeForm
    template_name = "accounts/password_change.html"
    success_url = reverse_lazy("home")
    success_message = _("The password is changed. Use the new one from now on.")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        form.user.must_change_password = False
        return super().form_valid(form)


@method_decorator(login_not_required, name="dispatch")
class PasswordSet(PasswordResetConfirmView):
    """Django's page to set a password, opened by the link of an invitation; open accounts only."""

    form_class = PasswordSetForm
    token_generator = invitation_tokens
    template_name = "accounts/password_set.html"
    success_url = reverse_lazy("login")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Open the form; count a link before it is checked, although this is a GET, so that nobody tries them all."""
        if kwargs["token"] == self.reset_url_token:
            return super().dispatch(request, *args, **kwargs)
        person = self.get_user(kwargs["uidb64"])
        attempt = Attempt(
            purpose=Purpose.LINK,
            person=person,
            name="" if person else kwargs["uidb64"],
            address=network(client_address(request)),
        )
        try:
            attempt.begin(at=clock.now())
        except TooManyAttemptsError as error:
            return render(request, "accounts/locked.html", {"message": error.message}, status=429)
        response = super().dispatch(request, *args, **kwargs)
        if response.status_code == 302:
            attempt.succeed()
        return response

    def get_user(self, uidb64: str) -> User | None:
        user = super().get_user(uidb64)
        return None if user and why_closed(user) else user

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password, and say how to log in."""
        self.user.must_change_password = False
        response = super().form_valid(form)
        Invitation.objects.filter(person=self.user).update(accepted_at=clock.now())
        Attempts.objects.filter(person=self.user, purpose=Purpose.PASSWORD).delete()  # they were for the old password
        text = gettext("Your password is set. Log in with the user name %(username)s.")
        messages.success(self.request, text % {"username": self.user.username})
        return response

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Render the form; for a link that was used or has expired, say what to do, with 410."""
        status = 200 if context["validlink"] else 410
        lifetime = {"days": settings.PMQA_INVITATION_DAYS, "hours": settings.PMQA_RESET_HOURS}
        return super().render_to_response(context | lifetime, status=status, **kwargs)


class PasswordResetLink(PasswordSet):
    """The same page, opened by the link in the mail for who forgot their password."""

    token_generator = reset_tokens
    extra_context = {"is_reset": True}
