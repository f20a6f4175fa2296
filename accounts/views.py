"""Login and logout, with answers to forms left open in another tab."""

from typing import Any

from allauth.account.utils import get_login_redirect_url
from allauth.account.views import LoginView
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator

from accounts.attempts import AnswersLocked
from accounts.forms import LoginForm


class Login(AnswersLocked, LoginView):
    """allauth's login page in the site's design; it names the user who is already logged in."""

    template_name = "accounts/login.html"
    form_class = LoginForm

    def form_valid(self, form: LoginForm) -> HttpResponse:
        """Log in; another user of this browser is logged out first."""
        if self.request.user.is_authenticated and self.request.user != form.user:
            logout(self.request)
        return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = {"next": self.get_next_url() or "", "sign_on": settings.PMQA_OIDC_NAME}
        return super().get_context_data(**kwargs) | page

    def csrf_failed(self) -> HttpResponse:
        """Answer a form with an outdated CSRF token: continue if that user is logged in by now, else ask again."""
        typed = self.request.POST.get("username", "").strip()
        user = self.request.user
        if user.is_authenticated and typed in ("", user.get_username()):
            return HttpResponseRedirect(get_login_redirect_url(self.request, self.get_next_url()))
        form = LoginForm(request=self.request, initial={"username": typed})
        return self.render_to_response(self.get_context_data(form=form, is_outdated=True), status=403)


@method_decorator(login_not_required, name="dispatch")
class Logout(LogoutView):
    """Django's logout; a user who is already logged out is redirected too."""

    def csrf_failed(self) -> HttpResponse:
        """Ask again, naming the user whose session would end."""
        if not self.request.user.is_authenticated:
            return redirect("login")
        return render(self.request, "accounts/logout.html", status=403)
