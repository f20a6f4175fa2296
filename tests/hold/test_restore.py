"""A restore while people report, because somebody forgot to stop the site: no acknowledged update is lost."""

import json
import zipfile
from contextlib import suppress
from threading import Event, Thread

import pytest

from tests import sizes
from tests.hold.backups import back_up
from tests.hold.prepare import PASSWORD
from tests.hold.test_killed import ACTIONS, STORED, Reporter

pytestmark = [pytest.mark.both_databases, pytest.mark.skipif(not sizes.IS_FULL, reason="the long form")]
RESTORES, PEOPLE, PAUSE_SECONDS = 3, 4, 0.2


def results_in(backup) -> set[str]:
    """Return the results of the reporters' updates in a backup."""
    with zipfile.ZipFile(backup) as archive:
        lines = archive.read("rows/plan.ProgressUpdate.jsonl").splitlines()
    return {value for line in lines for value in json.loads(line) if str(value).startswith("killed ")}


def work(reporter: Reporter, ended: Event) -> None:
    """Report until the restore has ended the login, so that the page has no form."""
    with suppress(AssertionError):
        reporter.work(ended, PAUSE_SECONDS)


@pytest.mark.promise(
    "A restore of a running site loses nothing", "0 acknowledged in neither its own backup nor the site"
)
def test_restore_of_a_running_site(site, measured):
    site.spawn("manage.py", "worker")
    addresses = [f"/plans/{slug}/actions/{ref}/" for slug, ref in site.query(ACTIONS)]
    backup = back_up(site)
    acknowledged, kept = set(), set()
    for number in range(RESTORES):
        reporters = [
            Reporter(site.visitor(), addresses[person::PEOPLE], 10 * number + person) for person in range(PEOPLE)
        ]
        for each in reporters:
            assert each.visitor.log_in("coordinator", PASSWORD).status_code == 200
        ended = Event()
        threads = [Thread(target=work, args=(each, ended)) for each in reporters]
        for thread in threads:
            thread.start()
        while any(len(each.acknowledged) < 2 for each in reporters):
            ended.wait(0.1)
        site.manage("restore", str(backup), "--replace")
        ended.wait(1)
        ended.set()
        for thread in threads:
            thread.join()
        acknowledged |= {result for each in reporters for result in each.acknowledged}
        kept |= {result for (result,) in site.query(STORED)}
    for file in (site.data_dir / "backups").glob("before-restore-*.zip"):
        kept |= results_in(file)
    lost = acknowledged - kept
    measured(f"{len(lost)} lost of {len(acknowledged)}; {RESTORES} restores")
    assert lost == set()
