"""Connections to the database of a running site, without Django."""

import sqlite3
from contextlib import closing
from typing import Any

import environ
import psycopg2


def connect(url: str) -> Any:
    """Return a connection to the database of a `DATABASE_URL`; every statement is committed at once."""
    config = environ.Env.db_url_config(url)
    if config["ENGINE"].endswith("sqlite3"):
        return sqlite3.connect(config["NAME"], timeout=60, isolation_level=None)
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    connection = psycopg2.connect(**{ours: config[theirs] or None for ours, theirs in named.items()})
    connection.autocommit = True
    return connection


def execute(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows, if it has any."""
    with closing(connect(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []
