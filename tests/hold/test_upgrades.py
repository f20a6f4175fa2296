"""Data of every release survives the upgrade to this one, also if it is killed in the middle.

`tests/data/releases` has a backup made by each tagged release. One upgrade more goes from this release to a later one
that does not exist (`tests/hold/later`), so that the tests prove something before the second release.
"""

import os
import random
import signal
import subprocess
from time import monotonic, sleep

import pytest

from tests import sizes
from tests.hold.backups import back_up, contents, make_empty
from tests.hold.site import ROOT, run_python

pytestmark = pytest.mark.both_databases
RELEASES = sorted((ROOT / "tests" / "data" / "releases").glob("v*.zip"))
LATER = {"DJANGO_SETTINGS_MODULE": "tests.hold.later.settings"}
SECONDS = 300
COUNTS = """
    SELECT (SELECT COUNT(*) FROM plan_progressupdate), (SELECT COUNT(*) FROM plan_evidence),
    (SELECT COUNT(*) FROM submissions_submissionstep), (SELECT SUM(LENGTH(result)) FROM plan_progressupdate)
"""
STEPS = "SELECT submission_id, COUNT(*) FROM submissions_submissionstep GROUP BY submission_id ORDER BY submission_id"
VERSIONS = "SELECT COUNT(version) FROM submissions_submission"
TITLES = "SELECT title FROM plan_plan ORDER BY id"
LATER_STEPS = "SELECT id, step_count FROM submissions_submission WHERE steps_taken >= 0 ORDER BY id"


def test_every_tagged_release_has_a_backup():
    tags = subprocess.run(["git", "tag", "--list", "v*"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(tags.stdout.split()) == {path.stem for path in RELEASES}


def start_and_kill(site, *arguments, until, after=0.0):
    """Start a command and kill it a while after the file `until` exists; return whether it was still running."""
    process = site.spawn(*arguments)
    end = monotonic() + SECONDS
    while not until.exists() and process.poll() is None and monotonic() < end:
        sleep(0.02)
    sleep(after)
    was_running = process.poll() is None
    os.killpg(process.pid, signal.SIGKILL) if was_running else None
    process.wait()
    return was_running


@pytest.mark.promise("Upgrades lose nothing", "0 rows lost, killed in the middle and run again")
def test_upgrade_that_is_killed_loses_nothing(make_site, tmp_path, measured):
    site, marker = make_site(), tmp_path / "stopped"
    counts, steps, titles = site.query(COUNTS), site.query(STEPS), site.query(TITLES)
    backup = back_up(site)
    site.env |= LATER | {"LATER_STOPS": str(marker)}
    assert start_and_kill(site, "manage.py", "migrate", until=marker)
    assert (site.query(COUNTS), site.query(VERSIONS)) == (counts, [(len(steps),)])
    del site.env["LATER_STOPS"]
    site.manage("migrate")
    assert (site.query(COUNTS), site.query(LATER_STEPS)) == (counts, steps)
    # The same by a restore of this release's backup; until it is done, the data of before is there.
    marker.unlink()
    site.query("UPDATE plan_plan SET title = 'before'")
    restore = ("manage.py", "restore", str(backup), "--replace", "--no-safety-backup")
    site.env["LATER_STOPS"] = str(marker)
    assert start_and_kill(site, *restore, until=marker)
    assert (site.query(TITLES), site.query(LATER_STEPS)) == ([("before",)], steps)
    del site.env["LATER_STOPS"]
    site.manage(*restore[1:])
    assert (site.query(COUNTS), site.query(LATER_STEPS), site.query(TITLES)) == (counts, steps, titles)
    measured(f"0 of {counts[0][0]} updates lost")


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
@pytest.mark.promise("Upgrades lose nothing", "0 rows lost, killed in the middle and run again")
def test_data_of_a_release_survives_the_upgrade(make_site, tmp_path, release):
    site, other = make_site(), make_site()
    for each in (site, other):
        make_empty(each)
    run_python(["-m", "tests.hold.load_release", str(release)], site.env)
    counts = site.query(COUNTS)
    delay = random.Random(sizes.SEED).uniform(1, 6)  # noqa: S311
    start_and_kill(site, "manage.py", "migrate", until=tmp_path, after=delay)
    assert site.query(COUNTS) == counts
    site.manage("migrate")
    other.manage("restore", str(release))
    assert site.query(COUNTS) == other.query(COUNTS) == counts
    assert contents(back_up(site)) == contents(back_up(other))
