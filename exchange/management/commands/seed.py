"""`manage.py seed`: load the criteria and the department's plan from `fixtures/`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from exchange import seeding
from pmqa_tracker.planner import analyze


class Command(BaseCommand):
    help = (
        "Load the criteria and the department's plan. "
        "Records that exist, or that users changed or removed, stay as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fixtures", type=Path, default=seeding.FIXTURES, metavar="DIR")
        parser.add_argument(
            "--framework-only", action="store_true", help="Load only the criteria, no plan and no units."
        )

    def handle(self, *, fixtures: Path, framework_only: bool, verbosity: int, **options: Any) -> None:
        patterns = {"patterns": (seeding.FRAMEWORKS,)} if framework_only else {}
        try:
            summary = seeding.load_fixtures(fixtures, **patterns)
        except seeding.FixtureError as error:
            raise CommandError(str(error)) from error
        if summary.added:
            analyze()
        if verbosity:
            left = f", {summary.skipped} skipped (they belong to records that users removed)" if summary.skipped else ""
            what = "Criteria" if framework_only else "Plan"
            self.stdout.write(f"{what}: {summary.added} records added, {summary.kept} already existed{left}.")
