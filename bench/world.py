"""Databases to measure on: the demonstration, among made-up organizations until there are enough actions."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

PASSWORD = "measure-these-pages"
FOLDER = Path("var/bench")
ACTIONS_OF_PLAN = 250  # so a million actions are 4,000 plans, as a ministry may have
PLANS_OF_ORGANIZATION = 20


def make_world(actions: int, database_url: str | None) -> dict[str, str]:
    """Return the environment of a server whose database has about so many actions.

    A SQLite database is kept in `var/bench` for the next run; on PostgreSQL, the worlds of a run share a database.
    """
    folder = (FOLDER / f"world-{actions}").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    env = os.environ | {
        "PMQA_ENV_FILE": "", "SECRET_KEY": "only-for-this-measurement-0123456789-abcdefghijklmnopqrstuvwxyz",
        "DATA_DIR": str(folder), "DATABASE_URL": database_url or f"sqlite:///{folder}/db.sqlite3",
        "PMQA_DEMO": "True", "PMQA_DEMO_PASSWORD": PASSWORD, "PMQA_TODAY": "2020-05-15", "LOG_FORMAT": "text",
        "DJANGO_SETTINGS_MODULE": "pmqa_tracker.settings",
    }  # fmt: skip
    manage(env, "migrate", "--verbosity", "0")
    made = folder / "made"
    if database_url or not made.exists():
        manage(env, "seed", "--verbosity", "0")
        manage(env, "demo", "--verbosity", "0")
        if plans := actions // ACTIONS_OF_PLAN:
            organizations = -(-plans // PLANS_OF_ORGANIZATION)
            manage(
                env, "generate", "--verbosity", "0", f"--plans={plans}", f"--actions={ACTIONS_OF_PLAN}",
                f"--organizations={organizations}", f"--seed={actions}", "--max-updates=2", "--force",
            )  # fmt: skip
        made.touch()
    manage(env, "check_summaries", "--repair", "--verbosity", "0")  # as a worker does; `migrate` has removed them
    if database_url is None:  # the measured updates stay out of the kept database
        copy_database(folder / "db.sqlite3", folder / "run.sqlite3")
        env["DATABASE_URL"] = f"sqlite:///{folder}/run.sqlite3"
    return env


def manage(env: dict[str, str], *command: str) -> None:
    """Run a command of manage.py."""
    subprocess.run([sys.executable, "manage.py", *command], env=env, check=True)


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database with its write-ahead log; the log of an earlier copy would damage the new one."""
    for path in target.parent.glob(f"{target.name}*"):
        path.unlink()
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
