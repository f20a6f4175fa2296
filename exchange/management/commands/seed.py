"""`manage.py seed`: the department's plan from `fixtures/`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from exchange import seeding


class Command(BaseCommand):
    help = "Load the department's plan; what is there, and what people changed or removed since, is left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fixtures", type=Path, default=settings.BASE_DIR / "fixtures", metavar="DIR")

    def handle(self, *, fixtures: Path, verbosity: int, **options: Any) -> None:
        try:
            summary = seeding.load(fixtures)
        except seeding.FixtureError as error:
            raise CommandError(str(error)) from error
        if verbosity:
            left = f", {summary.left_out} left out (people removed what they belong to)" if summary.left_out else ""
            self.stdout.write(f"Plan: {summary.added} records added, {summary.kept} were there{left}.")
