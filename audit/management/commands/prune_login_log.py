"""`manage.py prune_login_log`: delete the events of logins that are past their days."""

from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from audit.record import prune_login_log


class Command(BaseCommand):
    help = "Delete the events of logins that are older than PMQA_LOGIN_LOG_DAYS was when they were recorded."

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"{prune_login_log(timezone.now())} events of logins deleted.")
