"""Checks of the machine: who may read the files, storage service, collected static files, backups, mail, reminders."""

import os
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from pwd import getpwuid

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.mail import EmailMessage, get_connection
from django.db.models import Max
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from operations.backup.kept import list_backups
from operations.findings import Finding, fault, ok, warning
from plan.models import Plan
from pmqa_tracker.clock import SLACK
from pmqa_tracker.file_storage import LocalStorage
from pmqa_tracker.mail import TIMEOUT, explain_mail_error, is_mail_on
from pmqa_tracker.tasks.models import new_name
from worklist.models import Reminder

BACKUP_AGE, OLD_BACKUP_AGE = timedelta(hours=26), timedelta(days=7)  # a night and two hours
REMINDERS_AGE = timedelta(days=8)  # a weekend and holidays between
STORAGE_ADVICE = _(
    "Check the address, key, secret and bucket in STORAGE_URL: the bucket must exist, and the key must be allowed to "
    "write, read, list and delete files in it. Until then evidence cannot be added or read."
)


def check_files() -> Iterator[Finding]:
    """Yield whether the site can write its data folder, and whether other accounts of the machine can read it."""
    folder = Path(settings.DATA_DIR)
    owner = folder.stat().st_uid
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        advice = format_lazy(_("Run: chown -R {user} {folder}"), user=getpwuid(os.geteuid()).pw_name, folder=folder)
        yield fault("files", format_lazy(_("{folder} cannot be written."), folder=folder), advice)
    elif owner != os.geteuid():
        advice = _("Run this command as the account of the site.")
        text = format_lazy(_("{folder} belongs to the account {owner}."), folder=folder, owner=getpwuid(owner).pw_name)
        yield warning("files", text, advice)
    open_to_all = [path for path in (folder, Path(settings.ENV_FILE)) if _is_open(path)]
    for path in open_to_all:
        advice = format_lazy(_("Run: chmod o-rwx {path}"), path=path)
        yield warning("files", format_lazy(_("Every account of this machine can read {path}."), path=path), advice)
    if not open_to_all:
        yield ok("files", format_lazy(_("{folder}: only the site reads and writes it."), folder=folder))


def _is_open(path: Path) -> bool:
    return path.exists() and path != Path() and bool(path.stat().st_mode & stat.S_IRWXO)


def check_storage() -> Iterator[Finding]:
    """Yield whether the storage service of `STORAGE_URL` keeps a file; one is stored, read, listed and removed."""
    if isinstance(storages["default"], LocalStorage):
        return
    for name in ("default", "prepared"):
        storage, content = storages[name], new_name().encode()
        probe = f"doctor-{new_name()}"
        try:
            storage.save(probe, ContentFile(content))
            with storage.open(probe) as file:
                is_same = file.read() == content
            is_same = is_same and probe in storage.listdir("")[1]
            storage.delete(probe)
            reason = "" if is_same and not storage.exists(probe) else _("it did not keep a test file as it was")
        except OSError as error:
            reason = str(error)
        if reason:
            text = format_lazy(_("The storage service in STORAGE_URL fails: {reason}"), reason=reason)
            yield fault("files", text, STORAGE_ADVICE)
            return
    yield ok("files", _("The storage service in STORAGE_URL stores, reads, lists and removes files."))


def check_static_files() -> Finding:
    """Return whether all static files of this release are collected."""
    collected = getattr(staticfiles_storage, "hashed_files", None)
    names = {name for finder in get_finders() for name, _storage in finder.list([])}
    missing = len(names - set(collected)) if collected is not None else 0
    if missing:
        text = format_lazy(_("{count} static files are not collected: pages have no style."), count=missing)
        return fault("static", text, _("Run manage.py collectstatic --noinput, then restart the server."))
    return ok("static", _("The static files are collected."))


def check_mail(send_to: str) -> Finding:
    """Return whether the mail server answers; with an address, send it a mail."""
    connection = get_connection(timeout=settings.EMAIL_TIMEOUT or TIMEOUT)
    try:
        connection.open()
        if send_to:
            text = "อีเมลทดสอบจากระบบติดตามแผนพัฒนาองค์การ / A test mail of the PMQA tracker."
            EmailMessage("PMQA Tracker: doctor", text, to=[send_to], connection=connection).send()
        connection.close()
    except (OSError, ValueError) as error:
        text = format_lazy(_("The mail server refused: {reason}"), reason=explain_mail_error(error))
        return fault("mail", text, _("Check EMAIL_URL: name, port, account and password of the mail server."))
    return ok(
        "mail",
        format_lazy(_("A mail was sent to {address}."), address=send_to) if send_to else _("The mail server answers."),
    )


def check_backups(now: datetime) -> Finding:
    """Return how old the newest backup is; one of a later day was made by a wrong clock."""
    folder = Path(settings.PMQA_BACKUP_DIR)
    advice = _("Back up now with manage.py backup, and run it each night by a systemd timer or cron.")
    newest = next((each for each in list_backups(folder) if each.at <= now + SLACK), None)
    if newest is None:
        return fault("backup", format_lazy(_("There is no backup in {folder}."), folder=folder), advice)
    when = date_format(localtime(newest.at), "Y-m-d H:i")
    text = format_lazy(_("The last backup is of {when}."), when=when)
    if now - newest.at > BACKUP_AGE:
        return (fault if now - newest.at > OLD_BACKUP_AGE else warning)("backup", text, advice)
    return ok("backup", text)


def check_reminders(now: datetime) -> Finding:
    """Return when reminders were sent last, if mail is on and a plan is running."""
    if not is_mail_on() or not Plan.objects.running(on=localtime(now).date()).exists():
        return ok("reminders", _("No plan is running, or mail is off: no reminder is due."))
    last = Reminder.objects.aggregate(last=Max("sent_at"))["last"]
    advice = _("Run manage.py send_reminders each working day, by a systemd timer or cron.")
    if last is None:
        return warning("reminders", _("No reminder has ever been sent."), advice)
    text = format_lazy(_("The last reminders were sent at {when}."), when=date_format(localtime(last), "Y-m-d H:i"))
    return warning("reminders", text, advice) if now - last > REMINDERS_AGE else ok("reminders", text)
