"""`manage.py restore`: put the rows and files of a backup back, all or nothing."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from operations.backup.check import CheckedBackup, check_backup
from operations.backup.kept import BEFORE_RESTORE
from operations.backup.make import make_backup
from operations.backup.refusals import BackupError, in_both_languages
from operations.backup.restore import closed_to_writers, is_empty, restore_files, restore_rows
from pmqa_tracker.planner import analyze

NOT_EMPTY = _(
    "The database has data. Nothing was changed. To replace all of it by the backup, stop the site and add --replace; "
    "the present data is backed up first."
)
NO_SAFETY_BACKUP = _(
    "The present data could not be backed up (%(reason)s). Nothing was changed. To replace it without a backup, add "
    "--no-safety-backup."
)
IN_USE = _(
    "Somebody is using the database (%(reason)s). Nothing was changed. Stop the site and its worker, then restore "
    "again."
)
NOT_READ = _("The backup could not be read, or its files not stored: %(reason)s")
FILES_MISSING = _("These evidence files were missing already when the backup was made: %(names)s.")


class Command(BaseCommand):
    help = "Check a backup completely, then restore it into an empty database, or with --replace in place of the data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="Only check the file; change nothing.")
        parser.add_argument("--replace", action="store_true", help="Replace the data of a database that has some.")
        parser.add_argument(
            "--no-safety-backup", action="store_true", help="With --replace: do not back up the present data first."
        )

    def handle(self, *, file: Path, check: bool, **options: Any) -> None:
        try:
            backup = check_backup(file)
            try:
                self._describe(backup)
                if not check:
                    self._restore(backup, **options)
            finally:
                backup.close()
        except BackupError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(in_both_languages(NOT_READ, reason=error)) from error

    def _describe(self, backup: CheckedBackup) -> None:
        manifest = backup.manifest
        rows = sum(table.rows for table in manifest.tables)
        made = f"made at {manifest.made_at} from {manifest.database}"
        self.stdout.write(f"{backup.name} is whole: {made}, {rows} rows, {len(manifest.files)} files.")
        for head in manifest.log_heads:
            self.stdout.write(f"log of plan {head.plan}: {head.number} entries, {head.hash}")
        if manifest.missing_files:
            self.stderr.write(in_both_languages(FILES_MISSING, names=", ".join(manifest.missing_files)))

    def _restore(self, backup: CheckedBackup, *, replace: bool, no_safety_backup: bool, **options: Any) -> None:
        if not is_empty() and not replace:
            raise CommandError(in_both_languages(NOT_EMPTY))
        try:
            with closed_to_writers():
                if not no_safety_backup and not is_empty():
                    self._back_up_present_data()
                added = restore_files(backup)
                restore_rows(backup)
        except OperationalError as error:
            raise CommandError(in_both_languages(IN_USE, reason=error)) from error
        analyze()
        self.stdout.write(f"Restored: every table is as it is in the backup; {added} files were added.")

    def _back_up_present_data(self) -> None:
        try:
            made = make_backup(settings.PMQA_BACKUP_DIR, at=timezone.now(), prefix=BEFORE_RESTORE)
        except (BackupError, OSError, DatabaseError) as error:
            raise CommandError(in_both_languages(NO_SAFETY_BACKUP, reason=error)) from error
        self.stdout.write(f"The present data is in {made.path}.")
