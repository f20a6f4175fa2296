"""Several workers on one queue, and workers that are killed or suspended in the middle: every job has one result."""

import random
import signal
import time
import zipfile
from io import BytesIO

import pytest

from tests import sizes
from tests.hold.site import Site
from tests.hold.test_background import PLAN, WAITS, confirm, start_worker, until, upload, wait_for_import
from tests.hold.visitor import form_values

pytestmark = [pytest.mark.both_databases, pytest.mark.skipif(not sizes.IS_FULL, reason="the long form")]
WORKERS, TASKS = 3, 200
KILLS, SUSPENDED, ROWS = 10, 3, 300


@pytest.mark.promise("Several workers run each job once", "each of 200 jobs once, by 3 workers")
def test_each_task_runs_once(make_site, measured):
    site = make_site()
    file = site.folder / "lines"
    queueing = site.spawn("-m", "tests.hold.counted_task", str(file), str(TASKS))
    workers = [site.spawn("manage.py", "worker") for _number in range(WORKERS)]
    assert queueing.wait(300) == 0, site.log
    open_tasks = "SELECT COUNT(*) FROM pmqa_tracker_backgroundtask WHERE state IN ('WAITING', 'RUNNING')"
    until(lambda: site.query(open_tasks) == [(0,)])
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    assert [worker.wait(60) for worker in workers] == [0] * WORKERS
    lines = sorted(map(int, file.read_text().split()))
    measured(f"{len(lines)} runs of {TASKS} jobs")
    assert lines == [*range(TASKS)]
    assert site.query("SELECT COUNT(*) FROM pmqa_tracker_backgroundtask WHERE state <> 'DONE'") == [(0,)]


def prepare_workbook(site: Site) -> str:
    """Ask for a workbook in the background; return the URL of its page."""
    visitor = site.visitor("coordinator")
    values = form_values(visitor.get(f"{PLAN}/reports/"), "kind") | {"kind": "form-only"}
    return visitor.post(f"{PLAN}/reports/prepare/", values).url


@pytest.mark.promise("A workbook survives a killed worker", "10 of 10 whole")
def test_killed_worker_leaves_no_half_workbook(make_site, measured):
    site = make_site(workers=2, PMQA_LONG_PLAN="100")
    site.start()
    visitor, chance, whole = site.visitor("coordinator"), random.Random(sizes.SEED), 0  # noqa: S311
    worker, cut = start_worker(site, "0"), 0
    for kill in range(KILLS):
        url = prepare_workbook(site)
        time.sleep(chance.random() * 3)
        cut += site.query("SELECT COUNT(*) FROM pmqa_tracker_backgroundtask WHERE state = 'RUNNING'")[0][0]
        worker.kill()
        worker.wait()
        worker = start_worker(site, str(kill + 1))
        until(lambda url=url: WAITS not in visitor.get(url).text)
        answer = visitor.get(f"{url}file.xlsx")
        assert answer.status_code == 200, visitor.get(url).text[:2000]
        whole += zipfile.ZipFile(BytesIO(answer.content)).testzip() is None
    stored = [path for path in (site.data_dir / "prepared" / "results").rglob("*") if path.is_file()]
    measured(f"{whole} of {KILLS} whole, {cut} killed at work, {len(stored)} files")
    assert whole == KILLS
    assert KILLS <= len(stored) <= KILLS + cut  # one that was stored and not yet named is removed after a day


@pytest.mark.promise("A suspended worker that wakes up changes nothing twice", "3 of 3 imports once")
def test_suspended_worker_writes_nothing_twice(site, measured):
    visitor = site.visitor("coordinator")
    running = "SELECT COUNT(*) FROM pmqa_tracker_backgroundtask WHERE state = 'RUNNING'"
    for number in range(SUSPENDED):
        sleeper = start_worker(site, f"s{number}")
        url = upload(visitor, f"k{number}", ROWS)
        wait_for_import(visitor, url)
        confirm(visitor, url)
        until(lambda url=url: site.query(running) != [(0,)] or WAITS not in visitor.get(url).text)
        sleeper.send_signal(signal.SIGSTOP)
        other = start_worker(site, f"o{number}")
        if WAITS in visitor.get(url).text:
            time.sleep(5)
        sleeper.send_signal(signal.SIGCONT)
        wait_for_import(visitor, url)
        for worker in (sleeper, other):
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
    counts = site.query(
        "SELECT p.slug, COUNT(*) FROM plan_actionitem a JOIN plan_plan p ON p.id = a.plan_id "
        "WHERE p.slug LIKE 'k%' GROUP BY p.slug"
    )
    measured(f"{len(counts)} of {SUSPENDED} imports once")
    assert sorted(counts) == [(f"k{number}", ROWS) for number in range(SUSPENDED)]
