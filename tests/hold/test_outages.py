"""Disk full, database gone: reading goes on where it can, no typed word and no acknowledged update is lost."""

from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from lxml import html
from requests import RequestException, Response

from tests import sizes
from tests.hold.broken_disks import full_disk, missing_disk, read_only_disk, small_disk
from tests.hold.cluster import own_cluster
from tests.hold.databases import server_url
from tests.hold.site import Site
from tests.hold.test_killed import STALE
from tests.hold.visitor import form_values

WORDS = "ข้อความที่พิมพ์ไว้ ต้องไม่หาย"
RESULTS = "SELECT result FROM plan_progressupdate WHERE result LIKE 'outage %'"
ACTION = """
    SELECT p.slug, a.ref FROM plan_actionitem a JOIN plan_plan p ON p.id = a.plan_id
    WHERE a.status = 'IN_PROGRESS' ORDER BY a.id
"""
READ = ("/", "/plans/", "/plans/{slug}/actions/", "/plans/{slug}/dashboard/", "/plans/{slug}/my/")
RECOVERY_SECONDS = 120
PEOPLE, RESTARTS = 4, 5


class Reporter:
    """Somebody who reports on one action and counts what the site acknowledged."""

    def __init__(self, site: Site, number: int = 0) -> None:
        self.site, self.number = site, number
        slug, ref = site.query(ACTION)[number]
        self.slug, self.address = slug, f"/plans/{slug}/actions/{ref}/"
        self.visitor = site.visitor("coordinator")
        self.visitor.headers["Connection"] = "close"  # a connection kept open may end at any moment on a busy machine
        self.acknowledged: list[str] = []
        self.numbers = count()

    def form(self) -> dict[str, str]:
        """Open the form and return its fields."""
        return form_values(self.visitor.get(self.address), "op_id")

    def report(self, *, files: Any = None, htmx: bool = False, values: dict[str, str] | None = None) -> Response:
        """Post an update; `values` are the fields of a form that was opened before."""
        result = f"outage {self.number}/{next(self.numbers)} {WORDS}"
        fields = (values or self.form()) | {"result": result, "reason": "ทดสอบ"}
        headers = {"HX-Request": "true"} if htmx else {}
        answer = self.visitor.post(self.address, fields, files=files, headers=headers, allow_redirects=False)
        if answer.status_code == 302:
            self.acknowledged.append(result)
        return answer

    def work(self, ended: Event) -> None:
        """Report until `ended`, whatever the site answers."""
        while not ended.is_set():
            with suppress(AssertionError, RequestException):
                self.report()
            sleep(0.1)

    def report_until_acknowledged(self) -> None:
        """Report until the site has recovered, without anybody's help."""
        end = monotonic() + RECOVERY_SECONDS
        while monotonic() < end:
            with suppress(AssertionError, RequestException):
                if self.report().status_code == 302:
                    return
            sleep(0.2)
        raise AssertionError(f"The site did not recover: {self.site.log[-2000:]}")

    def send_again(self, answer: Response) -> Response:
        """Press the button of an error page."""
        form = html.fromstring(answer.text).forms[0]
        result = next(value for name, value in form.form_values() if name == "result")
        again = self.visitor.post(form.action, dict(form.form_values()), allow_redirects=False)
        if again.status_code == 302:
            self.acknowledged.append(result)
        return again

    def unreadable(self) -> list[str]:
        """Open pages that only read, and return those that fail."""
        pages = [page.format(slug=self.slug) for page in READ]
        return [page for page in [*pages, self.address] if self.visitor.get(page).status_code != 200]


def assert_refused(answer: Response, *, why: str, is_htmx: bool = False) -> None:
    """The answer says that nothing is recorded and why, has the reference, and holds the typed words in fields.

    htmx gets a message only; the words are still in the form of the row.
    """
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "60"), answer.text
    assert {text for text in ("ยังไม่ได้บันทึก", why, answer.headers["X-Request-ID"]) if text not in answer.text} == set()
    if is_htmx:
        assert answer.headers["X-Refusal"] == "true"
        assert "<html" not in answer.text
    else:
        assert any(WORDS in text for text in html.fromstring(answer.text).xpath("//textarea/text()"))


def refused_report(reporter: Reporter) -> Response:
    """Report on a full disk until the log of SQLite has no room left, and return the refusal."""
    for _again in range(50):
        answer = reporter.report()
        if answer.status_code != 302:
            return answer
    raise AssertionError("The disk is not full.")


def stored_files(site: Site) -> list[Path]:
    """Return the files of evidence."""
    return sorted(path for path in (site.data_dir / "evidence").rglob("*") if path.is_file())


def assert_recovered(reporter: Reporter, refused: Response) -> str:
    """Send a refused update again, twice; return the figure of acknowledged updates that are lost or doubled."""
    reporter.report_until_acknowledged()
    again = [reporter.send_again(refused).status_code for _twice in range(2)]
    assert again[0] in (302, 409)  # 409: somebody reported on the action meanwhile, and the words are beside the form
    reporter.site.kill()
    results = [result for (result,) in reporter.site.query(RESULTS)]
    lost = set(reporter.acknowledged) - set(results)
    assert (lost, len(results)) == (set(), len(set(results)))
    return f"{len(lost)} lost of {len(reporter.acknowledged)}"


@pytest.mark.promise("A full disk loses no word and no update", "503 with the words; 0 acknowledged lost; reads go on")
def test_full_disk(make_site, measured):
    site = make_site()
    with small_disk(site.data_dir, megabytes=8):
        site.start()
        reporter = Reporter(site)
        assert reporter.report().status_code == 302
        with full_disk(site.data_dir):
            refused = refused_report(reporter)
            assert_refused(refused, why="เต็ม")
            assert reporter.unreadable() == []
            beside = reporter.report(htmx=True)
            assert_refused(beside, why="เต็ม", is_htmx=True)
            before = stored_files(site)
            with_file = reporter.report(files={"files": ("งาน.txt", (WORDS * 50_000).encode(), "text/plain")})
            assert_refused(with_file, why="เต็ม")
            assert stored_files(site) == before
            assert [site.visitor().get(page).status_code for page in ("/healthz", "/readyz")] == [200, 503]
        measured(assert_recovered(reporter, refused))


@pytest.mark.promise("A read-only disk loses no word and no update", "503 with the words; 0 lost; reads go on")
def test_read_only_disk(make_site, measured):
    site = make_site()
    site.start()
    reporter = Reporter(site)
    assert reporter.report().status_code == 302
    with read_only_disk(site.data_dir):
        refused = reporter.report()
        assert_refused(refused, why="อ่านได้อย่างเดียว")
        assert reporter.unreadable() == []
    measured(assert_recovered(reporter, refused))


@pytest.mark.promise("A database that is gone loses no word and no update", "503 with the words; 0 lost; it recovers")
def test_missing_disk(make_site, measured):
    site = make_site()
    site.start()
    reporter = Reporter(site)
    assert reporter.report().status_code == 302
    values = reporter.form()
    with missing_disk(site.data_dir):
        refused = reporter.report(values=values)
        assert_refused(refused, why="ฐานข้อมูลไม่ตอบสนอง")
        assert_refused(reporter.report(values=values, htmx=True), why="ฐานข้อมูลไม่ตอบสนอง", is_htmx=True)
        assert [site.visitor().get(page).status_code for page in ("/healthz", "/readyz")] == [200, 503]
    measured(assert_recovered(reporter, refused))


@pytest.fixture
def cluster_and_site(prepared, make_site):
    """A PostgreSQL server of the test's own, which it may stop, and a running site on it."""
    if not server_url():
        pytest.skip("for the run on PostgreSQL")
    with own_cluster() as cluster:
        cluster.copy_from(prepared.url_of(prepared.template))
        site = make_site(DATABASE_URL=cluster.url)
        site.start()
        yield cluster, site


@pytest.mark.both_databases
@pytest.mark.promise("A database that is gone loses no word and no update", "503 with the words; 0 lost; it recovers")
def test_stopped_postgresql(cluster_and_site, measured):
    cluster, site = cluster_and_site
    reporter = Reporter(site)
    assert reporter.report().status_code == 302
    values = reporter.form()
    cluster.stop()
    refused = reporter.report(values=values)
    assert_refused(refused, why="ฐานข้อมูลไม่ตอบสนอง")
    assert_refused(reporter.report(values=values, htmx=True), why="ฐานข้อมูลไม่ตอบสนอง", is_htmx=True)
    page = reporter.visitor.get(reporter.address)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "60")
    assert [site.visitor().get(page).status_code for page in ("/healthz", "/readyz")] == [200, 503]
    cluster.start()
    measured(assert_recovered(reporter, refused))


@pytest.mark.both_databases
@pytest.mark.skipif(not sizes.IS_FULL, reason="the long form")
@pytest.mark.promise("A restarted database loses no update", "0 lost, doubled or half-written after 5 restarts")
def test_restarted_postgresql(cluster_and_site, measured):
    cluster, site = cluster_and_site
    reporters, ended = [Reporter(site, number) for number in range(PEOPLE)], Event()
    threads = [Thread(target=each.work, args=(ended,)) for each in reporters]
    for thread in threads:
        thread.start()
    for restart in range(RESTARTS):
        wanted = 3 * (restart + 1)
        while any(len(each.acknowledged) < wanted for each in reporters):
            assert all(thread.is_alive() for thread in threads)
            sleep(0.05)
        cluster.stop()
        sleep(0.5)
        cluster.start()
    ended.set()
    for thread in threads:
        thread.join()
    results = [result for (result,) in site.query(RESULTS)]
    acknowledged = {result for each in reporters for result in each.acknowledged}
    lost, doubled = acknowledged - set(results), len(results) - len(set(results))
    measured(f"{len(lost)} lost, {doubled} doubled of {len(acknowledged)}; {RESTARTS} restarts")
    assert (lost, doubled) == (set(), 0)
    assert site.query(STALE) == []
    site.manage("verify_log")
