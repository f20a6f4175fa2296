"""Record events of the audit: `record_event`, and the logins and logouts that Django reports."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from audit.models import Event
from pmqa_tracker.client_address import client_address
from pmqa_tracker.history import current_request
from pmqa_tracker.tasks.clean_up import register

PRUNED_AFTER = timedelta(hours=1)  # longer than the clocks of the site and of its database differ


def record_event(kind: str, **fields: Any) -> Event:
    """Record an event, now; the arguments are those of `build_event`."""
    event = build_event(kind, **fields)
    event.save()
    return event


def build_event(
    kind: str,
    *,
    person: Any = None,
    request: HttpRequest | None = None,
    plan: Any = None,
    owner: Any = None,
    about: str = "",
    details: str = "",
    changes: Mapping[str, Any] | None = None,
) -> Event:
    """Return an event of this moment, to be saved.

    Args:
        kind: an Event.Kind.
        person: who did it; the user of the request by default.
        request: gives person and network address; by default the request that this thread answers, if any.
        plan: the plan it belongs to; its organization's coordinators see the event.
        owner: another record of an organization, whose coordinators see it; without one, those of the person.
        about: what was used, such as the name of a file; the name of the plan stands before it.
        details: more about it, such as the address of a page.
        changes: name of a field → values before and after.
    """
    request = request or current_request()
    user = person or getattr(request, "user", None)
    known = user if user is not None and user.pk else None
    at = timezone.now()
    return Event(
        kind=kind,
        at=at,
        person_id=known.pk if known else None,
        organization_id=getattr(plan or owner or known, "organization_id", None),
        about=" · ".join(filter(None, [plan.slug if plan else "", about]))[:300],
        details=details[:500],
        changes=dict(changes or {}),
        address=client_address(request) if request else "",
        keep_until=at + timedelta(days=settings.PMQA_LOGIN_LOG_DAYS) if kind in Event.OF_LOGINS else None,
    )


def remove_old_logins(at: datetime) -> int:
    """Delete the events of logins that are past their days; return how many."""
    return QuerySet.delete(Event.objects.filter(keep_until__lt=at - PRUNED_AFTER))[0]


register(remove_old_logins)


@receiver(user_logged_in, dispatch_uid="audit.logged_in")
def _after_login(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    record_event(Event.Kind.LOGIN, request=request, person=user)


@receiver(user_logged_out, dispatch_uid="audit.logged_out")
def _after_logout(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if user is not None:
        record_event(Event.Kind.LOGOUT, request=request, person=user)


@receiver(user_login_failed, dispatch_uid="audit.login_failed")
def _after_failed_login(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Record a failed login of a known user name. An unknown one is not kept: people also type passwords there."""
    typed = credentials.get("username") or ""
    person = get_user_model()._base_manager.filter(username__iexact=typed).first()
    record_event(Event.Kind.LOGIN_FAILED, request=request, person=person)
