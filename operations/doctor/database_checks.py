"""Checks of the database: engine, order of Thai texts, how safely it writes, triggers of the logs, administrators."""

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from operations.findings import Finding, fault, ok, warning
from pmqa_tracker.append_only_triggers import missing_triggers
from pmqa_tracker.database_text import ANY_LANGUAGE, THAI_ORDER

PART = "database"
SYNCHRONOUS_FULL = 2


def check_engine() -> Iterator[Finding]:
    """Yield whether the database is set up as the site needs it."""
    yield from _check_sqlite() if connection.vendor == "sqlite" else _check_postgresql()


def _check_sqlite() -> Iterator[Finding]:
    mode, synchronous = _value("PRAGMA journal_mode"), _value("PRAGMA synchronous")
    if mode != "wal":
        advice = _("Put the database on a local disk, not on a network drive, and restart the site.")
        yield fault(PART, format_lazy(_("SQLite does not use its write-ahead log (“{mode}”)."), mode=mode), advice)
    if synchronous < SYNCHRONOUS_FULL:
        advice = _("Take the option out of DATABASE_URL; a power cut could lose updates.")
        yield fault(PART, _("SQLite does not wait for the disk."), advice)
    damage = _value("PRAGMA quick_check(1)")
    if damage != "ok":
        advice = _("Stop the site, and restore the last backup with manage.py restore.")
        yield fault(PART, format_lazy(_("The database is damaged: {damage}"), damage=damage), advice)
    else:
        yield ok(PART, _("SQLite is intact, with its write-ahead log."))


def _check_postgresql() -> Iterator[Finding]:
    missing = {THAI_ORDER, ANY_LANGUAGE} - _column("SELECT collname FROM pg_collation")
    if missing:
        names = ", ".join(sorted(missing))
        advice = _("Use a PostgreSQL built with ICU, such as Debian's, and run pg_import_system_collations.")
        yield fault(PART, format_lazy(_("The collations for Thai are missing: {names}."), names=names), advice)
    else:
        yield ok(PART, _("Thai texts are ordered by ICU."))
    if (encoding := _value("SHOW server_encoding")) != "UTF8":
        advice = _("Make a database with the encoding UTF8, and restore a backup into it.")
        yield fault(PART, format_lazy(_("The encoding of the database is {encoding}."), encoding=encoding), advice)
    if _value("SHOW transaction_read_only") == "on":
        advice = _("Name the main server in DATABASE_URL, not a replica.")
        yield fault(PART, _("The database can only be read."), advice)
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        if _value(f"SHOW {setting}") == "off":
            advice = _("Turn it on in postgresql.conf; without it a power cut can lose updates.")
            yield warning(PART, format_lazy(_("{setting} is off."), setting=setting), advice)


def check_log_triggers() -> Finding:
    """Return whether the database itself refuses to change or delete rows of the logs."""
    missing = missing_triggers(connection)
    if missing:
        text = format_lazy(_("{count} triggers are missing: the log could be changed."), count=len(missing))
        return fault("log", text, _("Run manage.py migrate, which adds them, then manage.py verify_log."))
    return ok("log", _("The database refuses changes of the log."))


def check_administrators() -> Finding:
    """Return whether somebody can log in as an administrator."""
    people = get_user_model().objects.filter(is_superuser=True, is_active=True)
    if not settings.PMQA_DEMO:
        people = people.filter(is_demo=False)
    count = people.count()
    if not count:
        return fault("accounts", _("There is no administrator."), _("Run manage.py createsuperuser."))
    return ok("accounts", format_lazy(_("Administrators: {count}."), count=count))


def _value(statement: str) -> str | int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _column(statement: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {value for (value,) in cursor.fetchall()}
