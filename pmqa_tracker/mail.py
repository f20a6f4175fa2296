"""Mail: whether a mail server is set up, sending several mails, and why a mail could not be sent."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Generic, TypeVar

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.http import HttpRequest

from pmqa_tracker.tasks.models import ProgressCallback, ignore_progress

LANGUAGE = "th"  # of every mail
TIMEOUT = 30  # seconds, if EMAIL_TIMEOUT is not set
OFF_BACKENDS = ("console", "dummy", "filebased")  # Django mail backends that send nothing
Item = TypeVar("Item")


def is_mail_on() -> bool:
    """Whether the mail backend sends mail to a server."""
    return not settings.EMAIL_BACKEND.startswith(tuple(f"django.core.mail.backends.{name}." for name in OFF_BACKENDS))


def site_url(request: HttpRequest) -> str:
    """Return the URL of the site that the links in a mail begin with, without a trailing slash."""
    return settings.SITE_URL or request.build_absolute_uri("/").rstrip("/")


@dataclass(frozen=True, kw_only=True)
class MailResult(Generic[Item]):
    """What happened to the mail of an item.

    Attributes:
        failure: why it was not sent; "" if the server took it.
        is_outage: the server could not be reached, so the mail was not tried.
    """

    item: Item
    failure: str = ""
    is_outage: bool = False


def send_mails(
    items: Sequence[Item],
    build: Callable[[Item], EmailMessage],
    *,
    begin: Callable[[Item], bool] = lambda _item: True,
    on_progress: ProgressCallback = ignore_progress,
) -> Iterator[MailResult[Item]]:
    """Send a mail for each item, over one connection that is reopened after a failed mail; call it in no transaction.

    A server that cannot be reached is tried once; then no mail is sent.

    Args:
        items: what the mails are about.
        build: returns the mail of an item.
        begin: called when the server has answered, right before the mail is sent; an item is left out if it returns
            False.
        on_progress: called before each mail, and after the last one.

    Yields:
        The result of each mail, as soon as it is known.
    """
    connection, outage = get_connection(timeout=settings.EMAIL_TIMEOUT or TIMEOUT), ""
    try:
        for done, item in enumerate(items):
            on_progress(done, len(items))
            outage = outage or _open(connection)
            if outage:
                yield MailResult(item=item, failure=outage, is_outage=True)
            elif begin(item):
                yield MailResult(item=item, failure=_send(build(item), connection))
        on_progress(len(items), len(items))
    finally:
        _close(connection)


def _open(connection: BaseEmailBackend) -> str:
    """Open a connection; return "" or why the server cannot be reached."""
    try:
        connection.open()
    except OSError as error:
        return explain_mail_error(error)
    return ""


def _send(mail: EmailMessage, connection: BaseEmailBackend) -> str:
    """Send a mail; return "" or why it was not sent."""
    try:
        connection.send_messages([mail])
    except (OSError, ValueError) as error:  # SMTP errors are OSErrors; an invalid address is a ValueError
        _close(connection)
        return explain_mail_error(error)
    return ""


def _close(connection: BaseEmailBackend) -> None:
    """Close a connection that may already be broken."""
    with suppress(OSError):
        connection.close()


def explain_mail_error(error: Exception) -> str:
    """Return the mail server's answer, or why the connection failed."""
    if isinstance(error, SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    else:
        return str(error) or type(error).__name__
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
