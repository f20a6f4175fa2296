"""Outages of the database or a disk: recognise them, and go on without a write that a page does not need."""

import errno
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse

from pmqa_tracker.database import has_no_tables

logger = logging.getLogger(__name__)


class Outage(StrEnum):
    """Why the site cannot write, or not even read."""

    FULL = "full"
    READ_ONLY = "read-only"
    BUSY = "busy"
    GONE = "gone"
    OUTDATED = "outdated"  # between a new release and its migrations


OS_ERRORS = {
    errno.ENOSPC: Outage.FULL, errno.EDQUOT: Outage.FULL, errno.EFBIG: Outage.FULL, errno.EROFS: Outage.READ_ONLY,
    errno.EIO: Outage.GONE,
}  # fmt: skip
SQLITE_ERRORS = {
    sqlite3.SQLITE_FULL: Outage.FULL, sqlite3.SQLITE_READONLY: Outage.READ_ONLY, sqlite3.SQLITE_BUSY: Outage.BUSY,
    sqlite3.SQLITE_LOCKED: Outage.BUSY, sqlite3.SQLITE_IOERR: Outage.GONE, sqlite3.SQLITE_CANTOPEN: Outage.GONE,
    sqlite3.SQLITE_PERM: Outage.GONE,
}  # fmt: skip
# SQLSTATEs of PostgreSQL by their beginning, the longer ones first. No SQLSTATE: the connection failed.
SQLSTATES = {
    "53100": Outage.FULL, "25006": Outage.READ_ONLY, "55P03": Outage.BUSY, "57014": Outage.BUSY, "40": Outage.BUSY,
    "42P01": Outage.OUTDATED, "42703": Outage.OUTDATED, "53": Outage.BUSY, "08": Outage.GONE, "57P": Outage.GONE,
    "58": Outage.GONE,
}  # fmt: skip


def find_outage(error: BaseException | None) -> Outage | None:
    """Return the outage that an exception comes from; None if it is another error, such as a bug.

    SQLite reports bugs, such as too many parameters, as operational errors too, so the driver's code decides.
    """
    while error is not None:
        if found := _outage_of(error):
            return found
        error = error.__cause__ or error.__context__
    return None


def _outage_of(error: BaseException) -> Outage | None:
    if isinstance(error, sqlite3.OperationalError) and has_no_tables(error):
        return Outage.OUTDATED
    if isinstance(error, sqlite3.Error):
        return SQLITE_ERRORS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(error, OSError):
        return OS_ERRORS.get(error.errno or 0)
    if not hasattr(error, "pgcode"):
        return None
    if error.pgcode is None:
        return Outage.GONE if type(error).__name__ in ("OperationalError", "InterfaceError") else None
    return next((outage for start, outage in SQLSTATES.items() if error.pgcode.startswith(start)), None)


@contextmanager
def unless_outage(what: str) -> Iterator[None]:
    """Run a block that writes something a page does not need; log an outage instead of raising it.

    Use it outside any transaction, for example to note when a session was last seen.
    """
    try:
        yield
    except Exception as error:
        outage = find_outage(error)
        if outage is None:
            raise
        logger.warning("Not written because of an outage (%s): %s", outage, what)


class SessionMiddleware(DjangoSessionMiddleware):
    """Django's session middleware; a page is still answered if its session cannot be saved."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save a changed session."""
        with unless_outage("session"):
            return super().process_response(request, response)
        return response
