"""`manage.py clean_up`: delete what is no longer needed, as the worker does once an hour."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pmqa_tracker.tasks.clean_up import clean_up_all


class Command(BaseCommand):
    help = "Delete old uploads, results and background tasks (PMQA_KEPT_HOURS), as the worker does once an hour."

    def handle(self, *, verbosity: int, **options: Any) -> None:
        deleted = clean_up_all(timezone.now())
        if verbosity:
            for name, count in deleted.items():
                self.stdout.write(f"{name}: {'failed' if count is None else count}")
        if None in deleted.values():
            raise CommandError("A clean-up failed; the log says why.")
