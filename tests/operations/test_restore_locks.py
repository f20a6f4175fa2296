"""A restore of a running site waits for its writers, also if they wait for the restore."""

from contextlib import closing
from threading import Event, Thread

import pytest
from django.db import connection

from operations.backup import old_schema
from operations.backup.restore import closed_to_writers
from tests import sizes

pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not sizes.ON_POSTGRESQL, reason="a writer locks all of SQLite"),
]
WAITING = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND mode = 'ExclusiveLock'"


def test_restore_lets_a_writer_end_that_waits_for_it():
    first, *_others, last = old_schema.tables()
    holds, has_ended = Event(), Event()

    def write():
        with closing(connection.copy()) as other, other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {last} IN ROW EXCLUSIVE MODE")
            holds.set()
            while True:  # until the restore has locked the tables before that one
                cursor.execute(WAITING)
                if cursor.fetchone()[0]:
                    break
            cursor.execute(f"LOCK TABLE {first} IN ROW EXCLUSIVE MODE")
            cursor.execute("COMMIT")
            has_ended.set()

    thread = Thread(target=write)
    thread.start()
    assert holds.wait(60)
    with closed_to_writers():
        assert has_ended.wait(60)
    thread.join(60)
