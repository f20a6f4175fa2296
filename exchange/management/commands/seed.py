"""`manage.py seed`: load the department's plan from `fixtures/`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from exchange import seeding


class Command(BaseCommand):
    help = "Load the department's plan. Records that exist, or that users changed or removed, stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fixtures", type=Path, default=settings.BASE_DIR / "fixtures", metavar="DIR")

    def handle(self, *, fixtures: Path, verbosity: int, **options: Any) -> None:
        try:
            summary = seeding.load_fixtures(fixtures)
        except seeding.FixtureError as error:
            raise CommandError(str(error)) from error
        if verbosity:
            left = f", {summary.skipped} skipped (they belong to records that users removed)" if summary.skipped else ""
            self.stdout.write(f"Plan: {summary.added} records added, {summary.kept} already existed{left}.")
