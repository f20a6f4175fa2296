"""Fill an empty database with the seeded plan, the demo accounts as real ones, and an open session of each.

`python -m tests.hold.prepare FILE KEPT` runs with the settings of the site and writes the cookies of the sessions to
FILE. KEPT is the folder in which the tests keep the rows of the demonstration.
"""

import json
import sys
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.test import Client, override_settings

from tests import sizes

PASSWORD = "a long password for these tests"


def make_tables() -> None:
    """Make the tables: in a full run by the migrations, in any other from the models, which is three times as fast.

    tests/test_migrations.py compares the two.
    """
    if not sizes.IS_FULL:
        with override_settings(MIGRATION_MODULES={each.label: None for each in apps.get_app_configs()}):
            call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("migrate", fake=not sizes.IS_FULL, verbosity=0)


def main(file: Path, kept: Path) -> None:
    make_tables()
    hasher = "django.contrib.auth.hashers.MD5PasswordHasher"  # that of the tests; the real hash follows
    with override_settings(PMQA_DEMO=True, PMQA_DEMO_PASSWORD=DEMO_PASSWORD, PASSWORD_HASHERS=[hasher]):
        load(kept, "seed", "demo")
    User.objects.update(is_demo=False, password=make_password(PASSWORD))
    cookies = {}
    for user in User.objects.all():
        client = Client()
        client.force_login(user)
        cookies[user.username] = {name: morsel.value for name, morsel in client.cookies.items()}
    file.write_text(json.dumps(cookies))


if __name__ == "__main__":
    django.setup()
    from assignments.models import User
    from tests.conftest import DEMO_PASSWORD, load

    settings.ALLOWED_HOSTS.append("testserver")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
