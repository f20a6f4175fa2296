"""A new password for who forgot theirs: a mail with a link, with the same answer for addresses that nobody has."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse, reverse_lazy
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.encoding import force_bytes
from django.utils.http import base36_to_int, urlsafe_base64_encode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from accounts.attempts import AnswersLocked, Attempt, network
from accounts.backend import find_by_address
from accounts.models import Purpose
from assignments.closed import why_closed
from assignments.models import User
from assignments.people.invitations import LinkTokens
from pmqa_tracker import clock
from pmqa_tracker.client_address import client_address
from pmqa_tracker.mail import LANGUAGE, is_mail_on, send_mails, site_url
from pmqa_tracker.tasks.models import ProgressCallback
from pmqa_tracker.tasks.queue import start
from pmqa_tracker.tasks.run import background_task

NOBODY = 0  # owner of the task: who asks is not logged in
logger = logging.getLogger(__name__)


class ResetTokens(LinkTokens):
    """Tokens of these links; they expire sooner than those of invitations."""

    key_salt = "accounts.reset"

    def check_token(self, user: User | None, token: str | None) -> bool:
        """Return whether a token belongs to a user, was not used, and has not expired."""
        if not super().check_token(user, token):
            return False
        age = self._num_seconds(self._now()) - base36_to_int(str(token).split("-")[0])
        return age <= timedelta(hours=settings.PMQA_RESET_HOURS).total_seconds()


reset_tokens = ResetTokens()


def build_reset_mail(person: User, *, site: str) -> EmailMessage:
    """Build the mail, in Thai and plain text.

    Args:
        site: URL of the site, without a trailing slash.
    """
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    address = reverse("password_reset_link", args=[uid, reset_tokens.make_token(person)])
    with translation.override(LANGUAGE):
        context = {"person": person, "url": f"{site}{address}", "site": site, "hours": settings.PMQA_RESET_HOURS}
        return EmailMessage(
            subject=gettext("Improvement plan tracker: set a new password"),
            body=render_to_string("accounts/password_reset.txt", context).strip(),
            to=[person.email],
            headers={"Auto-Submitted": "auto-generated"},
        )


@background_task(is_repeatable=False)
def reset_mail_task(on_progress: ProgressCallback, _result: Path, *, address: str, site: str) -> None:
    """Send the mail to the person with an address, if there is one with an open account.

    It is looked up here, so that the page answers in the same time whether or not there is one.
    """
    person = find_by_address(address)
    people = [person] if person and not why_closed(person) else []
    for result in send_mails(people, lambda person: build_reset_mail(person, site=site), on_progress=on_progress):
        if result.failure:
            logger.error("The mail to set a new password was not sent to %s: %s", result.item, result.failure)


class ResetForm(forms.Form):
    """The address to which the mail goes."""

    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def __init__(self, *args: Any, client: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = client

    def clean_email(self) -> str:
        """Count the mail, for its address and for the computer that asks.

        Raises:
            TooManyAttemptsError: there were too many.
        """
        typed = self.cleaned_data["email"]
        for attempt in (
            Attempt(purpose=Purpose.MAIL, name=typed),
            Attempt(purpose=Purpose.MAILS, address=network(self.client)),
        ):
            attempt.begin(at=clock.now())
        return typed


@method_decorator(login_not_required, name="dispatch")
class PasswordReset(AnswersLocked, FormView):
    """Page to ask for the mail."""

    template_name = "accounts/password_reset.html"
    form_class = ResetForm
    success_url = reverse_lazy("login")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "client": client_address(self.request)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "is_mail_on": is_mail_on()}

    def form_valid(self, form: ResetForm) -> HttpResponse:
        """Have the mail sent, and say so in the same words whether or not anybody has the address."""
        address = form.cleaned_data["email"]
        if is_mail_on():
            start(
                reset_mail_task,
                owner=NOBODY,
                label=str(_("Mail to set a new password")),
                patience=0,
                address=address,
                site=site_url(self.request),
            )
        text = gettext(
            "If somebody here has the address %(address)s, a mail with a link to set a new password is on its way. It "
            "arrives in a few minutes; look into the folder for unwanted mail too."
        )
        messages.info(self.request, text % {"address": address})
        return super().form_valid(form)
