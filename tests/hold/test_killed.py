"""Killed with -9 while people report: every acknowledged update is there once and whole."""

import os
import random
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from threading import Event, Thread
from time import monotonic, sleep

import pytest
from requests import RequestException

from tests import sizes
from tests.hold.site import Site
from tests.hold.visitor import Visitor, form_values
from tests.plan.evidence.hostile import good_files

pytestmark = pytest.mark.both_databases(only_full=True)
KILLS = sizes.scaled(60) if sizes.IS_FULL else 3  # one of each kind
SECONDS_OF_A_ROUND = 60  # at most
PEOPLE = 6
PDF = next(content for _name, content, kind in good_files() if kind == "pdf")
ACTIONS = """
    SELECT p.slug, a.ref FROM plan_actionitem a JOIN plan_plan p ON p.id = a.plan_id
    WHERE a.status = 'IN_PROGRESS' ORDER BY a.id
"""
STORED = "SELECT result FROM plan_progressupdate WHERE result LIKE 'killed %'"
# Of each action: version, number of updates.
VERSIONS = """
    SELECT a.ref, a.version, (SELECT COUNT(*) FROM plan_progressupdate u WHERE u.action_id = a.id)
    FROM plan_actionitem a
"""
# Actions that do not show their last update.
STALE = """
    SELECT a.ref FROM plan_actionitem a JOIN plan_progressupdate u ON u.action_id = a.id
    WHERE u.version = (SELECT MAX(version) FROM plan_progressupdate WHERE action_id = a.id)
    AND (u.status_to <> a.status OR u.progress_to <> a.progress)
"""
EVIDENCE = "SELECT u.result, e.file, e.sha256 FROM plan_evidence e JOIN plan_progressupdate u ON u.id = e.update_id"


@dataclass
class Reporter:
    """One person who reports on actions of their own and, as a browser does, sends a broken request again."""

    visitor: Visitor
    addresses: list[str]
    number: int
    acknowledged: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def work(self, ended: Event, pause: float = 0) -> None:
        """Report until `ended`, with a pause of some seconds after each update."""
        for step in count():
            if ended.is_set():
                return
            self.report(self.addresses[step % len(self.addresses)], f"killed {self.number}/{step}", step)
            ended.wait(pause)

    def report(self, address: str, result: str, step: int) -> None:
        """Post one update, every third one with a file, until there is an answer."""
        values = form_values(self.until_answered("GET", address), "op_id")
        values |= {"progress_to": str(10 + step % 80), "result": result, "reason": "ทดสอบ"}
        files = {"files": ("รายงาน.pdf", PDF + result.encode(), "application/pdf")} if step % 3 == 0 else None
        answer = self.until_answered("POST", address, data=values, files=files, allow_redirects=False)
        if answer.status_code == 302:
            self.acknowledged.append(result)
        else:
            self.wrong.append(f"{answer.status_code} {answer.text[:300]}")

    def until_answered(self, method, address, **options):
        """Send a request until the site answers it; a killed site does not."""
        for _attempt in range(600):
            with suppress(RequestException):
                return self.visitor.request(method, address, **options)
            sleep(0.1)
        raise AssertionError("The site did not come back.")


def kill_often(site: Site, reporters: list[Reporter], chance: random.Random) -> None:
    """Kill a worker, all workers or everything, each time after some more updates were acknowledged."""
    for kill in range(KILLS):
        wanted = sum(len(each.acknowledged) for each in reporters) + chance.randrange(5, 20)
        end = monotonic() + SECONDS_OF_A_ROUND
        while sum(len(each.acknowledged) for each in reporters) < wanted and monotonic() < end:
            sleep(0.01)
        if kill % 3 == 0:
            site.kill()
            site.start()
        else:
            for pid in site.worker_pids[: kill % 3]:
                os.kill(pid, signal.SIGKILL)


@pytest.mark.promise("kill -9 loses no acknowledged update", "0 lost, doubled or half-written")
def test_acknowledged_updates_survive_kill_9(site, measured):
    addresses = [f"/plans/{slug}/actions/{ref}/" for slug, ref in site.query(ACTIONS)]
    reporters = [Reporter(site.visitor("coordinator"), addresses[number::PEOPLE], number) for number in range(PEOPLE)]
    before = {ref: version - updates for ref, version, updates in site.query(VERSIONS)}
    ended = Event()
    threads = [Thread(target=each.work, args=(ended,)) for each in reporters]
    for thread in threads:
        thread.start()
    try:
        kill_often(site, reporters, random.Random(sizes.SEED or 17))  # noqa: S311
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    site.kill()
    acknowledged = [result for each in reporters for result in each.acknowledged]
    stored = [result for (result,) in site.query(STORED)]
    lost, doubled = set(acknowledged) - set(stored), len(stored) - len(set(stored))
    torn = [ref for ref, version, updates in site.query(VERSIONS) if version - updates != before[ref]]
    torn += [*site.query(STALE), *broken_evidence(site, set(acknowledged))]
    measured(f"{len(lost)} lost, {doubled} doubled, {len(torn)} half-written of {len(acknowledged)}; {KILLS} kills")
    assert [error for each in reporters for error in each.wrong] == []
    assert (lost, doubled, torn) == (set(), 0, [])
    assert len(acknowledged) > 3 * KILLS  # else they hardly worked


def broken_evidence(site: Site, acknowledged: set[str]) -> list[str]:
    """Return the updates whose file is missing, not whole, or not in the database."""
    found = {result: (file, digest) for result, file, digest in site.query(EVIDENCE) if file}
    missing = [each for each in acknowledged if int(each.split("/")[1]) % 3 == 0 and each not in found]
    root = site.data_dir / "evidence"
    return missing + [
        result for result, (file, digest) in found.items()
        if not (root / file).is_file() or sha256((root / file).read_bytes()).hexdigest() != digest
    ]  # fmt: skip
