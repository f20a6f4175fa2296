"""Format of log lines: JSON or text, with the current request and without what its user typed."""

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

from django.db import Error as DatabaseError
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter as LibraryFormatter

from pmqa_tracker.request_log import current_request, describe_request, hidden_values

# Django adds the request itself; its text contains the query.
NOT_LOGGED = [*RESERVED_ATTRS, "request", "server_time", "status_code", "current"]
HIDDEN = "[…]"
QUERY = re.compile(r"\?\S+")


class RequestFilter(logging.Filter):
    """Add the current request to a log record, and take typed text out of its message."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; none is left out."""
        request = current_request()
        about = describe_request(request) if request else {}
        for name, value in about.items():
            setattr(record, name, value)
        record.current = " ".join(f"{name}={about[name]}" for name in ("request_id", "user", "plan") if name in about)
        message = without_typed_text(record.getMessage())
        record.msg, record.args = QUERY.sub("?", message) if record.name.startswith("gunicorn") else message, ()
        return True


class JsonFormatter(LibraryFormatter):
    """One JSON object for each record; the message of an exception contains no typed text."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            timestamp="at",
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "error"},
            reserved_attrs=NOT_LOGGED,
            json_ensure_ascii=False,
        )

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is that of logging
        return format_error(ei[1])


class TextFormatter(logging.Formatter):
    """A line of text for each record, for a terminal."""

    def __init__(self) -> None:
        super().__init__("{levelname} {message} {current}", style="{", defaults={"current": ""})

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, not with the stack trace that another formatter has kept in it."""
        record.exc_text = None
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is that of logging
        return format_error(ei[1])


def without_typed_text(text: str) -> str:
    """Replace in a text what the user of the current request typed, their cookies, and secret parts of the address."""
    request = current_request()
    for value in hidden_values(request) if request else ():
        text = text.replace(value, HIDDEN).replace(repr(value)[1:-1], HIDDEN)
    return text


def format_error(error: BaseException | None) -> str:
    """Return the stack trace of an exception, with messages that repeat no typed text.

    The further lines of a database's message quote the row and the statement.
    """
    text = "".join(traceback.format_exception(error)).rstrip() if error else ""
    for each in _chain(error):
        message = str(each)
        kept = without_typed_text(message.split("\n")[0] if _is_from_database(each) else message)
        if kept != message:
            text = text.replace(message, kept)
    return text


def _is_from_database(error: BaseException) -> bool:
    return isinstance(error, DatabaseError) or isinstance(error.__cause__, DatabaseError) or hasattr(error, "pgcode")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
