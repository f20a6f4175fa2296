"""`manage.py worker`: run background tasks until the process is told to stop."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.crypto import get_random_string

from pmqa_tracker.tasks.worker import run_worker


class Command(BaseCommand):
    help = (
        "Run background tasks: imports, workbooks of long plans, mails. It takes up the tasks of workers that died, "
        "deletes old files once an hour, and stops cleanly at SIGTERM."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", action="store_true", help="end when no task waits")

    def handle(self, *, batch: bool, **options: Any) -> None:
        run_worker(batch=batch, worker_id=get_random_string(32))
