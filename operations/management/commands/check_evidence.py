"""`manage.py check_evidence`: find evidence files that are missing, changed, or belong to nothing."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from operations.backup.evidence import check_evidence, remove_orphans
from operations.backup.refusals import in_both_languages

NOT_READ = _("The storage of evidence does not answer: %(reason)s")
FOUND = _(
    "%(missing)s files missing, %(changed)s changed, %(orphans)s that belong to nothing. Restore missing and changed "
    "files from a backup; --remove-orphans removes the others."
)


class Command(BaseCommand):
    help = "Compare every evidence file with its row; end with an error if a file is missing, changed or an orphan."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--remove-orphans", action="store_true", help="Delete the files that belong to nothing.")

    def handle(self, *, remove_orphans: bool, **options: Any) -> None:
        try:
            self._check(remove=remove_orphans)
        except OSError as error:
            raise CommandError(in_both_languages(NOT_READ, reason=error)) from error

    def _check(self, *, remove: bool) -> None:
        found = check_evidence(now=timezone.now())
        for kind, rows in (("missing", found.missing), ("changed", found.changed)):
            for row in rows:
                self.stdout.write(f"{kind}: {row.file} · {row.action.ref} · {row.title}")
        for name in found.orphans:
            self.stdout.write(f"orphan: {name}")
        if remove:
            remove_orphans(found.orphans)
            self.stdout.write(f"{len(found.orphans)} orphans removed.")
            found.orphans = []
        if found.missing or found.changed or found.orphans:
            counts = {"missing": len(found.missing), "changed": len(found.changed), "orphans": len(found.orphans)}
            raise CommandError(in_both_languages(FOUND, **counts))
        self.stdout.write(f"{found.checked} evidence files are as they were recorded.")
