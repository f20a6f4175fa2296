"""Mail: whether a mail server is set up, a connection to it, and why a mail could not be sent."""

from contextlib import suppress
from smtplib import SMTPRecipientsRefused, SMTPResponseException

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

LANGUAGE = "th"  # of every mail
TIMEOUT = 30  # seconds, if EMAIL_TIMEOUT is not set
OFF_BACKENDS = ("console", "dummy", "filebased")  # Django mail backends that send nothing


def is_mail_on() -> bool:
    """Whether the mail backend sends mail to a server."""
    return not settings.EMAIL_BACKEND.startswith(tuple(f"django.core.mail.backends.{name}." for name in OFF_BACKENDS))


def get_mail_connection() -> BaseEmailBackend:
    """Return a connection to the mail server, not yet open, that never waits for long."""
    return get_connection(timeout=settings.EMAIL_TIMEOUT or TIMEOUT)


def close_mail_connection(connection: BaseEmailBackend) -> None:
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
