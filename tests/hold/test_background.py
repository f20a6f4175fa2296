"""Background work: a long import locks nobody out, a killed worker loses nothing, and web machines share the work."""

import random
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from statistics import quantiles
from subprocess import Popen
from threading import Event, Thread

import pytest

from bench.workbooks.new_plan import big_book
from tests import sizes
from tests.hold.site import Site, free_port
from tests.hold.visitor import Visitor, form_values

pytestmark = pytest.mark.both_databases(only_full=True)
WRITERS, READERS, ROWS = (16, 10, 5_000) if sizes.IS_FULL else (3, 2, 150)
ALONE_SECONDS, SECONDS = (20, 60) if sizes.IS_FULL else (1, 3)
MAX_WRITE_SECONDS = 2.0
KILLS = sizes.scaled(20, least=2)
KILLED_ROWS = 1_000 if sizes.IS_FULL else 150
WAIT_SECONDS = 300
WAITS = 'hx-trigger="every 1s"'  # on the page of a task that waits or runs
PLAN = "/plans/2562-2563"
PAGES = (f"{PLAN}/my/", f"{PLAN}/actions/", f"{PLAN}/dashboard/", "/plans/")
REFS = "SELECT a.ref FROM plan_actionitem a JOIN plan_plan p ON p.id = a.plan_id WHERE p.slug = '2562-2563'"
# A worker that takes up the tasks of a dead one sooner than after 15 seconds.
WORKER = """
import django
django.setup()
from pmqa_tracker.tasks import worker
worker.DEAD_AFTER_SECONDS = 3
worker.run_worker(worker_id="{name}")
"""


def start_worker(site: Site, name: str) -> Popen:
    """Start a worker; return its process."""
    return site.spawn("-c", WORKER.format(name=name))


def stop_at_once(worker: Popen) -> None:
    """Stop a worker in the middle of a task: the first signal lets the task end, the second does not."""
    worker.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    worker.send_signal(signal.SIGTERM)


def until(found: Callable[[], object]) -> None:
    """Wait until something is found."""
    end = time.monotonic() + WAIT_SECONDS
    while not found():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def upload(visitor: Visitor, slug: str, rows: int) -> str:
    """Upload a new plan with this many actions; return the URL of the import."""
    data = big_book(visitor.get(f"{PLAN}/plan.xlsx").content, slug, rows)
    values = form_values(visitor.get("/new-plan/"), "file")
    answer = visitor.post("/new-plan/", values, files={"file": ("แผน.xlsx", data)})
    assert "/new-plan/" in answer.url, answer.text[:500]
    return answer.url


def wait_for_import(visitor: Visitor, url: str) -> str:
    """Wait until an import is read or written; return its page."""
    until(lambda: WAITS not in visitor.get(url).text)
    return visitor.get(url).text


def confirm(visitor: Visitor, url: str) -> None:
    """Confirm the preview of an import."""
    visitor.post(url, form_values(visitor.get(url), "csrfmiddlewaretoken"), allow_redirects=False)


@dataclass
class Answers:
    """Seconds of each answer by kind, alone and beside the import, and the answers that were errors of the server."""

    alone: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    beside: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    is_beside: bool = False

    def ask(self, kind: str, ask: Callable[[], object]) -> None:
        """Ask the site and note its answer."""
        start = time.perf_counter()
        answer = ask()
        (self.beside if self.is_beside else self.alone)[kind].append(time.perf_counter() - start)
        if answer.status_code >= 500:
            self.errors.append(f"{answer.status_code} {answer.url}")


def late(seconds: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles([*seconds, *seconds], n=20)[-1]


@pytest.mark.timed
@pytest.mark.promise("a long import locks nobody out", "0 × 5xx, 95 % of the writes under 2 s")
def test_people_work_beside_a_long_import(site, measured):
    site.spawn("manage.py", "worker")
    refs, answers, ended = [ref for (ref,) in site.query(REFS)], Answers(), Event()

    def write(number: int) -> None:
        visitor = site.visitor("coordinator")
        for step in count():
            if ended.is_set():
                return
            own = refs[number::WRITERS]
            page = f"{PLAN}/actions/{own[step % len(own)]}/"
            values = form_values(visitor.get(page), "op_id")
            values |= {"status_to": "IN_PROGRESS", "progress_to": str(10 + step % 80), "result": f"ครั้งที่ {step}"}
            values["reason"] = "ทดสอบ"
            answers.ask("write", lambda values=values, page=page: visitor.post(page, values, allow_redirects=False))
            time.sleep(0.3)

    def read(number: int) -> None:
        visitor = site.visitor("manager")
        for step in count(number):
            if ended.is_set():
                return
            answers.ask("read", lambda step=step: visitor.get(PAGES[step % len(PAGES)]))
            time.sleep(0.3)

    people = [Thread(target=write, args=(number,)) for number in range(WRITERS)]
    people += [Thread(target=read, args=(number,)) for number in range(READERS)]
    for person in people:
        person.start()
    try:
        time.sleep(ALONE_SECONDS)
        until(lambda: len(answers.alone["write"]) >= WRITERS)
        answers.is_beside, end = True, time.monotonic() + SECONDS
        visitor = site.visitor("coordinator")
        url = upload(visitor, "2570", ROWS)
        wait_for_import(visitor, url)
        confirm(visitor, url)
        wait_for_import(visitor, url)
        time.sleep(max(0, end - time.monotonic()))
    finally:
        ended.set()
        for person in people:
            person.join()
    seconds, alone = late(answers.beside["write"]), late(answers.alone["write"])
    measured(
        f"{len(answers.errors)} × 5xx, 95 % of {len(answers.beside['write'])} writes within {seconds:.2f} s "
        f"({alone:.2f} s without the import)"
    )
    assert answers.errors == []
    assert site.query("SELECT COUNT(*) FROM plan_actionitem a JOIN plan_plan p ON p.id = a.plan_id"
                      " WHERE p.slug = '2570'") == [(ROWS,)]  # fmt: skip
    if sizes.IS_FULL:
        assert seconds < MAX_WRITE_SECONDS


@pytest.mark.promise("background work survives a killed worker", "every import is whole, once")
def test_killed_worker_loses_no_import(site, measured):
    chance = random.Random(sizes.SEED or 17)  # noqa: S311
    visitor, worker = site.visitor("coordinator"), start_worker(site, "0")
    killed = 0
    for kill in range(KILLS):
        url = upload(visitor, f"k{kill}", KILLED_ROWS)
        if kill % 2:
            wait_for_import(visitor, url)
            confirm(visitor, url)
        time.sleep(chance.random() * 2)
        running = site.query("SELECT COUNT(*) FROM pmqa_tracker_backgroundtask WHERE state = 'RUNNING'")[0][0]
        killed += running
        if kill % 4 in (1, 2):
            stop_at_once(worker)
        else:
            worker.kill()
        worker.wait()
        worker = start_worker(site, str(kill + 1))
        wait_for_import(visitor, url)
        if not kill % 2:
            confirm(visitor, url)
            wait_for_import(visitor, url)
    counts = site.query(
        "SELECT p.slug, COUNT(*) FROM plan_actionitem a JOIN plan_plan p ON p.id = a.plan_id "
        "WHERE p.slug LIKE 'k%' GROUP BY p.slug"
    )
    measured(f"{len(counts)} of {KILLS} imports whole; {killed} workers killed or stopped at work")
    assert sorted(counts) == sorted((f"k{kill}", KILLED_ROWS) for kill in range(KILLS))
    until(lambda: (str(KILLS),) in site.query("SELECT name FROM pmqa_tracker_workerprocess"))  # it has begun
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(WAIT_SECONDS) == 0


@pytest.mark.promise("web machines share the background work", "seen and downloaded on the other machine")
def test_two_web_machines_share_the_work(make_site, measured):
    site = make_site(PMQA_LONG_PLAN="100")
    site.start()
    other = replace(site, port=free_port(), processes=[])
    try:
        other.start()
        here, there = site.visitor("coordinator"), other.visitor("coordinator")
        url = upload(here, "2571", 20)
        path = url.removeprefix(site.url)
        page = there.get(path).text
        assert (WAITS in page, "<progress" in page, "message-warning" in page) == (True, False, True)
        worker = start_worker(other, "one")
        wait_for_import(there, path)
        confirm(there, path)
        assert "message-success" in wait_for_import(here, url)
        values = form_values(there.get(f"{PLAN}/reports/"), "kind") | {"kind": "form-only"}
        page = there.post(f"{PLAN}/reports/prepare/", values)
        url = page.url.replace(other.url, site.url)
        assert "file.xlsx" in wait_for_import(here, url), other.log
        file = here.get(f"{url}file.xlsx")
        assert file.content.startswith(b"PK")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WAIT_SECONDS) == 0
    finally:
        other.kill()
    measured("an import and a workbook")
