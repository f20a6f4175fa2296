"""Keep connections to SQLite only while the file they opened is the one in its place, and may be written.

Opening the file takes as long as all statements of a small page, so connections are kept between requests. But one that
is open goes on writing into a file that was replaced, or whose disk was taken away or became read-only.
"""

import os
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

Place = tuple[int, int, bool] | None
_opened: WeakKeyDictionary[BaseDatabaseWrapper, Place] = WeakKeyDictionary()


def _place_of(connection: BaseDatabaseWrapper) -> Place:
    """Return what tells the file of a connection from another one, and whether it may be written; None without one."""
    path = Path(connection.settings_dict["NAME"])
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, os.access(path, os.W_OK)


def note_place(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Remember which file a new connection has opened."""
    if connection.vendor == "sqlite":
        _opened[connection] = _place_of(connection)


def close_if_moved(connection: BaseDatabaseWrapper) -> None:
    """Close a connection to SQLite whose file is no longer the one that it opened."""
    is_open = connection.connection is not None and not connection.in_atomic_block
    if is_open and connection in _opened and _opened[connection] != _place_of(connection):
        connection.close()


def close_moved(**kwargs: Any) -> None:
    """Do that for all connections of this thread, before it answers a request."""
    for connection in connections.all(initialized_only=True):
        close_if_moved(connection)
