"""`manage.py set_up`: what `make run` needs before the site starts, in one process, and only what has changed."""

import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import BaseCommand, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from assignments.models import User

SUFFIXES = {".py", ".json"}  # code, migrations and fixtures
APART = {".venv", "var", "staticfiles", "tests"}


class Command(BaseCommand):
    help = (
        "Update the database, load the plan and, with PMQA_DEMO, the demonstration, as migrate, seed and demo do. "
        "It looks at nothing again that has not changed since its last run on this database."
    )
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        # Other commands, such as send_reminders, read the port from this file.
        (settings.DATA_DIR / "port").write_text(str(settings.PORT))
        kept = settings.DATA_DIR / "set-up.json"
        accounts = read_accounts(kept, state_of_site())
        if accounts is None:
            accounts = self._set_up()
            kept.write_text(json.dumps({"state": state_of_site(), "accounts": accounts}, ensure_ascii=False))
        else:
            self.stdout.write("The database and the plan are up to date.")
        if settings.PMQA_DEMO:
            self.stdout.write("Accounts, for this machine only:")
            self.stdout.write(accounts.replace("{password}", settings.PMQA_DEMO_PASSWORD))
        else:
            self.stdout.write(
                "PMQA_DEMO is off: no demonstration accounts or history are created, and existing ones stay closed.\n"
                "The site answers to the names in ALLOWED_HOSTS, behind an HTTPS proxy."
            )

    def _set_up(self) -> str:
        """Run the commands, and return the lines about the accounts, without their password."""
        call_command("migrate", verbosity=0)
        call_command("seed", stdout=self.stdout)
        if not settings.PMQA_DEMO:
            return ""
        out = StringIO()
        call_command("demo", stdout=out)
        added, _line, accounts = out.getvalue().partition(" Accounts, for this machine only:\n")
        self.stdout.write(added)
        return accounts.rstrip().replace(settings.PMQA_DEMO_PASSWORD, "{password}")


def state_of_site() -> str:
    """Return a digest of what the set-up depends on: files, settings, migrations, roles and demonstration passwords.

    A migration has the moment when it ran, so another database has another state, also one after a restore.
    """
    folders = [each for each in settings.BASE_DIR.iterdir() if each.is_dir() and each.name not in APART]
    paths = [path for folder in folders for path in folder.rglob("*") if path.suffix in SUFFIXES]
    paths += settings.BASE_DIR.glob("requirements*.txt")  # a package may bring migrations
    files = sorted((str(path), (found := path.stat()).st_mtime_ns, found.st_size) for path in paths)
    recorder = MigrationRecorder(connection)
    rows: list[Any] = []
    if recorder.has_table():
        rows = sorted(recorder.migration_qs.values_list("app", "name", "applied"))
    people: list[Any] = []
    roles: list[str] = []
    if User._meta.db_table in connection.introspection.table_names():
        people = sorted(User.objects.filter(is_demo=True).values_list("username", "password"))
        roles = sorted(Group.objects.values_list("name", flat=True))  # `migrate` adds those that are missing
    demo = (settings.PMQA_DEMO, settings.PMQA_DEMO_PASSWORD, settings.PMQA_TODAY)
    chosen = (*demo, str(settings.DATABASES["default"]["NAME"]))
    return hashlib.sha256(repr((files, rows, people, roles, chosen)).encode()).hexdigest()


def read_accounts(kept: Path, state: str) -> str | None:
    """Return the lines about the accounts that the last run has kept; None if the state has changed since."""
    try:
        found = json.loads(kept.read_text())
        return found["accounts"] if found["state"] == state else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
