"""`manage.py backup`: back up the database and the evidence while the site runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from operations.backup.kept import Rule, remove_old
from operations.backup.make import make_backup
from operations.backup.refusals import BackupError, in_both_languages

NOT_WRITTEN = _("The backup could not be written: %(reason)s")
FILES_DIFFER = _(
    "%(path)s was made, but evidence files are missing or changed: %(names)s. Run manage.py check_evidence. Older "
    "backups were not removed; they may still have these files."
)


class Command(BaseCommand):
    help = "Back up the database and the evidence into one file, and remove old backups by rule."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=settings.PMQA_BACKUP_DIR, metavar="DIR")

    def handle(self, *, folder: Path, verbosity: int, **options: Any) -> None:
        now = timezone.now()
        try:
            made = make_backup(folder, at=now)
            differ = [*made.manifest.missing_files, *made.changed_files]
            removed = [] if differ else remove_old(folder, Rule(*settings.PMQA_BACKUPS_KEPT), now=now)
        except BackupError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(in_both_languages(NOT_WRITTEN, reason=error)) from error
        if differ:
            raise CommandError(in_both_languages(FILES_DIFFER, path=made.path, names=", ".join(differ)))
        if verbosity:
            rows = sum(table.rows for table in made.manifest.tables)
            files = len(made.manifest.files)
            self.stdout.write(f"{made.path}: {rows} rows, {files} files; {len(removed)} old backups removed.")
