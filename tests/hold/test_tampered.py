"""Rows of the log that somebody with the database's password changes: refused, or found and named afterwards."""

import random
import re
from sqlite3 import IntegrityError

import pytest
from psycopg2.errors import RestrictViolation

from tests import sizes
from tests.hold.databases import server_url
from tests.hold.site import Site

pytestmark = [pytest.mark.both_databases, pytest.mark.skipif(not sizes.IS_FULL, reason="the long form")]
TAMPERED = 20
CHANGES = ("result = result || ' '", "at = '2020-02-11 03:00:01+00'", "progress_to = progress_to + 1")
ROWS = (
    "SELECT id FROM plan_progressupdate WHERE progress_to BETWEEN 10 AND 90 AND status_to = 'IN_PROGRESS' ORDER BY id"
)


def turn_triggers_off(site: Site) -> None:
    """Let the database accept changes of its log, as its owner may."""
    if server_url():
        site.query("ALTER TABLE plan_progressupdate DISABLE TRIGGER USER")
    else:
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'plan_progressupdate'"
        for (name,) in site.query(names):
            site.query(f"DROP TRIGGER {name}")


@pytest.mark.promise("The log is append-only", "20 of 20 changes refused; past the triggers, 20 of 20 rows named")
def test_tampered_rows_are_named(make_site, measured):
    site, chance = make_site(), random.Random(sizes.SEED)  # noqa: S311
    site.manage("verify_log")
    rows = chance.sample([pk for (pk,) in site.query(ROWS)], TAMPERED)
    statements = [f"UPDATE plan_progressupdate SET {CHANGES[pk % len(CHANGES)]} WHERE id = {pk}" for pk in rows]  # noqa: S608
    refused = 0
    for statement in statements:
        with pytest.raises((IntegrityError, RestrictViolation)):
            site.query(statement)
        refused += 1
    turn_triggers_off(site)
    for statement in statements:
        site.query(statement)
    found = site.manage("verify_log", check=False)
    named = {int(pk) for pk in re.findall(r"plan\.ProgressUpdate (\d+) \(.+\): changed", found.stdout)}
    measured(f"{refused} of {TAMPERED} refused, {len(named & {*rows})} of {TAMPERED} named")
    assert (named, found.returncode) == ({*rows}, 1)
    site.manage("migrate")  # puts the triggers back
    with pytest.raises((IntegrityError, RestrictViolation)):
        site.query(statements[0])
