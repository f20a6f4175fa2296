"""Login, logout and password pages, with answers to forms left open in another tab."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView, PasswordResetConfirmView
from django.contrib.messages.views import SuccessMessageMixin
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assignments.auth import LoginForm, why_closed
from assignments.models import Invitation, User
from pmqa_tracker import clock


class Login(LoginView):
    """Django's login page in the site's design; it names the user who is already logged in."""

    template_name = "login.html"
    authentication_form = LoginForm

    def csrf_failed(self) -> HttpResponse:
        """Answer a form with an outdated CSRF token: continue if that user is logged in by now, else ask again."""
        typed = self.request.POST.get("username", "").strip()
        user = self.request.user
        if user.is_authenticated and typed in ("", user.get_username()):
            return HttpResponseRedirect(self.get_success_url())
        form = LoginForm(self.request, initial={"username": typed})
        return self.render_to_response(self.get_context_data(form=form, is_outdated=True), status=403)


@method_decorator(login_not_required, name="dispatch")
class Logout(LogoutView):
    """Django's logout; a user who is already logged out is redirected too."""

    def csrf_failed(self) -> HttpResponse:
        """Ask again, naming the user whose session would end."""
        if not self.request.user.is_authenticated:
            return redirect("login")
        return render(self.request, "logout.html", status=403)


class PasswordChange(SuccessMessageMixin, PasswordChangeView):
    """Django's page to change a password, in the site's design."""

    template_name = "password_change.html"
    success_url = reverse_lazy("home")
    success_message = _("The password is changed. Use the new one from now on.")


class PasswordSet(PasswordResetConfirmView):
    """Django's page to set a password, opened by the link of an invitation; open accounts only."""

    template_name = "assignments/password_set.html"
    success_url = reverse_lazy("login")

    def get_user(self, uidb64: str) -> User | None:
        user = super().get_user(uidb64)
        return None if user and why_closed(user) else user

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password, and say how to log in."""
        response = super().form_valid(form)
        Invitation.objects.filter(person=self.user).update(accepted_at=clock.now())
        text = gettext("Your password is set. Log in with the user name %(username)s.")
        messages.success(self.request, text % {"username": self.user.username})
        return response

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Render the form; for a link that was used or has expired, say what to do, with 410."""
        status = 200 if context["validlink"] else 410
        return super().render_to_response(context | {"days": settings.PMQA_INVITATION_DAYS}, status=status, **kwargs)
