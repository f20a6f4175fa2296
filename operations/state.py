"""State of the running installation, for the health page and the doctor: database, disks, worker, mail."""

import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from operations.findings import Finding, fault, ok, warning
from pmqa_tracker.mail import is_mail_on
from pmqa_tracker.tasks.models import WorkerProcess, worker_seen_at

MEGABYTE = 1024 * 1024


def check_database() -> list[Finding]:
    """Return whether the database answers and has all migrations of this release."""
    try:
        applied = set(MigrationRecorder(connection).applied_migrations())
    except (DatabaseError, InterfaceError) as error:
        reason = str(error).strip().split("\n")[0]
        advice = _("Check that the database server runs, and the address and the password in DATABASE_URL.")
        return [fault("database", format_lazy("{} ({})", _("The database does not answer."), reason), advice)]
    missing = len(_own_migrations() - applied)
    answers = ok("database", _("The database answers."))
    if missing:
        text = format_lazy(_("{count} migrations are not applied."), count=missing)
        return [answers, fault("migrations", text, _("Run manage.py migrate, then restart the server."))]
    return [answers, ok("migrations", _("All migrations are applied."))]


@cache
def _own_migrations() -> set[tuple[str, str]]:
    """Return the migrations of this release; those that a squashed one replaces do not count."""
    return set(MigrationLoader(None).graph.nodes)


def check_disks() -> list[Finding]:
    """Return whether each disk the site writes to is writable and has `PMQA_DISK_FREE_MB` left."""
    return [_check_disk(folder) for folder in _folders()]


def _folders() -> Iterator[Path]:
    """Yield a folder on each disk: the data, an SQLite database elsewhere, and temporary files of uploads."""
    folders = [Path(settings.DATA_DIR), Path(tempfile.gettempdir())]
    if connection.vendor == "sqlite":
        folders.append(Path(str(connection.settings_dict["NAME"])).parent)
    seen = set()
    for folder in folders:
        device = folder.stat().st_dev if folder.exists() else None
        if device is not None and device not in seen:
            seen.add(device)
            yield folder


def _check_disk(folder: Path) -> Finding:
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize // MEGABYTE
    text = format_lazy(_("{folder}: {free} MB are free."), folder=str(folder), free=f"{free:,}")
    if disk.f_flag & os.ST_RDONLY:
        text = format_lazy(_("{folder}: the disk is read-only."), folder=str(folder))
        return fault("disk", text, _("Mount it for writing; look in the system log for disk errors."))
    if free < settings.PMQA_DISK_FREE_MB:
        return fault("disk", text, _("Remove old backups and logs, or enlarge the disk."))
    if free < 2 * settings.PMQA_DISK_FREE_MB:
        return warning("disk", text, _("Remove old backups and logs, or enlarge the disk."))
    return ok("disk", text)


def check_worker(now: datetime) -> Finding:
    """Return whether a worker process has been seen lately, by the clock of the machine."""
    advice = _("Start manage.py worker, or its service; until then imports, long reports and mails wait.")
    seen_at = worker_seen_at()
    if seen_at is None:
        return fault("worker", _("No worker has been seen for a day."), advice)
    if not WorkerProcess.objects.alive(at=now).exists():
        when = date_format(localtime(seen_at), "Y-m-d H:i")
        return fault("worker", format_lazy(_("The worker was last seen at {when}."), when=when), advice)
    return ok("worker", _("The worker is at work."))


def check_mail_settings() -> Finding:
    """Return whether a mail server is set up; it is not connected to."""
    if is_mail_on():
        return ok("mail", _("A mail server is set up."))
    advice = _("Set EMAIL_URL; without it nobody gets reminders or invitations.")
    return warning("mail", _("No mail server is set up."), advice)
