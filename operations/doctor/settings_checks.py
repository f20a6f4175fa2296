"""Checks of the settings of a production site; `manage.py check --deploy` runs them too, after Django's own."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.http.request import validate_host
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from operations.findings import Finding, fault, ok, warning
from pmqa_tracker.mail import is_mail_on

PART = "settings"
# Django says these in English only.
OF_DJANGO = {
    "security.W008": (_("Pages are also served over HTTP."), _("Leave out SECURE_SSL, or set it to True.")),
    "security.W009": (
        _("SECRET_KEY is too short or too simple."),
        _("Make a new one: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'. Everybody logs in again."),
    ),
    "security.W012": (_("Cookies of sessions are sent over HTTP."), _("Leave out SECURE_SSL, or set it to True.")),
    "security.W016": (_("Cookies of forms are sent over HTTP."), _("Leave out SECURE_SSL, or set it to True.")),
    "security.W018": (_("DEBUG is on: errors show the code and the settings."), _("Take DEBUG out of .env.")),
    "security.W020": (_("ALLOWED_HOSTS is empty."), _("Set ALLOWED_HOSTS to the name of the site.")),
}
FAULTS = {"security.W009", "security.W018", "security.W020"}  # no production site may have these


@checks.register(checks.Tags.security, deploy=True)
def check_production(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Return what a production site must not have in its settings."""
    return [*_demonstration(), *_addresses(), *_mail()]


def _demonstration() -> Iterator[checks.CheckMessage]:
    if settings.PMQA_DEMO:
        yield checks.Error(
            _("PMQA_DEMO is on: accounts with a printed password can log in."),
            hint=_("Take PMQA_DEMO and PMQA_DEMO_PASSWORD out of .env."),
            id="operations.E001",
        )
    if settings.PMQA_TODAY:
        yield checks.Error(
            _("PMQA_TODAY stops the calendar: every update gets this day."),
            hint=_("Take PMQA_TODAY out of .env."),
            id="operations.E002",
        )


def _addresses() -> Iterator[checks.CheckMessage]:
    address = urlsplit(settings.SITE_URL)
    if "*" in settings.ALLOWED_HOSTS:
        yield checks.Warning(
            _("ALLOWED_HOSTS allows every name."),
            hint=_("Set ALLOWED_HOSTS to the name of the site."),
            id="operations.W003",
        )
    if not settings.SITE_URL:
        yield checks.Warning(
            _("SITE_URL is not set: reminders are not sent."),
            hint=_("Set SITE_URL to the address of the site, such as https://pmqa.example.go.th."),
            id="operations.W004",
        )
    elif not validate_host(address.hostname or "", settings.ALLOWED_HOSTS):
        yield checks.Error(
            format_lazy(_("The site does not answer to the name in SITE_URL, {host}."), host=address.hostname),
            hint=_("Add the name to ALLOWED_HOSTS, or correct SITE_URL."),
            id="operations.E005",
        )
    elif settings.SECURE_SSL and address.scheme != "https":
        yield checks.Warning(
            _("SITE_URL begins with http://, but the site speaks HTTPS."),
            hint=_("Write SITE_URL with https://."),
            id="operations.W006",
        )


def _mail() -> Iterator[checks.CheckMessage]:
    if is_mail_on() and settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        yield checks.Warning(
            _("DEFAULT_FROM_EMAIL is not set: many servers refuse mails from “@localhost”."),
            hint=_("Set DEFAULT_FROM_EMAIL to an address of the department."),
            id="operations.W007",
        )


def check_settings() -> list[Finding]:
    """Return what Django's checks and those above found; one line if they found nothing."""
    messages = checks.run_checks(include_deployment_checks=True, databases=["default"])
    found = [_finding(each) for each in messages if each.level > checks.INFO and not each.is_silenced()]
    return found or [ok(PART, _("The settings are those of a production site."))]


def _finding(message: checks.CheckMessage) -> Finding:
    text, advice = OF_DJANGO.get(message.id or "", (message.msg, message.hint or ""))
    is_fault = message.level >= checks.ERROR or message.id in FAULTS
    return (fault if is_fault else warning)(PART, text, advice)
