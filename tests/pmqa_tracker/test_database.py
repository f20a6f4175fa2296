"""Database settings for each engine, from the URL."""

from pathlib import Path
from shutil import copyfile

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper

from pmqa_tracker.database import from_url
from pmqa_tracker.kept_connections import close_if_moved

pytestmark = pytest.mark.both_databases


def asked(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    return from_url(environ.Env(), Path("/nowhere/db.sqlite3"))


def test_postgresql_does_not_compile_queries(monkeypatch):
    address = "postgres://person:word@db.example:5432/pmqa"
    config = asked(monkeypatch, address)
    assert config["OPTIONS"] == {"options": "-c jit=off", "connect_timeout": 5}
    assert (config["HOST"], config["PORT"], config["NAME"], config["CONN_HEALTH_CHECKS"]) == (
        "db.example", 5432, "pmqa", True,
    )  # fmt: skip
    config = asked(monkeypatch, f"{address}?sslmode=require&options=-c%20work_mem%3D64MB")
    assert config["OPTIONS"] == {"sslmode": "require", "options": "-c work_mem=64MB", "connect_timeout": 5}


@pytest.mark.django_db
def test_the_test_database_has_its_options():
    question, answer = {"postgresql": ("SHOW jit", "off"), "sqlite": ("PRAGMA journal_mode", "wal")}[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(question)
        assert cursor.fetchone() == (answer,)


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize("url", ["mysql://a:b@c/d", "postgres://person:secret@db.example:5432/", "nonsense"])
def test_other_engine_is_refused_without_showing_the_password(monkeypatch, url):
    with pytest.raises(ImproperlyConfigured) as refused:
        asked(monkeypatch, url)
    assert "DATABASE_URL" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.django_db
def test_kept_connection_is_closed_when_its_file_is_another_one_or_may_not_be_written(tmp_path, monkeypatch):
    path = tmp_path / "db.sqlite3"
    kept = DatabaseWrapper({**connections["default"].settings_dict, "NAME": str(path), "OPTIONS": {}})

    def is_kept():
        close_if_moved(kept)
        return kept.connection is not None

    for change in (
        lambda: path.rename(tmp_path / "old"),
        lambda: copyfile(path, tmp_path / "new").replace(path),
        lambda: monkeypatch.setattr("os.access", lambda *args: False),
    ):
        kept.connect()
        kept.cursor().execute("CREATE TABLE IF NOT EXISTS a (b)")
        assert is_kept()
        change()
        assert not is_kept()
