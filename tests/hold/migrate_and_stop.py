"""Migrate as `manage.py migrate` does, and stop before a chosen statement that changes the schema.

`python -m tests.hold.migrate_and_stop NUMBER MARKER` runs with the settings of the site. Before statement NUMBER it
creates the file MARKER and waits, so that a test can kill it there; with fewer statements it ends.
"""

import sys
import time
from pathlib import Path

import django
from django.core.management import call_command
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

WAIT_SECONDS = 600


def main(number: int, marker: Path) -> None:
    execute, left = BaseDatabaseSchemaEditor.execute, iter(range(number))

    def execute_or_stop(editor, *arguments, **options):
        if next(left, None) is None:
            marker.touch()
            time.sleep(WAIT_SECONDS)
        return execute(editor, *arguments, **options)

    BaseDatabaseSchemaEditor.execute = execute_or_stop
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), Path(sys.argv[2]))
