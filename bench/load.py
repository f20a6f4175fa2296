"""`python -m bench.load [--clients 200] [--seconds 60] [--pause 0] [--groups 2]`: many users at once on one plan.

Of all requests, 70 % read a page, 20 % filter the list and 10 % update; only staff update, and the page with the form
that they open before it is one of those read. A client asks again as soon as it has its answer, or after the pause.
The clients run on the same processors as the site, in a process of their own.
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
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import quantiles
from time import perf_counter, process_time, sleep

from bench.measure import typed
from bench.pages import PLAN
from bench.servers import GUNICORN, Server, proxy, serve
from bench.visitor import Answer, Visitor
from bench.world import PASSWORD, make_world

SHARES = {"update": 0.1, "filter": 0.2}  # of all requests; the others read
READERS = ("manager", "coordinator", "assessor")
STAFF = ("staff", *(f"staff-{unit}" for unit in ("slk", "kpr", "kkr", "kkn", "kn", "ksw", "srs", "kph", "kj")))
READ = ("dashboard/", "dashboard/?as_of=2020-03-31", "criteria/", "timeline/", "units/", "actions/")
WORDS = ("คน", "แผน", "ข้อมูล", "รายงาน", "ประเมิน", "พัฒนา", "ระบบ", "องค์กร")
STATUSES = ("NOT_STARTED", "IN_PROGRESS", "DONE", "BLOCKED")
MEMORY_SECONDS = 20
REF = re.compile(re.escape(f"{PLAN}/actions/") + r'([\w.-]+)/"')


@dataclass
class Found:
    """What the clients saw: requests begun, seconds by kind of request, and answers that are errors."""

    begun: Counter[str] = field(default_factory=Counter)
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
            try:
                self._ask(self._next())
            except OSError as error:
                self.found.wrong[type(error).__name__] += 1
            if self.pause:
                sleep(self.random.expovariate(1 / self.pause))

    def _next(self) -> str:
        """Return the kind of request that lacks most in its share, and that this user may send."""
        begun, kinds = self.found.begun, ("update", "filter") if self.is_staff else ("filter",)
        return next((kind for kind in kinds if begun[kind] < SHARES[kind] * begun.total()), "read")

    def _ask(self, kind: str) -> None:
        if kind == "update":
            self._update()
        elif kind == "read":
            self._keep(kind, "GET", f"{PLAN}/{self.random.choice((*READ, 'my/') if self.is_staff else READ)}")
        else:
            query = f"q={self.random.choice(WORDS)}&status={self.random.choice(STATUSES)}"
            self._keep(kind, "GET", f"{PLAN}/actions/?{query}")

    def _update(self) -> None:
        if not self.refs:
            self.refs = sorted(set(REF.findall(self._keep("read", "GET", f"{PLAN}/my/").body.decode())))
        if not self.refs:  # the page was an error
            return
        path = f"{PLAN}/actions/{self.random.choice(self.refs)}/"
        fields = self._keep("read", "GET", path).hidden_fields
        self._keep("update", "POST", path, fields | typed())

    def _keep(self, kind: str, method: str, path: str, data: dict[str, object] | None = None) -> Answer:
        self.found.begun[kind] += 1
        quoted = re.sub(r"[^\x21-\x7e]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), path)
        answer = self.visitor.post(quoted, data) if data else self.visitor.get(quoted)
        self.found.seconds[kind].append(answer.seconds)
        # 409: somebody else wrote first; the page says so and keeps the words.
        if answer.status not in {200, 302, 409}:
            self.found.wrong[f"{method} {answer.status}"] += 1
        return answer


def main() -> None:
    """Start a server, let the clients work, and print what they saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=0, help="mean seconds between an answer and the next request")
    parser.add_argument("--server", default=GUNICORN, help="a module of Python with its options")
    parser.add_argument("--groups", type=int, help="of web processes on one database, behind nginx")
    parser.add_argument("--port", type=int, help="of a server that runs already")
    options = parser.parse_args()
    if options.port:
        json.dump(work(options), sys.stdout)
        return
    env = make_world(141, os.environ.get("TEST_DATABASE_URL"))
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serve("pmqa_tracker.wsgi:application", env, options.server))
            for _group in range(options.groups or 1)
        ]
        ports = [server.port for server in servers]
        show(servers, stack.enter_context(proxy(ports)) if options.groups else ports[0], options)


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
    return {"seconds": found.seconds, "wrong": found.wrong, "processor": process_time()}


def show(servers: list[Server], port: int, options: argparse.Namespace) -> None:
    """Let a process of clients work, and print requests per second, the slow ends, and what the processes use."""

    def megabytes() -> float:
        return sum(server.megabytes for server in servers)

    def processor_seconds() -> float:
        return sum(server.processor_seconds for server in servers)

    memory, before = [megabytes()], processor_seconds()
    arguments = [f"--{name}={getattr(options, name)}" for name in ("clients", "seconds", "pause")]
    command = [sys.executable, "-m", "bench.load", f"--port={port}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as clients:
        until = perf_counter() + options.seconds
        while (left := until - perf_counter()) > 0:
            sleep(min(left, MEMORY_SECONDS))
            memory.append(megabytes())
        found = json.load(clients.stdout)
    every = [each for times in found["seconds"].values() for each in times]
    lines = [f"{options.clients} clients: {len(every) / options.seconds:.1f} requests/s, errors {found['wrong'] or 0}"]
    for kind, times in {**found["seconds"], "all": every}.items():
        if len(times) > 1:
            ends = quantiles(times, n=20)
            slow = f"p50 {ends[9]:.2f} s, p95 {ends[18]:.2f} s, longest {max(times):.2f} s"
            lines.append(f"{kind:<8} {len(times):>6} ({len(times) / len(every):.0%}) {slow}")
    lines += [
        f"Memory of the workers every {MEMORY_SECONDS} s: {', '.join(f'{each:.0f}' for each in memory)} MB",
        f"Processor: site {processor_seconds() - before:.0f} s, clients {found['processor']:.0f} s",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
