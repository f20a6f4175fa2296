"""`manage.py doctor`: check this installation, and say for each fault what to do."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from operations.doctor.database_checks import check_administrators, check_engine, check_log_triggers
from operations.doctor.machine_checks import (
    check_backups,
    check_files,
    check_mail,
    check_reminders,
    check_static_files,
    check_storage,
)
from operations.doctor.settings_checks import check_settings
from operations.findings import Finding, Level, fault
from operations.state import check_database, check_disks, check_mail_settings, check_worker
from pmqa_tracker.mail import is_mail_on

MARKS = {Level.OK: "✓", Level.WARNING: "!", Level.FAULT: "✗"}
LANGUAGES = ("th", "en")
Check = Callable[[], Finding | Iterable[Finding]]


class Command(BaseCommand):
    help = "Check this installation: settings, database, disks, files, worker, backup, mail. Ends with 1 for a fault."
    requires_system_checks = ()  # they are part of the report

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="is_json", help="Print the findings as JSON.")
        parser.add_argument("--send-to", default="", metavar="ADDRESS", help="Send a test mail to this address.")

    def handle(self, *, is_json: bool, send_to: str, **options: Any) -> None:
        findings = list(examine(send_to))
        if is_json:
            described = [
                {"part": each.part, "level": each.level} | {language: each.said_in(language) for language in LANGUAGES}
                for each in findings
            ]
            self.stdout.write(json.dumps(described, ensure_ascii=False, indent=2))
        else:
            for each in findings:
                self.print(each)
            count = {level: sum(each.level == level for each in findings) for level in Level}
            self.stdout.write(
                f"ความผิดพลาด {count[Level.FAULT]} · คำเตือน {count[Level.WARNING]} / "
                f"faults: {count[Level.FAULT]} · warnings: {count[Level.WARNING]}"
            )
        if any(each.level == Level.FAULT for each in findings):
            sys.exit(1)

    def print(self, finding: Finding) -> None:
        """Print a finding with its advice, in Thai and English."""
        said = [finding.said_in(language) for language in LANGUAGES]
        self.stdout.write(f"{MARKS[finding.level]} {finding.part}: {in_both(each['text'] for each in said)}")
        if said[0]["advice"]:
            self.stdout.write(f"    → {in_both(each['advice'] for each in said)}")


def in_both(texts: Iterable[str]) -> str:
    """Join the Thai and the English text, which may be the same."""
    return " / ".join(dict.fromkeys(texts))


def examine(send_to: str) -> Iterator[Finding]:
    """Yield all findings; a check that fails itself is a fault."""
    now = timezone.now()
    database = list(run("database", check_database))
    yield from database
    if all(each.level == Level.OK for each in database):
        yield from run("database", check_engine)
        yield from run("log", check_log_triggers)
        yield from run("accounts", check_administrators)
        yield from run("worker", lambda: check_worker(now))
        yield from run("reminders", lambda: check_reminders(now))
    yield from run("settings", check_settings)  # some of Django's checks ask the database
    yield from run("disk", check_disks)
    yield from run("files", check_files)
    yield from run("files", check_storage)
    yield from run("backup", lambda: check_backups(now))
    yield from run("static", check_static_files)
    yield from run("mail", lambda: check_mail(send_to) if is_mail_on() else check_mail_settings())


def run(part: str, check: Check) -> Iterator[Finding]:
    """Yield what a check finds."""
    try:
        found = check()
        yield from [found] if isinstance(found, Finding) else found
    except Exception as error:  # the other checks still help
        text = format_lazy(_("This part could not be checked: {reason}"), reason=f"{type(error).__name__}: {error}")
        yield fault(part, text, _("Look at the fault above; otherwise report it with this text."))
