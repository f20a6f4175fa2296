"""The migrations create the schema that the models describe. All other tests create tables from the models.

`make lint`, a part of `make test`, finds a migration that is missing.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.schema import schema

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def empty_database(tmp_path: Path) -> Iterator[str]:
    """Yield the URL of an empty database with the engine of the test database."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/migrated.sqlite3"
        return
    name = f"migrated_{os.getpid()}"
    server = os.environ["TEST_DATABASE_URL"].rpartition("/")[0]
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


def run(url: str, folder: Path, *command: str) -> str:
    """Run a Python command on a database, with the settings of the site; return its output."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "PMQA_ENV_FILE": "", "SECRET_KEY": "x" * 60,
        "DATA_DIR": str(folder), "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "pmqa_tracker.settings",
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, check=True, timeout=300, stdout=subprocess.PIPE
    )
    return ended.stdout.decode()


@pytest.mark.both_databases
def test_migrations_create_the_schema_of_the_models(empty_database: str, tmp_path: Path) -> None:
    run(empty_database, tmp_path, "manage.py", "migrate", "--verbosity=0")
    migrated, described = json.loads(run(empty_database, tmp_path, "-m", "tests.schema")), schema()
    assert {name: parts for name, parts in migrated.items() if parts != described.get(name)} == {}
    assert migrated.keys() == described.keys()
    assert len(migrated) > 30
