"""`python -m bench.load [--clients 200] [--seconds 60] [--pause 0]`: many users at once on one plan.

A client decides at random: 70 % read a page, 20 % filter the list, 10 % update. Users who are not staff filter in place
of an update. A client asks again as soon as it has its answer, or after the pause. The clients run on the same
processors as the site, in a process of their own.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles
from time import perf_counter, sleep

from bench.measure import typed
from bench.pages import PLAN
from bench.servers import GUNICORN, Server, serve
from bench.visitor import Visitor
from bench.world import PASSWORD, make_world

READERS = ("manager", "coordinator", "assessor")
STAFF = ("staff", *(f"staff-{unit}" for unit in ("slk", "kpr", "kkr", "kkn", "kn", "ksw", "srs", "kph", "kj")))
READ = ("dashboard/", "dashboard/?as_of=2020-03-31", "criteria/", "timeline/", "units/", "actions/")
WORDS = ("คน", "แผน", "ข้อมูล", "รายงาน", "ประเมิน", "พัฒนา", "ระบบ", "องค์กร")
STATUSES = ("NOT_STARTED", "IN_PROGRESS", "DONE", "BLOCKED")
REF = re.compile(re.escape(f"{PLAN}/actions/") + r'([\w.-]+)/"')


@dataclass
class Found:
    """What the clients saw: seconds by kind of request, and answers that are errors."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"read": [], "filter": [], "update": []})
    wrong: Counter[int | str] = field(default_factory=Counter)


class Client(threading.Thread):
    """A user who works until the time is up."""

    def __init__(self, user: str, cookies: dict[str, str], port: int, until: float, pause: float, found: Found) -> None:
        super().__init__(daemon=True)
        self.visitor, self.until, self.pause, self.found = Visitor(port, dict(cookies)), until, pause, found
        self.random = random.Random()  # noqa: S311 - no secret
        self.is_staff = user in STAFF
        self.refs: list[str] = []

    def run(self) -> None:
        """Ask again and again."""
        sleep(self.random.random() * max(self.pause, 1))
        while perf_counter() < self.until:
            kind = self.random.choices(("read", "filter", "update"), (70, 20, 10))[0]
            try:
                self._ask(kind)
            except OSError as error:
                self.found.wrong[type(error).__name__] += 1
            if self.pause:
                sleep(self.random.expovariate(1 / self.pause))

    def _ask(self, kind: str) -> None:
        if kind == "update" and self.is_staff:
            return self._update()
        if kind == "read":
            page = self.random.choice((*READ, "my/") if self.is_staff else READ)
        else:
            page = f"actions/?q={self.random.choice(WORDS)}&status={self.random.choice(STATUSES)}"
        return self._keep("filter" if kind == "update" else kind, "GET", f"{PLAN}/{page}")

    def _update(self) -> None:
        if not self.refs:
            self.refs = sorted(set(REF.findall(self.visitor.get(f"{PLAN}/my/").body.decode())))
        path = f"{PLAN}/actions/{self.random.choice(self.refs)}/"
        fields = self.visitor.get(path).hidden_fields
        self._keep("update", "POST", path, fields | typed())

    def _keep(self, kind: str, method: str, path: str, data: dict[str, object] | None = None) -> None:
        quoted = re.sub(r"[^\x21-\x7e]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), path)
        answer = self.visitor.post(quoted, data) if data else self.visitor.get(quoted)
        self.found.seconds[kind].append(answer.seconds)
        # 409: somebody else wrote first; the page says so and keeps the words.
        if answer.status not in {200, 302, 409}:
            self.found.wrong[f"{method} {answer.status}"] += 1


def main() -> None:
    """Start a server, let the clients work, and print what they saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=0, help="mean seconds between an answer and the next request")
    parser.add_argument("--server", default=GUNICORN, help="a module of Python with its options")
    parser.add_argument("--port", type=int, help="of a server that runs already")
    options = parser.parse_args()
    if options.port:
        json.dump(work(options), sys.stdout)
        return
    env = make_world(141, os.environ.get("TEST_DATABASE_URL"))
    with serve("pmqa_tracker.wsgi:application", env, options.server) as server:
        show(server, options)


def work(options: argparse.Namespace) -> dict[str, object]:
    """Return what the clients of this process saw."""
    cookies = {}
    for user in READERS + STAFF:
        visitor = Visitor(options.port)
        visitor.log_in(user, PASSWORD)
        cookies[user] = visitor.cookies
    found, users = Found(), READERS + STAFF
    until = perf_counter() + options.seconds
    clients = [
        Client(user := users[number % len(users)], cookies[user], options.port, until, options.pause, found)
        for number in range(options.clients)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join(options.seconds + 120)
    return {"seconds": found.seconds, "wrong": found.wrong}


def show(server: Server, options: argparse.Namespace) -> None:
    """Let a process of clients work, and print pages per second, the slow ends and the memory of the workers."""
    before = server.megabytes
    arguments = [f"--{name}={getattr(options, name)}" for name in ("clients", "seconds", "pause")]
    command = [sys.executable, "-m", "bench.load", f"--port={server.port}", *arguments]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    every = [each for times in found["seconds"].values() for each in times]
    lines = [f"{options.clients} clients: {len(every) / options.seconds:.1f} requests/s, errors {found['wrong'] or 0}"]
    for kind, times in {**found["seconds"], "all": every}.items():
        if len(times) > 1:
            ends = quantiles(times, n=20)
            slow = f"p50 {ends[9]:.2f} s, p95 {ends[18]:.2f} s, longest {max(times):.2f} s"
            lines.append(f"{kind:<8} {len(times):>6} {slow}")
    lines.append(f"Memory of the workers: {before:.0f} MB, then {server.megabytes:.0f} MB")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
