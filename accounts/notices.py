"""Tell people by mail that the password or the second factor of their account was changed, or that it is attacked."""

import logging
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts.models import Purpose
from assignments.closed import why_closed
from assignments.models import User
from audit.models import Event
from pmqa_tracker.append_only import records_added
from pmqa_tracker.history import current_request
from pmqa_tracker.mail import LANGUAGE, is_mail_on, send_mails, site_url
from pmqa_tracker.tasks.models import ProgressCallback
from pmqa_tracker.tasks.queue import start
from pmqa_tracker.tasks.run import background_task

PASSWORD = gettext_noop("The password of your account was changed.")
SECOND_FACTOR = gettext_noop("The second factor of your account was changed.")
GUESSED = gettext_noop("Somebody who knows your password has typed too many wrong codes of your second factor.")
NOBODY = 0  # owner of the task
logger = logging.getLogger(__name__)


def sentence_of(event: Event) -> str:
    """Return the sentence of the mail about an event, in English; "" if no mail is sent."""
    if event.kind == Event.Kind.LOCKED:
        return GUESSED if event.details == Purpose.CODE else ""
    return {Event.Kind.PASSWORD: PASSWORD, Event.Kind.SECOND_FACTOR: SECOND_FACTOR}.get(event.kind, "")


@receiver(records_added, sender=Event, dispatch_uid="accounts.notices")
def tell_owners(records: Iterable[Event], **_kwargs: Any) -> None:
    """Have the mails sent, as soon as the change is committed; a mail that cannot be queued undoes no change."""
    for event in records:
        sentence = sentence_of(event)
        if not sentence or not is_mail_on():
            continue
        request = current_request()
        arguments = {
            "person": {"username": event.about} if event.about else {"pk": event.person_id},
            "sentence": sentence,
            "at": event.at.isoformat(),
            "address": event.address,
            "site": site_url(request) if request else settings.SITE_URL,
        }
        transaction.on_commit(lambda given=arguments: _queue(given), robust=True)


def _queue(arguments: dict[str, Any]) -> None:
    start(notice_task, owner=NOBODY, label=str(_("Mail about a change of the account")), patience=0, **arguments)


@background_task(is_repeatable=False)
def notice_task(
    on_progress: ProgressCallback,
    _result: Path,
    *,
    person: dict[str, Any],
    sentence: str,
    at: str,
    address: str,
    site: str,
) -> None:
    """Mail the owner of an account, if it is open and has an address."""
    people = [each for each in User.objects.filter(**person).exclude(email="") if not why_closed(each)]

    def build(each: User) -> EmailMessage:
        with translation.override(LANGUAGE):
            moment = timezone.localtime(datetime.fromisoformat(at))
            context = {"person": each, "what": gettext(sentence), "at": moment, "address": address, "site": site}
            return EmailMessage(
                subject=gettext("Improvement plan tracker: your account"),
                body=render_to_string("accounts/notice.txt", context).strip(),
                to=[each.email],
                headers={"Auto-Submitted": "auto-generated"},
            )

    for result in send_mails(people, build, on_progress=on_progress):
        if result.failure:
            logger.error("The mail about a change of the account was not sent to %s: %s", result.item, result.failure)
