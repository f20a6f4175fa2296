"""Database settings from `DATABASE_URL`, and messages for a database that cannot be reached."""

import sqlite3
import warnings
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

SQLITE_OPTIONS = {
    # By default SQLite takes its write lock in the middle of a transaction and loses it to another writer
    # ("database is locked"); IMMEDIATE takes it at the start and waits its turn. Without recursive triggers, REPLACE
    # deletes rows without asking their triggers (pmqa_tracker/append_only_triggers.py).
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON;"
    ),
}

# PostgreSQL compiles queries that it estimates as costly ("just in time"). It overestimates the queries of our lists,
# which compute columns in SQL: compiling takes a second, fetching a tenth of that. `?options=` in the URL overrides it.
# A server that does not answer must not block all threads of the site.
POSTGRESQL_OPTIONS = {"options": "-c jit=off", "connect_timeout": 5}

BAD_URL = (
    "DATABASE_URL is not a database address the tracker understands; write postgres://user:password@host:5432/name "
    "or sqlite:////folder/file.sqlite3, or leave it out for SQLite. / "
    "DATABASE_URL ไม่ใช่ที่อยู่ฐานข้อมูลที่ระบบรองรับ โปรดระบุในรูปแบบ postgres://ผู้ใช้:รหัสผ่าน@เครื่อง:5432/ชื่อฐานข้อมูล "
    "หรือ sqlite:////โฟลเดอร์/ไฟล์.sqlite3 หรือไม่ต้องกำหนดตัวแปรนี้หากใช้ SQLite"
)


def from_url(env: environ.Env, default_file: Path) -> dict[str, object]:
    """Return Django's settings of the default database.

    Args:
        env: the environment; `DATABASE_URL` is read from it.
        default_file: the SQLite file used when no URL is given.

    Raises:
        ImproperlyConfigured: the URL is not for SQLite or PostgreSQL; the message is one sentence for the user.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # its warning repeats the address, password and all
            config = env.db_url("DATABASE_URL", default=f"sqlite:///{default_file}")
    except (ImproperlyConfigured, KeyError, ValueError):
        raise ImproperlyConfigured(BAD_URL) from None
    engine = config.get("ENGINE", "")
    if engine == "django.db.backends.sqlite3":
        config["OPTIONS"] = SQLITE_OPTIONS
        config["CONN_MAX_AGE"] = 60  # pmqa_tracker/kept_connections.py
    elif engine.startswith("django.db.backends.postgresql") and config.get("NAME"):
        config["OPTIONS"] = POSTGRESQL_OPTIONS | config.get("OPTIONS", {})
        config["CONN_MAX_AGE"] = 60
        config["CONN_HEALTH_CHECKS"] = True
    else:
        raise ImproperlyConfigured(BAD_URL)
    config["ATOMIC_REQUESTS"] = False
    return config


def hold_open(config: dict[str, object]) -> sqlite3.Connection | None:
    """Return a connection that keeps the files of SQLite's write-ahead log, or None for PostgreSQL.

    SQLite deletes them with the last connection, and cannot even read without making them again: on a full disk every
    page would fail. Each server process keeps one connection for that.
    """
    if config["ENGINE"] != "django.db.backends.sqlite3" or not Path(str(config["NAME"])).is_file():
        return None
    try:
        connection = sqlite3.connect(str(config["NAME"]), check_same_thread=False)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        return None  # the pages say what is wrong
    return connection


def has_no_tables(error: Exception) -> bool:
    """Return whether a table or column is missing: the database was not migrated, or not to this release."""
    reason = str(error)
    return "no such table" in reason or "no such column" in reason or "does not exist" in reason.split("\n")[0]


def explain(error: Exception) -> str:
    """Return one sentence, in both languages, about a database that does not answer; `error` is the driver's."""
    reason = str(error).strip().splitlines()[0]
    if has_no_tables(error):
        return (
            "The database has no tables of the tracker, or outdated ones; run manage.py migrate first. / "
            "ฐานข้อมูลยังไม่มีตารางของระบบหรือเป็นรุ่นเก่า โปรดใช้คำสั่ง manage.py migrate ก่อน"
        )
    return (
        f"The database named by DATABASE_URL does not answer ({reason}); check the address, the password and that the "
        f"server runs. / เชื่อมต่อฐานข้อมูลตาม DATABASE_URL ไม่ได้ โปรดตรวจสอบที่อยู่ รหัสผ่าน และสถานะของเครื่องแม่ข่ายฐานข้อมูล"
    )
