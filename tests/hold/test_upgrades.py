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
from tests.hold.make_release import FOLDER, present_version
from tests.hold.site import ROOT, environment, run_python

pytestmark = pytest.mark.both_databases
RELEASES = sorted(FOLDER.glob("v*.zip"), key=lambda path: [int(part) for part in path.stem[1:].split(".")])
LATER = {"DJANGO_SETTINGS_MODULE": "tests.hold.later.settings"}
SECONDS = 300
KILLS = sizes.scaled(5)  # of the upgrade from a release
COUNTS = """
    SELECT (SELECT COUNT(*) FROM plan_progressupdate), (SELECT COUNT(*) FROM plan_evidence),
    (SELECT COUNT(*) FROM submissions_submissionstep), (SELECT SUM(LENGTH(result)) FROM plan_progressupdate)
"""
STEPS = "SELECT submission_id, COUNT(*) FROM submissions_submissionstep GROUP BY submission_id ORDER BY submission_id"
VERSIONS = "SELECT COUNT(version) FROM submissions_submission"
TITLES = "SELECT title FROM plan_plan ORDER BY id"
LATER_STEPS = "SELECT id, step_count FROM submissions_submission WHERE steps_taken >= 0 ORDER BY id"


@pytest.mark.both_databases(only_full=True)
def test_every_tagged_release_has_a_backup():
    tags = subprocess.run(["git", "tag", "--list", "v*"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert {*tags.stdout.split()} - {path.stem for path in RELEASES} == set()


@pytest.mark.both_databases(only_full=True)
@pytest.mark.skipif(not RELEASES, reason="nothing is released yet")
def test_documents_name_the_newest_release():
    version = RELEASES[-1].stem[1:]
    assert present_version() == version
    assert f"\n## [{version}] - " in (ROOT / "CHANGELOG.md").read_text()
    for chapter in ("docs/install.md", "docs/th/install.md"):
        assert f" --branch v{version} " in (ROOT / chapter).read_text(), chapter


def start_and_kill(site, *arguments, until):
    """Start a command and kill it as soon as the file `until` exists; return whether it was still running."""
    process = site.spawn(*arguments)
    end = monotonic() + SECONDS
    while not until.exists() and process.poll() is None and monotonic() < end:
        sleep(0.02)
    was_running = process.poll() is None
    os.killpg(process.pid, signal.SIGKILL) if was_running else None
    assert process.wait() in (0, -signal.SIGKILL), site.log
    return was_running


@pytest.mark.both_databases(only_full=bool(RELEASES))  # the test below is killed and restores there too
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
    if sizes.ON_POSTGRESQL and not sizes.IS_FULL:  # tests/hold/test_backup.py restores there
        return
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
    if sizes.IS_FULL:  # and back to this release
        for name in LATER:
            site.env[name] = environment(site.data_dir)[name]
        site.manage(*restore[1:])
        assert (site.query(COUNTS), site.query(VERSIONS)) == (counts, [(len(steps),)])
    measured(f"0 of {counts[0][0]} updates lost")


@pytest.mark.parametrize("release", RELEASES if sizes.IS_FULL else RELEASES[-1:], ids=lambda path: path.stem)
@pytest.mark.promise("Upgrades lose nothing", "0 rows lost, killed in the middle and run again")
def test_data_of_a_release_survives_the_upgrade(make_site, tmp_path, release, measured):
    site, other = make_site(), make_site()
    for each in (site, other):
        make_empty(each)
    run_python(["-m", "tests.hold.load_release", str(release)], site.env)
    counts, kills, at = site.query(COUNTS), 0, 0
    chance = random.Random(sizes.SEED)  # noqa: S311
    while kills < KILLS:
        at, marker = at + chance.randrange(1, 12), tmp_path / f"stopped-{kills}"
        if not start_and_kill(site, "-m", "tests.hold.migrate_and_stop", str(at), str(marker), until=marker):
            break  # fewer statements are left
        kills += 1
        assert site.query(COUNTS) == counts
    site.manage("migrate")
    other.manage("restore", str(release))
    assert site.query(COUNTS) == other.query(COUNTS) == counts
    assert rows_of(site) == rows_of(other)
    for each in (site, other):
        each.manage("verify_log")
    measured(f"0 of {counts[0][0]} updates lost from {release.stem}; {kills} kills")


def rows_of(site):
    """Back up a site and return what the backup holds, without the last keys, which killed commands used up."""
    found = contents(back_up(site))
    return found | {"tables": [table | {"last_key": None} for table in found["tables"]]}
